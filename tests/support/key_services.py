"""Services that key providers talk to: SoftHSM2, OpenBao, and an HTTP server that answers as a test tells it.

Part pytest plug-in (`tests/conftest.py` names it). Tests of a service that is not here and cannot be fetched are left
out, and the summary says so. With RASA_PRIVACY_REQUIRE_DATABASES=1 they fail.
"""

import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

_TOOLS = Path(__file__).parents[2] / "tools"
#: Fixtures that need what a tool fetches.
_NEEDS = {"soft_token": "get-softhsm", "openbao_address": "get-openbao"}
_left_out: set[str] = set()
PIN = "canary-pin-4711"
BAO_TOKEN = "canary-token-4711"  # noqa: S105 - of a server that lives as long as the test


@functools.cache
def tool(name: str) -> "subprocess.CompletedProcess[str]":
    """Run a tool once, which prints where a service's programs are, or how to get them."""
    return subprocess.run([_TOOLS / name, sys.executable], capture_output=True, text=True, check=False)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of what cannot be had."""
    if os.environ.get("RASA_PRIVACY_REQUIRE_DATABASES"):
        return
    for fixture, name in _NEEDS.items():
        needing = [item for item in items if fixture in getattr(item, "fixturenames", ())]
        if needing and tool(name).returncode:
            _left_out.add(f"{tool(name).stderr.splitlines()[0]} Its tests need it; tools/{name} says how to get it.")
            config.hook.pytest_deselected(items=needing)
            items[:] = [item for item in items if item not in needing]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that started this one, where there is one (pytest-xdist)."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = sorted(_left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what a process left out."""
    _left_out.update(getattr(node, "workeroutput", {}).get("left_out", ()))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was left out and how to get it."""
    if _left_out:
        terminalreporter.section("left out")
        for line in sorted(_left_out):
            terminalreporter.line(line)


def _programs(name: str) -> list[str]:
    if tool(name).returncode:
        pytest.fail(tool(name).stderr)
    return tool(name).stdout.splitlines()


@dataclass(frozen=True)
class SoftToken:
    """A token of SoftHSM2.

    Attributes:
        module: Path of the PKCS#11 library.
        label: Its label.
    """

    module: str
    label: str


def make_soft_token(folder: Path) -> SoftToken:
    """Make a token. The library reads its configuration once in a process, so that there can be one only."""
    module, utility = _programs("get-softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    command = [
        utility,
        "--module",
        module,
        "--init-token",
        "--free",
        "--label",
        "rasa",
        "--pin",
        PIN,
        "--so-pin",
        "so-" + PIN,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return SoftToken(module, "rasa")


@contextlib.contextmanager
def run_openbao(log: Path) -> Iterator[str]:
    """Run OpenBao in memory and yield its address."""
    program = _programs("get-openbao")[0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [program, "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={BAO_TOKEN}"]
    with log.open("wb") as output:
        process = subprocess.Popen([*command, f"-dev-listen-address={listen}"], stdout=output, stderr=output)
        try:
            _wait(f"http://{listen}/v1/sys/health", process)
            yield f"http://{listen}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - http
            if answer.status == 200:
                return
        time.sleep(0.1)
    pytest.fail(f"OpenBao did not start (exit code {process.poll()})")


@dataclass
class FakeService:
    """An HTTP server on this machine that gives every POST the same answer.

    Attributes:
        status: Status code of the answer.
        headers: Its headers.
        body: Its body; what is no bytes is sent as JSON.
        delay_seconds: How long it waits before it answers.
        requests: Path and body of each request so far.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    body: Any = b""
    delay_seconds: float = 0
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    address: str = ""

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator["FakeService"]:
        """Run one."""
        service = cls()
        closing = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            """Answers as the service says."""

            def do_POST(self) -> None:
                """Record the request and answer."""
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.requests.append((self.path, body))
                closing.wait(service.delay_seconds)
                content = service.body if isinstance(service.body, bytes) else json.dumps(service.body).encode()
                with contextlib.suppress(OSError):
                    self.send_response(service.status)
                    for name, value in service.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        service.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield service
        finally:
            closing.set()
            server.shutdown()
            server.server_close()
            thread.join()


def closed_port() -> str:
    """Return the address of a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
