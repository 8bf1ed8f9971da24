"""The server with a real socket: what it answers, and whom it does not wait for."""

import http.client
import json
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn

from rasa_privacy.console import handover_route, outreach, server
from rasa_privacy.console.server import Address, make_server
from rasa_privacy.console.verbs import make_console
from rasa_privacy.policy.operations import HandOver
from rasa_privacy.rights.audience import Recipient
from rasa_privacy.storage.vault import Vault
from tests.support.certificates import write_certificate
from tests.support.vaults import SENDER, START

CANARY = "canary-7Q2X@example.com"
#: The end of a body in pieces, and another call behind it, which a proxy that goes by a length takes for the body.
SMUGGLED = b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def running(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Iterator[uvicorn.Server]:
    """Run the server on a free port in a thread; it waits a second for headers."""
    monkeypatch.setattr(server, "PATIENCE_SECONDS", 1.0)
    rules = msgspec.structs.replace(vault.policy, handover=HandOver(url="https://bot.example"))
    made = make_server(make_console(replace(vault, policy=rules)), Address(port=0))
    thread = threading.Thread(target=made.run)
    thread.start()
    while not made.started:
        time.sleep(0.05)
    yield made
    made.should_exit = True
    thread.join()


def port_of(running: uvicorn.Server) -> int:
    """Return where it listens."""
    port: int = running.servers[0].sockets[0].getsockname()[1]
    return port


def call(running: uvicorn.Server, method: str, path: str, **more: object) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Call it as a client would."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(running), timeout=60)
    connection.request(method, path, **more)  # type: ignore[arg-type]  # body and headers
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def test_it_answers_over_a_socket(running: uvicorn.Server, tokens: dict[str, str]) -> None:
    """It does not say what it is made of."""
    status, headers, body = call(running, "GET", "/health")
    assert (status, json.loads(body), headers["server"]) == (200, {"status": "ok"}, None)
    sent = {"Authorization": f"Bearer {tokens['crm']}", "Content-Type": "application/json"}
    who = json.dumps({"sender": SENDER, "reason": "ticket 17"})
    status, _, body = call(running, "POST", "/v1/subjects/export", body=who, headers=sent)
    assert (status, json.loads(body)["sender_id"]) == (200, SENDER)


def talk(running: uvicorn.Server, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send bytes as they are, with pauses, and return what comes until the connection is closed."""
    with socket.create_connection(("127.0.0.1", port_of(running)), timeout=60) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
        except OSError:
            return b""
        found = b""
        while True:
            try:
                piece = connection.recv(65_536)
            except ConnectionError:
                return found
            if not piece:
                return found
            found += piece


def test_who_sends_headers_slowly_is_closed(running: uvicorn.Server) -> None:
    """At the beginning, and after a first call on the same connection."""
    assert talk(running, b"GET /health HTTP/1.1\r\nHost: x\r\n") == b""
    drip = [b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /health", b" HTTP/1.1\r\n", *[b"X: y\r\n"] * 6]
    assert talk(running, *drip, pause=0.5).count(b"HTTP/1.1 ") <= 1


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /v1/subjects/find HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /v1/subjects/find HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/subjects/find HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED,
        b"GET /health HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED,
        b"POST /v1/subjects/find HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_parsers_could_read_in_two_ways_is_refused(running: uvicorn.Server, request_: bytes) -> None:
    """Left to h11: one bad request, and the connection is closed."""
    found = talk(running, request_)
    assert found.startswith(b"HTTP/1.1 400")
    assert found.count(b"HTTP/1.1 ") == 1


def _fails(*_: object) -> Iterator[Any]:
    yield from [Recipient("a", "b")] * 300
    raise RuntimeError(CANARY)


def _fails_at_once(*_: object) -> bool:
    raise RuntimeError(CANARY)


def test_uvicorn_logs_nobody(
    running: uvicorn.Server,
    tokens: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Neither what it cannot parse, nor an address, nor the text of an error that gets to it."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(outreach, "audience", _fails)
    monkeypatch.setattr(handover_route, "is_live", _fails_at_once)
    talk(running, f"GET /{CANARY} HTTP/1.1\r\nHost: x\r\nX : {CANARY}\r\n\r\n".encode())
    assert call(running, "GET", f"/v1/subjects/{CANARY}?sender={CANARY}")[0] == 404
    sent = {"Authorization": f"Bearer {tokens['mailer']}", "Content-Type": "application/json"}
    wanted = json.dumps({"purpose": "newsletter", "item": "email", "reason": "ticket 17"})
    with pytest.raises(http.client.IncompleteRead):
        call(running, "POST", "/v1/audience", body=wanted, headers=sent)
    status, _, body = call(running, "GET", f"/collect/{CANARY}")
    assert (status, CANARY.encode() in body) == (503, False)
    shown = caplog.text + "".join(capfd.readouterr())
    assert "the answer broke off (RuntimeError)" in shown
    assert "collect: failed (RuntimeError)" in shown
    for word in (CANARY, tokens["mailer"][-43:], "127.0.0.1:"):
        assert word not in shown


def test_over_tls_everything_is_encrypted_with_keys_of_its_own(vault: Vault, tmp_path: Path) -> None:
    """TLS 1.2 at least, with forward secrecy and authenticated encryption, whatever Uvicorn would take by itself."""
    certificate, key = write_certificate(tmp_path, START)
    config = make_server(make_console(vault), Address(port=0, certificate=certificate, key=key)).config
    config.load()
    assert config.ssl is not None
    assert config.ssl.minimum_version >= ssl.TLSVersion.TLSv1_2
    names = [each["name"] for each in config.ssl.get_ciphers() if each["protocol"] != "TLSv1.3"]
    assert names
    assert all(re.fullmatch(r"ECDHE-(RSA|ECDSA)-(AES\d+-GCM-\w+|CHACHA20-POLY1305)", name) for name in names), names
