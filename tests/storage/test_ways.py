"""How often a save and an erasure wait for a server: each way costs what the network costs (ADR 35)."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage import waiting
from rasa_privacy.storage.vault import Vault, open_vault
from rasa_privacy.storage.waiting import Statement
from tests.support.databases import EACH_SERVER
from tests.support.vaults import evidence, grant, ledger_events


class Counter:
    """Passes bytes on to a server, and counts how often it was asked.

    Attributes:
        port: Where it listens on this machine.
        ways: How often something came from a client.
    """

    def __init__(self, host: str, port: int) -> None:
        self.ways = 0
        self._to = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._to)
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(*pair, pair[0] is client), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:  # noqa: FBT001 - a thread's
        with suppress(OSError), target:  # either end may be closed meanwhile
            while data := source.recv(1_000_000):
                self.ways += is_client
                target.sendall(data)

    def close(self) -> None:
        """Let nobody else in."""
        self._listener.close()


class Pooled:
    """What the pool remembers of a connection."""

    def __init__(self) -> None:
        self.info: dict[str, Any] = {}


_PORTS = {"postgresql": 5432, "mysql": 3306}


@pytest.fixture
def counter(url: str) -> Iterator[Counter]:
    """Return what counts the ways to the database's server."""
    server = make_url(url)
    made = Counter(str(server.host), server.port or _PORTS[server.get_backend_name()])
    yield made
    made.close()


@pytest.fixture
def vault(settings: StoreSettings, now: datetime, url: str, counter: Counter) -> Iterator[Vault]:
    """Return a vault whose ways are counted, and whose connections have prepared what is saved and erased."""
    through = make_url(url).set(host="127.0.0.1", port=counter.port).render_as_string(hide_password=False)
    opened = open_vault(replace(settings, url=through), clock=lambda: now)
    for sender in ("ada", "bo", "cy", "dee"):
        for turn in range(8):
            save(opened, sender, turn)
    for turn, sender in enumerate(("ada", "cy", "dee"), start=8):  # more than one connection has to know them
        grant(opened, "draw", sender=sender)
        erase(opened, sender, evidence(opened))
        save(opened, "bo", turn)
    yield opened
    opened.close()


def save(vault: Vault, sender: str, turn: int) -> None:
    """Add one event with a value."""
    with vault.database.write() as conn:
        vault.conversations.append(conn, sender, turn, ["hello"], {"draw": [[turn, "x"]]}, [], vault.clock())


@pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
def test_a_save_takes_two_ways_and_an_erasure_eight(
    vault: Vault, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the statements are prepared; reading back is among them. An erasure is committed once."""
    sent: list[str] = []
    original = waiting._execute

    def noted(dialect: str, connection: Any, statements: Any) -> Any:
        sent.extend(each.sql for each in statements)
        return original(dialect, connection, statements)

    monkeypatch.setattr(waiting, "_execute", noted)
    begun = counter.ways
    save(vault, "bo", 11)
    saved = counter.ways
    assert sent.count("COMMIT") == 1
    assert erase(vault, "bo", evidence(vault)) is not None
    assert sent.count("COMMIT") == 2
    assert 0 < saved - begun <= 2
    assert 3 < counter.ways - saved <= 8


@pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
@pytest.mark.parametrize("purposes", [("draw",), ("draw", "news")])
def test_erasing_somebody_who_has_granted_something_takes_three_ways_more(
    vault: Vault, counter: Counter, purposes: tuple[str, ...]
) -> None:
    """The end of the ledger and the person's count are read once, however many consents end."""
    subject_id = grant(vault, *purposes, sender="bo")
    begun = counter.ways
    assert erase(vault, "bo", evidence(vault)) is not None
    assert 8 < counter.ways - begun <= 11
    assert ledger_events(vault, subject_id)[-len(purposes) :] == [(purpose, "withdrawn") for purpose in purposes]


def test_what_one_transaction_left_behind_goes_with_no_other() -> None:
    """Where somebody dropped a connection without an end, so that it came back to the pool as it was."""
    connection = Pooled()
    waiting.let(connection.info)
    waiting.begin(connection, "BEGIN")
    waiting.add("postgresql", connection, Statement("INSERT"))
    waiting.begin(connection, "BEGIN READ ONLY")
    assert waiting._taken(connection) == [Statement("BEGIN READ ONLY")]
