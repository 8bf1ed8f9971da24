"""Where Rasa's own SQL store goes wrong: each test shows it there, on rasa 3.6.21, and that ours does not."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.vaults import SENDER, grant, held

pytestmark = pytest.mark.rasa


@pytest.fixture
def stock(untouched: Any) -> Iterator[Any]:
    """Return Rasa's own SQL store."""
    made = untouched.SQLTrackerStore(untouched.domain(), host="sqlite://")
    yield made
    made.engine.dispose()


@pytest.fixture
def ours(open_store: Callable[..., Any]) -> Any:
    """Return our store with an active consent and `messages: full`."""
    made = open_store("full")
    grant(made._vault, "draw")
    return made


@pytest.fixture
def say(untouched: Any) -> Callable[..., Any]:
    """Return a function that makes a message at a time."""
    return lambda text, time: untouched.rasa_events.UserUttered(text, {"name": "greet"}, timestamp=time)


@pytest.fixture
def start(untouched: Any) -> Callable[[float], Any]:
    """Return a function that starts a session at a time."""
    return lambda time: untouched.rasa_events.SessionStarted(timestamp=time)


async def add(store: Any, tracker: Any, *events: Any) -> None:
    """Let a tracker go on and save it."""
    for event in events:
        tracker.update(event)
    await store.save(tracker)


async def begin(store: Any, *events: Any) -> Any:
    """Save a new conversation and return it as it is retrieved."""
    await add(store, await store.get_or_create_tracker(SENDER, append_action_listen=False), *events)
    return await store.retrieve(SENDER)


async def texts(store: Any, *, full: bool = True) -> list[str]:
    """Return the stored messages."""
    tracker = await (store.retrieve_full_tracker(SENDER) if full else store.retrieve(SENDER))
    return [event.text for event in tracker.events if event.type_name == "user"]


async def test_turn_of_the_second_writer(stock: Any, ours: Any, say: Any, start: Any) -> None:
    """Two servers held the same tracker. Stock drops what the second one saves, without a word."""
    for store, expected in ((stock, ["hi", "mine"]), (ours, ["hi", "mine", "theirs"])):
        await begin(store, start(1.0), say("hi", 2.0))
        mine, theirs = await store.retrieve(SENDER), await store.retrieve(SENDER)
        await add(store, mine, say("mine", 3.0))
        await add(store, theirs, say("theirs", 4.0))
        assert await texts(store) == expected


async def test_tracker_held_across_a_session_start(stock: Any, ours: Any, say: Any, start: Any) -> None:
    """Another server began the next session. Stock stores the held tracker's old events again."""
    for store, expected in ((stock, ["hi", "ho", "hi", "ho", "late"]), (ours, ["hi", "ho", "late"])):
        tracker = await begin(store, start(1.0), say("hi", 2.0), say("ho", 3.0))
        await add(store, await store.retrieve(SENDER), start(4.0))
        await add(store, tracker, say("late", 5.0))
        assert await texts(store) == expected


async def test_full_tracker_saved_again(stock: Any, ours: Any, say: Any, start: Any) -> None:
    """Rasa's HTTP API saves such trackers. Stock counts the last session only, and stores events of it again."""
    for store, expected in ((stock, ["one", "two", "two", "three"]), (ours, ["one", "two", "three"])):
        await begin(store, start(1.0), say("one", 2.0), start(3.0), say("two", 4.0))
        await add(store, await store.retrieve_full_tracker(SENDER), say("three", 5.0))
        assert await texts(store) == expected


async def test_clock_that_steps_back(stock: Any, ours: Any, say: Any, start: Any) -> None:
    """The newest session has an older time. Stock retrieves from the session with the highest time on."""
    for store, expected in ((stock, ["before"]), (ours, ["after"])):
        tracker = await begin(store, start(1000.0), say("before", 1001.0))
        await add(store, tracker, start(500.0), say("after", 501.0))
        assert await texts(store, full=False) == expected
        assert await texts(store) == ["before", "after"]


async def test_short_event_history(stock: Any, ours: Any, say: Any, start: Any) -> None:
    """The tracker keeps four events. Stock ignores that when it retrieves, and stores nothing once there are four."""
    for store, expected in ((stock, 3), (ours, 9)):
        tracker = await store.get_or_create_tracker(SENDER, max_event_history=4, append_action_listen=False)
        await add(store, tracker, start(1.0), *(say(f"message {number}", 2.0 + number) for number in range(3)))
        await add(store, tracker, *(say(f"message {number}", 2.0 + number) for number in range(3, 6)))
        await add(store, tracker, *(say(f"message {number}", 2.0 + number) for number in range(6, 9)))
        assert len(await texts(store)) == expected


