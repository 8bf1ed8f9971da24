"""Values that last for a form, a session or some days: gone from the slot and from the store when that is over."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.support import vaults
from tests.support.vaults import SENDER, Clock, grant, held

pytestmark = pytest.mark.rasa

EMAIL = "zoe.quartz@mail.example"
Open = Callable[..., Any]


@pytest.fixture
def events(untouched: Any) -> Any:
    """Return Rasa's module of events."""
    return untouched.rasa_events


@pytest.fixture
def store_that_keeps(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Return a function that opens a store whose email address is kept like this, with consent to the draw."""

    def make(keep: str) -> Any:
        line = "email:     {slot: email, entity: email, detect: email"
        monkeypatch.setattr(vaults, "PRIVACY", vaults.PRIVACY.replace(line, f"{line}, keep: {keep}"))
        store = open_store()
        grant(store._vault, "draw", "newsletter")
        return store

    return make


async def take(store: Any, new: Iterable[Any]) -> Any:
    """Let a conversation go on by these events as Rasa does, and return the tracker as the next turn reads it."""
    tracker = await store.get_or_create_tracker(SENDER, append_action_listen=False)
    for event in new:
        tracker.update(event)
    await store.save(tracker)
    return await store.retrieve(SENDER)


def items(store: Any) -> set[str]:
    """Return the items of which the store holds a value."""
    return {item for values in held(store._vault).values() for item in values}


def said(events: Any, clock: Clock, *more: Any) -> list[Any]:
    """Return a turn that gives name and address and does these in between, each event a second later."""
    turn = [
        events.UserUttered(f"I am Zoe Quartz, {EMAIL}", intent={"name": "inform"}, entities=[]),
        events.SlotSet("full_name", "Zoe Quartz"),
        events.SlotSet("email", EMAIL),
        *more,
        events.ActionExecuted("action_listen"),
    ]
    return at(turn, clock)


def at(turn: list[Any], clock: Clock) -> list[Any]:
    """Give the events of a turn their times."""
    for event in turn:
        event.timestamp = clock.advance(seconds=1).timestamp()
    clock.advance(seconds=1)
    return turn


async def test_a_value_lasts_until_its_form_is_done(
    store_that_keeps: Callable[[str], Any], events: Any, clock: Clock
) -> None:
    """While the form runs it is there, also in another process; when the turn of its end is over it is nowhere."""
    store = store_that_keeps("until lead_form")
    tracker = await take(store, said(events, clock, events.ActiveLoop("lead_form")))
    assert tracker.get_slot("email") == EMAIL
    assert items(store) == {"full_name", "email"}
    ending = [
        events.UserUttered("yes", intent={"name": "affirm"}, entities=[]),
        events.ActiveLoop(None),
        events.ActionExecuted("action_submit"),
        events.ActionExecuted("action_listen"),
    ]
    tracker = await take(store, at(ending, clock))
    assert tracker.get_slot("email") is None
    assert tracker.get_slot("full_name") == "Zoe Quartz"
    assert items(store) == {"full_name"}
    with store._vault.database.read() as connection:
        everything = store._vault.conversations.load(connection, SENDER, all_sessions=True)
    assert EMAIL not in repr(everything)


async def test_a_value_that_is_given_and_used_up_in_one_turn_is_never_stored(
    store_that_keeps: Callable[[str], Any], events: Any, clock: Clock
) -> None:
    """The form was done before the turn was saved."""
    store = store_that_keeps("until lead_form")
    turn = said(events, clock, events.ActiveLoop(None))
    turn.insert(0, at([events.ActiveLoop("lead_form")], clock)[0])
    await take(store, turn)
    assert items(store) == {"full_name"}


async def test_another_form_ends_nothing(store_that_keeps: Callable[[str], Any], events: Any, clock: Clock) -> None:
    """Only the form that is named."""
    store = store_that_keeps("until lead_form")
    tracker = await take(store, said(events, clock, events.ActiveLoop("newsletter_form"), events.ActiveLoop(None)))
    assert tracker.get_slot("email") == EMAIL


async def test_a_value_of_a_session_does_not_come_into_the_next(
    store_that_keeps: Callable[[str], Any], events: Any, clock: Clock
) -> None:
    """Rasa copies the slots of the old session into the new one; this one is left behind and destroyed."""
    store = store_that_keeps("session")
    await take(store, said(events, clock))
    assert items(store) == {"full_name", "email"}
    clock.advance(hours=2)
    begun = [
        events.ActionExecuted("action_session_start"),
        events.SessionStarted(),
        events.SlotSet("full_name", "Zoe Quartz"),
        events.SlotSet("email", EMAIL),
        events.ActionExecuted("action_listen"),
        events.UserUttered("hello again", intent={"name": "greet"}, entities=[]),
        events.ActionExecuted("action_listen"),
    ]
    tracker = await take(store, at(begun, clock))
    assert tracker.get_slot("email") is None
    assert tracker.get_slot("full_name") == "Zoe Quartz"
    assert items(store) == {"full_name"}


async def test_a_value_of_some_days_is_not_read_after_them(
    store_that_keeps: Callable[[str], Any], events: Any, clock: Clock
) -> None:
    """The bot does not see it from that day on, and the next save destroys it."""
    store = store_that_keeps("7 days")
    await take(store, said(events, clock))
    clock.advance(days=6)
    assert (await store.retrieve(SENDER)).get_slot("email") == EMAIL
    clock.advance(days=1)
    tracker = await store.retrieve(SENDER)
    assert tracker.get_slot("email") is None
    assert tracker.get_slot("full_name") == "Zoe Quartz"
    await take(store, at([events.UserUttered("hi", intent={"name": "greet"}, entities=[])], clock))
    assert items(store) == {"full_name"}


async def test_the_slot_is_cleared_before_the_next_action(
    store_that_keeps: Callable[[str], Any], events: Any, clock: Clock, untouched: Any
) -> None:
    """What a tracker in memory still holds of an old session is taken from it, whoever predicts."""
    store = store_that_keeps("session")
    tracker = await take(store, said(events, clock))
    for event in at([events.SessionStarted(), events.SlotSet("email", EMAIL)], clock):
        tracker.update(event)
    cleared = [(event.key, event.value) for event in untouched.privacy_turn.slot_corrections(tracker)]
    assert ("email", None) in cleared
