"""The database is read in threads, consent is read ahead of each step, and a slow person delays nobody else."""

import asyncio
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage.ledger import ConsentLedger
from rasa_privacy.storage.subjects import Subjects
from tests.support.vaults import SENDER, answer, ask, evidence, grant

pytestmark = pytest.mark.rasa

STALL_SECONDS = 0.2


@pytest.fixture
def bot(store: Any, bot_of: Callable[..., Any]) -> Any:
    """Return a bot in this process."""
    return bot_of(store)


@contextmanager
def stalling(store: Any, monkeypatch: pytest.MonkeyPatch, sender: str) -> Iterator[list[threading.Thread]]:
    """Let every read of one person take long, and say in which threads. A save on SQLite would hold all the others."""
    find, slow = Subjects.find, []

    def find_at_once(self: Subjects, conn: Any, sender_id: str) -> Any:
        found = find(self, conn, sender_id)
        return found if found is not None and self.lock(conn, found) else None

    def slowly(self: Subjects, conn: Any, sender_id: str) -> Any:
        if sender_id == sender:
            slow.append(threading.current_thread())
            time.sleep(STALL_SECONDS)
        return find(self, conn, sender_id)

    load = type(store._vault.conversations).load_last

    def load_slowly(self: Any, database: Any, sender_id: str) -> Any:
        if sender_id == sender:
            slow.append(threading.current_thread())
            time.sleep(STALL_SECONDS)
        return load(self, database, sender_id)

    with monkeypatch.context() as patch:
        patch.setattr(Subjects, "find", slowly)
        patch.setattr(Subjects, "find_for_update", find_at_once)
        patch.setattr(type(store._vault.conversations), "load_last", load_slowly)
        yield slow


async def test_no_step_of_a_turn_reads_the_ledger_in_the_loop(
    bot: Any, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for the minimizer, the prediction, the gate or the payload of a remote action."""
    grant(store._vault, "draw")
    where: list[threading.Thread] = []
    of_subject = ConsentLedger.of_subject

    def noticed(self: ConsentLedger, *arguments: Any) -> Any:
        where.append(threading.current_thread())
        return of_subject(self, *arguments)

    monkeypatch.setattr(ConsentLedger, "of_subject", noticed)
    bot.graph.action = "action_submit"
    await bot.say("enter me, I am ana@mail.example", SENDER)
    assert [payload["next_action"] for payload in bot.actions.payloads] == ["action_submit"]
    assert len(where) >= 5
    assert threading.main_thread() not in where


async def test_who_said_stop_is_not_looked_up_in_the_loop(
    bot: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor at all where the bot asks nobody by itself."""
    where: list[threading.Thread] = []
    look = untouched.runtime.suppressed

    def noticed(*arguments: Any) -> Any:
        where.append(threading.current_thread())
        return look(*arguments)

    monkeypatch.setattr(untouched.runtime, "suppressed", noticed)
    await bot.say("hello", SENDER)
    assert where == []
    vault = untouched.runtime.current().vault
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, ask="first_message"))
    await bot.say("hello", SENDER)
    assert len(where) >= 2
    assert threading.main_thread() not in where


async def test_heart_beats_while_a_person_is_slow(bot: Any, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rasa's event loop goes on during every single stall of somebody's turn."""
    grant(store._vault, "draw")
    bot.graph.action = "action_submit"
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    heart = asyncio.create_task(beat())
    at_stall: list[int] = []
    with stalling(store, monkeypatch, SENDER) as slow:
        pause = time.sleep

        def noticed(seconds: float) -> None:
            before = beats
            pause(seconds)
            at_stall.append(beats - before)

        monkeypatch.setattr(time, "sleep", noticed)
        await bot.say("hello", SENDER)
    heart.cancel()
    assert len(at_stall) >= 5
    assert min(at_stall) > 0
    assert threading.main_thread() not in slow


async def test_others_are_not_delayed_by_a_slow_person(
    bot: Any, store: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All their turns end within the slow person's one; the times are printed, and not judged."""
    finished: list[str] = []

    async def turns(sender: str, count: int, took: list[float]) -> None:
        for _ in range(count):
            begun = time.perf_counter()
            await bot.say("hello", sender)
            took.append(time.perf_counter() - begun)
            finished.append(sender)

    alone: list[float] = []
    await asyncio.gather(*(turns(f"other-{number}", 6, alone) for number in range(4)))
    finished.clear()
    beside: list[float] = []
    with stalling(store, monkeypatch, SENDER):
        await asyncio.gather(turns(SENDER, 2, []), *(turns(f"other-{number}", 6, beside) for number in range(4)))
    p95 = [statistics.quantiles(times, n=20)[-1] * 1000 for times in (alone, beside)]
    with capsys.disabled():
        print(f"\nturns of others, p95: {p95[0]:.0f} ms alone, {p95[1]:.0f} ms beside stalls of 200 ms")  # noqa: T201
    assert finished[-1] == SENDER
    assert finished.index(SENDER) > 0


async def test_grant_by_an_action_counts_for_the_next_prediction(bot: Any, store: Any, untouched: Any) -> None:
    """What was read ahead holds for one step only."""
    ask(store._vault, "draw")
    seen: list[Any] = []

    async def granted() -> list[dict[str, Any]]:
        answer(store._vault, "draw", granted=True)
        return []

    bot.actions.works["action_hours"] = granted
    predict = bot.graph._predict

    def noticed(tracker: Any) -> Any:
        seen.append(untouched.runtime.consent_of(tracker).active)
        return predict(tracker)

    bot.graph._predict = noticed
    await bot.say("when are you open?", SENDER)
    assert seen == [frozenset(), frozenset({"draw"})]


async def test_withdrawal_during_an_action_counts_for_the_next_payload(bot: Any, store: Any, untouched: Any) -> None:
    """Another process took consent back between two calls of the action server."""
    grant(store._vault, "draw")
    remote = untouched.processor.ConsentRemoteAction("action_submit", bot.actions)
    tracker = (await store.get_or_create_tracker(SENDER)).copy()
    await remote.run(None, None, tracker, store.domain)
    with store._vault.database.write() as connection:
        subject_id = store._vault.subjects.find(connection, SENDER)
        withdraw(store._vault, connection, subject_id, ["draw"], evidence(store._vault))
    with pytest.raises(untouched.rasa_api.ActionExecutionRejection):
        await remote.run(None, None, tracker, store.domain)
    assert len(bot.actions.payloads) == 1


async def test_what_was_read_ahead_is_for_one_person_and_one_step(store: Any, untouched: Any) -> None:
    """Another person's tracker, and the same one after the step, read for themselves."""
    grant(store._vault, "draw")
    runtime = untouched.runtime
    mine, other = store.init_tracker(SENDER), store.init_tracker("ben")
    runtime.foresee("ben", None)
    assert runtime.consent_of(mine).active == {"draw"}
    assert runtime.consent_of(other) is None
    runtime.forget()
    assert runtime.consent_of(other).active == frozenset()


async def test_tasks_do_not_see_each_others_step(store: Any, untouched: Any) -> None:
    """Two messages that are handled at once each have their own."""
    runtime = untouched.runtime
    tracker = store.init_tracker(SENDER)

    async def other() -> None:
        runtime.foresee(SENDER, None)
        await asyncio.sleep(0)

    await asyncio.create_task(other())
    assert runtime.consent_of(tracker) is not None
