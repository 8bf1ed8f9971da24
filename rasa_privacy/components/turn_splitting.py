"""What is kept of a turn's events, and for which purposes.

The events are split by the consent that is in force now. Purposes that became active adopt the values that the person
has already given and that they list.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from rasa_privacy.components import log_scrubbing
from rasa_privacy.components.history import latest_entities, latest_values
from rasa_privacy.components.rasa_api import ActionExecuted, DialogueStateTracker, Event, SlotSet, UserUttered
from rasa_privacy.dialogue.names import ACTIONS, CONFIRM, CORRECT, INTENTS, SEND_CODE
from rasa_privacy.errors import StorageError
from rasa_privacy.minimize.entries import Entry
from rasa_privacy.minimize.event_fields import mappings_of, number_of
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.known_values import KnownValues
from rasa_privacy.minimize.view import View
from rasa_privacy.policy.model import Policy

#: An event and its number in the stored conversation; None for one that may not be stored.
Numbered = tuple[int | None, Event]


def split(
    splitter: EventSplitter,
    tracker: DialogueStateTracker,
    events: Sequence[Event],
    first_seq: int,
    active: frozenset[str],
) -> tuple[list[dict[str, Any]], dict[str, list[Entry]]]:
    """Return the events without values, and the values by purpose.

    Args:
        splitter: Knows privacy.yml and the domain.
        tracker: Whose events these are.
        events: What is new.
        first_seq: Number of the first of them in the stored conversation.
        active: Purposes that the person allows.

    Raises:
        StorageError: A value is nested too deep.
    """
    try:
        return _split(splitter, tracker, events, first_seq, active)
    except RecursionError:
        raise StorageError(
            "a value of this turn is nested too deep to be looked through, so nothing of the turn is stored; have the "
            "channel or the action send flatter values"
        ) from None


def _split(
    splitter: EventSplitter,
    tracker: DialogueStateTracker,
    events: Sequence[Event],
    first_seq: int,
    active: frozenset[str],
) -> tuple[list[dict[str, Any]], dict[str, list[Entry]]]:
    known = KnownValues(_known_values(splitter, tracker, events))
    structure: list[dict[str, Any]] = []
    values: dict[str, list[Entry]] = {}
    for seq, (event, privacy_turn) in enumerate(_with_privacy_turns(events), start=first_seq):
        kept, entries = splitter.split(event.as_dict(), seq, View(active, known, privacy_turn))
        structure.append(kept)
        for entry in entries:
            for purpose in splitter.purposes_for(entry[2], active):
                values.setdefault(purpose, []).append(entry)
    return structure, values


class Adoption:
    """Seals values that were given earlier for active purposes that list them and do not hold them yet.

    Without this, withdrawing the purpose that collected a value would take it from the one that still needs it.

    Args:
        policy: The privacy.yml in force.
        splitter: Knows how much of a value may be kept.
        tracker: The live tracker.
        stored: Gives the tracker's stored events, the newest first.
    """

    def __init__(
        self,
        policy: Policy,
        splitter: EventSplitter,
        tracker: DialogueStateTracker,
        stored: Callable[[], Iterable[Numbered]],
    ) -> None:
        self._policy = policy
        self._splitter = splitter
        self._tracker = tracker
        self._stored = stored

    def add(self, active: Collection[str], held: Mapping[str, frozenset[str]], values: dict[str, list[Entry]]) -> None:
        """Add to `values` what the active purposes list and neither hold nor get by it."""
        for purpose, declared in self._policy.purposes.items():
            there = held.get(purpose, frozenset()) | {entry[2] for entry in values.get(purpose, ())}
            allowed = [item for item in declared.items if purpose in self._splitter.purposes_for(item, active)]
            for item in allowed:
                found = self._last_value(item) if item not in there else None
                if found is not None:
                    number, value = found
                    entry = [number, ["value"], item, self._splitter.kept(item, value)]
                    values.setdefault(purpose, []).append(entry)

    def _last_value(self, item: str) -> tuple[int, Any] | None:
        """Return number and value of the stored event that set the item's slot to what it holds now."""
        slot, slots = self._policy.items[item].slot, self._tracker.slots
        if slot is None or slot not in slots or slots[slot].value is None:
            return None
        for number, event in self._stored():
            if isinstance(event, SlotSet) and event.key == slot:
                return (number, event.value) if event.value is not None and number is not None else None
        return None


def _known_values(
    splitter: EventSplitter, tracker: DialogueStateTracker, events: Sequence[Event]
) -> dict[str, set[str]]:
    """Return every value that the person gave, by item, as it is in this process: not yet cut."""
    pairs: list[tuple[object, object]] = [(name, slot.value) for name, slot in tracker.slots.items()]
    pairs += latest_values(chain(reversed(events), reversed(tracker.events)))
    entities = [each for event in events if isinstance(event, UserUttered) for each in mappings_of(event.entities)]
    said = latest_entities(reversed(tracker.events))
    known = {**number_of(tracker.sender_id), **splitter.known_values(pairs, chain(entities, said))}
    log_scrubbing.remember(*(value for values in known.values() for value in values))
    return known


def _with_privacy_turns(events: Sequence[Event]) -> Iterator[tuple[Event, bool]]:
    """Mark each event that is a privacy request, or was filled from one before any action ran."""
    privacy_turn = False
    # Of a slot that is set several times in a turn only the last value is kept: validation rejected the others.
    last = {event.key: event for event in events if isinstance(event, SlotSet)}
    for event in events:
        if isinstance(event, UserUttered):
            privacy_turn = event.intent_name in INTENTS
        elif isinstance(event, ActionExecuted):
            # What our own actions say repeats what is stored, or tells of it; none of that is stored again.
            # But for the contact of double opt-in, which was held back until now, and for a value that was put right.
            privacy_turn = event.action_name in ACTIONS and event.action_name not in (SEND_CODE, CONFIRM, CORRECT)
        yield event, privacy_turn or (isinstance(event, SlotSet) and last[event.key] is not event)
