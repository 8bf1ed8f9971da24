"""What all tests share: no telemetry from Rasa, whichever test imports it first or starts it as a process.

And no time that an example of Hypothesis may take: on a busy machine that would decide a test. Nor may chance: the
examples of a test are the same everywhere, and `--hypothesis-profile explore` looks for others.
"""

import os

import pytest
from hypothesis import settings

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

pytest_plugins = [
    "tests.support.servers",
    "tests.support.databases",
    "tests.support.own_servers",
    "tests.support.key_services",
]

settings.register_profile("any-machine", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1_000)
settings.load_profile("any-machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long: with them at the end, one process would work and the others wait."""
    long = {item.path for item in items if item.get_closest_marker("e2e") or item.get_closest_marker("soak")}
    items.sort(key=lambda item: item.path not in long)
