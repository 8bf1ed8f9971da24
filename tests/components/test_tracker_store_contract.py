"""What Rasa expects of every tracker store: ours does as the stock SQL store does, in the same tests."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.vaults import SENDER, grant

pytestmark = pytest.mark.rasa


@pytest.fixture(params=["ours", "stock"])
def either(request: pytest.FixtureRequest, untouched: Any) -> Iterator[Any]:
    """Return our store, with an active consent and `messages: full`, or Rasa's own."""
    if request.param == "stock":
        made = untouched.SQLTrackerStore(untouched.domain(), host="sqlite://")
        yield made
        made.engine.dispose()
        return
    ours = request.getfixturevalue("open_store")("full")
    for sender in (SENDER, "ben"):
        grant(ours._vault, "draw", sender=sender)
    yield ours


@pytest.fixture
def two_sessions(untouched: Any) -> list[Any]:
    """Return the events of a session that ends with a restart, and of the next one."""
    events = untouched.rasa_events
    return [
        events.ActionExecuted("action_session_start", timestamp=1.5),
        events.SessionStarted(timestamp=2.25),
        events.ActionExecuted("action_listen", timestamp=3.125),
        events.UserUttered("hello there", {"name": "greet"}, timestamp=4.0625),
        events.BotUttered("Good day", timestamp=5.1),
        events.ActionExecuted("action_restart", timestamp=6.2),
        events.Restarted(timestamp=6.3),
        events.ActionExecuted("action_session_start", timestamp=7.4),
        events.SessionStarted(timestamp=8.5),
        events.ActionExecuted("action_listen", timestamp=9.6),
        events.UserUttered("here I am again", {"name": "greet"}, timestamp=10.7),
    ]


def made_elsewhere(untouched: Any, events: list[Any], sender: str = SENDER) -> Any:
    """Return a tracker that no store handed out."""
    return untouched.DialogueStateTracker.from_events(sender, events)


async def everything(store: Any, sender: str = SENDER) -> list[Any]:
    """Return all stored events."""
    return list((await store.retrieve_full_tracker(sender)).events)


async def test_new_conversation_listens(either: Any, untouched: Any) -> None:
    """Who is new gets a tracker that waits for a message, or an empty one where that was asked for."""
    listening = await either.get_or_create_full_tracker("ben", append_action_listen=True)
    assert listening.events == deque([untouched.rasa_events.ActionExecuted("action_listen")])
    empty = await either.get_or_create_full_tracker("somebody else", append_action_listen=False)
    assert (empty.sender_id, empty.events) == ("somebody else", deque())
    assert await either.retrieve("somebody else") is None
    assert list(await either.keys()) == ["ben"]


async def test_slot_that_was_set_is_set_after_retrieve(either: Any, untouched: Any) -> None:
    """What a turn did to the tracker is there in the next one."""
    tracker = await either.get_or_create_tracker(SENDER)
    tracker.update(untouched.rasa_events.SlotSet("favourite_activity", "sailing"))
    await either.save(tracker)
    again = await either.get_or_create_tracker(SENDER)
    assert again.get_slot("favourite_activity") == "sailing"
    assert again.events == tracker.events


async def test_last_session_and_all_sessions(either: Any, untouched: Any, two_sessions: list[Any]) -> None:
    """`retrieve` begins at the last session start, `retrieve_full_tracker` at the first event."""
    await either.save(made_elsewhere(untouched, two_sessions))
    await either.save(made_elsewhere(untouched, [untouched.rasa_events.SessionStarted(timestamp=99.5)], "ben"))
    assert list((await either.retrieve(SENDER)).events) == two_sessions[8:]
    assert await everything(either) == two_sessions
    existing = await either.get_or_create_full_tracker(SENDER, append_action_listen=False)
    assert list(existing.events) == two_sessions


async def test_full_tracker_is_the_one_that_was_saved(either: Any, untouched: Any, two_sessions: list[Any]) -> None:
    """State and events are equal, also behind the wrapper in which Rasa puts every store."""
    wrapped = untouched.FailSafeTrackerStore(either)
    tracker = made_elsewhere(untouched, two_sessions)
    await wrapped.save(tracker)
    assert await wrapped.retrieve_full_tracker(SENDER) == tracker
    assert await either.retrieve_full_tracker(SENDER) == tracker
    assert list((await wrapped.retrieve(SENDER)).events) == two_sessions[8:]
    assert list(await wrapped.keys()) == [SENDER]


