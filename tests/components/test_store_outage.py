"""The database goes away and comes back: nobody's turn is lost, nothing is kept elsewhere, and people are told."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.dialogue.names import CLOSED
from rasa_privacy.errors import StorageError, UnreachableError
from rasa_privacy.storage.database import Database
from tests.support.vaults import SENDER, grant

pytestmark = pytest.mark.rasa


class Outage:
    """A database file that can be taken away."""

    def __init__(self, folder: Path) -> None:
        self._file, self._elsewhere = folder / "c.db", folder / "away"

    def begin(self) -> None:
        """Take it away."""
        self._file.rename(self._elsewhere)

    def end(self) -> None:
        """Put it back."""
        self._elsewhere.rename(self._file)

    def ending_at(self, seconds: float) -> Callable[[float], None]:
        """Return what `Time.at` needs to end it then."""

        def look(now: float) -> None:
            if now >= seconds and self._elsewhere.exists():
                self.end()

        return look


class Time:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.at: list[Callable[[float], None]] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds
        for look in self.at:
            look(self.now)
        await asyncio.sleep(0)


@pytest.fixture
def outage(tmp_path: Path) -> Outage:
    """Return the test's outage."""
    return Outage(tmp_path)


@pytest.fixture
def clock_of_waiting() -> Time:
    """Return the clock by which outages are waited for."""
    return Time()


@pytest.fixture
def store(open_store: Callable[..., Any], untouched: Any, clock_of_waiting: Time) -> Iterator[Any]:
    """Return a store that waits by the clock of the test."""
    made = open_store("full")
    with closing(untouched.threads.Threads(2)) as threads:
        patience = untouched.patience.Patience(threads, clock=clock_of_waiting, sleep=clock_of_waiting.sleep)
        made._patience = made._runtime.patience = patience
        yield made


@pytest.fixture
def bot(store: Any, bot_of: Callable[..., Any]) -> Any:
    """Return a bot in this process whose person has agreed."""
    grant(store._vault, "draw")
    return bot_of(store)


def files_in(folder: Path) -> set[Path]:
    """Return every file."""
    return {path for path in folder.rglob("*") if path.is_file()}


async def texts(store: Any) -> list[str]:
    """Return the stored messages of the person."""
    tracker = await store.retrieve_full_tracker(SENDER)
    return [event.text for event in tracker.events if event.type_name == "user"]


@pytest.mark.parametrize("seconds", [0.05, 3, 29])
async def test_message_during_an_outage_is_answered_and_stored(
    bot: Any, outage: Outage, clock_of_waiting: Time, seconds: float
) -> None:
    """It waits for the database, and then the turn goes its way."""
    await bot.say("first", SENDER)
    outage.begin()
    clock_of_waiting.at.append(outage.ending_at(seconds))
    bot.graph.action = "utter_greet"
    assert await bot.say("second", SENDER) == ["Hi"]
    assert await texts(bot.store) == ["first", "second"]


@pytest.mark.parametrize("action", ["action_hours", "action_submit"])
async def test_outage_in_the_middle_of_a_turn(bot: Any, outage: Outage, clock_of_waiting: Time, action: str) -> None:
    """The database goes away while the action runs, and comes back before anybody gives up."""

    async def meanwhile() -> list[dict[str, Any]]:
        outage.begin()
        return [{"event": "slot", "name": "email", "value": "zoe@mail.example"}]

    bot.graph.action = action
    bot.actions.works[action] = meanwhile
    clock_of_waiting.at.append(outage.ending_at(5))
    await bot.say("enter me", SENDER)
    tracker = await bot.store.retrieve(SENDER)
    assert tracker.get_slot("email") == "zoe@mail.example"
    assert tracker.latest_message.text == "enter me"
    assert tracker.latest_action_name == "action_listen"


async def test_outage_that_lasts_is_said_and_nothing_is_kept(
    bot: Any, outage: Outage, clock_of_waiting: Time, tmp_path: Path
) -> None:
    """The person hears that the store is closed; the next one hears it at once; when it is back, all goes on."""
    await bot.say("first", SENDER)
    outage.begin()
    before = files_in(tmp_path)
    assert await bot.say("second", SENDER) == ["Closed"]
    assert 30 <= clock_of_waiting.now < 32
    waited = clock_of_waiting.now
    assert await bot.say("third", SENDER) == ["Closed"]
    assert clock_of_waiting.now == waited
    assert files_in(tmp_path) == before
    outage.end()
    bot.graph.action = "utter_greet"
    assert await bot.say("fourth", SENDER) == ["Hi"]
    assert await texts(bot.store) == ["first", "fourth"]


async def test_outage_that_lasts_from_the_middle_of_a_turn(bot: Any, outage: Outage, clock_of_waiting: Time) -> None:
    """No guarded action runs any more, and the person hears in the end that nothing was kept."""

    async def meanwhile() -> list[dict[str, Any]]:
        outage.begin()
        return [{"event": "slot", "name": "email", "value": "zoe@mail.example"}]

    bot.actions.works["action_hours"] = meanwhile
    assert (await bot.say("hello", SENDER))[-1] == "Closed"
    assert clock_of_waiting.now < 35
    outage.end()
    assert await bot.store.retrieve(SENDER) is None