async def test_event_history_is_as_short_after_retrieve(stock: Any, ours: Any, say: Any, start: Any) -> None:
    """Ours gives back the last events that the tracker keeps, with the state of all; stock gives back all."""
    for store, expected in ((stock, 10), (ours, 4)):
        await begin(store, start(1.0), *(say(f"message {number}", 2.0 + number) for number in range(9)))
        tracker = await store.get_or_create_tracker(SENDER, max_event_history=4)
        assert len(tracker.events) == expected
        assert tracker.latest_message.text == "message 8"


async def test_turn_that_is_longer_than_the_event_history(ours: Any, say: Any, start: Any) -> None:
    """Events that the tracker let go of before the save are stored too."""
    tracker = await ours.get_or_create_tracker(SENDER, max_event_history=3, append_action_listen=False)
    await add(ours, tracker, start(1.0), *(say(f"message {number}", 2.0 + number) for number in range(20)))
    assert await texts(ours) == [f"message {number}" for number in range(20)]
    again = await ours.get_or_create_tracker(SENDER, max_event_history=3)
    await add(ours, again, *(say(f"message {number}", 2.0 + number) for number in range(20, 25)))
    assert await texts(ours) == [f"message {number}" for number in range(25)]


async def test_values_are_adopted_with_a_short_event_history(ours: Any, untouched: Any, say: Any) -> None:
    """The event that set a slot is still the one whose value a new purpose adopts."""
    slot_set = untouched.rasa_events.SlotSet
    tracker = await ours.get_or_create_tracker(SENDER, max_event_history=3, append_action_listen=False)
    await add(ours, tracker, *(say("hm", 1.0 + number) for number in range(5)), slot_set("email", "zoe@mail.example"))
    again = await ours.get_or_create_tracker(SENDER, max_event_history=3)
    grant(ours._vault, "newsletter")
    await add(ours, again, say("hello", 9.0))
    assert held(ours._vault)["newsletter"] == {"email": "zoe@mail.example"}
    assert (await ours.retrieve(SENDER)).get_slot("email") == "zoe@mail.example"


async def test_one_event_object_twice(ours: Any, say: Any) -> None:
    """An action may return the same object again and again; each time is an event."""
    event = say("again", 1.0)
    tracker = await begin(ours, event)
    await add(ours, tracker, event)
    await add(ours, tracker, event, event)
    assert await texts(ours) == ["again"] * 4


async def test_copies_and_foreign_trackers_are_matched_event_by_event(ours: Any, say: Any, untouched: Any) -> None:
    """Equal times do not hide a new event, and what is stored is not stored again."""
    set_slot = untouched.rasa_events.SlotSet
    tracker = await begin(ours, say("hi", 1.0), set_slot("favourite_activity", "rowing", timestamp=2.0))
    copied = tracker.copy()
    await add(ours, copied, set_slot("email", "zoe@mail.example", timestamp=2.0), say("yes", 1.0), say("no", 1.0))
    assert await texts(ours) == ["hi", "yes", "no"]
    assert (await ours.retrieve(SENDER)).get_slot("email") == "zoe@mail.example"
    foreign = untouched.DialogueStateTracker.from_events(SENDER, [*copied.events, say("end", 7.0)])
    await ours.save(foreign)
    await ours.save(foreign)
    assert await texts(ours) == ["hi", "yes", "no", "end"]


async def test_tracker_whose_events_were_exchanged(ours: Any, say: Any) -> None:
    """Somebody put another list in place of the tracker's: it is compared with what is stored."""
    tracker = await begin(ours, say("hi", 1.0))
    tracker.events = tracker._create_events([*tracker.events, say("new", 2.0)])
    await ours.save(tracker)
    await ours.save(tracker)
    assert await texts(ours) == ["hi", "new"]


async def test_events_that_come_while_a_save_runs(ours: Any, say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They belong to the next save."""
    tracker = await begin(ours, say("hi", 1.0))
    append = ours._vault.conversations.append

    def slowly(*arguments: Any, **named: Any) -> Any:
        tracker.update(say("meanwhile", 3.0))
        return append(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(type(ours._vault.conversations), "append", lambda _, *a, **n: slowly(*a, **n))
        await add(ours, tracker, say("first", 2.0))
    assert await texts(ours) == ["hi", "first"]
    await ours.save(tracker)
    assert await texts(ours) == ["hi", "first", "meanwhile"]
