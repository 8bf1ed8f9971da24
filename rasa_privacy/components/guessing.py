"""What a free wording is guessed to be: by the recogniser first, then by the bot's own classifier.

Rules, in order:

1. The recogniser's guess counts where it is sure enough and a word of the message speaks for it, or where it is so
   sure that no word needs to. While a form waits for free text it takes more, and where the bot's classifier is sure
   of an intent of the bot's own.
2. A privacy intent of the bot's classifier counts where that is sure, a word speaks for it, and the recogniser, which
   knows many more messages, gives the same one and does not hold the message for an everyday one. An answer counts
   only while a question is open.
3. What then may be a request, and is not surely an intent of the bot's own, is asked back about: the likeliest requests
   are offered. So is what is surely one of two. Nothing is asked back while a question is open or a form waits for free
   text; there the likeliest request counts.
4. Else the next best intent of the bot's own counts.

A message that looks like names is never guessed at: a form asked for a name, and "Will Stop" is one. A guess at STOP
becomes a withdrawal, which is asked about first. No guess is ever certain: certain are fixed wordings and buttons.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from rasa_privacy.components.recogniser import Guess
from rasa_privacy.dialogue.features import looks_like_names
from rasa_privacy.dialogue.lexicon import AGREEING
from rasa_privacy.dialogue.names import INTENTS, REPLIES
from rasa_privacy.dialogue.recognising import STOP, tells

if TYPE_CHECKING:
    from rasa_privacy.components.rasa_api import Message

#: How sure the recogniser must be where a word of the message speaks for its guess, and where none does. Chosen on the
#: development messages (ADR 15). Below the first it holds a message for an everyday one, whatever the bot's classifier
#: says.
SURE_BY_A_WORD: Final = 0.7
SURE_WITHOUT: Final = 0.9
#: The same where less than that can be asked back about, so that next to no everyday message is taken for a request.
SURE_TO_ACT_BY_A_WORD: Final = 0.9
SURE_TO_ACT_WITHOUT: Final = 0.97
#: From here on another request is so likely against the likeliest that it is asked which one is meant.
RIVAL: Final = 1 / 3
#: From here on it is asked back about.
UNSURE_BY_A_WORD: Final = 0.3
UNSURE_WITHOUT: Final = 0.5
#: While a form waits for free text.
SURE_IN_FORM: Final = 0.8
#: From here on the bot's classifier is sure of an intent of the bot's own, and the recogniser must be surer.
CLAIMED: Final = 0.8

#: How sure the bot's classifier must be of a privacy intent; higher while a form waits for free text.
CLASSIFIED: Final = 0.6
CLASSIFIED_IN_FORM: Final = 0.8
#: An agreement changes what may be done with data, so it takes more than a likely guess.
CLASSIFIED_GRANT: Final = 0.8

_WITHDRAW: Final = "privacy_withdraw"
#: Of what is 1.0 a conversation that a human has taken over is still heard.
NEVER_CERTAIN: Final = 0.99


def guessed(  # noqa: PLR0913 - what a guess counts by
    text: str, guess: Guess | None, languages: Sequence[str], *, claimed: float, in_form: bool, can_ask: bool
) -> tuple[str | None, float] | None:
    """Return the intent that the recogniser gives, and how sure it is; None where its guess does not count.

    Args:
        text: The message as the person wrote it.
        guess: What the recogniser made of it.
        languages: The bot's languages.
        claimed: How sure the bot's classifier is of an intent of the bot's own; 0 where it gives another.
        in_form: Whether a form waits for free text.
        can_ask: Whether it may be asked which of two requests is meant.
    """
    if guess is None or looks_like_names(text) or (can_ask and _is_one_of_two(guess)):
        return None
    told = tells(text, languages, guess.intent) and claimed < CLAIMED
    needed = SURE_BY_A_WORD if told else SURE_WITHOUT
    if can_ask:
        needed = SURE_TO_ACT_BY_A_WORD if told else SURE_TO_ACT_WITHOUT
    if guess.sure < (max(needed, SURE_IN_FORM) if in_form else needed):
        return None
    return _WITHDRAW if guess.intent == STOP else guess.intent, min(guess.sure, NEVER_CERTAIN)


def offered(text: str, guess: Guess | None, languages: Sequence[str], *, claimed: float) -> tuple[str, ...]:
    """Return the requests to ask back about, likeliest first; none where the message is an everyday one.

    Args:
        text: The message as the person wrote it.
        guess: What the recogniser made of it, where that did not count.
        languages: The bot's languages.
        claimed: How sure the bot's classifier is of an intent of the bot's own; 0 where it gives another.
    """
    if guess is None or looks_like_names(text):
        return ()
    needed = UNSURE_BY_A_WORD if tells(text, languages, guess.intent) else UNSURE_WITHOUT
    if claimed >= CLAIMED:
        needed = SURE_WITHOUT
    return (guess.intent, *guess.others) if guess.sure >= needed else ()


def _is_one_of_two(guess: Guess) -> bool:
    """Return whether another request is nearly as likely; who wants no more messages is asked what is meant anyway."""
    return guess.rival >= RIVAL and {guess.intent, *guess.others[:1]} != {STOP, _WITHDRAW}


def classified(
    message: "Message", is_told: Callable[[str], bool], guess: Guess | None, *, asked: bool, in_form: bool
) -> tuple[str | None, float]:
    """Return the intent that the bot's classifier gives, a privacy intent only where it counts.

    Args:
        message: The message with the classifier's ranking.
        is_told: Whether a word of the message speaks for an intent.
        guess: What the recogniser made of the message, if there is one.
        asked: Whether a question of ours is open.
        in_form: Whether a form waits for free text.
    """
    intent = message.get("intent") or {}
    name, confidence = intent.get("name"), float(intent.get("confidence") or 0.0)
    if name not in INTENTS:
        return name, confidence
    if name in REPLIES:
        counts = asked and confidence >= (CLASSIFIED_GRANT if name in AGREEING else CLASSIFIED)
    else:
        needed = CLASSIFIED_IN_FORM if in_form else CLASSIFIED
        shared = SURE_BY_A_WORD if asked or in_form else SURE_TO_ACT_BY_A_WORD
        counts = confidence >= needed and is_told(name) and _is_shared(message, guess, name, shared)
    if counts:
        return _WITHDRAW if name == STOP else name, confidence
    for other in message.get("intent_ranking") or []:
        if other.get("name") not in INTENTS:
            return str(other["name"]), float(other.get("confidence") or 0.0)
    return None, 0.0


def _is_shared(message: "Message", guess: Guess | None, intent: str, needed: float) -> bool:
    """Return whether the recogniser, where there is one, sees the same intent in the message."""
    if guess is None:
        return True
    text = str(message.get("text") or "")
    return guess.sure >= needed and guess.intent == intent and not looks_like_names(text)
