"""Sending a POST to another system, which may be slow, endless or wrong on purpose.

Rules:

1. A redirect is not followed: the body names a person, and its signature is for one address.
2. The whole of it ends after SECONDS, however slowly bytes come, and however many addresses a name has that do not
   answer: they share the time. A system that drips holds up no other. To look the name up the operating system has its
   own time.
3. Of an answer MAX_ANSWER bytes and one are read, as they came: nothing is unpacked. That of a refusal is not read.
"""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from threading import Timer
from typing import Any, Final

MAX_ANSWER: Final = 65_536
SECONDS: Final = 10.0

#: Sends a body with headers to a URL, and returns status and answer.
Post = Callable[[str, bytes, dict[str, str]], tuple[int, bytes]]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


class _Watched:
    """Makes connections as urllib does, and hangs up all of them.

    Args:
        seconds: How long all that is done with them may take.

    Attributes:
        is_over: Whether it has hung up. What came of an answer before may look like the whole of it.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._until = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []

    def of(self, kind: type[HTTPConnection]) -> type[HTTPConnection]:
        """Return a kind of connection whose sockets are known here."""
        watched = self

        class Known(kind):  # type: ignore[valid-type, misc]  # HTTP or HTTPS
            def __init__(self, *args: Any, **settings: Any) -> None:
                super().__init__(*args, **settings)
                self._create_connection = watched.connected  # http.client's own way to have another one

            def connect(self) -> None:
                """Connect, and be known."""
                super().connect()
                watched._sockets.append(self.sock)
                watched.check()

        return Known

    def connected(self, address: tuple[str, int], _timeout: object, source: Any = None) -> socket.socket:
        """Return a connection to the first address of a host that takes it, as `socket.create_connection` does.

        Each address has the time that is left, and no more. So has what follows, a TLS handshake for one.

        Raises:
            OSError: None took it, or there is no time left.
        """
        failed: OSError | None = None
        for family, kind, protocol, _name, each in socket.getaddrinfo(*address, 0, socket.SOCK_STREAM):
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(self._left())
                if source:
                    made.bind(source)
                made.connect(each)
                made.settimeout(self._left())
            except OSError as error:
                made.close()
                failed = error
            else:
                return made
        raise failed or OSError("the host has no address")

    def _left(self) -> float:
        """Return how many seconds are left.

        Raises:
            TimeoutError: None.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not come in time")
        return left

    def check(self) -> None:
        """Return where there is still time.

        Raises:
            TimeoutError: There is none.
        """
        if self.is_over:
            raise TimeoutError("the answer did not come in time")

    def hang_up(self) -> None:
        """End what is read or written; who waits for it gets an error or an end."""
        self.is_over = True
        for each in self._sockets:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)


class _Known(urllib.request.AbstractHTTPHandler):
    def __init__(self, watched: _Watched) -> None:
        super().__init__()
        self._watched = watched

    def do_open(self, http_class: Any, req: Any, **more: Any) -> Any:
        """Open as ever, by a connection that is known."""
        return super().do_open(self._watched.of(http_class), req, **more)


class _Http(_Known, urllib.request.HTTPHandler):
    pass


class _Https(_Known, urllib.request.HTTPSHandler):
    pass


def post(url: str, body: bytes, headers: dict[str, str], seconds: float = SECONDS) -> tuple[int, bytes]:
    """Send a POST and return status and answer.

    Args:
        url: Where to; http or https.
        body: What is sent.
        headers: Its headers.
        seconds: How long it may take as a whole.

    Raises:
        OSError: There was no answer, or not in time.
    """
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - its settings allow http(s) alone
    watched = _Watched(seconds)
    opener = urllib.request.build_opener(_NoRedirect, _Http(watched), _Https(watched))
    over = Timer(seconds, watched.hang_up)
    over.daemon = True
    over.start()
    try:
        with opener.open(request, timeout=seconds) as answer:
            found = answer.read(MAX_ANSWER + 1)
            watched.check()
            return int(answer.status), found
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""
    finally:
        over.cancel()
