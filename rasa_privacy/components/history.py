"""`History`: a tracker's events, which remembers those that came since the store saw them last.

Rasa's trackers keep their events in a deque. With `max_event_history` that forgets the oldest ones, stored or not, and
an event object may stand in it twice; so neither a count nor the identity of the last stored event tells what is new.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rasa_privacy.components.rasa_api import DialogueStateTracker, EntitiesAdded, Event, SlotSet, UserUttered

#: Different values of one slot, and of one entity, that are found again in what is said later: the latest ones.
REMEMBERED: Final = 20

_WITH_ENTITIES: Final = frozenset({UserUttered, EntitiesAdded})


class History(deque[Event]):
    """The events of one tracker.

    Args:
        events: The first events; not counted as new.
        maxlen: How many events are kept; None for all.

    Attributes:
        fresh: Events that were appended and are not settled yet, also those that the deque has let go.
    """

    def __init__(self, events: Iterable[Event] = (), maxlen: int | None = None) -> None:
        self.fresh: list[Event] = []
        super().__init__(events, maxlen)

    def append(self, event: Event, /) -> None:
        """Add a new event."""
        self.fresh.append(event)
        super().append(event)

    def extend(self, events: Iterable[Event], /) -> None:
        """Add new events."""
        added = list(events)
        self.fresh += added
        super().extend(added)

    def add_stored(self, events: Iterable[Event]) -> None:
        """Add events that the store has."""
        super().extend(events)

    def settle(self, count: int | None = None) -> None:
        """Count the first of the fresh events as stored, or all of them."""
        del self.fresh[:count]


def watch(tracker: DialogueStateTracker) -> None:
    """Let a tracker without events remember what is new."""
    tracker.events = History((), tracker.events.maxlen)


def add_stored(tracker: DialogueStateTracker, events: Iterable[Event]) -> None:
    """Add events that the store has to a tracker's."""
    if isinstance(tracker.events, History):
        tracker.events.add_stored(events)
    else:
        tracker.events.extend(events)


def fresh_events(tracker: DialogueStateTracker) -> list[Event] | None:
    """Return the events that are not settled yet, or None where nobody watched the tracker."""
    return list(tracker.events.fresh) if isinstance(tracker.events, History) else None


def settle(tracker: DialogueStateTracker, count: int | None = None) -> None:
    """Count the first of a tracker's fresh events as stored, or all of them."""
    if isinstance(tracker.events, History):
        tracker.events.settle(count)


def latest_values(newest_first: Iterable[Event]) -> Iterator[tuple[str, object]]:
    """Yield the latest values of each slot, also what another value, a restart or a new session has replaced.

    People say such a value again. There is a bound, so that a turn costs the same however long the conversation is.
    """
    found: dict[str, list[object]] = {}
    for event in newest_first:
        if type(event) is SlotSet and event.value is not None:  # `isinstance` takes four times as long here
            values = found.setdefault(event.key, [])
            if len(values) < REMEMBERED and event.value not in values:
                values.append(event.value)
                yield event.key, event.value


def latest_entities(newest_first: Iterable[Event]) -> Iterator[dict[str, Any]]:
    """Yield name and value of the latest entities, so many of each name: not every entity fills a slot."""
    found: dict[str, list[object]] = {}
    for event in newest_first:
        if type(event) in _WITH_ENTITIES and event.entities:
            for entity in filter(_has_value, event.entities):
                name, value = str(entity.get("entity")), entity["value"]
                values = found.setdefault(name, [])
                if len(values) < REMEMBERED and value not in values:
                    values.append(value)
                    yield {"entity": name, "value": value}


def _has_value(entity: object) -> bool:
    return isinstance(entity, Mapping) and entity.get("value") is not None
