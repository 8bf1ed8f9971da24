"""`TcpProxy`: stands between servers and their database; it can break every connection and refuse new ones."""

import contextlib
import selectors
import socket
import threading
from types import TracebackType

_CHUNK_BYTES = 65536


class TcpProxy:
    """Forwards a free port of this computer; a context manager.

    Args:
        target: Host and port of the server behind it.

    Attributes:
        port: Where to connect instead.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0

    def __enter__(self) -> "TcpProxy":  # noqa: PYI034 - typing.Self needs Python 3.11
        """Begin to forward."""
        self.restore()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.cut()

    def restore(self) -> None:
        """Let connections in, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and break those that are open."""
        with self._lock:
            listener, self._listener = self._listener, None
            doomed = list(self._open)
            self._open.clear()
        for each in [*([listener] if listener is not None else []), *doomed]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            with self._lock:
                if self._listener is not listener:
                    client.close()
                    server.close()
                    return
                self._open |= {client, server}
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._pump(one, other)
        with self._lock:
            self._open -= {one, other}
        one.close()
        other.close()

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket) -> None:
        """Forward in both directions until one side closes."""
        partners = {one: other, other: one}
        with selectors.DefaultSelector() as selector:
            for each in partners:
                selector.register(each, selectors.EVENT_READ, each)
            while True:
                for key, _ in selector.select():
                    data = key.data.recv(_CHUNK_BYTES)
                    if not data:
                        return
                    partners[key.data].sendall(data)
