"""`TurnWriter`: from a live tracker to stored segments, in one transaction.

It decides whose the tracker's events are; which of them are new is `new_events.py`'s, and what is kept of them
`turn_splitting.py`'s.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final

from rasa_privacy.components import runtime
from rasa_privacy.components.lasting import carried_over, lasting_items, over_now
from rasa_privacy.components.new_events import NewEvents, Turn
from rasa_privacy.components.publishing import Published, published
from rasa_privacy.components.rasa_api import DialogueStateTracker, Event, SlotSet
from rasa_privacy.components.runtime import Handle, Runtime
from rasa_privacy.components.turn_splitting import Adoption, Numbered, split
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.errors import KeyDestroyedError
from rasa_privacy.minimize.entries import Entry
from rasa_privacy.retention.due import due_at, moves, touched
from rasa_privacy.retention.lasting import note_given
from rasa_privacy.rights.identity import remember
from rasa_privacy.storage.opened_conversation import Opened
from rasa_privacy.storage.unfinished import with_finished

_SESSION: Final = "session_started"
_ACTION: Final = "action"


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save has stored.

    Attributes:
        subject_id: The person.
        found: Version of the conversation before it.
        version: Version after it.
        numbers: Number of each of the turn's events; None for one that was not stored.
        outgoing: The stored events in the form in which they may leave; none where there is no event broker.
        held: Items that each active purpose got a value of.
    """

    subject_id: bytes
    found: int
    version: int
    numbers: list[int | None]
    outgoing: list[Published]
    held: dict[str, frozenset[str]]


class TurnWriter:
    """Writes what is new of a tracker."""

    def __init__(self, running: Runtime) -> None:
        self._running = running
        self._vault = running.vault
        self._new = NewEvents(running)

    def write(self, tracker: DialogueStateTracker, *, again: bool = False) -> list[Published]:
        """Store the tracker's new events and return their minimised form, as it may be published.

        Args:
            tracker: The live tracker.
            again: Whether a save of it broke off, so that nobody knows what it stored.

        Raises:
            UnreachableError: The database is away. If that happened during the commit, the turn may be stored.
            StorageError: Nothing was written.
        """
        turn = self._new.turn_of(tracker, again=again)
        if not turn.events:
            return []
        transact = self._vault.database.transact
        saved = with_finished(
            self._vault,
            lambda: transact(lambda connection: self._save(connection, turn, is_finished=False)),
            again=lambda: transact(lambda connection: self._save(connection, turn)),
        )
        if turn.handle is not None:
            runtime.attach(tracker, _handle_after(turn.handle, turn, saved), settled=len(turn.events))
        return [] if saved is None else saved.outgoing

    def replace(self, tracker: DialogueStateTracker) -> None:
        """Store a tracker in place of all that is stored of its conversation, by the consent that is in force now.

        Raises:
            StorageError: Nothing was written.
        """
        turn = Turn(tracker, None, list(tracker.events), uncertain=False, now=self._vault.clock())

        def work(connection: Any) -> None:
            self._vault.subjects.find_for_update(connection, tracker.sender_id)
            self._vault.conversations.clear(connection, tracker.sender_id)
            self._save(connection, turn)

        self._vault.database.transact(work)

    def trim(self, sender_id: str, first: float) -> None:
        """Delete a conversation's events from before a time; the others stay as they are stored.

        Args:
            sender_id: Rasa's conversation key.
            first: Seconds since 1970, as in events.

        Raises:
            StorageError: Nothing was written.
        """
        self._vault.database.transact(lambda connection: self._trim(connection, sender_id, first))

    def _trim(self, connection: Any, sender_id: str, first: float) -> None:
        vault = self._vault
        subject_id = vault.subjects.find_for_update(connection, sender_id)
        stored = vault.conversations.load(connection, sender_id, all_sessions=True)
        events = stored.structure if stored is not None else []
        kept = [number for number, event in enumerate(events) if (event["timestamp"] or 0.0) >= first]
        if stored is None or len(kept) == len(events):
            return
        new = {number: index for index, number in enumerate(kept)}
        values = {
            purpose: [[new[number], *rest] for number, *rest in entries if number in new]
            for purpose, entries in stored.values.items()
        }
        vault.conversations.clear(connection, sender_id)
        structure = [events[number] for number in kept]
        self._append(connection, sender_id, stored.version + 1, structure, values)
        if subject_id is not None:
            remember(vault, connection, subject_id, values)

    def _save(self, connection: Any, turn: Turn, *, is_finished: bool = True) -> Saved | None:
        """Store what is new, or return None where there is nothing that may be stored."""
        vault, sender_id = self._vault, turn.tracker.sender_id
        subject_id, opened = self._lock(connection, turn)
        if turn.handle is not None and turn.handle.subject_id not in (None, subject_id):
            return None  # the person was erased meanwhile: the turn belongs to the one who is gone
        new = self._new.allowed(connection, turn, subject_id)
        if not new:
            return None
        if subject_id is None:
            subject_id = vault.subjects.find_or_create(connection, sender_id, turn.now)
            new = self._new.allowed(connection, turn, subject_id)  # somebody may have come and been erased since
        if opened is None:
            opened = vault.conversations.open_head(connection, sender_id)
        if opened.keyless and not is_finished:  # before a key is changed, which is not undone with this transaction
            raise KeyDestroyedError("a withdrawal was begun and not finished; nothing is stored before it is")
        over = over_now(vault.policy, turn.tracker, turn.now.timestamp())
        if self._forget(connection, turn, subject_id, over):
            opened = vault.conversations.open_head(connection, sender_id)
        found, first_seq = opened.version, opened.event_count
        active = state_of(vault, connection, subject_id, turn.now).active
        structure, values = split(self._running.splitter, turn.tracker, new, first_seq, active)
        _leave_out(values, over, self._copies(new, first_seq))
        if turn.handle is not None and turn.handle.version == found:
            adoption = Adoption(vault.policy, self._running.splitter, turn.tracker, partial(_stored, turn, turn.handle))
            adoption.add(active, turn.handle.held, values)
            _leave_out(values, over, frozenset())
        version = self._append(connection, sender_id, found, structure, values, opened)
        note_given(vault, connection, subject_id, values, turn.now)
        remember(vault, connection, subject_id, values)
        done = _done(turn, structure)
        for purpose in touched(vault.policy, values, done, carried=_begins(structure)):
            due = due_at(vault.policy, purpose, active, turn.now, done)
            if purpose not in opened.due or moves(opened.due[purpose], due, turn.now):
                vault.data_keys.touch(connection, subject_id, purpose, due)
        held = {name: frozenset(entry[2] for entry in values.get(name, ())) for name in active}
        outgoing = published(self._outgoing(turn, new, structure, active), subject_id)
        return Saved(subject_id, found, version, _numbers(turn.events, new, first_seq), outgoing, held)

    def _lock(self, connection: Any, turn: Turn) -> tuple[bytes | None, Opened | None]:
        """Lock the person; return who it is, and what is stored where that is read in the same way to a server."""
        sender_id = turn.tracker.sender_id
        known = turn.handle.subject_id if turn.handle is not None else None
        if known is None or turn.uncertain:
            return self._vault.subjects.find_for_update(connection, sender_id), None
        self._vault.subjects.lock_first(connection, known)
        opened = self._vault.conversations.open_head(connection, sender_id)
        return (None if opened.row is None else opened.row.place.subject_id), opened

    def _forget(self, connection: Any, turn: Turn, subject_id: bytes, over: frozenset[str]) -> bool:
        """Destroy what is stored of items whose values are over (`lasting`), whatever conversation they stand in.

        Returns:
            Whether there was something to destroy.
        """
        held = turn.handle.held if turn.handle is not None else {}
        gone = [(purpose, item) for purpose, items in held.items() for item in sorted(over & items)]
        for purpose, item in gone:
            self._vault.parts.drop_item(connection, subject_id, purpose, item, turn.now)
        return bool(gone)

    def _copies(self, new: list[Event], first_seq: int) -> frozenset[tuple[int, str]]:
        """Return number and item of what Rasa copied into a new session and what the old one should have kept."""
        copied = {id(event) for event in carried_over(new)}
        items = {item.slot: name for name, item in lasting_items(self._vault.policy).items() if item.slot is not None}
        return frozenset(
            (seq, items[event.key])
            for seq, event in enumerate(new, start=first_seq)
            if isinstance(event, SlotSet) and id(event) in copied and event.key in items
        )

    def _outgoing(
        self, turn: Turn, new: list[Event], structure: list[dict[str, Any]], active: frozenset[str]
    ) -> list[dict[str, Any]]:
        """Return what the event broker gets: what is stored, with its texts masked also where they are kept in full."""
        if self._running.outgoing is None:
            return []
        if self._running.outgoing is self._running.splitter:
            return structure
        return split(self._running.outgoing, turn.tracker, new, 0, active)[0]

    def _append(  # noqa: PLR0913, PLR0917 - the fields of one save, as the store takes them
        self,
        connection: Any,
        sender_id: str,
        found: int,
        structure: list[dict[str, Any]],
        values: Mapping[str, list[Entry]],
        opened: Opened | None = None,
    ) -> int:
        return self._vault.conversations.append(
            connection,
            sender_id,
            expected_version=found,
            structure=structure,
            values=values,
            session_starts=[index for index, event in enumerate(structure) if event["event"] == _SESSION],
            now=self._vault.clock(),
            opened=opened,
        )


