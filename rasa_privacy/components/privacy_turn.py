"""From a Rasa tracker to a `TurnView`, and from a `Decision` to Rasa events."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from rasa_privacy.components import runtime
from rasa_privacy.components.lasting import over_now
from rasa_privacy.components.own_intents import handing_over, meant_beside
from rasa_privacy.components.rasa_api import (
    ACTION_LISTEN_NAME,
    ActionExecuted,
    ActiveLoop,
    DialogueStateTracker,
    Event,
    SlotSet,
    UserUttered,
)
from rasa_privacy.consent.state import due
from rasa_privacy.dialogue.aftermath import QUESTIONS
from rasa_privacy.dialogue.names import (
    ACTIONS,
    ANSWERED_BY_THE_BOT,
    ANSWERS,
    HEARD_WHILE_PAUSED,
    PENDING_SLOT,
    RESULT_SLOT,
    YOUNG_SLOT,
)
from rasa_privacy.dialogue.turn_view import Asking, Decision, Pending, TurnView
from rasa_privacy.dialogue.turns import Turns
from rasa_privacy.errors import DetectorError
from rasa_privacy.minimize.kept_texts import DROPPED, is_payload
from rasa_privacy.minimize.own_values import ALSO, OWN_ENTITY
from rasa_privacy.policy.ages import minimum_age
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.slots import consent_slot
from rasa_privacy.policy.topics import item_of


def turns_of(tracker: DialogueStateTracker) -> Turns | None:
    """Return the machine for the privacy.yml in force, or None where the tracker did not come from our store."""
    running = runtime.current()
    if running is None or runtime.handle_of(tracker) is None:
        return None
    return Turns(Asking.of(running.vault.policy))


def turn_view(tracker: DialogueStateTracker) -> TurnView:
    """Return what a decision depends on, the ledger read afresh."""
    running, standing = runtime.current(), runtime.standing_of(tracker)
    view = TurnView(
        intent=_intent(tracker),
        last_action=tracker.latest_action_name or "",
        succeeded=_succeeded(tracker),
        pending=pending_of(tracker) if tracker.latest_action_name != ACTION_LISTEN_NAME else _answered(tracker),
        active_loop=tracker.active_loop_name,
        active=None,
        is_paused=tracker.is_paused(),
        also=also_of(tracker),
        ran=_ran(tracker),
        named=_named(tracker),
    )
    if running is None or standing is None:
        return view
    state = standing.consent
    if running.vault.policy.request_meant_by(view.intent) in ANSWERED_BY_THE_BOT:
        view = replace(view, wants_human=True)
    beside = meant_beside(running.vault.policy, tracker, view.named)
    if beside is not None:
        view = replace(view, intent=beside, named=(), bot_answers_too=True)
    elif not view.is_paused and handing_over(running.vault.policy, tracker.latest_message) is not None:
        view = replace(view, wants_human=True, bot_answers_too=True)
    if _takes_back(tracker, view, state.active):
        view = replace(view, intent="privacy_withdraw")
    policy, slots = running.vault.policy, {name: slot.value for name, slot in tracker.slots.items()}
    age = minimum_age(policy, slots) or 0
    return replace(
        view,
        active=state.active,
        due=_due(policy, standing, running.vault.clock()),
        answered=state.answered,
        age=age if age > state.confirmed_age else None,
        waiting=state.waiting,
        is_too_young=slots.get(YOUNG_SLOT) is True,
        has_resumed=has_resumed(tracker),
    )


def _due(policy: Policy, standing: runtime.Standing, now: datetime) -> frozenset[str]:
    """Return the purposes of which no answer stands; none where the bot would ask by itself who said STOP."""
    by_consent = [name for name, purpose in policy.purposes.items() if purpose.basis == "consent"]
    found = frozenset(due(standing.consent, policy, by_consent, now))
    return frozenset() if standing.is_suppressed and found & policy.asked_unbidden() else found


def _intent(tracker: DialogueStateTracker) -> str | None:
    """Return the message's intent; a button of an older question is no answer to the one that is open."""
    message = tracker.latest_message
    intent: str | None = message.intent_name if message is not None else None
    pending = pending_of(tracker)
    named = _named(tracker)
    if intent in ("privacy_grant", "privacy_refuse") and pending is not None and pending.purposes:
        return "privacy_unclear" if named and named != (pending.topic,) else intent
    if intent == "privacy_confirm" and pending is not None and pending.kind == "erase":
        meant = {item_of(each) or each for each in named}
        return "privacy_unclear" if meant and meant != {*pending.purposes, *pending.items} else intent
    return intent


def _takes_back(tracker: DialogueStateTracker, view: TurnView, active: Collection[str]) -> bool:
    """Return whether the message is the button "no" of an earlier question that was answered with yes.

    It is as easy to find as the "yes" was (GDPR Art. 7(3)), and says what it is about.
    """
    message = tracker.latest_message
    if message is None or message.intent_name != "privacy_refuse":
        return False
    pending = view.pending
    is_open = pending is not None and pending.is_about_consent and view.named == (pending.topic,)
    return bool(view.named) and not is_open and all(each in active for each in view.named)


def also_of(tracker: DialogueStateTracker) -> tuple[str, ...]:
    """Return what else the message asks for."""
    return tuple(each.removeprefix(ALSO) for each in _named(tracker) if each.startswith(ALSO))