async def test_every_read_waits(bot: Any, outage: Outage, clock_of_waiting: Time) -> None:
    """`exists`, `keys`, `retrieve_full_tracker` and `count_conversations` too."""
    await bot.say("first", SENDER)
    for read in (
        lambda: bot.store.exists(SENDER),
        bot.store.keys,
        lambda: bot.store.retrieve_full_tracker(SENDER),
        bot.store.count_conversations,
    ):
        outage.begin()
        clock_of_waiting.at = [outage.ending_at(clock_of_waiting.now + 2)]
        assert await read()


async def test_other_errors_are_not_waited_for(bot: Any, clock_of_waiting: Time, sql: Any) -> None:
    """A database that answers with an error is not away; the person is told at once."""
    await bot.say("first", SENDER)
    sql("CREATE TRIGGER no BEFORE UPDATE ON conversations BEGIN SELECT RAISE(ABORT, 'no'); END")
    assert await bot.say("second", SENDER) == ["Closed"]
    assert clock_of_waiting.now == 0


async def test_damaged_conversation_is_said_and_others_go_on(bot: Any, sql: Any) -> None:
    """Who cannot be served hears so; anybody else is."""
    await bot.say("first", SENDER)
    sql("UPDATE segments SET sealed = zeroblob(200)")
    bot.graph.action = "utter_greet"
    assert await bot.say("second", SENDER) == ["Closed"]
    assert await bot.say("hello", "ben") == ["Hi"]


async def test_what_the_gate_said_is_not_said_again(bot: Any, sql: Any) -> None:
    """That nothing of the turn is kept either is nothing new to the person."""
    await bot.say("first", SENDER)
    sql("CREATE TRIGGER no BEFORE UPDATE ON conversations BEGIN SELECT RAISE(ABORT, 'no'); END")
    bot.graph.action, bot.processor.max_number_of_predictions = CLOSED, 1  # no policy of ours is there to end the turn
    assert await bot.say("second", SENDER) == ["Closed"]
    bot.graph.action, bot.processor.max_number_of_predictions = "utter_greet", 10
    assert await bot.say("third", SENDER) == ["Hi", "Closed"]


@pytest.mark.parametrize("event", ["before", "after"])
async def test_connection_that_breaks_at_the_commit(
    bot: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    """Nobody knows whether the turn was stored; it is there once, whichever it was."""
    await bot.say("first", SENDER)
    transact = Database.transact
    broken: list[str] = []

    def breaking(self: Database, work: Any) -> Any:
        if broken:
            return transact(self, work)
        broken.append(event)
        if event == "after":
            transact(self, work)
        raise UnreachableError("the connection broke")

    monkeypatch.setattr(Database, "transact", breaking)
    tracker = await bot.store.retrieve(SENDER)
    same = untouched.rasa_events.UserUttered("second", {"name": "greet"}, timestamp=77.0)
    for each in (same, same, untouched.rasa_events.SlotSet("email", "zoe@mail.example")):
        tracker.update(each)
    await bot.store.save(tracker)
    assert broken == [event]
    tracker.update(untouched.rasa_events.UserUttered("third", {"name": "greet"}))
    await bot.store.save(tracker)
    assert await texts(bot.store) == ["first", "second", "second", "third"]
    assert (await bot.store.retrieve(SENDER)).get_slot("email") == "zoe@mail.example"


async def test_waiting_holds_no_thread(untouched: Any) -> None:
    """With one thread and a hundred people who wait, somebody else is served."""
    away = threading.Event()
    away.set()

    def needs_database(_: bool) -> str:  # noqa: FBT001 - the signature of work
        if away.is_set():
            raise UnreachableError("away")
        return "done"

    with closing(untouched.threads.Threads(1)) as threads:
        patience = untouched.patience.Patience(threads)
        waiting = [asyncio.create_task(patience.run(needs_database)) for _ in range(100)]
        assert await asyncio.wait_for(patience.run(lambda _: "served"), 20) == "served"
        assert not any(task.done() for task in waiting)
        away.clear()
        assert await asyncio.gather(*waiting) == ["done"] * 100


async def test_outage_of_long_ago_does_not_count(untouched: Any, clock_of_waiting: Time) -> None:
    """Nobody asked in between; the next outage is waited for as the first was."""
    failures = iter([True] * 1000)

    def work(_: bool) -> str:  # noqa: FBT001 - the signature of work
        if next(failures):
            raise UnreachableError("away")
        return "done"

    with closing(untouched.threads.Threads(1)) as threads:
        patience = untouched.patience.Patience(threads, clock=clock_of_waiting, sleep=clock_of_waiting.sleep)
        with pytest.raises(UnreachableError):
            await patience.run(work)
        clock_of_waiting.now += 3600
        failures = iter([True, True, False])
        assert await patience.run(work) == "done"


async def test_work_that_fails_otherwise_is_not_repeated(untouched: Any) -> None:
    """Only an unreachable database is waited for."""
    calls = []

    def work(again: bool) -> None:  # noqa: FBT001 - the signature of work
        calls.append(again)
        raise StorageError("the disk is full")

    with closing(untouched.threads.Threads(1)) as threads, pytest.raises(StorageError):
        await untouched.patience.Patience(threads).run(work)
    assert calls == [False]
