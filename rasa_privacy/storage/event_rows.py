"""Events as rows: the stored form of the structure of a conversation (docs/spec/segment.md, section 5).

A row is an array of the event's fields without their names, `[kind, timestamp, origin, field...]`. It is shorter than
the dict, and is read in a third of the time. Rules:

1. Kinds that Rasa writes in every turn have a row of their own. Everything else is kept whole, as `[0, entry]`.
2. A row that would not give back the very dict that it was made of is not used: the dict is kept whole.
3. `origin` is model id and assistant id; `SAME` stands for those of the row before that has them. The first row of each
   call of `pack` names its own, so that each run of rows can be read alone.
4. A confidence is stored in 32 bits where those hold it exactly (`narrow`), as they do what a neural network gives.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Raw

from rasa_privacy.errors import MalformedSegmentError

Row = list[Any]

WHOLE, ACTION, SLOT, USER, BOT, FEATURIZATION, LOOP, SESSION = range(8)
#: In place of an origin.
SAME: Final = 1
#: Where a row of this kind has what values are filled into.
SLOT_VALUE: Final = 4
USER_ENTITIES: Final = 8
_USER_CONFIDENCES: Final = 7
_ACTION_CONFIDENCE: Final = 5
#: MessagePack's float of 32 bits, which `msgspec` reads and does not write.
_SINGLE: Final = struct.Struct(">Bf")
_SINGLE_CODE: Final = 0xCA
#: What a bot's utterance carries besides its text; each is None unless the row says otherwise.
BOT_DATA: Final[dict[str, None]] = dict.fromkeys(
    ("elements", "quick_replies", "buttons", "attachment", "image", "custom")
)
_TYPES: Final = ("", "action", "slot", "user", "bot", "user_featurization", "active_loop", "session_started")
_KINDS: Final = {name: kind for kind, name in enumerate(_TYPES) if name}
#: Fields of the kinds whose row is just these, in order.
_FIELDS: Final[Mapping[int, tuple[str, ...]]] = {
    ACTION: ("name", "policy", "confidence", "hide_rule_turn"),
    SLOT: ("name", "value"),
    FEATURIZATION: ("use_text_for_featurization",),
    LOOP: ("name",),
    SESSION: (),
}
_ID_BYTES: Final = 16


def pack(entries: Iterable[Any]) -> list[Row]:
    """Return one row for each entry of a structure. Entries that are no events are kept whole."""
    rows: list[Row] = []
    origin = None
    for entry in entries:
        row = _row(entry)
        if row[0] != WHOLE and row[2] is not None:
            if row[2] == origin:
                row[2] = SAME
            else:
                origin = row[2]
        rows.append(row)
    return rows


def narrow(rows: list[Row]) -> list[Row]:
    """Let the confidences in rows take 32 bits where that loses nothing; for `payloads` only, which they are ready for.

    A message brings ten of them, which is an eighth of a short conversation, and they do not compress.
    """
    for row in rows:
        if row[0] == ACTION:
            row[_ACTION_CONFIDENCE] = _narrowed(row[_ACTION_CONFIDENCE])
        elif row[0] == USER and row[_USER_CONFIDENCES]:
            confidences = row[_USER_CONFIDENCES]
            row[_USER_CONFIDENCES] = {name: _narrowed(confidence) for name, confidence in confidences.items()}
    return rows


def _narrowed(confidence: Any) -> Any:
    if type(confidence) is not float:
        return confidence
    try:
        single = _SINGLE.pack(_SINGLE_CODE, confidence)
    except OverflowError:
        return confidence
    return Raw(single) if _SINGLE.unpack(single)[1] == confidence else confidence


def from_schema_0001(rows: list[Any]) -> list[Row]:
    """Return the rows of a structure whose oldest part may be of schema 0001, which kept each entry whole."""
    if not rows or type(rows[0]) is list:
        return rows
    return [[WHOLE, row] if isinstance(row, dict) else row for row in rows]


def unpack(rows: Iterable[Row]) -> list[Any]:
    """Return the entries that the rows were made of.

    Raises:
        MalformedSegmentError: A row does not follow the format.
    """
    entries: list[Any] = []
    origin: Sequence[Any] | None = None
    try:
        for row in rows:
            if row[0] == WHOLE:
                _, entry = row
                entries.append(entry)
                continue
            if row[2] not in (None, SAME):
                origin = row[2]
            entries.append(_entry(row, origin if row[2] == SAME else row[2]))
    except (LookupError, TypeError, ValueError, AttributeError):
        raise malformed(len(entries)) from None
    return entries


def fill(rows: Sequence[Row], first_seq: int, values: Mapping[str, Iterable[Sequence[Any]]]) -> None:
    """Put the values of all readable purposes into the rows, in place.

    Args:
        rows: Rows of the events from `first_seq` on.
        first_seq: Number of the event of the first row.
        values: Entries `[seq, path, item, value]` by purpose; a value that several purposes hold is the same in each.

    Raises:
        MalformedSegmentError: A value has no place in its event.
    """
    index = 0
    try:
        for entries in values.values():
            for seq, path, _item, value in entries:
                index = seq - first_seq
                if 0 <= index < len(rows):
                    _put(rows[index], path, value)
    except (LookupError, TypeError, ValueError):
        raise malformed(index) from None


def malformed(index: int) -> MalformedSegmentError:
    """Return the error of the row with this index."""
    return MalformedSegmentError(f"structure: row {index} does not follow the format of this release")


def metadata_of(origin: Sequence[Any] | None) -> dict[str, Any]:
    """Return an event's metadata as its origin gives it.

    Raises:
        ValueError: It is no pair of ids.
    """
    if origin is None:
        return {}
    model_id, assistant_id = origin
    if model_id is None:
        return {"assistant_id": assistant_id}
    return {"model_id": model_id} if assistant_id is None else {"model_id": model_id, "assistant_id": assistant_id}


def message_id_of(stored: Any) -> Any:
    """Return the message id; one of 32 hexadecimal digits is stored as 16 bytes."""
    return stored.hex() if type(stored) is bytes else stored


def ranking_of(confidences: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Return the intent ranking."""
    return [{"name": name, "confidence": confidence} for name, confidence in confidences.items()]


