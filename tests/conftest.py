"""What all tests share: no telemetry from Rasa, whichever test imports it first or starts it as a process.

And no time that an example of Hypothesis may take: on a busy machine that would decide a test.
"""

import os

from hypothesis import settings

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

pytest_plugins = ["tests.support.servers", "tests.support.databases", "tests.support.key_services"]

settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")
