"""How many values a person's conversations hold by purpose and item, for the certificate of an erasure.

Rules:

1. They stand in the head manifest (docs/spec/segment.md, section 5.2) and change with each save, so that an erasure
   reads one row of a conversation, however long it is (ADR 36).
2. A conversation from before they were kept is read, unless it is long. What is damaged, or long, is not counted: the
   certificate says so rather than guess.
3. Only what a key exists for is counted. What lost its key was destroyed before.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import DataKey
from rasa_privacy.errors import DAMAGED
from rasa_privacy.policy.topics import choice
from rasa_privacy.storage.conversation_head import verified_head
from rasa_privacy.storage.conversation_reader import open_every
from rasa_privacy.storage.conversation_rows import ConversationRow
from rasa_privacy.storage.journal_entry import MAX_KINDS
from rasa_privacy.storage.manifest import Head, Values

#: Of a conversation from before values were counted, so many events are read to count them.
MOST_READ_EVENTS: Final = 1000
#: The names of a certificate's counts beside those of topics (`policy.topics.choice`).
EVENTS: Final = "events"
KEYS: Final = "keys"
VALUES: Final = "values"
#: So many pairs of purpose and item have room beside these in an entry of the journal (docs/spec/journal.md, 2).
_MOST_PAIRS: Final = MAX_KINDS - len((EVENTS, KEYS, VALUES))
#: Number, path, item and value.
_ENTRY_FIELDS: Final = 4


def count_values(values: Values | None, purpose: str, entries: Iterable[Sequence[Any]]) -> None:
    """Add the value entries of a purpose to the counts of a head that has any."""
    if values is None:
        return
    for entry in entries:
        if len(entry) == _ENTRY_FIELDS and entry[3] is not None:
            of_purpose = values.setdefault(purpose, {})
            of_purpose[entry[2]] = of_purpose.get(entry[2], 0) + 1


def destroyed_counts(
    rows: Sequence[ConversationRow],
    keys: Mapping[str, DataKey],
    purposes: Collection[str],
    reading: Connection | None = None,
) -> dict[str, int]:
    """Return what erasing these conversations of a person destroys, as a certificate registers it.

    Args:
        rows: The person's conversations.
        keys: The person's data keys that can be opened, by purpose.
        purposes: The purposes of all data keys.
        reading: A connection by which conversations are read that have no counts; None where they are not.

    Returns:
        `events`, where a damaged conversation counts none, and `keys`. Where all values are known also `values`, and
        how many there are of each topic.
    """
    heads = [_head(row, keys) for row in rows]
    events = sum(0 if head is None else head.event_count for head in heads)
    counts = {EVENTS: events, KEYS: len(purposes)}
    found: Counter[str] = Counter()
    for row, head in zip(rows, heads, strict=True):
        values = None if head is None else _values(row, head, keys, reading)
        if values is None:
            return counts
        for purpose in values.keys() & set(purposes):
            found.update({choice(purpose, item): number for item, number in values[purpose].items()})
    return counts if len(found) > _MOST_PAIRS else with_values(counts, found)


def with_values(counts: Mapping[str, int], values: Mapping[str, int]) -> dict[str, int]:
    """Return counts with how many values there are, as a whole and by topic."""
    return {**counts, VALUES: sum(values.values()), **values}


def values_of(counts: Mapping[str, int]) -> dict[str, int] | None:
    """Return how many values a certificate's counts name, by topic; None where they were not counted."""
    if VALUES not in counts:
        return None
    return {name: number for name, number in counts.items() if name not in (EVENTS, KEYS, VALUES)}


def numbers_of(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts that are about no single topic: how many `events` and `keys`, and of a part `values`."""
    shown = (EVENTS, KEYS) if EVENTS in counts else (VALUES, KEYS)
    return {name: counts[name] for name in shown if name in counts}


def _head(row: ConversationRow, keys: Mapping[str, DataKey]) -> Head | None:
    try:
        return verified_head(row, keys)
    except DAMAGED:
        return None


def _values(row: ConversationRow, head: Head, keys: Mapping[str, DataKey], reading: Connection | None) -> Values | None:
    if head.values is not None or reading is None or head.event_count > MOST_READ_EVENTS:
        return head.values
    found: Values = {}
    try:
        for purpose, entries in open_every(reading, row, head, keys).items():
            if purpose != SERVICE:
                count_values(found, purpose, entries)
    except DAMAGED:
        return None
    return found
