"""Where a value can come from, each with and without consent: what is stored of it, and what an action gets.

One row for each source. What is stored is looked at as bytes on the disk, and opened again.
"""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from rasa_privacy.minimize.view import View
from rasa_privacy.policy.model import Actions
from tests.support.vaults import SENDER, grant

pytestmark = pytest.mark.rasa

MARK = "Quartzel"
VALUE = f"Zoe {MARK}"
ITEM = "full_name"
TEXT = f"Well, {VALUE} it is."
ENTITY: Final = {"entity": "PERSON", "value": VALUE, "start": 6, "end": 6 + len(VALUE)}
FORM: Final = "lead_form"
TOMORROW: Final = datetime(2026, 11, 24, 10, tzinfo=timezone.utc)

#: Where a value is kept of whoever consented: among the values of the purpose, or nowhere.
KEPT, GONE = True, False


def said(events: Any, text: str = TEXT, entities: Any = (), **more: Any) -> Any:
    """Return a message."""
    parsed = {"intent": {"name": "enter_draw", "confidence": 0.9}, "entities": [*entities], "text": text}
    parsed |= more.pop("parse_data", {})
    return events.UserUttered(text, parsed["intent"], parsed["entities"], parsed, input_channel="rest", **more)


def form(events: Any, *answers: Any) -> list[Any]:
    """Return a form that asks for the name and gets an answer."""
    return [
        events.ActiveLoop(FORM),
        events.SlotSet("requested_slot", ITEM),
        events.ActionExecuted("action_listen"),
        *answers,
        events.ActiveLoop(None),
    ]


def carried(events: Any) -> list[Any]:
    """Return a new session, with which Rasa carries the slots over."""
    old = [events.ActionExecuted("action_session_start"), events.SessionStarted(), events.SlotSet(ITEM, VALUE)]
    return [*old, said(events, "hello"), *old]


SOURCES: Final[dict[str, tuple[Callable[[Any], list[Any]], bool]]] = {
    "entity": (lambda events: [said(events, entities=[ENTITY])], KEPT),
    "entities of a policy": (lambda events: [events.EntitiesAdded([ENTITY])], KEPT),
    "form": (lambda events: form(events, said(events, entities=[ENTITY]), events.SlotSet(ITEM, VALUE)), KEPT),
    "from_text": (lambda events: form(events, said(events, VALUE), events.SlotSet(ITEM, VALUE)), KEPT),
    "from_intent": (lambda events: form(events, said(events, "yes"), events.SlotSet(ITEM, VALUE)), KEPT),
    "a custom action's SlotSet": (
        lambda events: [said(events, "hi"), events.ActionExecuted("action_submit"), events.SlotSet(ITEM, VALUE)],
        KEPT,
    ),
    "a button's payload": (
        lambda events: [
            said(events, f'/enter_draw{{"PERSON": "{VALUE}"}}', [ENTITY]),
            events.BotUttered("Right?", {"buttons": [{"title": VALUE, "payload": f'/enter{{"PERSON": "{VALUE}"}}'}]}),
        ],
        KEPT,
    ),
    "message metadata": (lambda events: [said(events, "hi", metadata={"profile": {"name": VALUE}})], GONE),
    "metadata in parse_data": (lambda events: [said(events, "hi", parse_data={"metadata": {"name": VALUE}})], GONE),
    "the channel's metadata of a session": (
        lambda events: [events.SessionStarted(metadata={"name": VALUE, "model_id": VALUE})],
        GONE,
    ),
    "the channel's name": (
        lambda events: [events.UserUttered("hi", {"name": "greet"}, input_channel=f"chat of {VALUE}")],
        GONE,
    ),
    "parse_data": (
        lambda events: [
            said(
                events,
                "hi",
                parse_data={"note": VALUE, "text": TEXT, "response_selector": {"default": {"query": VALUE}}},
            )
        ],
        GONE,
    ),
    "text of an intent ranking": (
        lambda events: [said(events, "hi", parse_data={"intent_ranking": [{"name": "greet", "words": VALUE}]})],
        GONE,
    ),
    "an echo of the bot": (
        lambda events: [said(events, "hi", [ENTITY]), events.BotUttered(f"Hello {VALUE}!", {"custom": {"to": VALUE}})],
        KEPT,
    ),
    "a followup action": (lambda events: [events.FollowupAction(VALUE)], GONE),
    "metadata of an event": (
        lambda events: [events.ActionExecuted("action_listen", metadata={"name": VALUE, "utter_action": VALUE})],
        GONE,
    ),
    "the text of an action": (
        lambda events: [
            said(events, "hi", [ENTITY]),
            events.ActionExecuted(None, "TEDPolicy", 0.9, action_text=f"Hello {VALUE}"),
        ],
        KEPT,
    ),
    "slots before a restart": (
        lambda events: [said(events, "hi"), events.SlotSet(ITEM, VALUE), events.Restarted(), said(events, TEXT)],
        KEPT,
    ),
    "slots carried into a session": (carried, KEPT),
    "a message that was taken back": (
        lambda events: [
            said(events, entities=[ENTITY]),
            events.UserUtteranceReverted(),
            said(events, entities=[ENTITY]),
            events.ActionExecuted("action_hours"),
            events.ActionReverted(),
        ],
        KEPT,
    ),
    "a cancelled reminder": (lambda events: [events.ReminderCancelled(VALUE, "remind", [ENTITY])], GONE),  # so Rasa
    "names in a button's payload": (
        lambda events: [said(events, f'/enter_draw{{"{VALUE}": "{VALUE}"}}', [{"entity": VALUE, "value": VALUE}])],
        GONE,
    ),
    "words of another value": (
        lambda events: [said(events, entities=[{**ENTITY, "value": "Someone", "processors": ["Synonyms"]}])],
        GONE,
    ),
    "half a character before it": (lambda events: [said(events, f"\ud83d {VALUE}", [ENTITY | {"start": 2}])], KEPT),
    "a list in a slot": (lambda events: [said(events, "hi"), events.SlotSet(ITEM, [{"of": [VALUE]}, VALUE])], KEPT),
    "what a form asks for": (lambda events: [said(events, "hi"), events.SlotSet("requested_slot", VALUE)], GONE),
    "the session's metadata": (
        lambda events: [said(events, "hi"), events.SlotSet("session_started_metadata", {"caller": VALUE})],
        GONE,
    ),
    "a slot of ours": (
        lambda events: [
            said(events, "hi"),
            events.SlotSet("privacy_result", VALUE),
            events.SlotSet("privacy_pending", {"kind": "consent", "purposes": [VALUE], "action": VALUE}),
            events.SlotSet("privacy_language", VALUE),
        ],
        GONE,
    ),
    "a slot that nobody declared": (lambda events: [said(events, "hi"), events.SlotSet(VALUE, VALUE)], GONE),
    "names of parts of an utterance": (
        lambda events: [events.BotUttered("hi", {VALUE: 1, "custom": {VALUE: 1}})],
        GONE,
    ),
    "a button's intent": (
        lambda events: [
            said(events, "hi"),
            events.SlotSet(ITEM, VALUE),
            events.BotUttered("You?", {"buttons": [{"title": "yes", "payload": f"/is_{MARK}"}]}),
        ],
        KEPT,
    ),
    "a policy's name": (lambda events: [events.ActionExecuted("action_hours", VALUE, 1.0)], GONE),
    "a reminder": (
        lambda events: [events.ReminderScheduled("remind", TOMORROW, [ENTITY], name=VALUE)],
        KEPT,
    ),
}