def _named(tracker: DialogueStateTracker) -> tuple[str, ...]:
    """Return what the message names, as our buttons do."""
    entities = tracker.latest_message.entities if tracker.latest_message is not None else ()
    return tuple(str(each.get("value")) for each in entities if each.get("entity") == OWN_ENTITY)


def _ran(tracker: DialogueStateTracker) -> tuple[str, ...]:
    """Return our actions that ran since the message."""
    found: list[str] = []
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            break
        if isinstance(event, ActionExecuted) and event.action_name in ACTIONS:
            found.append(event.action_name)
    return tuple(found)


def pending_of(tracker: DialogueStateTracker) -> Pending | None:
    """Return the question that waits for an answer."""
    slot = tracker.slots.get(PENDING_SLOT)
    return Pending.from_slot(slot.value) if slot is not None else None


def open_question(tracker: DialogueStateTracker) -> Pending | None:
    """Return the question that a message answers: the one that was asked last, with nothing done in between."""
    for event in reversed(tracker.events):
        if isinstance(event, ActionExecuted) and event.action_name != ACTION_LISTEN_NAME:
            return pending_of(tracker) if event.action_name in QUESTIONS else None
    return None


def _answered(tracker: DialogueStateTracker) -> Pending | None:
    """Return the question that a message may answer: the one that is open, or that for a code, which takes a while."""
    pending = pending_of(tracker)
    return pending if pending is not None and pending.kind == "code" else open_question(tracker)


def is_over(tracker: DialogueStateTracker, view: TurnView) -> bool:
    """Return whether the slot holds a question that is open no more, such as one that a new session was given."""
    return view.last_action == ACTION_LISTEN_NAME and view.pending is None and pending_of(tracker) is not None


def prediction_events(decision: Decision) -> list[Event]:
    """Return the events that Rasa applies before the decided action runs."""
    events: list[Event] = []
    if decision.end_loop:
        events += [ActiveLoop(None), SlotSet("requested_slot", None)]
    if decision.pending is not ...:
        events.append(SlotSet(PENDING_SLOT, decision.pending.to_slot() if decision.pending else None))
    return events


def slot_corrections(tracker: DialogueStateTracker) -> list[Event]:
    """Return events that clear slots without consent and cut the others to what may be kept.

    Values reach slots past the NLU graph too: `from_text` mappings, custom actions, the HTTP API.
    """
    running = runtime.current()
    state = runtime.consent_of(tracker)
    corrections: list[Event] = []
    over = over_now(running.vault.policy, tracker, running.vault.clock().timestamp()) if running else ()
    for name, slot in tracker.slots.items():
        if slot.value is None or (running is not None and running.splitter.is_plain_slot(name)):
            continue
        allowed: Any = None
        if running is not None and state is not None:
            item = running.splitter.item_of_slot(name)
            if item is not None and item not in over and running.splitter.purposes_for(item, state.active):
                # A form validates what was just typed; from then on only what may be kept is there.
                fresh = tracker.latest_action_name == ACTION_LISTEN_NAME
                allowed = slot.value if fresh else running.splitter.kept(item, slot.value)
        if allowed != slot.value:
            corrections.append(SlotSet(name, allowed))
    return corrections


def consent_slot_events(tracker: DialogueStateTracker) -> list[Event]:
    """Return events that let the slots for conditions say what the ledger says."""
    running, state = runtime.current(), runtime.consent_of(tracker)
    if running is None:
        return []
    active = state.active if state is not None else frozenset()
    slots = {consent_slot(name): name in active for name in running.vault.policy.purposes}
    known = {name: tracker.slots[name].value for name in slots if name in tracker.slots}
    return [SlotSet(name, slots[name]) for name, value in known.items() if bool(value) is not slots[name]]


def dropped_before_consent(tracker: DialogueStateTracker) -> bool:
    """Return whether the latest message held personal data that was recognised and not kept."""
    message = tracker.latest_message
    if message is None or not message.text or is_payload(message.text, message.intent_name):
        return False
    if (message.parse_data or {}).get(DROPPED):
        return True
    running = runtime.current()
    try:
        return running is None or bool(running.splitter.detection.find(message.text))
    except DetectorError:
        return True


def is_heard_while_paused(tracker: DialogueStateTracker) -> bool:
    """Return whether a message is ours although a human has taken the conversation over.

    That is a request by a fixed wording or a button, or the answer to our question whether to erase; never a guess, and
    never a yes, since nothing goes on in a paused conversation.
    """
    turns, message = turns_of(tracker), tracker.latest_message
    if turns is None or message is None or message.intent_name not in HEARD_WHILE_PAUSED:
        return False
    sure = float((message.intent or {}).get("confidence") or 0.0) >= 1.0
    return sure and turns.decide(turn_view(tracker)) is not None


def has_resumed(tracker: DialogueStateTracker) -> bool:
    """Return whether, since the last message, something else ran after an answer was recorded."""
    others = 0
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            return False
        if isinstance(event, ActionExecuted):
            if event.action_name in ANSWERS:
                return others > 0
            others += event.action_name not in ACTIONS
    return False


def _succeeded(tracker: DialogueStateTracker) -> bool:
    """Return whether the last action reported success by the result slot, set after it ran."""
    for event in reversed(tracker.events):
        if isinstance(event, SlotSet) and event.key == RESULT_SLOT:
            return bool(event.value == tracker.latest_action_name)
        if isinstance(event, ActionExecuted):
            return event.action_name not in ACTIONS
        if isinstance(event, UserUttered):
            return False
    return False
