"""`NewEvents`: which events of a live tracker are new, and may be stored.

New is what the tracker got since the store handed it out (`history.py`). Of a tracker that came from elsewhere, and of
one whose save broke off so that nobody knows whether it was stored, it is what the stored conversation does not hold.
Of a tracker that the store did not hand out, nothing comes back from before an erasure.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from rasa_privacy.components import history, runtime
from rasa_privacy.components.rasa_api import DialogueStateTracker, Event
from rasa_privacy.components.runtime import Handle, Runtime
from rasa_privacy.minimize.view import View

_NOTHING: Final = View(frozenset(), {})


@dataclass(frozen=True, slots=True)
class Turn:
    """What a save has to store.

    Attributes:
        tracker: The live tracker.
        handle: What the store knows of it; None where it came from elsewhere.
        events: Events that are new, or may be.
        uncertain: Whether some of the events may be stored already.
        now: The time of the save.
    """

    tracker: DialogueStateTracker
    handle: Handle | None
    events: list[Event]
    uncertain: bool
    now: datetime


class NewEvents:
    """Finds them in trackers of this server.

    Args:
        running: What the server runs with.
    """

    def __init__(self, running: Runtime) -> None:
        self._running = running
        self._vault = running.vault

    def turn_of(self, tracker: DialogueStateTracker, *, again: bool) -> Turn:
        """Return what a save of a tracker has to store.

        Args:
            tracker: The live tracker.
            again: Whether a save of it broke off, so that nobody knows what it stored.
        """
        handle, fresh = runtime.handle_of(tracker), history.fresh_events(tracker)
        if handle is None or fresh is None:
            return Turn(tracker, handle, list(tracker.events), uncertain=True, now=self._vault.clock())
        return Turn(tracker, handle, fresh, uncertain=again, now=self._vault.clock())

    def allowed(self, connection: Any, turn: Turn, subject_id: bytes | None) -> list[Event]:
        """Return those of the turn's events that are not stored yet and that no erasure forbids."""
        events = turn.events
        if turn.uncertain and subject_id is not None:
            events = self._not_stored(connection, turn)
        if turn.handle is None or turn.handle.subject_id is None:
            tombstone = self._vault.erasures.tombstone_of(connection, turn.tracker.sender_id)
            if tombstone is not None:
                events = [event for event in events if _time(event) > tombstone.erased_at]
        return events

    def _not_stored(self, connection: Any, turn: Turn) -> list[Event]:
        """Return the events without those that the stored conversation holds; equal ones are counted."""
        stored = self._vault.conversations.load(connection, turn.tracker.sender_id, all_sessions=True)
        there = Counter(_signature(event) for event in stored.structure) if stored is not None else Counter()
        new = []
        for event in turn.events:
            signature = _signature(self._running.splitter.split(event.as_dict(), 0, _NOTHING)[0])
            if there[signature]:
                there[signature] -= 1
            else:
                new.append(event)
        return new


def _signature(event: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what an event keeps of itself whatever minimisation takes from it."""
    return event["event"], event["timestamp"], event.get("name")


def _time(event: Event) -> datetime:
    return datetime.fromtimestamp(event.timestamp, tz=timezone.utc)
