"""What stands in the fields of an event, of which anybody who reaches the HTTP API may have made any.

A field of another kind than Rasa writes is taken for empty; of ids and names only what has their form is returned.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, SupportsFloat, SupportsIndex

NAME: Final = re.compile(r"[\w-]{1,64}")
_UTTER: Final = re.compile(r"utter_[\w-]{1,64}/[\w.-]{1,64}")
_ID: Final = re.compile(r"[\w./:-]{1,128}")
_MAX_ID_CHARACTERS: Final = 256
_FEWEST_DIGITS: Final = 5  # of a sender id that is looked for in texts
_METADATA: Final = ("model_id", "assistant_id", "utter_action")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(?:Z|[+-][0-9:]{4,8})?")  # ISO 8601
_MANY_DIGITS: Final = re.compile(r"\d[\d.:/-]{5,}\d")  # as a phone number has, and no channel's name

#: Stands where a sender id was in a text.
SENDER: Final = "sender_id"

#: What Rasa's `BotUttered` has in its `data` (rasa 3.6.21, `rasa/shared/core/trackers.py`, `create_bot_utterance`).
SPOKEN_PARTS: Final = ("elements", "quick_replies", "buttons", "attachment", "image", "custom")


def intent_of(intent: Mapping[str, Any]) -> dict[str, Any]:
    """Return name and confidence of an intent, and nothing else that a classifier said."""
    confidence = intent.get("confidence")
    return {"name": intent.get("name"), "confidence": None if isinstance(confidence, str) else field_of(confidence)}


def selected_of(found: object) -> dict[str, Any]:
    """Return the names of the responses that were selected: a retrieval action looks for them on the tracker."""
    kept = {}
    for key, one in found.items() if isinstance(found, Mapping) else ():
        response = one.get("response") if isinstance(one, Mapping) else None
        name = response.get("utter_action") if isinstance(response, Mapping) else None
        if isinstance(name, str) and _UTTER.fullmatch(name) and isinstance(key, str) and NAME.fullmatch(key):
            kept[key] = {"response": {"utter_action": name}}
    return {"response_selector": kept} if kept else {}


def channel_name(found: object) -> str | None:
    """Return the name of a channel; a caller of the REST channel may send anything there."""
    return None if _MANY_DIGITS.search(str(found)) else name_of(found)


def message_id_of(event: Mapping[str, Any]) -> str | None:
    """Return the id of a message, if it is one: channels give their own."""
    found = event.get("message_id")
    return found if isinstance(found, str) and len(found) <= _MAX_ID_CHARACTERS and found.isprintable() else None


def name_of(found: object) -> str | None:
    """Return the name of an action, if it is one: an action may name anything as what is to follow it."""
    return str(found) if _is_name(found) else None


def time_of(event: Mapping[str, Any]) -> float | None:
    """Return the time of an event."""
    found = event.get("timestamp")
    return found if isinstance(found, (int, float)) else None


def moment_of(found: object) -> str | None:
    """Return when a reminder is due, if it is in the form in which Rasa writes it."""
    return found if isinstance(found, str) and _MOMENT.fullmatch(found) else None


def number_of(sender_id: object) -> dict[str, set[str]]:
    """Return the number that a sender id is to many messengers, as a known value: who has it finds the person."""
    found = str(sender_id)
    return {SENDER: {found}} if found.isalnum() and sum(map(str.isdigit, found)) >= _FEWEST_DIGITS else {}


def field_of(found: object) -> object:
    """Return a number, a truth value or a name; what else stands in a field of Rasa's may be what somebody said."""
    if found is None or isinstance(found, (int, float)):
        return found
    if isinstance(found, str):
        return name_of(found)
    # Of NumPy for example. Asked last: such a question takes a hundred times as long as one about a class.
    return found if isinstance(found, (SupportsFloat, SupportsIndex)) else None


def _is_name(found: object) -> bool:
    return isinstance(found, str) and _ID.fullmatch(found) is not None


def mapping_of(value: object) -> Mapping[str, Any]:
    """Return the value if it is of fields: through the HTTP API anything may stand anywhere."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: object) -> list[Any]:
    """Return the parts of a list."""
    return list(value) if isinstance(value, (list, tuple)) else []


def mappings_of(value: object) -> list[Mapping[str, Any]]:
    """Return those parts of a list that are of fields."""
    return [part for part in list_of(value) if isinstance(part, Mapping)]


def dropped_of(value: object) -> Iterator[tuple[int, int, str]]:
    """Yield what the minimizer says it dropped; what is not in its form is none of its."""
    for place in list_of(value):
        if isinstance(place, (list, tuple)) and [type(part) for part in place] == [int, int, str]:
            yield place[0], place[1], place[2]


def metadata_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names that Rasa itself writes into an event's metadata, as the field that they are."""
    # A user's metadata comes from the channel, so that anything may stand under any name.
    found = {} if event.get("event") == "user" else mapping_of(event.get("metadata"))
    kept = {name: found[name] for name in _METADATA if _is_name(found.get(name))}
    return {"metadata": kept} if kept else {}


def texts_of(value: object) -> Iterator[str]:
    """Yield every text that a value would be written as, to be found again in messages; of lists and dicts too."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from [] if NAME.fullmatch(str(name)) else [str(name)]  # no field's: somebody's name or address
            yield from texts_of(part)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for part in value:
            yield from texts_of(part)
    elif isinstance(value, float) and value.is_integer():
        yield str(int(value))
    elif value is not None and not isinstance(value, bool) and str(value):
        yield str(value)
