"""Values that last for a form, a session or some time only: which are over, from what the tracker's events tell.

A value is over

- of `until <form>`, once the form was done and the turn in which that was is over, if it was given before;
- of `session`, once a new session has begun; what Rasa carries over into it is no new value;
- of `<n> days` and the like, so long after it was given.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timezone

from rasa_privacy.components.rasa_api import (
    ACTION_LISTEN_NAME,
    ActionExecuted,
    ActiveLoop,
    DialogueStateTracker,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.item_model import Item
from rasa_privacy.policy.model import Policy


def lasting_items(policy: Policy) -> dict[str, Item]:
    """Return the items whose values do not last, by name."""
    return {name: item for name, item in policy.items.items() if item.lasting is not None}


def over_now(policy: Policy, tracker: DialogueStateTracker, now: float) -> frozenset[str]:
    """Return the items of which the value that was given last is over.

    Args:
        policy: The privacy.yml in force.
        tracker: The live tracker.
        now: Seconds since 1970.
    """
    items = lasting_items(policy)
    events = list(tracker.events) if items else []
    carried = {id(event) for event in carried_over(events)}
    return frozenset(name for name, item in items.items() if _is_over(item, tracker, events, carried, now))


def carried_over(events: Sequence[Event]) -> Iterator[SlotSet]:
    """Yield the slots that Rasa copies into a new session."""
    starting = False
    for event in events:
        if isinstance(event, SessionStarted):
            starting = True
        elif isinstance(event, (UserUttered, ActionExecuted)):
            starting = False
        elif starting and isinstance(event, SlotSet):
            yield event


def _is_over(
    item: Item, tracker: DialogueStateTracker, events: Sequence[Event], carried: Collection[int], now: float
) -> bool:
    lasting = item.lasting
    if lasting is None:
        return False
    given = _last_given(item, events, carried)
    if lasting.form is not None:
        done = _form_done(lasting.form, events)
        return done is not None and (given is None or given < done)
    if lasting.session:
        return any(isinstance(event, SessionStarted) for event in events[1:]) and given is None
    if given is None:  # it was too old to be read, or the tracker let go of the event and holds the value still
        return item.slot not in tracker.slots or tracker.slots[item.slot].value is None
    return bool(events[given].timestamp <= _before(now, lasting.duration or ""))


def _before(now: float, duration: str) -> float:
    """Return the last moment of which a duration is over by now, in seconds since 1970."""
    return (datetime.fromtimestamp(now, timezone.utc) - Length(duration)).timestamp()


def _last_given(item: Item, events: Sequence[Event], carried: Collection[int]) -> int | None:
    """Return the index of the event that gave the item's value last; a slot that was carried over gives none."""
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if isinstance(event, SessionStarted):
            return None
        if isinstance(event, SlotSet) and event.key == item.slot and event.value is not None:
            if id(event) not in carried:
                return index
        elif isinstance(event, UserUttered) and any(each.get("entity") == item.entity for each in event.entities):
            return index
    return None


def _form_done(form: str, events: Sequence[Event]) -> int | None:
    """Return the index of the event that ended the form last, once the turn of that is over."""
    active: str | None = None
    done: int | None = None
    over: int | None = None
    for index, event in enumerate(events):
        if isinstance(event, ActiveLoop):
            if event.name is None and active == form:
                done = index
            active = event.name
        elif isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME and done is not None:
            over, done = done, None
    return over


def forget_late(policy: Policy, events: Sequence[Event | None], now: float) -> None:
    """Take from events that were read the values whose time is over; the next save destroys them in the store."""
    limits = {
        name: _before(now, item.lasting.duration)
        for name, item in lasting_items(policy).items()
        if item.lasting is not None and item.lasting.duration is not None
    }
    if not limits:
        return
    slots = {policy.items[name].slot: limit for name, limit in limits.items()}
    entities = {policy.items[name].entity: limit for name, limit in limits.items()}
    for event in events:
        if isinstance(event, SlotSet) and event.key in slots and event.timestamp <= slots[event.key]:
            event.value = None
        elif isinstance(event, UserUttered):
            for entity in event.entities:
                if event.timestamp <= entities.get(entity.get("entity"), float("-inf")):
                    entity["value"] = None
