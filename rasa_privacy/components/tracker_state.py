"""The state of a tracker from its events, applying only those that decide it.

Rasa applies every event in turn, and most of what one sets the next sets anew. Here an event is applied, by Rasa's own
`apply_to` and in order, if no later one takes back what it does. Rules:

1. The result is what applying all of them gives; a test holds this for random sequences of every type.
2. Events that take others back (rewind, undo, reset_slots), and types that are not Rasa's own, are not reasoned about:
   with one of them all events are applied.
"""

import copy
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from rasa_privacy.components.history import add_stored
from rasa_privacy.components.rasa_api import (
    ACTION_LISTEN_NAME,
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    AgentUttered,
    BotUttered,
    ConversationPaused,
    ConversationResumed,
    DefinePrevUserUtteredFeaturization,
    DialogueStateTracker,
    Event,
    FollowupAction,
    LoopInterrupted,
    ReminderCancelled,
    ReminderScheduled,
    Restarted,
    SessionStarted,
    Slot,
    SlotSet,
    UserUttered,
)

#: By what a class says how it is copied.
_WAYS_TO_COPY: Final = (
    *("__copy__", "__new__", "__reduce__", "__reduce_ex__"),
    *("__getstate__", "__setstate__", "__getnewargs__", "__getnewargs_ex__"),
)
#: What sets the whole state back to the beginning.
_BEGINNINGS: Final = frozenset({Restarted, SessionStarted})
#: What changes a loop while it is active.
_IN_LOOP: Final = frozenset({ActionExecuted, ActionExecutionRejected, LoopInterrupted})
#: What changes a tracker only by being the last of its kind.
_LAST: Final = frozenset(
    {
        ActionExecuted,
        BotUttered,
        ConversationPaused,
        ConversationResumed,
        FollowupAction,
        UserUttered,
    }
)
#: No index.
_NONE: Final = -1
_KNOWN: Final = frozenset(
    {
        *_BEGINNINGS,
        *_IN_LOOP,
        *_LAST,
        ActiveLoop,
        AgentUttered,
        DefinePrevUserUtteredFeaturization,
        ReminderCancelled,
        ReminderScheduled,
        SlotSet,
    }
)


class EmptySlots:
    """Slots as they are in a new tracker. Those that are plain are reset once and then only copied, in less time.

    What a slot begins with, where it can be changed in its place, is the tracker's own, which Rasa's constructor would
    share between all of them.

    Args:
        slots: As Rasa's constructor takes them.
    """

    def __init__(self, slots: Iterable[Slot]) -> None:
        self._slots = [(slot.name, *_prepared(slot)) for slot in slots]

    def copied(self) -> dict[str, Slot]:
        """Return them for one tracker."""
        slots = {}
        for name, slot, is_reset in self._slots:
            slots[name] = made = _copy(slot)
            if not is_reset:
                if not _is_fixed(made.initial_value):
                    made.initial_value = copy.deepcopy(made.initial_value)
                made.reset()
        return slots


def _prepared(slot: Slot) -> tuple[Slot, bool]:
    """Return a slot that was reset, and that it was; or the slot, where its class does something of its own."""
    kind: Any = type(slot)
    is_simple = kind.reset is Slot.reset and kind.value is Slot.value
    if not (_is_plain(kind) and is_simple and _is_fixed(slot.initial_value)):
        return slot, False
    made = _copy(slot)
    made.reset()
    return made, True


def _is_fixed(value: Any) -> bool:
    """Return whether a value cannot be changed in its place."""
    return value is None or isinstance(value, (str, float, int))


def empty_tracker(sender_id: str, slots: EmptySlots, max_event_history: int | None) -> DialogueStateTracker:
    """Return what Rasa's constructor gives for these slots, with which it takes a fifth of a short read."""
    tracker = DialogueStateTracker(sender_id, (), max_event_history=max_event_history)
    tracker.slots = slots.copied()
    return tracker


def _copy(slot: Slot) -> Slot:
    """Return what `copy.copy` does."""
    kind: Any = type(slot)
    if not _is_plain(kind):
        return copy.copy(slot)
    made: Slot = object.__new__(kind)
    made.__dict__ = slot.__dict__.copy()
    return made


@cache
def _is_plain(kind: Any) -> bool:
    """Return whether a class leaves copying to Python, which then copies the attributes."""
    if any(base.__dict__.get("__slots__") for base in kind.__mro__):
        return False
    return all(getattr(kind, name, None) == getattr(object, name, None) for name in _WAYS_TO_COPY)


def put_events(tracker: DialogueStateTracker, events: Sequence[Event]) -> None:
    """Give a new tracker these events and the state that they lead to."""
    indexes = _deciding(events)
    if indexes is None:
        for event in events:
            tracker.update(event)
        return
    add_stored(tracker, events)
    for index in sorted(indexes):
        event = events[index]
        if type(event) is not SessionStarted:  # it comes first, and sets back what is as new
            event.apply_to(tracker)


def _deciding(events: Sequence[Event]) -> set[int] | None:  # noqa: C901, PLR0912 - one branch for each kind of event
    """Return the indexes of the events to apply, or None where that cannot be said.

    How the text of a message is to be used, which is a mark on the message, is set on the way.
    """
    kinds = list(map(type, events))
    if not _KNOWN.issuperset(kinds):
        return None
    last: dict[type[Event] | str, int] = {}
    # The kinds of each turn are kept apart, since a dict for all of them would take half of the time.
    user = action = bot = loop = asked = _NONE
    for index, kind in enumerate(kinds):
        if kind is ActionExecuted:
            action = index
        elif kind is UserUttered:
            user = index
        elif kind is SlotSet:
            last[events[index].key] = index
        elif kind is DefinePrevUserUtteredFeaturization:
            if user == _NONE:
                return None
            if action != _NONE and _name(events[action]) == ACTION_LISTEN_NAME:
                events[user].use_text_for_featurization = events[index].use_text_for_featurization
        elif kind is BotUttered:
            bot = index
        elif kind is ActiveLoop:
            loop, asked = index, user
        elif kind in _BEGINNINGS:
            last, user, action, bot, loop, asked = {kind: index}, _NONE, _NONE, _NONE, _NONE, _NONE
        elif kind in _LAST:
            last[kind] = index
    deciding = {user, action, bot, loop, asked, *last.values()}
    if loop != _NONE and events[loop].name is not None:
        deciding.update(index for index in range(loop, len(kinds)) if kinds[index] in _IN_LOOP)
    deciding.discard(_NONE)
    return deciding


def _name(action: Event) -> object:
    return action.action_name or action.action_text