async def take(store: Any, new: list[Any]) -> Any:
    """Let a conversation go on by these events as Rasa does, and return the tracker."""
    tracker = await store.get_or_create_tracker(SENDER, append_action_listen=False)
    for event in new:
        tracker.update(event)
    await store.save(tracker)
    return tracker


def opened(store: Any) -> tuple[str, dict[str, list[Any]]]:
    """Return what is stored, with all keys: the structure as text, and the values by purpose."""
    with store._vault.database.read() as connection:
        found = store._vault.conversations.load(connection, SENDER, all_sessions=True)
    return json.dumps(found.structure), found.values


def in_plain(folder: Path) -> list[str]:
    """Return the files of a store in which the value can be read."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "c.db" for path in files)
    return [path.name for path in files if MARK.encode() in path.read_bytes()]


@pytest.mark.parametrize("consents", [False, True], ids=["without consent", "with consent"])
@pytest.mark.parametrize("source", SOURCES)
async def test_a_value_is_stored_under_its_purpose_or_not_at_all(
    *, source: str, consents: bool, store: Any, untouched: Any, tmp_path: Path
) -> None:
    """The structure never has it; without consent nothing has it; and on the disk it stands nowhere in plain."""
    make, kept = SOURCES[source]
    if consents:
        grant(store._vault, "draw")
    await take(store, make(untouched.rasa_events))
    structure, values = opened(store)
    assert MARK not in structure
    holding = {name: {entry[2] for entry in entries if MARK in repr(entry)} for name, entries in values.items()}
    assert {name: items for name, items in holding.items() if items} == ({"draw": {ITEM}} if kept and consents else {})
    assert in_plain(tmp_path) == []


@pytest.mark.parametrize("consents", [False, True], ids=["without consent", "with consent"])
@pytest.mark.parametrize("source", SOURCES)
async def test_an_action_gets_a_value_it_needs_or_none(
    *, source: str, consents: bool, store: Any, untouched: Any
) -> None:
    """One that needs nothing gets none; the one that the purpose guards does not run, or gets it as a value."""
    if consents:
        grant(store._vault, "draw")
    tracker = await take(store, SOURCES[source][0](untouched.rasa_events))
    assert MARK not in sent(untouched, store, tracker, "action_hours")
    if not consents:
        with pytest.raises(untouched.rasa_api.ActionExecutionRejection):
            sent(untouched, store, tracker, "action_submit")
        return
    body = json.loads(sent(untouched, store, tracker, "action_submit"))["tracker"]
    body["slots"].pop(ITEM)
    for event in body["events"]:
        if event.get("name") == ITEM:
            event.pop("value")
        for entity in [*(event.get("parse_data") or {}).get("entities", []), *(event.get("entities") or [])]:
            if entity["entity"] == "PERSON":
                entity.pop("value")
    for entity in body["latest_message"]["entities"]:
        entity.pop("value")
    assert MARK not in json.dumps(body)


def sent(untouched: Any, store: Any, tracker: Any, action: str) -> str:
    """Return the payload of a tracker as Rasa makes it of what it is shown, and as it leaves."""
    seen = untouched.emitted_tracker.Recent(tracker, store._vault.policy.actions)
    body = {
        "next_action": action,
        "sender_id": SENDER,
        "tracker": seen.current_state(),
        "domain": store.domain.as_dict(),
        "version": "3.6.21",
    }
    return json.dumps(untouched.rasa_api.plugin_manager().hook.prefix_stripping_for_custom_actions(json_body=body))


async def test_what_a_restart_took_is_found_again_in_what_is_said_later(store: Any, untouched: Any) -> None:
    """Turns after the restart, when no slot holds it any more, the text that says it again is masked."""
    events = untouched.rasa_events
    grant(store._vault, "draw")
    await take(store, [said(events, "hi"), events.SlotSet(ITEM, VALUE), events.Restarted()])
    tracker = await take(store, [said(events, "hello"), events.ActionExecuted("action_listen"), said(events, TEXT)])
    structure, _ = opened(store)
    assert "Well, [full_name] it is." in structure
    assert MARK not in structure
    assert "Well, [full_name] it is." in sent(untouched, store, tracker, "action_hours")


async def test_a_number_that_is_the_sender_id_is_not_said_in_a_text(store: Any, untouched: Any) -> None:
    """Who reads what is published, or writes responses, does not learn whom the random id stands for."""
    events, sender = untouched.rasa_events, "29104471853"
    grant(store._vault, "draw", sender=sender)
    tracker = await store.get_or_create_tracker(sender, append_action_listen=False)
    for event in (said(events, "hi"), events.BotUttered(f"Your chat is {sender}, or 29-104-471-853.", {})):
        tracker.update(event)
    await store.save(tracker)
    with store._vault.database.read() as connection:
        found = store._vault.conversations.load(connection, sender, all_sessions=True)
    assert found.structure[-1]["text"] == "Your chat is [sender_id], or [sender_id]."
    state = untouched.emitted_tracker.Recent(tracker, store._vault.policy.actions).current_state()
    view = View(frozenset({"draw"}), {})
    sent = untouched.emitted_tracker.minimised(state, store._runtime.splitter, store._vault.policy.actions, view)
    assert sent["events"][-1]["text"] == "Your chat is [sender_id], or [sender_id]."


def test_an_event_of_an_unknown_type_is_nothing_but_its_type(store: Any) -> None:
    """Whatever a later Rasa or a plugin puts into it may be personal."""
    event = {"event": "from_tomorrow", "timestamp": 1.5, "name": VALUE, "text": TEXT, "anything": {VALUE: [VALUE]}}
    splitter, view = store._runtime.splitter, View(frozenset({"draw"}), {})
    assert splitter.split(event, 0, view) == ({"event": "from_tomorrow", "timestamp": 1.5}, [])


async def test_a_value_that_was_an_entity_only_is_known_in_later_turns(open_store: Any, untouched: Any) -> None:
    """No slot holds it, and the texts of the next turn are masked by it at Store and at Emit."""
    events = untouched.rasa_events
    published: list[Any] = []
    store = open_store(broker=SimpleNamespace(publish=published.append))
    grant(store._vault, "draw")
    await take(store, [said(events, entities=[ENTITY]), events.ActionExecuted("action_listen")])
    tracker = await take(store, [said(events, f"It is {VALUE} again."), events.BotUttered(f"Bye {VALUE}!", {})])
    assert MARK not in opened(store)[0]
    assert MARK not in json.dumps(published)
    for history in ("turn", "session", "full"):
        settings = Actions(history=history)
        state = untouched.emitted_tracker.Recent(tracker, settings).current_state()
        sent = untouched.emitted_tracker.minimised(
            state, untouched.runtime.current().splitter, settings, View({"draw"}, {}, items=())
        )
        assert sent["latest_message"]["text"] == "It is [full_name] again."
        assert MARK not in json.dumps(sent)
