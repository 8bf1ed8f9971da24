"""`TurnWriter`: from a live tracker to stored segments, in one transaction.

It decides which of the tracker's events are new and whose they are, splits them by the consent that is in force now,
and lets purposes that became active adopt the values that the person has already given and that they list.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any, Final

from rasa_privacy.components import log_scrubbing, runtime
from rasa_privacy.components.rasa_api import ActionExecuted, DialogueStateTracker, Event, SlotSet, UserUttered
from rasa_privacy.components.runtime import Handle, Runtime
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.dialogue.turns import ACTIONS, INTENTS
from rasa_privacy.minimize.events import Entry, View, texts_of
from rasa_privacy.retention.due import SERVICE, due_at

_SESSION: Final = "session_started"


class TurnWriter:
    """Writes what is new of a tracker."""

    def __init__(self, running: Runtime) -> None:
        self._running = running
        self._vault = running.vault

    def write(self, tracker: DialogueStateTracker) -> list[dict[str, Any]]:
        """Store the tracker's new events and return their minimised form, as it may be published.

        Raises:
            ConversationConflictError: Another writer came in between; call again.
            StorageError: Nothing was written.
        """
        vault, now = self._vault, self._vault.clock()
        handle = runtime.handle_of(tracker)
        events = list(tracker.events)[len(handle.numbers) if handle is not None else 0 :]
        if not events:
            return []
        with vault.database.write() as connection:
            subject_id = vault.subjects.find(connection, tracker.sender_id)
            if handle is not None and handle.subject_id is not None and handle.subject_id != subject_id:
                return []
            new = self._allowed(connection, tracker, events, handle, subject_id)
            if not new:
                return []
            subject_id = vault.subjects.find_or_create(connection, tracker.sender_id, now)
            version, first_seq = vault.conversations.head(connection, tracker.sender_id)
            active = state_of(vault, connection, subject_id, now).active
            structure, values = self._split(tracker, new, first_seq, active)
            if handle is not None:
                self._adopt(tracker, handle, active, values)
            starts = [index for index, event in enumerate(structure) if event["event"] == _SESSION]
            version = vault.conversations.append(
                connection,
                tracker.sender_id,
                expected_version=version,
                structure=structure,
                values=values,
                session_starts=starts,
                now=now,
            )
            for purpose in (SERVICE, *values):
                vault.data_keys.touch(connection, subject_id, purpose, due_at(vault.policy, purpose, active, now))
        if handle is not None:
            kept = {id(event): number for number, event in enumerate(new, start=first_seq)}
            numbers = [*handle.numbers, *(kept.get(id(event)) for event in events)]
            held = {
                name: handle.held.get(name, frozenset()) | {entry[2] for entry in values.get(name, ())}
                for name in active
            }
            runtime.attach(tracker, Handle(subject_id, version, numbers, held))
        pseudonym = subject_id.hex()
        return [{"sender_id": pseudonym, **event} for event in structure]

    def _allowed(
        self,
        connection: Any,
        tracker: DialogueStateTracker,
        events: list[Event],
        handle: Handle | None,
        subject_id: bytes | None,
    ) -> list[Event]:
        """Return those of the events that are not stored yet and that no erasure forbids."""
        if handle is None and subject_id is not None:
            stored = self._vault.conversations.load(connection, tracker.sender_id, all_sessions=True)
            times = {(event["event"], event["timestamp"]) for event in stored.structure} if stored else set()
            events = [event for event in events if (event.type_name, event.timestamp) not in times]
        if handle is None or handle.subject_id is None:
            tombstone = self._vault.erasures.tombstone_of(connection, tracker.sender_id)
            if tombstone is not None:
                events = [event for event in events if _time(event) > tombstone.erased_at]
        return events

    def _split(
        self, tracker: DialogueStateTracker, events: Iterable[Event], first_seq: int, active: frozenset[str]
    ) -> tuple[list[dict[str, Any]], dict[str, list[Entry]]]:
        splitter = self._running.splitter
        events = list(events)
        known = self._known_values(tracker, events)
        structure: list[dict[str, Any]] = []
        values: dict[str, list[Entry]] = {}
        for seq, (event, privacy_turn) in enumerate(_with_privacy_turns(events), start=first_seq):
            kept, entries = splitter.split(event.as_dict(), seq, View(active, known, privacy_turn))
            structure.append(kept)
            for entry in entries:
                for purpose in splitter.purposes_for(entry[2], active):
                    values.setdefault(purpose, []).append(entry)
        return structure, values

    def _known_values(self, tracker: DialogueStateTracker, events: Iterable[Event]) -> dict[str, set[str]]:
        """Return every value that the person gave, by item, as it is in this process: not yet cut."""
        known: dict[str, set[str]] = {}
        pairs = [(name, slot.value) for name, slot in tracker.slots.items()]
        pairs += [(event.key, event.value) for event in events if isinstance(event, SlotSet)]
        for name, value in pairs:
            item = self._running.splitter.item_of_slot(name)
            if item is not None:
                known.setdefault(item, set()).update(texts_of(value))
        for event in events:
            for entity in event.entities if isinstance(event, UserUttered) else ():
                item = self._running.splitter.item_of_entity(str(entity.get("entity")))
                if item is not None:
                    known.setdefault(item, set()).update(texts_of(entity.get("value")))
        log_scrubbing.remember(*(value for values in known.values() for value in values))
        return known

    def _adopt(
        self, tracker: DialogueStateTracker, handle: Handle, active: frozenset[str], values: dict[str, list[Entry]]
    ) -> None:
        """Seal values that were given earlier for active purposes that list them and do not hold them yet.

        Without this, withdrawing the purpose that collected a value would take it from the one that still needs it.
        """
        policy, splitter = self._vault.policy, self._running.splitter
        for purpose in active:
            written = {entry[2] for entry in values.get(purpose, ())}
            for item in policy.purposes[purpose].items:
                if item in written or item in handle.held.get(purpose, ()):
                    continue
                found = _last_value(tracker, policy.items[item].slot, handle.numbers)
                if found is not None:
                    number, value = found
                    entry = [number, ["value"], item, splitter.kept(item, value)]
                    values.setdefault(purpose, []).append(entry)


def _last_value(tracker: DialogueStateTracker, slot: str | None, numbers: list[int | None]) -> tuple[int, Any] | None:
    """Return number and value of the stored event that set this slot to what it holds now."""
    if slot is None or slot not in tracker.slots or tracker.slots[slot].value is None:
        return None
    for number, event in reversed(list(zip(numbers, tracker.events, strict=False))):
        if isinstance(event, SlotSet) and event.key == slot:
            return (number, event.value) if event.value is not None and number is not None else None
    return None


def _with_privacy_turns(events: list[Event]) -> Iterator[tuple[Event, bool]]:
    """Mark each event that is a privacy request, or was filled from one before any action ran."""
    privacy_turn = False
    # Of a slot that is set several times in a turn only the last value is kept: validation rejected the others.
    last = {event.key: event for event in events if isinstance(event, SlotSet)}
    for event in events:
        if isinstance(event, UserUttered):
            privacy_turn = event.intent_name in INTENTS
        elif isinstance(event, ActionExecuted):
            # What our own actions say repeats what is stored, or tells of it; none of that is stored again.
            privacy_turn = event.action_name in ACTIONS
        yield event, privacy_turn or (isinstance(event, SlotSet) and last[event.key] is not event)


def _time(event: Event) -> datetime:
    return datetime.fromtimestamp(event.timestamp, tz=timezone.utc)
