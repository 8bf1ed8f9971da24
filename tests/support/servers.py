"""The servers of the tests: which of them run here.

Part pytest plug-in (`tests/conftest.py` names it). Tests of a server that does not run on its standard local port are
left out, and the summary says so and how to start it. With RASA_PRIVACY_REQUIRE_DATABASES=1 nothing may be left out.
"""

import os
import socket
from functools import cache
from typing import Any, Final

import pytest

#: Addresses as compose.yml starts them. Each name is the marker of the tests that need it.
ADDRESSES: Final = {
    "postgresql": ("127.0.0.1", 5432),
    "mariadb": ("127.0.0.1", 3306),
    "rabbitmq": ("127.0.0.1", 5672),
    "redis": ("127.0.0.1", 6379),
}
_REQUIRE: Final = "RASA_PRIVACY_REQUIRE_DATABASES"


@cache
def is_running(name: str) -> bool:
    """Say whether somebody listens where the server should."""
    try:
        socket.create_connection(ADDRESSES[name], timeout=2).close()
    except OSError:
        return False
    return True


def missing() -> list[str]:
    """Return the servers that do not run."""
    return [name for name in ADDRESSES if not is_running(name)]


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, and refuse to leave out what is required."""
    for name in ADDRESSES:
        config.addinivalue_line("markers", f"{name}: needs the server on its standard local port")
    if os.environ.get(_REQUIRE) and missing():
        raise pytest.UsageError(f"{_REQUIRE} is set and {_not_running()}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of servers that do not run."""
    absent = missing()
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in absent)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was left out and how to run it."""
    if missing():
        terminalreporter.section("left out")
        terminalreporter.line(_not_running())


def _not_running() -> str:
    names = " and ".join("{} ({}:{})".format(name, *ADDRESSES[name]) for name in missing())
    return f"no server answers for {names}: its tests need it; start it with 'docker compose up -d --wait'"