def _row(entry: Any) -> Row:
    kind = _KINDS.get(str(entry.get("event")), WHOLE) if isinstance(entry, dict) else WHOLE
    # Rasa gives an event without a time the present one, which is not ours to know.
    if kind == WHOLE or type(entry.get("timestamp")) is not float or not entry["timestamp"]:
        return [WHOLE, entry]
    try:
        metadata = entry.get("metadata") or {}
        ids = [metadata.get("model_id"), metadata.get("assistant_id")]
        origin = None if ids == [None, None] else ids
        row = [kind, entry["timestamp"], origin, *_PACKED.get(kind, _plain_fields)(kind, entry)]
        same = _entry(row, origin) == entry
    except (LookupError, TypeError, ValueError, AttributeError):
        same = False
    return row if same else [WHOLE, entry]


def _plain_fields(kind: int, entry: Mapping[str, Any]) -> list[Any]:
    return [entry[name] for name in _FIELDS[kind]]


def _user_fields(_kind: int, entry: Mapping[str, Any]) -> list[Any]:
    parsed = entry["parse_data"]
    intent, ranking = parsed["intent"], parsed.get("intent_ranking")
    confidences = None if ranking is None else {each["name"]: each["confidence"] for each in ranking}
    # A confidence of 1 and one of 1.0 are equal and are not stored alike.
    first = None if ranking and repr(ranking[0]) == repr(intent) else intent
    message_id = _short_id(entry["message_id"])
    return [entry["text"], entry["input_channel"], message_id, first, confidences, parsed["entities"]]


def _bot_fields(_kind: int, entry: Mapping[str, Any]) -> list[Any]:
    data = {name: value for name, value in entry["data"].items() if value is not None}
    return [(entry.get("metadata") or {}).get("utter_action"), entry["text"], data or None]


def _short_id(message_id: Any) -> Any:
    if isinstance(message_id, str) and len(message_id) == 2 * _ID_BYTES:
        try:
            short = bytes.fromhex(message_id)
        except ValueError:
            return message_id
        return short if short.hex() == message_id else message_id
    return message_id


def _entry(row: Row, origin: Sequence[Any] | None) -> dict[str, Any]:
    kind, timestamp, _, *fields = row
    metadata = metadata_of(origin)
    entry: dict[str, Any] = {"event": _TYPES[kind], "timestamp": timestamp}
    if kind == USER:
        entry.update(_user_entry(*fields))
    elif kind == BOT:
        utter_action, text, data = fields
        entry.update(text=text, data={**BOT_DATA, **(data or {})})
        if utter_action is not None:
            metadata["utter_action"] = utter_action
    else:
        entry.update(zip(_FIELDS[kind], fields, strict=True))
    return {**entry, "metadata": metadata} if metadata else entry


def _user_entry(  # noqa: PLR0913, PLR0917 - the fields of the row
    text: Any, channel: Any, stored_id: Any, intent: Any, confidences: Any, entities: Any
) -> dict[str, Any]:
    message_id, ranking = message_id_of(stored_id), None if confidences is None else ranking_of(confidences)
    if intent is None:
        intent = {**ranking[0]} if ranking else {}
    parsed = {"intent": intent, "entities": entities, "text": text, "metadata": {}, "message_id": message_id}
    if ranking is not None:
        parsed["intent_ranking"] = ranking
    return {"text": text, "parse_data": parsed, "input_channel": channel, "message_id": message_id}


def _put(row: Row, path: Sequence[Any], value: object) -> None:
    if row[0] == SLOT:
        row[SLOT_VALUE] = value
    elif row[0] == USER:
        row[USER_ENTITIES][path[2]][path[3]] = value
    else:
        target: Any = row[1]
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value


_PACKED: Final[Mapping[int, Callable[[int, Mapping[str, Any]], list[Any]]]] = {USER: _user_fields, BOT: _bot_fields}
