"""What is taken over of one person from a store without this package: pure, before anything is written.

Rules, in order:

1. Consent is what privacy.yml declares under `import` (`consent.imported`); without it `without_consent` decides.
2. Minimisation is the one of every save (`minimize.events`), with every value that the person ever gave known.
3. Retention counts from the person's last message, so that what is due already is not taken over at all.
4. A row that is no event, or that cannot be read as one, is left out and named.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final, Literal

import msgspec

from rasa_privacy.consent.imported import ImportedGrant, active_after, grants_of
from rasa_privacy.dialogue.names import ACTIONS, INTENTS
from rasa_privacy.errors import StorageError
from rasa_privacy.minimize.entries import Entry
from rasa_privacy.minimize.event_fields import texts_of
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.view import View
from rasa_privacy.policy.model import Policy
from rasa_privacy.retention.due import SERVICE, due_at
from rasa_privacy.storage.payload import entries_of, payloads
from rasa_privacy.storage.stock import StockEvent

_SESSION: Final = "session_started"
#: What an event of an unexpected form makes the splitter raise; its row is named instead.
_UNREADABLE: Final = (AttributeError, IndexError, KeyError, RecursionError, StorageError, TypeError, ValueError)

_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be stored of one person.

    Attributes:
        outcome: `take`; `without_consent` and `due` are left out, `empty` has no readable event.
        marks: Type and time of each readable event, by which a person is recognised that is taken over already.
        unreadable: Rows that are left out.
        grants: Consents to record.
        structure: One entry per event.
        values: Value entries by purpose.
        due: When each purpose is due.
    """

    outcome: Literal["take", "without_consent", "due", "empty"]
    marks: list[tuple[str, float]] = field(default_factory=list, repr=False)
    unreadable: list[int] = field(default_factory=list)
    grants: tuple[ImportedGrant, ...] = ()
    structure: list[Event] = field(default_factory=list, repr=False)
    values: dict[str, list[Entry]] = field(default_factory=dict, repr=False)
    due: dict[str, datetime | None] = field(default_factory=dict)

    @property
    def session_starts(self) -> list[int]:
        """Numbers of the events with which a session begins."""
        return [number for number, event in enumerate(self.structure) if event["event"] == _SESSION]


def plan(policy: Policy, splitter: EventSplitter, rows: Iterable[StockEvent], now: datetime) -> Plan:
    """Return what becomes of a person with these rows.

    Args:
        policy: The privacy.yml in force; it has an `import` block.
        splitter: The splitter for it and for the bot's domain.
        rows: The person's rows, the oldest first.
        now: Aware UTC time.
    """
    readable, unreadable = _readable(rows, splitter, frozenset(policy.purposes))
    marks = [(event["event"], event["timestamp"]) for event in readable]
    if not readable:
        return Plan("empty", marks, unreadable)
    grants = grants_of(policy, readable)
    active = active_after(policy, grants, now)
    if not active and (policy.import_ is None or policy.import_.without_consent == "drop"):
        return Plan("without_consent", marks, unreadable)
    last = min(now, datetime.fromtimestamp(max(time for _, time in marks), tz=timezone.utc))
    due = {
        purpose: due_at(policy, purpose, active, last) for purpose in (SERVICE, *active.intersection(policy.purposes))
    }
    kept = frozenset(purpose for purpose, end in due.items() if end is None or end > now)
    kept |= active - due.keys()  # the optional items, which have no period of their own
    structure, values = _split(splitter, readable, kept - {SERVICE})
    if SERVICE not in kept and not values:
        return Plan("due" if active else "without_consent", marks, unreadable)
    return Plan("take", marks, unreadable, grants, structure, values, {name: due[name] for name in (SERVICE, *values)})


def sealed_form(entries: Sequence[Any]) -> bytes:
    """Return bytes that are equal for entries that are stored alike, to compare what was written with what is read."""
    return _encode([entry for count, payload in payloads(entries) for entry in entries_of(payload, count)])


def _readable(
    rows: Iterable[StockEvent], splitter: EventSplitter, purposes: frozenset[str]
) -> tuple[list[Event], list[int]]:
    """Tell the events that could be stored, whatever is active, from the rows that could not."""
    readable: list[Event] = []
    unreadable: list[int] = []
    for row in rows:
        if row.event is not None and _is_readable(row.event, splitter, purposes):
            readable.append(row.event)
        else:
            unreadable.append(row.row)
    return readable, unreadable


def _is_readable(event: Event, splitter: EventSplitter, purposes: frozenset[str]) -> bool:
    try:
        structure, entries = splitter.split(event, 0, View(purposes, _known([event], splitter)))
        sealed_form([structure, *entries])
        list(_marked([event]))
    except _UNREADABLE:
        return False
    return True


def _split(
    splitter: EventSplitter, events: Sequence[Event], active: frozenset[str]
) -> tuple[list[Event], dict[str, list[Entry]]]:
    known = _known(events, splitter)
    structure: list[Event] = []
    values: dict[str, list[Entry]] = {}
    for number, (event, privacy_turn) in enumerate(_marked(events)):
        kept, entries = splitter.split(event, number, View(active, known, privacy_turn))
        structure.append(kept)
        for entry in entries:
            for purpose in splitter.purposes_for(entry[2], active):
                values.setdefault(purpose, []).append(entry)
    return structure, values


def _known(events: Iterable[Event], splitter: EventSplitter) -> dict[str, set[str]]:
    """Return every value that the person gave, by item."""
    known: dict[str, set[str]] = {}
    for event in events:
        for item, value in _given(event, splitter):
            if item is not None:
                known.setdefault(item, set()).update(texts_of(value))
    return known


def _given(event: Event, splitter: EventSplitter) -> Iterator[tuple[str | None, object]]:
    """Yield item, or None, and value of each slot and entity of an event."""
    if event["event"] == "slot":
        yield splitter.item_of_slot(str(event.get("name"))), event.get("value")
    elif event["event"] == "user":
        for entity in (event.get("parse_data") or {}).get("entities") or []:
            yield splitter.item_of_entity(str(entity.get("entity"))), entity.get("value")


def _marked(events: Sequence[Event]) -> Iterator[tuple[Event, bool]]:
    """Mark each event that is a privacy request, was filled from one, or is a slot's value that validation rejected."""
    for turn in _turns(events):
        last = {str(event.get("name")): event for event in turn if event["event"] == "slot"}
        privacy_turn = False
        for event in turn:
            if event["event"] == "user":
                intent = (event.get("parse_data") or {}).get("intent") or {}
                privacy_turn = intent.get("name") in INTENTS
            elif event["event"] == "action":
                privacy_turn = event.get("name") in ACTIONS
            yield event, privacy_turn or (event["event"] == "slot" and last[str(event.get("name"))] is not event)


def _turns(events: Sequence[Event]) -> Iterator[list[Event]]:
    """Cut the events before each message, and before each session, into which Rasa carries values over."""
    turn: list[Event] = []
    for event in events:
        if event["event"] in {"user", _SESSION} and turn:
            yield turn
            turn = []
        turn.append(event)
    yield turn
