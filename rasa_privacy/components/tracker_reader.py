"""From stored segments to a live tracker."""

from collections.abc import Callable, Sequence

from rasa_privacy.components import log_scrubbing, runtime
from rasa_privacy.components.event_builder import events_of
from rasa_privacy.components.gc_pause import gc_paused
from rasa_privacy.components.lasting import forget_late
from rasa_privacy.components.rasa_api import DialogueStateTracker, Event
from rasa_privacy.components.runtime import Handle, Runtime
from rasa_privacy.components.tracker_state import put_events
from rasa_privacy.policy.slots import OWN_SLOTS
from rasa_privacy.storage.event_rows import fill
from rasa_privacy.storage.opened_conversation import StoredConversation
from rasa_privacy.storage.unfinished import with_finished


def read_tracker(
    running: Runtime, init_tracker: Callable[[str], DialogueStateTracker], sender_id: str, *, all_sessions: bool
) -> DialogueStateTracker | None:
    """Return the tracker of the last session or of all, with its handle; None for an unknown conversation.

    Raises:
        StorageError: The database cannot be read.
        TamperedSegmentError: What is stored is not what was written.
    """
    log_scrubbing.remember(sender_id)
    with gc_paused():
        tracker = _read(running, init_tracker, sender_id, all_sessions=all_sessions)
    if tracker is not None:
        log_scrubbing.remember(*_texts(tracker))
    return tracker


def _read(
    running: Runtime, init_tracker: Callable[[str], DialogueStateTracker], sender_id: str, *, all_sessions: bool
) -> DialogueStateTracker | None:
    vault = running.vault

    def load() -> StoredConversation | None:
        if all_sessions:
            with vault.database.read() as connection:
                return vault.conversations.load(connection, sender_id, all_sessions=True)
        return vault.conversations.load_last(vault.database, sender_id)

    stored = with_finished(vault, load, lambda found: found is not None and found.keyless)
    if stored is None or not stored.rows:
        return None
    fill(stored.rows, stored.first_seq, stored.values)
    events = events_of(stored.rows)
    forget_late(vault.policy, events, vault.clock().timestamp())
    tracker = init_tracker(sender_id)
    known = [event for event in events if event is not None]
    put_events(tracker, known)
    held = {purpose: frozenset(entry[2] for entry in entries) for purpose, entries in stored.values.items()}
    runtime.attach(
        tracker, Handle(stored.subject_id, stored.version, _numbers(events, stored.first_seq, len(known)), held)
    )
    return tracker


def _numbers(events: Sequence[Event | None], first_seq: int, known: int) -> list[int | None]:
    """Return the numbers of those events that this server knows."""
    numbers = range(first_seq, first_seq + len(events))
    if known == len(events):
        return list(numbers)
    return [number for number, event in zip(numbers, events, strict=True) if event is not None]


def _texts(tracker: DialogueStateTracker) -> list[str]:
    """Return the values that no log line may show: those in slots."""
    return [str(slot.value) for name, slot in tracker.slots.items() if slot.value is not None and name not in OWN_SLOTS]
