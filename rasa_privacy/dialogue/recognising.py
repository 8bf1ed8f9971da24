"""Which privacy intent a fixed wording means, in a bot that may speak several languages.

Rules:

1. The conversation's own language is tried first; what it reads counts.
2. Then the bot's other languages are tried. A wording counts there only where no other of the bot's languages reads
   something else in it: to an Italian `fine` is an end, and an English speaker who writes it agrees.
3. An opt-out comes before an answer, an answer before a request.
4. An answer does not change the conversation's language, since the question was understood: many who write in German
   say `no`. A request or an opt-out does.
5. What is a request only where it is said (`recognise_here`) comes after these.
6. A request in a language that the bot does not speak (`recognise_foreign`) comes last. It counts where no language of
   the bot reads anything in the message or has all of its words, and where the packs that know the wording agree on its
   meaning; of stopping, withdrawing and deleting, on which they may differ, a withdrawal is asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rasa_privacy.dialogue.features import looks_like_names
from rasa_privacy.dialogue.keywords import (
    core_request,
    has_telling_word,
    is_hedged,
    is_plain,
    opt_out,
    privacy_request,
    reply,
    request_here,
    says_only_yes,
)
from rasa_privacy.dialogue.lexicon import PRESSED, Answer, Question, known_words, plain_words
from rasa_privacy.dialogue.packs import available_languages

STOP: Final = "privacy_stop"
_WITHDRAW: Final = "privacy_withdraw"
#: What people mean who want to be out of something.
_ENDING: Final = frozenset((STOP, _WITHDRAW, "privacy_delete"))
#: So many words without one of agreement may still be a yes that a classifier sees.
_FEW_WORDS: Final = 10
#: So many words of a language alone make it clear, and so many times as many as of any other.
_CLEARLY: Final = 2

_ANSWERS: Final[dict[Question, dict[Answer, str]]] = {
    question: {**pressed, "unclear": "privacy_unclear"} for question, pressed in PRESSED.items()
}
_ANSWERED: Final = frozenset(intent for answers in _ANSWERS.values() for intent in answers.values())


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a fixed wording means.

    Attributes:
        intent: The privacy intent.
        language: The language in which it was asked for; None where that says nothing about the conversation.
    """

    intent: str
    language: str | None


def recognise(
    text: str, languages: Sequence[str], *, question: Question | None, in_form: bool, in_window: bool = False
) -> Recognised | None:
    """Return what the whole message means by fixed rules, or None.

    Args:
        text: The message as the person wrote it.
        languages: The bot's languages, the conversation's first.
        question: The question of ours that is open, if any.
        in_form: Whether a form runs.
        in_window: Whether it was written in a window on a web page, which "end" or "cancel" alone closes.
    """
    for language in languages:
        intent = _read(text, language, question, in_form=in_form, in_window=in_window)
        if intent is None:
            continue
        if language == languages[0] or _is_alone(text, intent, languages):
            return Recognised(intent, None if intent in _ANSWERED else language)
    return None


def recognise_here(text: str, languages: Sequence[str], *, in_form: bool, agreed: bool) -> Recognised | None:
    """Return what the whole message means where it is said, or None.

    Args:
        text: The message as the person wrote it.
        languages: The bot's languages, the conversation's first.
        in_form: Whether a form asks for something personal.
        agreed: Whether the person has agreed to something.
    """
    for language in languages:
        intent = request_here(text, language, in_form=in_form, agreed=agreed)
        if intent is not None and (language == languages[0] or _is_alone(text, intent, languages)):
            return Recognised(intent, language)
    return None


def recognise_foreign(text: str, languages: Sequence[str], *, asked: bool = False) -> Recognised | None:
    """Return which request the whole message is in a language that the bot does not speak, or None.

    It is answered in the bot's own language. STOP is a withdrawal then, which is asked about; while a question of ours
    is open it is none, since "no mail" is no STOP in Spanish but an answer.

    Args:
        text: The message as the person wrote it.
        languages: The bot's languages.
        asked: Whether a question of ours is open.
    """
    others = [each for each in available_languages() if each not in languages]
    meant = {found for each in others if (found := core_request(text, each)) is not None}
    if not meant or any(_meanings(text, each) or is_plain(text, each) for each in languages):
        return None
    if len(meant) > 1 and not meant <= _ENDING:
        return None
    intent = meant.pop() if len(meant) == 1 else STOP
    if asked and intent == STOP:
        return None
    return Recognised(_WITHDRAW if intent == STOP else intent, None)


def written_in(text: str, languages: Sequence[str]) -> str | None:
    """Return the language that a message is clearly written in, or None where that is open.

    That is the one of which it has words that the packs of no other have: two of them, and twice as many as of any
    other. Names and "ok" are in every language or in none.

    Args:
        text: The message as the person wrote it.
        languages: The bot's languages.
    """
    if len(languages) == 1 or looks_like_names(text):
        return None
    words = set(plain_words(text))
    known = {each: words & known_words(each) for each in languages}
    telling = {
        each: len(found.difference(*(other for name, other in known.items() if name != each)))
        for each, found in known.items()
    }
    best, second = sorted(languages, key=telling.__getitem__, reverse=True)[:2]
    return best if telling[best] >= max(_CLEARLY, _CLEARLY * telling[second]) else None


def limits_a_yes(text: str, languages: Sequence[str]) -> bool:
    """Return whether something in any of the languages turns, limits or doubts a yes; then a guess at one is none.

    That is a word such as "but"; beside a word of agreement also each word that no agreement is known to have; and
    where there is none, more words than a short "count me in" has. Who is asked back once has lost little.
    """
    if any(is_hedged(text, language) for language in languages):
        return True
    told = {says_only_yes(text, language) for language in languages}
    return True not in told and (False in told or len(text.split()) > _FEW_WORDS)


def tells(text: str, languages: Sequence[str], intent: str) -> bool:
    """Return whether a word in any of the languages speaks for this guess of the classifier."""
    return any(has_telling_word(text, language, intent) for language in languages)


def _read(text: str, language: str, question: Question | None, *, in_form: bool, in_window: bool) -> str | None:
    if opt_out(text, language, in_form=in_form or question is not None, in_window=in_window):
        return STOP
    if question is not None:
        answer = reply(text, language, question=question)
        if answer is not None:
            return _ANSWERS[question][answer]
    return privacy_request(text, language, asked=question is not None)


def _is_alone(text: str, intent: str, languages: Sequence[str]) -> bool:
    """Return whether each of the languages that knows the wording knows it with this meaning."""
    meanings = (_meanings(text, language) for language in languages)
    return all(intent in known or not known for known in meanings)


def _meanings(text: str, language: str) -> frozenset[str]:
    """Return everything that the wording means in a language, whatever is being asked."""
    found = {STOP} if opt_out(text, language) else set()
    for question in _ANSWERS:
        answer = reply(text, language, question=question)
        if answer is not None:
            found.add(_ANSWERS[question][answer])
    request = privacy_request(text, language, asked=True)
    return frozenset(found | ({request} if request is not None else set()))
