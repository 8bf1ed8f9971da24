"""The server of the API: where it may listen, and for how long it waits for whom.

Rules:

1. It listens on this machine alone, unless it has a certificate, or is told that a proxy before it has one.
2. Uvicorn parses HTTP with h11, which is strict; there are no web sockets. A connection that does not send its headers
   within PATIENCE_SECONDS is closed, and no more than CONNECTIONS are served at once. A call whose length stands there
   in two ways is refused, and the connection closed: a proxy may have read it otherwise (RFC 9112, section 6.1).
3. Uvicorn logs no access: it would write addresses. `app` logs method, path of the operation and status.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvicorn
from h11 import IDLE
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from rasa_privacy.errors import ConfigurationError

PATIENCE_SECONDS: Final = 10.0
CONNECTIONS: Final = 64
_KEEP_ALIVE_SECONDS: Final = 5
_HEADER_BYTES: Final = 16_384
_LAST_WORDS_SECONDS: Final = 20
#: Of TLS 1.2, beside those of 1.3: what is encrypted and proven in one, under keys of its own (RFC 9325, section 4.2).
#: Releases of Uvicorn take for their default what TLS 1.0 had, also what encrypts nothing.
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the API listens.

    Attributes:
        host: A name or an address.
        port: A port; 0 for one that is free.
        certificate: PEM file with the certificate and its chain; None for plain HTTP.
        key: PEM file with its key.
        behind_proxy: Whether a proxy before it takes care of TLS; its `X-Forwarded-For` is believed then.

    Raises:
        ConfigurationError: Others than this machine could reach it in plain, or a file is missing.
    """

    host: str = "127.0.0.1"
    port: int = 8081
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False

    def __post_init__(self) -> None:
        """Refuse to carry tokens and personal data over a network in plain."""
        if (self.certificate is None) != (self.key is None):
            raise ConfigurationError("--tls-certificate and --tls-key belong together; give both or none")
        for file in (self.certificate, self.key):
            if file is not None and not file.is_file():
                raise ConfigurationError(f"{file}: the file does not exist; name a PEM file")
        if self.certificate is None and not self.behind_proxy and not is_loopback(self.host):
            raise ConfigurationError(
                "the API would carry tokens and personal data over the network in plain: give --tls-certificate and "
                "--tls-key, or --behind-proxy where a proxy before it has TLS, or let it listen on 127.0.0.1"
            )


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class PatientProtocol(H11Protocol):
    """Uvicorn's protocol, which waits for headers for a while and not for ever."""

    def connection_made(self, transport: Any) -> None:
        """Begin to look at the clock."""
        super().connection_made(transport)
        self._look_again(())

    def _look_again(self, seen: tuple[Any, ...]) -> None:
        """Close a connection on which no request has begun since the last look."""
        if self.transport.is_closing():
            return
        now = (self.conn.their_state, self.cycle)
        if now[0] is IDLE and seen == now:
            self.transport.close()
            return
        self.loop.call_later(PATIENCE_SECONDS, self._look_again, now)


def with_one_length(app: ASGIApp) -> ASGIApp:
    """Return the application without the calls of which a proxy could have seen another end."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope.get("headers", ())}
        if b"transfer-encoding" in names and (b"content-length" in names or scope["http_version"] == "1.0"):
            refused = PlainTextResponse("the length of the body stands there in two ways", 400, {"Connection": "close"})
            await refused(scope, receive, send)
        else:
            await app(scope, receive, send)

    return checked


def serve(app: Starlette, address: Address) -> None:
    """Serve until the process is asked to end."""
    make_server(app, address).run()


def make_server(app: Starlette, address: Address) -> uvicorn.Server:
    """Return the server, which does not listen yet."""
    settings = uvicorn.Config(
        with_one_length(app),
        host=address.host,
        port=address.port,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=address.behind_proxy,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_LAST_WORDS_SECONDS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
        ssl_ciphers=_CIPHERS,
    )
    return uvicorn.Server(settings)
