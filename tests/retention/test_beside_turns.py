"""A turn beside a sweep waits for one batch at most: nothing is held between batches, and others' rows at no time."""

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.retention import sweep as sweeping
from rasa_privacy.retention.runs import run
from rasa_privacy.retention.sweep import SweepResult, sweep
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND, EACH_SERVER
from tests.support.vaults import Clock, give, grant, held

each_database = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
servers = pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
PEOPLE = 6
SENDERS = [f"person {number}" for number in range(PEOPLE)]
BATCH = 2
#: A turn that would wait for the whole sweep waits for ever, since the sweep waits for it here.
PATIENCE_SECONDS = 20


@pytest.fixture
def due(store: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """Return a store in which a purpose of some people is due who stay, in several batches."""
    monkeypatch.setattr(sweeping, "_BATCH", dict.fromkeys(sweeping._BATCH, BATCH))
    for sender in SENDERS:
        grant(store, "draw", "fitting", sender=sender)
        give(store, {"draw": {"full_name": "Ana"}, "fitting": {"phone": "+49 30 1"}}, sender)
    clock.advance(days=11)
    return store


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Iterator["Batches"]:
    """Return what is called within each batch, before its commit, and between two."""
    noted = Batches()
    remove = sweeping._remove_page

    def removed(run: Any, connection: Any, page: Any) -> Any:
        done = remove(run, connection, page)
        noted.sizes.append(len(page))
        noted.within()
        return done

    monkeypatch.setattr(sweeping, "_remove_page", removed)
    monkeypatch.setattr(sweeping, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: noted.between()))
    yield noted
    assert noted.sizes == [BATCH] * (PEOPLE // BATCH)


class Batches:
    """What happens beside a sweep."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.within: Callable[[], object] = lambda: None
        self.between: Callable[[], object] = lambda: None


def turn(vault: Vault, sender: str, saved: list[str]) -> None:
    """Save a turn as the server does, and note whose."""
    event = {"event": "slot", "timestamp": vault.clock().timestamp(), "name": "any", "value": None}

    def save(conn: Any) -> None:
        vault.subjects.find_for_update(conn, sender)
        version, seq = vault.conversations.head(conn, sender)
        values = {"draw": [[seq, ["value"], "full_name", "Bea"]]}
        vault.conversations.append(conn, sender, version, [event], values, [], vault.clock())

    vault.database.transact(save)
    saved.append(sender)


@each_database
def test_a_turn_is_saved_between_two_batches(due: Vault, clock: Clock, batches: Batches) -> None:
    """Of everybody, also of those of the batch before and of the next."""
    saved: list[str] = []

    def everybody() -> None:
        for sender in SENDERS:
            turn(due, sender, saved)

    batches.between = everybody
    assert sweep(due, clock(), trusted=True) == SweepResult(PEOPLE, 0)
    assert saved == SENDERS * (PEOPLE // BATCH)
    assert held(due, "person 0") == {"draw": {"full_name": "Bea"}}


@each_database
def test_a_turn_that_comes_within_a_batch_waits_for_that_one(due: Vault, batches: Batches) -> None:
    """It is saved before the next batch begins, whoever it is about: on SQLite there is one writer at a time."""
    threads: list[threading.Thread] = []
    saved: list[str] = []
    numbers: list[int] = []

    def begin() -> None:
        if not threads:
            threads.extend(threading.Thread(target=turn, args=(due, sender, saved)) for sender in SENDERS)
            for each in threads:
                each.start()

    def see() -> None:
        for each in threads:
            each.join(PATIENCE_SECONDS)
        numbers.append(len(saved))

    batches.within, batches.between = begin, see
    run(due, admit_local(due, "retention"), trusted=True)
    assert numbers == [PEOPLE] * (PEOPLE // BATCH)


@servers
def test_a_turn_of_somebody_else_waits_for_nothing(due: Vault, clock: Clock, batches: Batches) -> None:
    """While a batch is not committed yet; on servers only the people of the batch are held."""
    grant(due, "draw", sender="somebody else")
    give(due, {}, "somebody else")
    saved: list[str] = []
    batches.within = lambda: turn(due, "somebody else", saved)
    sweep(due, clock(), trusted=True)
    assert saved == ["somebody else"] * (PEOPLE // BATCH)