def _done(turn: Turn, structure: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the actions that ran and the forms that came to their end; a form that still asks is not done."""
    ran = {str(event["name"]) for event in structure if event["event"] == _ACTION}
    return ran - {turn.tracker.active_loop_name}


def _begins(structure: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether a session begins, with which Rasa carries slots over."""
    return any(event["event"] == _SESSION for event in structure)


def _leave_out(values: dict[str, list[Entry]], over: Collection[str], copies: Collection[tuple[int, str]]) -> None:
    """Take out of what is to be stored the values of these items, and these copies."""
    for purpose, entries in list(values.items()):
        left = [entry for entry in entries if entry[2] not in over and (entry[0], entry[2]) not in copies]
        if left:
            values[purpose] = left
        else:
            del values[purpose]


def _stored(turn: Turn, handle: Handle) -> Iterable[Numbered]:
    """Return number and event of the tracker's stored events, the newest first."""
    events = islice(reversed(turn.tracker.events), len(turn.events), None)
    return zip(reversed(handle.numbers), events, strict=False)


def _handle_after(handle: Handle, turn: Turn, saved: Saved | None) -> Handle:
    """Return what is known of the tracker after the save."""
    if saved is None:
        return Handle(handle.subject_id, handle.version, [*handle.numbers, *(None for _ in turn.events)], handle.held)
    # Behind another writer's back the old numbers may not hold any more, so nothing is adopted by them.
    old = handle.numbers if saved.found == handle.version else [None] * len(handle.numbers)
    held = {name: handle.held.get(name, frozenset()) | items for name, items in saved.held.items()}
    return Handle(saved.subject_id, saved.version, [*old, *saved.numbers], held)


def _numbers(events: Iterable[Event], stored: Iterable[Event], first_seq: int) -> list[int | None]:
    kept = {id(event): number for number, event in enumerate(stored, start=first_seq)}
    return [kept.get(id(event)) for event in events]
