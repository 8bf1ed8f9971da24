"""Sweeps inside a server: at its start, at intervals, not at all where a timer does it, and not after its end."""

import gc
import threading
import weakref
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.permit import Permit
from rasa_privacy.errors import StorageError
from rasa_privacy.policy.operations import Retention
from rasa_privacy.retention import schedule
from rasa_privacy.retention.runs import run_scheduled
from rasa_privacy.retention.sweep import SweepResult
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import Clock, give


class Server:
    """Somebody who owns a store."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault


def with_every(vault: Vault, every: str) -> Server:
    """Return a server whose privacy.yml has this interval."""
    policy = msgspec.structs.replace(vault.policy, retention=Retention(every=every))
    object.__setattr__(vault, "policy", policy)
    return Server(vault)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the thread look more often than a person could wait for."""
    monkeypatch.setattr(schedule, "_LOOK_SECONDS", 0.01)


def ended(thread: threading.Thread) -> bool:
    """Say whether a thread ends soon."""
    thread.join(20)
    return not thread.is_alive()


@pytest.mark.usefixtures("quick")
def test_a_server_sweeps_at_its_start_and_ends_with_its_owner(vault: Vault, clock: Clock) -> None:
    """What is due goes before the first turn, and no thread is left when the server is gone."""
    give(vault, {}, "gone")
    clock.advance(days=2)
    server = with_every(vault, "1 hour")
    thread = schedule.start(server, lambda each: each.vault)
    assert thread is not None
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, "gone") is None
    watch = weakref.ref(server)
    del server
    gc.collect()
    assert ended(thread)
    assert watch() is None


@pytest.mark.usefixtures("quick")
def test_a_closed_store_is_not_swept(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    """Its owner may live on, and the file be gone: the thread ends, and does not say again and again that it failed."""
    server = with_every(vault, "1 hour")
    thread = schedule.start(server, lambda each: each.vault)
    assert thread is not None
    server.vault.close()
    assert ended(thread)
    assert not caplog.records


@pytest.mark.usefixtures("quick")
def test_the_thread_sweeps_at_intervals(vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once within the interval, again after it, and at once where the last one was stopped before its end."""
    asked: list[timedelta] = []
    enough = threading.Event()
    results = iter([SweepResult(1, 1, left=4, is_done=False), SweepResult(4, 4), None])

    def sweep_once(_vault: Vault, every: timedelta, *, seconds: float | None = None) -> SweepResult | None:
        asked.append(every)
        if len(asked) > 4:
            enough.set()
        assert (seconds is None) == (len(asked) > 1)
        return next(results, None)

    monkeypatch.setattr(schedule, "sweep_once", sweep_once)
    clock.advance(hours=1)
    server = with_every(vault, "2 hours")
    thread = schedule.start(server, lambda each: each.vault)
    assert thread is not None
    assert enough.wait(20)
    del server
    assert ended(thread)
    zero, two = timedelta(0), timedelta(hours=2)
    assert asked[:4] == [zero, zero, two, two]


def test_a_server_sweeps_gently_beside_turns_and_at_once_before_them(
    vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside turns it rests 19 times as long as each transaction took; at the start nobody talks yet."""
    rests = []

    def noted(vault: Vault, permit: Permit, every: timedelta, *, rest: float, seconds: float | None) -> Any:
        rests.append(rest)
        return run_scheduled(vault, permit, every, rest=rest, seconds=seconds)

    monkeypatch.setattr(schedule, "run_scheduled", noted)
    clock.advance(hours=3)
    schedule.sweep_once(vault, timedelta(0), seconds=1.0)
    schedule.sweep_once(vault, timedelta(hours=1))
    assert rests == [0.0, 19.0]


def test_a_timer_takes_the_servers_place(vault: Vault, clock: Clock) -> None:
    """With `every: never` a server removes nothing by itself."""
    give(vault, {}, "stays")
    clock.advance(days=2)
    assert schedule.start(with_every(vault, "never"), lambda each: each.vault) is None
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, "stays") is not None


def test_a_sweep_that_fails_does_not_stop_the_server(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged and tried again."""

    def fail(*_: object, **__: object) -> None:
        raise StorageError("the database is away")

    monkeypatch.setattr(schedule, "run_scheduled", fail)
    assert schedule.sweep_once(vault, timedelta(0)) is None
    assert "it is tried again" in caplog.text
