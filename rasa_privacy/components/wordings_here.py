"""Fixed wordings that count in their place alone, or where the bot's classifier is not sure of its own intent."""

from collections.abc import Sequence
from typing import Final

from rasa_privacy.components import runtime
from rasa_privacy.components.answers import NOT_UNDERSTOOD
from rasa_privacy.components.guessing import CLAIMED
from rasa_privacy.components.message_intents import intent_of
from rasa_privacy.components.rasa_api import DialogueStateTracker, Message
from rasa_privacy.dialogue.names import INTENTS
from rasa_privacy.dialogue.recognising import Recognised, recognise_foreign, recognise_here

_WHY: Final = "privacy_why"


def wording_here(
    message: Message, text: str, languages: Sequence[str], tracker: DialogueStateTracker | None
) -> Recognised | None:
    """Return what a message means in this place, unless the bot's classifier is sure of an intent of the bot's own.

    A bare "why?" in a form is about what it asks for, whatever a classifier makes of one word.
    """
    running = runtime.current()
    state = runtime.consent_of(tracker) if tracker is not None else None
    if running is None or tracker is None or state is None:
        return None
    in_loop, slot = tracker.active_loop_name is not None, tracker.slots.get("requested_slot")
    asked = in_loop and slot is not None and running.splitter.item_of_slot(str(slot.value)) is not None
    agreed = bool(state.granted) and asked is in_loop
    if not (asked or agreed):
        return None  # nothing means anything more here, so the message need not be read once more
    found = recognise_here(text, languages, in_form=asked, agreed=agreed)
    is_claimed = claimed_by(message) >= CLAIMED and found is not None and found.intent != _WHY
    return None if is_claimed else found


def foreign_wording(message: Message, text: str, languages: Sequence[str], *, asked: bool) -> Recognised | None:
    """Return a request in a language that the bot does not speak, unless its classifier is sure of its own intent."""
    return recognise_foreign(text, languages, asked=asked) if claimed_by(message) < CLAIMED else None


def claimed_by(message: Message) -> float:
    """Return how sure the bot's classifier is of an intent of the bot's own; 0 where it gives another."""
    if intent_of(message) in (*INTENTS, NOT_UNDERSTOOD):
        return 0.0
    return float((message.get("intent") or {}).get("confidence") or 0.0)
