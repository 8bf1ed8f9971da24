"""What the bot's own policies see of a conversation: as if the privacy turns in it had never been.

A rule or a story knows nothing of our questions, so one that the gate interrupted would not be recognised any more, and
only the action that was held back would run. Here the questions, the answers and what we said are left out; what was
held back stands where the bot wanted it, and the rest of the rule follows.

Rules:

1. Our policy and our gate decide by the real tracker, which hangs on this one.
2. While the person speaks with us and nothing of the bot's was resumed, nothing is left out: else an answer of ours
   would look like the bot's last message once more.
3. Only the latest events are looked at, since no policy looks further back. What was set before them and still holds
   stands at their beginning: the running form above all, on which rules depend.
4. Our wish for a human is the bot's own intent that hands over, where privacy.yml names one (`own_intents`).
"""

from dataclasses import replace
from typing import Any, Final

from rasa_privacy.components import runtime
from rasa_privacy.components.own_intents import handing_over
from rasa_privacy.components.privacy_turn import has_resumed, turn_view
from rasa_privacy.components.rasa_api import (
    ACTION_LISTEN_NAME,
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    DefinePrevUserUtteredFeaturization,
    DialogueStateTracker,
    Event,
    SlotSet,
    UserUttered,
)
from rasa_privacy.components.tracker_state import EmptySlots, empty_tracker, put_events
from rasa_privacy.dialogue.names import ACTIONS, EXPLAIN, INTENTS, LOCAL, UNAVAILABLE

_LATEST: Final = 100
_ATTRIBUTE: Final = "_rasa_privacy_real"
_OURS: Final = frozenset((*ACTIONS, *LOCAL))


def real(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """Return the tracker of the conversation as it was."""
    found = getattr(tracker, _ATTRIBUTE, None)
    return found if isinstance(found, DialogueStateTracker) else tracker


def seen_by_policies(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """Return the tracker without the privacy turns, or the tracker itself where there is nothing to leave out."""
    every = list(tracker.events)
    events = [_as_own(event) for event in _latest(every)]
    if not any(_is_ours(event) for event in events) or (_is_with_us(events) and not has_resumed(tracker)):
        return tracker
    seen = empty_tracker(tracker.sender_id, EmptySlots(tracker.slots.values()), None)
    begin = _standing(tracker, events) if len(events) < len(every) else []
    put_events(seen, [*begin, *without_ours(events)])
    for name, slot in tracker.slots.items():
        seen.slots[name].value = slot.value
    seen.active_loop = _interrupted(tracker) or tracker.active_loop
    setattr(seen, _ATTRIBUTE, tracker)
    return seen


def _as_own(event: Event) -> Event:
    """Return the event; of our wish for a human the message with the bot's own intent."""
    running = runtime.current()
    if running is None or not isinstance(event, UserUttered):
        return event
    intent = handing_over(running.vault.policy, event)
    if intent is None:
        return event
    own: Event = UserUttered(
        event.text,
        {**(event.intent or {}), "name": intent},
        [],
        timestamp=event.timestamp,
        input_channel=event.input_channel,
    )
    return own


def _interrupted(tracker: DialogueStateTracker) -> Any:
    """Return the loop as rejected where the bot's own answer follows ours: a rule answers then, and the loop asks on.

    Without ours the loop itself would have rejected the message; after ours it does not look at it any more.
    """
    if tracker.active_loop is None or tracker.latest_action_name not in (EXPLAIN, UNAVAILABLE):
        return None
    return replace(tracker.active_loop, rejected=True) if turn_view(tracker).bot_answers_too else None


def without_ours(events: list[Event]) -> list[Event]:
    """Return the events without our messages, our actions, and what they said; values of slots and loops stay."""
    kept: list[Event] = []
    with_us = speaking = False
    for event in events:
        if isinstance(event, UserUttered):
            with_us = _is_ours(event)
            if with_us:
                _drop_last_listen(kept)
                continue
        elif isinstance(event, ActionExecuted):
            speaking = _is_ours(event)
            if speaking:
                continue
            with_us = with_us and event.action_name == ACTION_LISTEN_NAME
        elif _is_said(event, with_us=with_us, speaking=speaking):
            continue
        kept.append(event)
    return kept


def _is_said(event: Event, *, with_us: bool, speaking: bool) -> bool:
    """Return whether an event belongs to a turn of ours alone."""
    if isinstance(event, BotUttered):
        return speaking
    if isinstance(event, ActionExecutionRejected):
        return event.action_name in _OURS
    return with_us and isinstance(event, DefinePrevUserUtteredFeaturization)


def _is_ours(event: Event) -> bool:
    if isinstance(event, UserUttered):
        return event.intent_name in INTENTS
    return isinstance(event, ActionExecuted) and event.action_name in _OURS


def _is_with_us(events: list[Event]) -> bool:
    last = next((event for event in reversed(events) if isinstance(event, UserUttered)), None)
    return last is not None and _is_ours(last)


def _drop_last_listen(kept: list[Event]) -> None:
    """Take the waiting for our message away; what was said before it waits for the bot's own next message."""
    for index in range(len(kept) - 1, -1, -1):
        event: Any = kept[index]
        if isinstance(event, UserUttered):
            return
        if isinstance(event, ActionExecuted):
            if event.action_name == ACTION_LISTEN_NAME:
                del kept[index]
            return


def _standing(tracker: DialogueStateTracker, events: list[Event]) -> list[Event]:
    """Return events that set what holds now and that none of these events sets, so it held before them."""
    set_here = {event.key for event in events if isinstance(event, SlotSet)}
    slots = [(name, slot) for name, slot in tracker.slots.items() if name not in set_here]
    standing: list[Event] = [SlotSet(name, slot.value) for name, slot in slots if slot.value != slot.initial_value]
    if tracker.active_loop_name is not None and not any(isinstance(event, ActiveLoop) for event in events):
        standing.append(ActiveLoop(tracker.active_loop_name))
    return standing


def _latest(events: list[Event]) -> list[Event]:
    """Return the latest events, from a message of the person on."""
    if len(events) <= _LATEST:
        return events
    for index in range(len(events) - _LATEST, len(events)):
        if isinstance(events[index], UserUttered) and not _is_ours(events[index]):
            return events[index:]
    return events[-_LATEST:]
