"""`RecordingProxy`: stands between Rasa and the action server or an NLG server, and keeps what goes through.

It is for leak tests: what it keeps is what people said in them. Standard library only.
"""

import json
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final

_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_FORWARD_SECONDS: Final = 60.0
_OK: Final = 200

#: Gets a payload and the action server's answer, both parsed; returns the answer that Rasa gets instead.
Rewrite = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call of an action, or one request for a response.

    Attributes:
        payload: What Rasa sent, as bytes (decompressed).
        answer: What the action server answered; empty while the proxy was down.
        status: The HTTP status; 0 while the proxy was down.
        at: When it came, in seconds of the computer's steady clock.
    """

    payload: bytes = field(repr=False)
    answer: bytes = field(repr=False)
    status: int
    at: float = field(default_factory=time.monotonic)

    @property
    def action(self) -> str:
        """Name of the called action, or of the wanted response."""
        body = json.loads(self.payload)
        return str(body["next_action"] if "next_action" in body else body.get("response"))


class RecordingProxy:
    """An HTTP server on a free port of this computer; a context manager.

    Attributes:
        exchanges: What went through, in order. Never cut; a caller remembers the length to see what is new.
        rewrite: Changes answers on their way, to play an action server that answers wrongly. None changes nothing.
    """

    def __init__(self, target: str) -> None:
        """Prepare to forward to `target`, the whole URL of the real server."""
        self.exchanges: list[Exchange] = []
        self.rewrite: Rewrite | None = None
        self._down = False
        self._target = target
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> "RecordingProxy":  # noqa: PYI034 - typing.Self needs Python 3.11
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The whole URL that Rasa should call."""
        return f"http://127.0.0.1:{self._server.server_port}/webhook"

    @contextmanager
    def down(self) -> Iterator[None]:
        """While this lasts, drop every connection without an answer, as a crashed action server would.

        The payload is recorded all the same: it has left Rasa.
        """
        self._down = True
        try:
            yield
        finally:
            self._down = False

    @contextmanager
    def rewriting(self, rewrite: Rewrite) -> Iterator[None]:
        """While this lasts, change answers on their way to Rasa."""
        self.rewrite = rewrite
        try:
            yield
        finally:
            self.rewrite = None

    def _forward(self, raw: bytes) -> Exchange:
        """Send one payload on and return what came back, after `rewrite`."""
        headers = {"Content-Type": "application/json"}
        try:
            with _DIRECT.open(urllib.request.Request(self._target, raw, headers), timeout=_FORWARD_SECONDS) as response:  # noqa: S310 - our own address
                status, answer = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, answer = error.code, error.read()
        except OSError:
            return Exchange(raw, b"", 0)
        if self.rewrite is not None and status == _OK:
            answer = json.dumps(self.rewrite(json.loads(raw), json.loads(answer))).encode()
        return Exchange(raw, answer, status)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Forward one request and keep it."""
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "deflate":
                    raw = zlib.decompress(raw)
                exchange = Exchange(raw, b"", 0) if proxy._down else proxy._forward(raw)
                proxy.exchanges.append(exchange)
                self.close_connection = True
                if exchange.status:
                    self.send_response(exchange.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(exchange.answer)))
                    self.end_headers()
                    self.wfile.write(exchange.answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Say nothing: the exchanges are the record."""

        return Handler
