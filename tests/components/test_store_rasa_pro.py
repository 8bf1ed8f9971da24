"""`delete`, `update` and `count_conversations`, which Rasa Pro asks of a tracker store."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.vaults import SENDER, active, grant, held

pytestmark = pytest.mark.rasa

EMAIL = "zoe.quartz@mail.example"


@pytest.fixture
def ours(open_store: Callable[..., Any]) -> Any:
    """Return our store with an active consent and `messages: full`."""
    made = open_store("full")
    grant(made._vault, "draw")
    return made


@pytest.fixture
def talk(untouched: Any) -> list[Any]:
    """Return the events of two sessions, with a value in each."""
    events = untouched.rasa_events
    return [
        events.SessionStarted(timestamp=1.0),
        events.UserUttered("one", {"name": "greet"}, timestamp=2.0),
        events.SlotSet("email", "old@mail.example", timestamp=3.0),
        events.SessionStarted(timestamp=4.0),
        events.UserUttered("two", {"name": "greet"}, timestamp=5.0),
        events.SlotSet("email", EMAIL, timestamp=6.0),
        events.BotUttered("Good.", timestamp=7.0),
    ]


async def keep(store: Any, events: list[Any], sender: str = SENDER) -> Any:
    """Store a conversation and return it as it is retrieved."""
    tracker = await store.get_or_create_tracker(sender, append_action_listen=False)
    for event in events:
        tracker.update(event)
    await store.save(tracker)
    return await store.retrieve(sender)


async def everything(store: Any) -> list[Any]:
    """Return all stored events."""
    return list((await store.retrieve_full_tracker(SENDER)).events)


async def test_delete_erases_the_person(ours: Any, talk: list[Any], sql: Callable[..., Any]) -> None:
    """Conversation, keys and consent are gone, and a tracker that somebody holds does not bring them back."""
    tracker = await keep(ours, talk)
    await ours.delete(SENDER)
    await ours.delete(SENDER)
    await ours.delete("nobody")
    assert not await ours.exists(SENDER)
    assert active(ours._vault) == frozenset()
    assert sql("SELECT count(*) FROM segments") == sql("SELECT count(*) FROM data_keys") == [(0,)]
    tracker.update(talk[1])
    await ours.save(tracker)
    assert await ours.retrieve(SENDER) is None


async def test_update_deletes_what_is_older(ours: Any, talk: list[Any], untouched: Any) -> None:
    """What is left is as it was stored, and the conversation goes on."""
    await keep(ours, talk)
    await ours.update(untouched.DialogueStateTracker.from_events(SENDER, talk[3:]))
    assert await everything(ours) == talk[3:]
    assert held(ours._vault) == {"draw": {"email": EMAIL}}
    tracker = await ours.retrieve(SENDER)
    tracker.update(talk[1])
    await ours.save(tracker)
    assert await everything(ours) == [*talk[3:], talk[1]]


async def test_update_keeps_what_came_meanwhile(ours: Any, talk: list[Any], untouched: Any) -> None:
    """A turn that was saved after the job had read the conversation is not lost."""
    await keep(ours, talk[:6])
    job = untouched.DialogueStateTracker.from_events(SENDER, talk[3:6])
    await keep(ours, talk[6:])
    await ours.update(job)
    assert await everything(ours) == talk[3:]


async def test_update_that_deletes_nothing_changes_nothing(ours: Any, talk: list[Any], sql: Callable[..., Any]) -> None:
    """Also not for somebody unknown, or with an empty tracker."""
    await keep(ours, talk)
    before = sql("SELECT * FROM conversations")
    await ours.update(await ours.retrieve_full_tracker(SENDER))
    await ours.update(ours.init_tracker(SENDER))
    await ours.update(ours.init_tracker(SENDER), apply_deletion_only=False)
    tracker = ours.init_tracker("nobody")
    tracker.update(talk[1])
    await ours.update(tracker)
    assert sql("SELECT * FROM conversations") == before


async def test_update_replaces_the_content(ours: Any, talk: list[Any], untouched: Any) -> None:
    """What Rasa Pro's job made anonymous takes the place of what was there, values too."""
    await keep(ours, talk)
    events = untouched.rasa_events
    anonymous = [*talk[:4], events.UserUttered("[gone]", {"name": "greet"}, timestamp=5.0)]
    anonymous[2] = events.SlotSet("email", None, timestamp=3.0)
    tracker = untouched.DialogueStateTracker.from_events(SENDER, anonymous, ours.domain.slots)
    await ours.update(tracker, apply_deletion_only=False)
    assert await everything(ours) == anonymous
    assert held(ours._vault) == {}


async def test_replaced_content_is_what_consent_allows_now(ours: Any, talk: list[Any], untouched: Any) -> None:
    """For somebody who agreed to nothing no value is stored, whatever the job gives."""
    await keep(ours, talk, "ben")
    tracker = untouched.DialogueStateTracker.from_events("ben", talk, ours.domain.slots)
    await ours.update(tracker, apply_deletion_only=False)
    stored = await ours.retrieve_full_tracker("ben")
    assert EMAIL not in json.dumps([event.as_dict() for event in stored.events])
    assert held(ours._vault, "ben") == {}


@pytest.mark.parametrize("deletion_only", [True, False])
async def test_tracker_held_across_an_update(
    ours: Any, talk: list[Any], untouched: Any, *, deletion_only: bool
) -> None:
    """Its new events are appended, and no value goes to an event that has another number now."""
    tracker = await keep(ours, talk)
    other = untouched.DialogueStateTracker.from_events(SENDER, talk[3:], ours.domain.slots)
    if not deletion_only:
        await ours.update(other)
    await ours.update(other, apply_deletion_only=deletion_only)
    grant(ours._vault, "newsletter")
    tracker.update(untouched.rasa_events.UserUttered("late", {"name": "greet"}, timestamp=9.0))
    await ours.save(tracker)
    assert [event.type_name for event in await everything(ours)] == ["session_started", "user", "slot", "bot", "user"]
    assert held(ours._vault) == {"draw": {"email": EMAIL}}


async def test_deleted_events_are_gone_from_the_file(
    ours: Any, talk: list[Any], untouched: Any, tmp_path: Any, sql: Callable[..., Any]
) -> None:
    """Their sealed bytes stand neither in the database nor in its log."""
    await keep(ours, talk)
    sealed = [row[0] for row in sql("SELECT sealed FROM segments")]
    await ours.update(untouched.DialogueStateTracker.from_events(SENDER, talk[3:]))
    files = b"".join(path.read_bytes() for path in tmp_path.glob("c.db*"))
    assert not [part for part in sealed if part in files]


async def test_conversations_are_counted(ours: Any, talk: list[Any]) -> None:
    """Those that have events, or one at or after a time, also where the clock had stepped back."""
    await keep(ours, talk)
    await keep(ours, talk[:3], "ben")
    await keep(ours, [], "nobody")
    assert await ours.count_conversations() == 2
    assert await ours.count_conversations(3.0) == 2
    assert await ours.count_conversations(3.5) == 1
    assert await ours.count_conversations(7.5) == 0
