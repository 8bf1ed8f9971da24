"""From stored rows to Rasa's events, past their constructors.

A constructor of Rasa takes keyword arguments out of a dict that would first have to be made. Here the attributes are
set from the row. Rules:

1. The result is what `event_from` makes of the row's dict, attribute by attribute; a test holds this for every type.
2. It is also tried once in each process, with one row of each kind. A kind for which Rasa's own way gives something
   else (another release, a subclass of the builder's own) is built in Rasa's way.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from rasa_privacy.components.event_types import event_from
from rasa_privacy.components.rasa_api import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    DefinePrevUserUtteredFeaturization,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa_privacy.storage import event_rows
from rasa_privacy.storage.event_rows import BOT_DATA, SAME, WHOLE, Row, malformed, metadata_of, ranking_of

Builder = Callable[[Row, dict[str, Any]], Event | None]

_new: Final = object.__new__
_IDS: Final = ["m", "a"]
#: One row of each kind with a builder, to try it.
_SAMPLES: Final[Sequence[Row]] = (
    [event_rows.ACTION, 1.5, _IDS, "action_listen", "RulePolicy", 1.0, True],
    [event_rows.SLOT, 1.5, _IDS, "slot", ["value"]],
    [event_rows.USER, 1.5, None, "text", "rest", bytes(16), None, {"greet": 0.5}, [{"entity": "e", "value": 1}]],
    [event_rows.BOT, 1.5, _IDS, "utter_greet", "text", {"buttons": []}],
    [event_rows.FEATURIZATION, 1.5, _IDS, False],
    [event_rows.LOOP, 1.5, _IDS, "form"],
    [event_rows.SESSION, 1.5, _IDS],
)


def events_of(rows: Sequence[Row]) -> list[Event | None]:
    """Return one event per row; None for a type or a content that Rasa does not know.

    Raises:
        MalformedSegmentError: A row does not follow the format.
    """
    builders = _builders()
    events: list[Event | None] = []
    shared: dict[str, Any] = {}
    try:
        for row in rows:
            kind = row[0]
            if kind == WHOLE:
                _, entry = row
                events.append(event_from(entry))
                continue
            origin = row[2]
            if origin is None:
                metadata: dict[str, Any] = {}
            else:
                if origin != SAME:
                    shared = metadata_of(origin)
                metadata = shared.copy()  # of its own, since Rasa and actions may change it
            events.append(builders[kind](row, metadata))
    except (LookupError, TypeError, ValueError, AttributeError):
        raise malformed(len(events)) from None
    return events


@cache
def _builders() -> dict[int, Builder]:
    """Return a builder for each kind: ours where it does what Rasa does, else Rasa's."""
    return {row[0]: _OURS[row[0]] if _is_rasas(row) else _in_rasas_way for row in _SAMPLES}


def _is_rasas(sample: Row) -> bool:
    """Return whether our builder gives the same class with the same attributes as Rasa does."""
    ours, theirs = _OURS[sample[0]](sample, metadata_of(sample[2])), _in_rasas_way(sample, metadata_of(sample[2]))
    return type(ours) is type(theirs) and vars(ours) == vars(theirs)


def _in_rasas_way(row: Row, metadata: dict[str, Any]) -> Event | None:
    (entry,) = event_rows.unpack([[*row[:2], None, *row[3:]]])
    return event_from({**entry, "metadata": {**metadata, **entry.get("metadata", {})}})


# Attributes are set in the order of Rasa's constructors: instances of a class share the keys of their dicts only then.


def _action(row: Row, metadata: dict[str, Any]) -> Event:
    event = _new(ActionExecuted)
    _, timestamp, _, event.action_name, event.policy, event.confidence, hide_rule_turn = row
    event.unpredictable = False
    event.action_text = None
    event.hide_rule_turn = hide_rule_turn
    event.timestamp = timestamp
    event.metadata = metadata
    return event


def _slot(row: Row, metadata: dict[str, Any]) -> Event:
    event = _new(SlotSet)
    _, timestamp, _, event.key, event.value = row
    event.timestamp = timestamp
    event.metadata = metadata
    return event


def _user(row: Row, metadata: dict[str, Any]) -> Event:
    event = _new(UserUttered)
    _, timestamp, _, text, channel, stored_id, intent, confidences, entities = row
    message_id = stored_id.hex() if type(stored_id) is bytes else stored_id
    ranking = None if confidences is None else ranking_of(confidences)
    if intent is None:
        intent = ranking[0].copy() if ranking else {}
    parsed = {"intent": intent, "entities": entities, "text": text, "message_id": message_id, "metadata": {}}
    if ranking is not None:
        parsed["intent_ranking"] = ranking
    event.text = text
    event.intent = intent or {}
    event.entities = entities or []
    event.input_channel = channel
    event.message_id = message_id
    event.timestamp = timestamp
    event.metadata = metadata
    event.use_text_for_featurization = None if bool(text) == bool(intent.get("name")) else bool(text)
    event.parse_data = parsed
    return event


def _bot(row: Row, metadata: dict[str, Any]) -> Event:
    event = _new(BotUttered)
    _, timestamp, _, utter_action, event.text, data = row
    event.data = {**BOT_DATA, **data} if data else BOT_DATA.copy()
    if utter_action is not None:
        metadata["utter_action"] = utter_action
    event.timestamp = timestamp
    event.metadata = metadata
    return event


def _featurization(row: Row, metadata: dict[str, Any]) -> Event:
    event = _new(DefinePrevUserUtteredFeaturization)
    _, event.timestamp, _, use_text = row
    event.metadata = metadata
    event.use_text_for_featurization = use_text
    return event


def _loop(row: Row, metadata: dict[str, Any]) -> Event:
    event = _new(ActiveLoop)
    _, timestamp, _, event.name = row
    event.timestamp = timestamp
    event.metadata = metadata
    return event


def _session(row: Row, metadata: dict[str, Any]) -> Event:
    event = _new(SessionStarted)
    _, event.timestamp, _ = row
    event.metadata = metadata
    return event


_OURS: Final[dict[int, Builder]] = {
    event_rows.ACTION: _action,
    event_rows.SLOT: _slot,
    event_rows.USER: _user,
    event_rows.BOT: _bot,
    event_rows.FEATURIZATION: _featurization,
    event_rows.LOOP: _loop,
    event_rows.SESSION: _session,
}
