"""What all tests share: no telemetry from Rasa, whichever test imports it first or starts it as a process."""

import os

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

pytest_plugins = ["tests.support.servers", "tests.support.databases", "tests.support.key_services"]
