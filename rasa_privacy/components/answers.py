"""Answers to our questions: what a reply in the bot's own intents, an age, a year, a contact or a code means.

Yes and no in words are read by the fixed lexicon (`dialogue.recognising`); here is what depends on the question.
"""

from collections.abc import Sequence
from typing import Final

from rasa_privacy.components import runtime
from rasa_privacy.components.message_intents import intent_of, set_intent
from rasa_privacy.components.rasa_api import DialogueStateTracker, Message
from rasa_privacy.dialogue.keywords import privacy_request
from rasa_privacy.dialogue.lexicon import Question
from rasa_privacy.dialogue.limits import age_in, code_in, has_year, left_out, old_enough, year_in
from rasa_privacy.dialogue.names import INTENTS
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.minimize.contact_answers import contact_in
from rasa_privacy.policy.contacts import reachable_kinds
from rasa_privacy.policy.model import Replies
from rasa_privacy.policy.topics import choice

#: An agreement changes what may be done with data, so it takes more than a likely guess.
SURE_OF_GRANT: Final = 0.8
#: How sure the classifier must be that an intent of the bot's own is a no to our question.
SURE_OF_REFUSAL: Final = 0.6

#: What Rasa's FallbackClassifier makes of a message; while a question of ours is open, it is no clear answer.
NOT_UNDERSTOOD: Final = "nlu_fallback"

#: A longer text does not pass our question by, whatever a classifier takes it for.
LONGEST_ANSWER: Final = 1_000  # characters

#: Asks for another one-time code.
RESEND: Final = "privacy_resend"


def read_own_reply(message: Message, question: Question, replies: Replies) -> None:
    """Take an intent of the bot's own for an answer to our question, where privacy.yml says what it means.

    One that is not sure enough is unclear: our question is asked again, and does not give way to the bot's own answer.
    """
    name, confidence = intent_of(message), float((message.get("intent") or {}).get("confidence") or 0.0)
    yes, no = ("privacy_grant", "privacy_refuse") if question == "consent" else ("privacy_confirm", "privacy_cancel")
    if name in replies.grant and confidence >= SURE_OF_GRANT:
        set_intent(message, yes, confidence)
    elif name in replies.refuse and confidence >= SURE_OF_REFUSAL:
        set_intent(message, no, confidence)
    elif name in (*replies.grant, *replies.refuse):
        set_intent(message, "privacy_unclear", 1.0)


def is_too_long(text: str, intent: str | None) -> bool:
    """Return whether a message is too long to pass our question by, as a wish of another kind does.

    A request counts whatever its length, and so does what was understood as a no.
    """
    return len(text) > LONGEST_ANSWER and intent not in INTENTS


def of_a_code(
    text: str,
    languages: Sequence[str],
    pending: Pending | None,
    tracker: DialogueStateTracker | None,
    recognised: str | None,
) -> str | None:
    """Return the intent of a message that gives the contact or the code of double opt-in, or asks for another one."""
    running = runtime.current()
    state = runtime.consent_of(tracker) if tracker is not None else None
    if running is None or state is None or recognised not in (None, RESEND):
        return None
    asked = pending.kind if pending is not None else None
    if asked == "contact" and pending is not None:
        kinds = reachable_kinds(running.vault.policy, pending.purposes[0])
        return "privacy_contact" if contact_in(text, kinds) is not None else None
    if asked != "code" and not state.waiting:
        return None
    in_form = tracker is not None and tracker.active_loop_name is not None
    if code_in(text, alone=asked != "code") is not None and (asked == "code" or not in_form):
        return "privacy_code"
    return RESEND if any(privacy_request(text, each, asked=True) == RESEND for each in languages) else None


def read_answer(
    message: Message,
    text: str,
    languages: Sequence[str],
    pending: Pending | None,
    running: runtime.Runtime | None,
) -> tuple[str, ...]:
    """Understand an age, and a yes that leaves something out; return the questions about what is left out."""
    if pending is None or running is None:
        return ()
    if pending.kind == "age":
        _read_age(message, text, languages, pending, running)
        return ()
    if intent_of(message) == NOT_UNDERSTOOD:
        set_intent(message, "privacy_unclear", 1.0)
    if pending.kind not in ("consent", "optional") or intent_of(message) != "privacy_unclear":
        return ()
    purpose = pending.purposes[0]
    items = left_out(text, languages, running.vault.policy, running.vault.policy.purposes[purpose].items)
    if items:
        set_intent(message, "privacy_limit", 1.0)
    return tuple(choice(purpose, item) for item in items)


def _read_age(
    message: Message, text: str, languages: Sequence[str], pending: Pending, running: runtime.Runtime
) -> None:
    """Understand an age, or a year of birth where that was asked for; of either nothing but yes or no goes on.

    A year that leaves it open, a yes or no to the question for the year, and whatever else holds a year are unclear: so
    nothing that is kept tells one from the other, and the text is that of a privacy turn, which is not kept.
    """
    age = age_in(text, languages)
    is_enough = None if age is None else age >= pending.age
    if running.vault.policy.ask_age == "year":
        this_year = running.vault.clock().year
        year = year_in(text, languages, this_year)
        is_enough = old_enough(year, pending.age, this_year) if year is not None else is_enough
        answered = intent_of(message) in ("privacy_grant", "privacy_refuse") and not pending.repeated
        if is_enough is None and (year is not None or answered or has_year(text, this_year)):
            set_intent(message, "privacy_unclear", 1.0)
    if is_enough is not None:
        set_intent(message, "privacy_grant" if is_enough else "privacy_refuse", 1.0)
