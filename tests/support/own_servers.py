"""Servers of a test's own, started from the installed programs, whose space a test can take away.

Part pytest plug-in (`tests/conftest.py` names it). Tests that need programs which are not installed are left out, and
the summary says so; with RASA_PRIVACY_REQUIRE_DATABASES=1 they fail. A server runs as the user of its package where the
tests run as root, which PostgreSQL refuses.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

_START_SECONDS: Final = 120
#: Bytes up to which a process may write into a file: what is not a whole page of 8 KiB is written in part, as on a
#: disk with that much left. Files of PostgreSQL's log are smaller.
_FULL_BYTES: Final = 2**20 + 2**12
#: How far MariaDB's tablespace may grow: it is small, and larger once there is space.
_SMALL: Final = ":max:32M"
_LARGE: Final = ":max:256M"
#: Where Debian keeps the programs that are not in the path.
_FOLDERS: Final = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/sbin"))
#: Markers of tests, the programs that they need, and the packages of Debian that bring them.
PROGRAMS: Final = {
    "own_postgresql": (("initdb", "postgres"), "postgresql"),
    "own_mariadb": (("mariadb-install-db", "mariadbd"), "mariadb-server"),
}


def _program(name: str) -> str | None:
    found = shutil.which(name)
    return found or next((str(folder / name) for folder in _FOLDERS if (folder / name).exists()), None)


def _absent() -> list[str]:
    return [marker for marker, (programs, _) in PROGRAMS.items() if not all(map(_program, programs))]


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers."""
    for marker, (programs, _) in PROGRAMS.items():
        config.addinivalue_line("markers", f"{marker}: starts a server of its own from {' and '.join(programs)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of programs that are not installed."""
    if os.environ.get("RASA_PRIVACY_REQUIRE_DATABASES"):
        return
    absent = _absent()
    left_out = [item for item in items if any(item.get_closest_marker(marker) for marker in absent)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was left out and how to run it."""
    for marker in _absent():
        if not os.environ.get("RASA_PRIVACY_REQUIRE_DATABASES"):
            terminalreporter.section("left out")
            terminalreporter.line(_not_installed(marker))


def _not_installed(marker: str) -> str:
    programs, package = PROGRAMS[marker]
    return (
        f"tests marked {marker} start {' and '.join(programs)}, which are not installed: install the package {package}"
    )


class OwnServer:
    """A running server.

    Args:
        url: Of a database on it.
        command: What runs it.
        folder: Where it writes.
        account: As whom, as `subprocess` takes it.

    Attributes:
        url: Of a database on it.
    """

    def __init__(self, url: str, command: Sequence[str], folder: Path, account: dict[str, Any]) -> None:
        self.url = url
        self._command = command
        self._folder = folder
        self._account = account
        self._start()

    @contextmanager
    def full(self) -> Iterator[None]:
        """Let connections that are made from now on add some megabytes to tables at most; then give it space."""
        if self.url.startswith("postgresql"):
            self._limit(str(_FULL_BYTES))
            yield
            self._limit("unlimited")
            return
        yield  # it has a tablespace of some megabytes from the start
        self.stop()
        self._command = [each.replace(_SMALL, _LARGE) for each in self._command]
        self._start()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def _limit(self, size: str) -> None:
        # By its own user, who may without further rights.
        command = ["prlimit", f"--pid={self._process.pid}", f"--fsize={size}:"]
        subprocess.run(command, check=True, **self._account)

    def _start(self) -> None:
        """Start it, and wait until it answers."""
        path = self._folder / "log"
        with path.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._folder, **self._account)
        engine = create_engine(self.url, future=True)
        end = time.monotonic() + _START_SECONDS
        while not _answers(engine):
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise AssertionError(f"the server did not start: {path.read_text(errors='replace')}")
            time.sleep(0.1)
        engine.dispose()


def _answers(engine: Any) -> bool:
    try:
        engine.connect().close()
    except DBAPIError:
        return False
    return True


@contextmanager
def own_server(kind: str) -> Iterator[OwnServer]:
    """Start a new, empty server of this kind, `postgresql` or `mariadb`, on a free port; end it afterwards."""
    if f"own_{kind}" in _absent():
        pytest.fail(_not_installed(f"own_{kind}"))
    account = _account("postgres" if kind == "postgresql" else "mysql")
    with tempfile.TemporaryDirectory(prefix="own-") as name, socket.create_server(("127.0.0.1", 0)) as taken:
        folder, port = Path(name), taken.getsockname()[1]
        if account:
            os.chown(folder, account["user"], account["group"])
        make, run, url = (_postgresql if kind == "postgresql" else _mariadb)(folder, port)
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **account)
        taken.close()
        server = OwnServer(url, run, folder, account)
        try:
            yield server
        finally:
            server.stop()


def _account(user: str) -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    found = pwd.getpwnam(user)
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


def _postgresql(folder: Path, port: int) -> tuple[Sequence[str], Sequence[str], str]:
    data, small = str(folder / "data"), "--wal-segsize=1"
    make = [str(_program("initdb")), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", small]
    settings = ("listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}", "fsync=off")
    run = [str(_program("postgres")), "-D", data, *(word for each in settings for word in ("-c", each))]
    return make, run, f"postgresql+psycopg2://postgres@127.0.0.1:{port}/postgres"


def _mariadb(folder: Path, port: int) -> tuple[Sequence[str], Sequence[str], str]:
    bounded = ("--innodb-file-per-table=0", f"--innodb-data-file-path=ibdata1:12M:autoextend{_SMALL}")
    where = ("--no-defaults", f"--datadir={folder}/data")
    install = [str(_program("mariadb-install-db")), *where, "--auth-root-authentication-method=normal"]
    make = [*install, *bounded]
    address = ("--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/s", f"--pid-file={folder}/pid")
    run = [str(_program("mariadbd")), *where, *bounded, *address, "--skip-log-bin"]
    return make, run, f"mysql+pymysql://root@127.0.0.1:{port}/test"