async def test_length_of_the_history_is_remembered(either: Any, untouched: Any) -> None:
    """Rasa's store in memory keeps it with the conversation, and so does ours; Rasa's SQL store does not."""
    tracker = await either.get_or_create_tracker(SENDER, max_event_history=42)
    tracker.update(untouched.rasa_events.Restarted())
    await either.save(tracker)
    kept = None if isinstance(either, untouched.SQLTrackerStore) else 42
    assert (await either.retrieve(SENDER))._max_event_history == kept


async def test_without_session_start_everything_is_the_session(either: Any, untouched: Any) -> None:
    """Conversations from before sessions are retrieved as a whole."""
    events = untouched.rasa_events
    said = [events.UserUttered("hello", {"name": "greet"}), events.BotUttered("Hi"), events.BotUttered("How are you?")]
    await either.save(made_elsewhere(untouched, said))
    assert list((await either.retrieve(SENDER)).events) == said


async def test_order_is_that_of_saving_also_at_one_moment(either: Any, untouched: Any) -> None:
    """Events with one and the same time come back in the order in which they happened."""
    events = untouched.rasa_events
    said = [events.SessionStarted(timestamp=1.0)]
    for text in ("one", "two", "three"):
        said += [events.UserUttered(text, {"name": "greet"}, timestamp=2.0), events.BotUttered(text, timestamp=2.0)]
    await either.save(made_elsewhere(untouched, said))
    assert list((await either.retrieve(SENDER)).events) == said


async def test_restart_is_found_again(either: Any, untouched: Any) -> None:
    """What happened before a restart does not count after retrieve either."""
    events = untouched.rasa_events
    tracker = await either.get_or_create_tracker(SENDER)
    for event in (*(events.ActionExecuted("action_listen") for _ in range(3)), events.Restarted()):
        tracker.update(event)
    await either.save(tracker)
    assert (await either.retrieve(SENDER)).idx_after_latest_restart() == tracker.idx_after_latest_restart() == 5


@pytest.mark.parametrize("time", [13423.23434623, 1795436000.1 + 2**-22, 0.1])
async def test_time_comes_back_to_the_bit(either: Any, untouched: Any, time: float) -> None:
    """A time is a float before and after, and the same one."""
    tracker = await either.get_or_create_tracker(SENDER, append_action_listen=False)
    tracker.update(untouched.rasa_events.SlotSet("favourite_activity", "rowing", timestamp=time))
    await either.save(tracker)
    found = (await either.retrieve(SENDER)).events[0].timestamp
    assert (type(found), found.hex()) == (float, time.hex())


async def test_tracker_that_is_saved_twice_gets_only_what_is_new(either: Any, untouched: Any) -> None:
    """A tracker from elsewhere too: the second save adds the events that came after the first."""
    events = untouched.rasa_events
    tracker = made_elsewhere(untouched, [events.UserUttered("hello", {"name": "greet"}), events.BotUttered("what")])
    await either.save(tracker)
    for event in (events.ActionExecuted("action_listen"), events.UserUttered("12", {"name": "greet"})):
        tracker.update(event)
    await either.save(tracker)
    assert await everything(either) == list(tracker.events)


async def test_new_session_in_a_retrieved_tracker(either: Any, untouched: Any, two_sessions: list[Any]) -> None:
    """A session that starts within a tracker is the one that is retrieved next."""
    await either.save(made_elsewhere(untouched, two_sessions[:5]))
    tracker = await either.retrieve(SENDER)
    for event in two_sessions[5:]:
        tracker.update(event)
    await either.save(tracker)
    assert list((await either.retrieve(SENDER)).events) == two_sessions[8:]
    assert await everything(either) == two_sessions


async def test_domain_can_be_exchanged(either: Any, untouched: Any) -> None:
    """Rasa gives the store the domain of each model that it loads."""
    domain = untouched.domain()
    either.domain = domain
    assert either.domain is domain


async def test_every_method_can_be_awaited(either: Any, untouched: Any) -> None:
    """Else Rasa would wrap the store in an adapter, and warn."""
    assert untouched.check_if_tracker_store_async(either)
