"""What an action server and an NLG server see of a conversation, instead of Rasa's whole tracker.

`Recent` stands in for the tracker while Rasa writes its request, so that only the events that go along are turned into
JSON: with Rasa's own request the time grows with the conversation. `minimised` cuts what was written.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, Final, TypeVar

from rasa_privacy.components.history import latest_entities, latest_values
from rasa_privacy.components.rasa_api import IS_EXTERNAL, DialogueStateTracker, Event
from rasa_privacy.dialogue.names import INTENTS
from rasa_privacy.minimize.entries import join
from rasa_privacy.minimize.event_fields import channel_name, field_of, name_of, number_of
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.known_values import KnownValues
from rasa_privacy.minimize.view import View
from rasa_privacy.policy.model import Actions

#: The event with which each history begins; with none, all of them go along.
_BEGINS: Final[Mapping[str, str]] = {"turn": "user", "session": "session_started"}

#: Where `Recent` says what the latest values of each slot were: texts that go along may hold what it held before.
_GIVEN: Final = "rasa_privacy_given"

#: And where what its latest entities were.
_SAID: Final = "rasa_privacy_said"

State = dict[str, Any]
_Event = TypeVar("_Event")


class Recent:
    """A tracker as Rasa's requests see it, with the events of one history only.

    Args:
        tracker: The live tracker.
        settings: `actions` of privacy.yml.
    """

    def __init__(self, tracker: DialogueStateTracker, settings: Actions) -> None:
        self._tracker = tracker
        self._settings = settings
        self.sender_id = tracker.sender_id

    def current_state(self, _verbosity: object = None) -> State:
        """Return the tracker's state, whatever verbosity Rasa asks for."""
        events = recent(self._tracker.events, self._settings, _type_of)
        state = {**self._tracker.current_state(), "events": [event.as_dict() for event in events]}
        values = list(latest_values(reversed(self._tracker.events)))
        return {**state, _GIVEN: values, _SAID: list(latest_entities(reversed(self._tracker.events)))}


def recent_texts(tracker: DialogueStateTracker, settings: Actions) -> list[str]:
    """Return the texts of the events that go along."""
    texts = [getattr(event, "text", None) for event in recent(tracker.events, settings, _type_of)]
    return [text for text in texts if isinstance(text, str) and text]


def recent(events: Iterable[_Event], settings: Actions, type_of: Callable[[_Event], object]) -> list[_Event]:
    """Return the events that go along, the oldest first."""
    there = list(events)
    beginning = _BEGINS.get(settings.history)
    for index in range(len(there) - 1, -1, -1):
        if type_of(there[index]) == beginning:
            return there[index:]
    return there


def _type_of(event: Event) -> object:
    return event.type_name


def minimised(tracker: Mapping[str, Any], splitter: EventSplitter, settings: Actions, view: View) -> State:
    """Return the state of a tracker cut to what its receiver may see.

    Args:
        tracker: The `tracker` of Rasa's request.
        splitter: Knows privacy.yml and the domain.
        settings: `actions` of privacy.yml.
        view: Active purposes, and the items that the receiver needs.
    """
    events = recent(tracker.get("events") or [], settings, lambda event: event.get("event"))
    given = [*(tracker.get("slots") or {}).items(), *(tracker.get(_GIVEN) or ())]
    known = _known_values(given, tracker.get(_SAID) or (), events, splitter)
    view = replace(view, known=KnownValues({**number_of(tracker.get("sender_id")), **known}))
    kept = _minimised_events(events, splitter, view)
    return {
        **{name: tracker.get(name) for name in ("sender_id", "latest_event_time", "paused")},
        "followup_action": name_of(tracker.get("followup_action"), splitter.names),
        "latest_input_channel": channel_name(tracker.get("latest_input_channel")),
        # Both hold more than names: a loop, for one, the message that started it.
        "active_loop": _only(tracker.get("active_loop"), ("name", "is_interrupted", "rejected"), splitter),
        "latest_action": _only(tracker.get("latest_action"), ("action_name",), splitter),
        "latest_action_name": name_of(
            tracker.get("latest_action_name"), splitter.names
        ),  # of one without a name, what it says
        "slots": _slots(tracker.get("slots") or {}, splitter, view),
        "latest_message": _latest_message(kept, is_external=_is_external(tracker)),
        "events": kept,
    }


def _only(found: Mapping[str, Any] | None, names: tuple[str, ...], splitter: EventSplitter) -> State:
    return {name: field_of(name, found[name], splitter.names) for name in names if name in found} if found else {}


def _minimised_events(events: list[State], splitter: EventSplitter, view: View) -> list[State]:
    structure, entries = [], []
    for seq, event in enumerate(events):
        privacy = event.get("event") == "user" and _intent(event) in INTENTS
        kept, values = splitter.split(event, seq, replace(view, privacy_turn=privacy))
        structure.append(kept)
        entries += values
    join(structure, 0, {"": entries})
    return structure


def _intent(event: Mapping[str, Any]) -> str | None:
    name = ((event.get("parse_data") or {}).get("intent") or {}).get("name")
    return name if isinstance(name, str) else None


def _is_external(tracker: Mapping[str, Any]) -> bool:
    """Return whether Rasa made the latest message for a trigger or a reminder, so that nobody typed it."""
    message = tracker.get("latest_message") or {}
    return bool((message.get("metadata") or {}).get(IS_EXTERNAL))


def _latest_message(events: list[State], *, is_external: bool) -> State:
    """Return the message in the shape in which Rasa sends it: its parse data and text; of its metadata one mark."""
    metadata = {IS_EXTERNAL: True} if is_external else {}
    user = next((event for event in reversed(events) if event["event"] == "user"), None)
    if user is None:
        return {"intent": {}, "entities": [], "text": None, "message_id": None, "metadata": metadata}
    return {**user["parse_data"], "text": user["text"], "metadata": metadata}


def _slots(slots: Mapping[str, Any], splitter: EventSplitter, view: View) -> State:
    kept: State = {}
    for name, value in slots.items():
        item = splitter.item_of_slot(name)
        if splitter.is_plain_slot(name):
            kept[name] = splitter.plain_value(name, value)
        elif item is not None and value is not None and splitter.may_have(item, view):
            kept[name] = value if view.whole else splitter.kept(item, value)
        else:
            kept[name] = None
    return kept


def _known_values(
    given: Iterable[tuple[object, object]],
    said: Iterable[Mapping[str, Any]],
    events: list[State],
    splitter: EventSplitter,
) -> dict[str, set[str]]:
    """Return what the person gave, by item: also what a later value has replaced, as earlier texts hold it."""
    pairs = [*given, *((event.get("name"), event.get("value")) for event in events if _sets_slot(event))]
    entities = (each for event in events for each in (event.get("parse_data") or {}).get("entities") or [])
    return splitter.known_values(pairs, chain(said, entities))


def _sets_slot(event: Mapping[str, Any]) -> bool:
    return event.get("event") == "slot"
