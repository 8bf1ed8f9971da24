"""What stands in the fields of an event, of which anybody who reaches the HTTP API may have made any.

A field of another kind than Rasa writes is taken for empty; of ids and names only what has their form is returned.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, SupportsFloat, SupportsIndex

NAME: Final = re.compile(r"[\w-]{1,64}")
_UTTER: Final = re.compile(r"utter_[\w-]{1,64}/[\w.-]{1,64}")
_ID: Final = re.compile(r"[\w./:-]{1,128}")
_MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9_.:/+=-]{1,256}")  # hexadecimal, base 64, or parts with dots
_PHONE: Final = re.compile(r"\+[0-9]{7,15}(?![0-9A-Za-z])")  # and base 64 goes on with letters
_FEWEST_DIGITS: Final = 5  # of a sender id that is looked for in texts
_IDS: Final = ("model_id", "assistant_id")  # the second may be a time
_UTTERED: Final = "utter_action"
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(?:Z|[+-][0-9:]{4,8})?")  # ISO 8601
_DAY: Final = re.compile(r"(?<!\d)20[0-9]{2}-[01][0-9]-[0-3][0-9](?!\d)")  # of a campaign or a reminder
_MANY_DIGITS: Final = re.compile(r"\d[\d.:/-]{5,}\d")  # as a phone number has, and no channel's name

#: Fields that hold numbers and truth values, each with the largest: what is larger is no confidence and no place.
_NUMBERS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("confidence", "confidence_entity"), 1_000.0),
    **dict.fromkeys(("start", "end"), 999_999.0),
    **dict.fromkeys(("hide_rule_turn", "is_interrupted", "validate", "use_text_for_featurization"), 1.0),
    **dict.fromkeys(("kill_on_user_msg", "rejected"), 1.0),
}

#: Stands where a sender id was in a text.
SENDER: Final = "sender_id"

#: What Rasa's `BotUttered` has in its `data` (rasa 3.6.21, `rasa/shared/core/trackers.py`, `create_bot_utterance`).
SPOKEN_PARTS: Final = ("elements", "quick_replies", "buttons", "attachment", "image", "custom")


def selected_of(found: object, names: Collection[str] = ()) -> dict[str, Any]:
    """Return the names of the responses that were selected: a retrieval action looks for them on the tracker."""
    kept = {}
    for key, one in found.items() if isinstance(found, Mapping) else ():
        response = one.get("response") if isinstance(one, Mapping) else None
        name = response.get("utter_action") if isinstance(response, Mapping) else None
        is_name = isinstance(name, str) and _UTTER.fullmatch(name) is not None and _is_name(name, names)
        if is_name and isinstance(key, str) and NAME.fullmatch(key) and _is_name(key, names):
            kept[key] = {"response": {"utter_action": name}}
    return {"response_selector": kept} if kept else {}


def channel_name(found: object) -> str | None:
    """Return the name of a channel; a caller of the REST channel may send anything there."""
    return None if _MANY_DIGITS.search(str(found)) else name_of(found)


def message_id_of(event: Mapping[str, Any]) -> str | None:
    """Return the id of a message, if it has the form of one: channels give their own."""
    found = event.get("message_id")
    is_id = isinstance(found, str) and _MESSAGE_ID.fullmatch(found) is not None and _PHONE.search(found) is None
    return found if is_id else None


def name_of(found: object, names: Collection[str] = ()) -> str | None:
    """Return a name, if it is one: of the bot's, or in the form of one and without a number of somebody.

    Args:
        found: What stands where a name should; through the HTTP API, from actions and components it may be anything.
        names: Those that the bot has.
    """
    return str(found) if _is_name(found, names) else None


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


def field_of(field: str, found: object, names: Collection[str] = ()) -> object:
    """Return what stands in a field of Rasa's, if it is of its kind: a number, a truth value or a name."""
    limit = _NUMBERS.get(field)
    return name_of(found, names) if limit is None else _number_in(found, limit)


def _number_in(found: object, limit: float) -> object:
    if found is None or isinstance(found, bool):
        return found
    # Of NumPy for example. Asked last: such a question takes a hundred times as long as one about a class.
    if not isinstance(found, (int, float, SupportsFloat, SupportsIndex)):
        return None
    try:
        return found if abs(float(found)) <= limit else None
    except (TypeError, ValueError, OverflowError):  # of an array, or more than a float can be
        return None


def _is_name(found: object, names: Collection[str]) -> bool:
    if not isinstance(found, str):
        return False
    return found in names or (_ID.fullmatch(found) is not None and _MANY_DIGITS.search(_DAY.sub("", found)) is None)


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


def metadata_of(event: Mapping[str, Any], names: Collection[str] = ()) -> dict[str, Any]:
    """Return the names that Rasa itself writes into an event's metadata, as the field that they are."""
    # A user's metadata comes from the channel, so that anything may stand under any name.
    found = {} if event.get("event") == "user" else mapping_of(event.get("metadata"))
    kept = {name: found[name] for name in _IDS if isinstance(found.get(name), str) and _ID.fullmatch(found[name])}
    if _is_name(found.get(_UTTERED), names):
        kept[_UTTERED] = found[_UTTERED]
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
