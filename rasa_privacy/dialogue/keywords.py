"""What is recognised by fixed wordings, before any classifier: opt-out words, core privacy requests, yes and no.

Rules:

1. A wording counts only as the whole message, after capitals, punctuation, emoji and polite words are taken away; the
   polite words stay where the wording itself holds one.
   "Stop. Thank you" is STOP (47 CFR 64.1200(a)(10)); "We have got to stop littering" is not.
2. A message that is longer than `wordings.MAX_CHARACTERS` matches nothing; it is not cut, since the rest could turn the
   meaning round.
3. What is not clearly a yes is not a yes (GDPR Art. 4(11)): a yes with a condition or a question is "unclear", and so
   is one with a face or emoji of doubt or irony, one that ends in dots, and one that is said twice where that is irony.
4. While a question is open, what stands on a button of ours means what the button does: a channel may show none, and
   people type what they read.

The wordings are data: `packs/<language>.keywords.yml`, and the buttons of `packs/<language>.yml`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rasa_privacy.dialogue.lexicon import (
    PRESSED,
    Answer,
    Lexicon,
    Question,
    core_of,
    known_words,
    lexicon_of,
    plain_words,
)
from rasa_privacy.dialogue.wordings import Reading

#: What may be asked in short of what a form asks for; "again" or "a complaint" may be an answer.
ABOUT_A_FORM: Final = ("privacy_why", "privacy_how_long", "privacy_who_sees", "privacy_what", "privacy_where")


def opt_out(text: str, language: str, *, in_form: bool = False, in_window: bool = False) -> bool:
    """Return whether the whole message asks to stop everything.

    Args:
        text: The message as the person wrote it.
        language: Code of a language pack.
        in_form: Whether a form runs or a question is open; then `cancel` means that, and is no opt-out.
        in_window: Whether it was written in a window that `end`, `quit` or `cancel` closes; then those are no opt-out.
    """
    lexicon = lexicon_of(language)
    forms = lexicon.forms(text)
    alone = not in_window and (_is_one(lexicon.ends, forms) or (not in_form and _is_one(lexicon.outside_form, forms)))
    return alone or _is_one(lexicon.opt_out, forms)


def cancels(text: str, language: str) -> bool:
    """Return whether the whole message is a word such as `cancel`, which in a form is about the form."""
    lexicon = lexicon_of(language)
    return _is_one(lexicon.outside_form, lexicon.forms(text))


def closes(text: str, language: str) -> bool:
    """Return whether the whole message is a word such as `end` or `cancel`, which closes a window on a web page."""
    lexicon = lexicon_of(language)
    return any(_is_one(words, lexicon.forms(text)) for words in (lexicon.ends, lexicon.outside_form))


def privacy_request(text: str, language: str, *, asked: bool = False, then: bool = False) -> str | None:
    """Return the intent of a core wording such as "please delete my data", or None.

    Args:
        text: The message as the person wrote it.
        language: Code of a language pack.
        asked: Whether a question of ours is open; then a bare "why?" is about it.
        then: Whether it follows another request in the same message: "and send me a copy".
    """
    lexicon = lexicon_of(language)
    forms = lexicon.forms(text)
    found = _requested(forms, lexicon.requests) or (_asked_for(forms, lexicon) if asked else None)
    return found or (_requested(forms, lexicon.then) if then else None)


def core_request(text: str, language: str) -> str | None:
    """Return the intent of a wording by which people delete, see, take out, withdraw or stop, or None.

    Of two words at least, since one word may be any in another language.
    """
    core = core_of(language)
    forms = core.forms(text)
    return _requested(forms, core.requests) if forms and len(forms[0].split()) > 1 else None


def is_plain(text: str, language: str) -> bool:
    """Return whether each word of the message is a word of this language, as far as the pack has it.

    "Remove me" is English, whatever Portuguese says by the same words.
    """
    known = known_words(language)
    return all(word in known for word in plain_words(text))


def reply(text: str, language: str, *, question: Question = "consent") -> Answer | None:
    """Return how the message answers a question of ours, or None where it is no answer; only called while one is open.

    Args:
        text: The message as the person wrote it.
        language: Code of a language pack.
        question: What was asked: "delete it" is a yes to one and no answer to the other.
    """
    lexicon = lexicon_of(language)
    reading = lexicon.read(text)
    if reading is None:
        return None
    words, forms = lexicon.joined(reading.words), lexicon.forms(text)
    if not words:
        return _by_symbols(reading, lexicon)
    doubted = reading.asks or lexicon.doubts(reading)
    pressed = _pressed(forms, lexicon, question)
    if doubted and (reading.asks or pressed == "yes"):
        pressed = None
    if pressed is not None or _is_one(lexicon.unclear, forms):
        return pressed or "unclear"
    if _is_one(lexicon.yes[question], forms):
        return "unclear" if doubted else "yes"
    if _is_one(lexicon.no[question], forms):
        return "no"
    found = set(words.split())
    hedged = doubted or not lexicon.hedges.isdisjoint(found)
    # "Ok, but why do you need this?" is a question to answer, not an answer to weigh; "hmm maybe" is neither.
    weighed = found <= lexicon.hedges or (hedged and not lexicon.agreement[question].isdisjoint(found))
    return "unclear" if weighed and _requested(forms, lexicon.requests) is None else None


def is_hedged(text: str, language: str) -> bool:
    """Return whether a word or sign turns, limits or doubts a yes, or it asks; then a guess at a yes is no yes."""
    lexicon = lexicon_of(language)
    reading = lexicon.read(text)
    if reading is None or reading.asks or lexicon.doubts(reading):
        return True
    return not lexicon.hedges.isdisjoint(reading.words)


def says_only_yes(text: str, language: str) -> bool | None:
    """Return whether the message is words of agreement and words that are known beside one; None where it has none.

    "Yes under protest" is told from "yes, I do" by the words that no agreement of the pack has.
    """
    lexicon = lexicon_of(language)
    reading = lexicon.read(text)
    words = set(reading.words) if reading is not None else set()
    if lexicon.agreement["erase"].isdisjoint(words):
        return None
    return words <= lexicon.beside_yes


def has_telling_word(text: str, language: str, intent: str) -> bool:
    """Return whether the message has a word without which a classifier's guess at this privacy intent is none.

    Args:
        text: The message as the person wrote it.
        language: Code of a language pack.
        intent: What the classifier guessed; one that has no telling words needs none.
    """
    lexicon = lexicon_of(language)
    words = lexicon.telling.get(intent)
    reading = lexicon.read(text)
    # A message too long to be a wording is a story, which may tell in any words.
    return words is None or reading is None or not words.isdisjoint(reading.words)


def words_of(text: str, language: str) -> tuple[str, ...]:
    """Return the message as comparable words without polite ones; none where it is too long to be a wording."""
    lexicon = lexicon_of(language)
    reading = lexicon.read(text)
    return tuple(lexicon.joined(reading.words).split()) if reading is not None else ()


def request_here(text: str, language: str, *, in_form: bool, agreed: bool) -> str | None:
    """Return the intent of a wording that means something about privacy only where it is said, or None.

    Args:
        text: The message as the person wrote it.
        language: Code of a language pack.
        in_form: Whether a form asks for something personal; then a bare "who gets it?" is about that.
        agreed: Whether the person has agreed to something; then "send me a receipt" is about that.
    """
    lexicon = lexicon_of(language)
    forms = lexicon.forms(text)
    short = {name: pattern for name, pattern in lexicon.asked.items() if name in ABOUT_A_FORM}
    asked = _requested(forms, short) or _requested(forms, lexicon.form) if in_form else None
    return asked or (_requested(forms, lexicon.agreed) if agreed else None)


def _is_one(pattern: re.Pattern[str], forms: Iterable[str]) -> bool:
    return any(pattern.fullmatch(form) for form in forms)


def _requested(forms: Sequence[str], patterns: Mapping[str, re.Pattern[str]]) -> str | None:
    return next((intent for intent, pattern in patterns.items() if _is_one(pattern, forms)), None)


def _pressed(forms: Iterable[str], lexicon: Lexicon, question: Question) -> Answer | None:
    """Return what the message answers where it is what stands on a button of such a question."""
    meant = {lexicon.buttons[form] for form in forms if form in lexicon.buttons}
    return next((answer for answer, intent in PRESSED[question].items() if intent in meant), None)


def _asked_for(forms: Sequence[str], lexicon: Lexicon) -> str | None:
    """Return what is asked for while a question is open: by a short wording, or by what stands on a button."""
    answers = {intent for pressed in PRESSED.values() for intent in pressed.values()}
    shown = (lexicon.buttons[form] for form in forms if form in lexicon.buttons)
    return _requested(forms, lexicon.asked) or next((intent for intent in shown if intent not in answers), None)


def _by_symbols(reading: Reading, lexicon: Lexicon) -> Answer | None:
    answers = {lexicon.signs[symbol] for symbol in reading.symbols if symbol in lexicon.signs}
    if len(answers) > 1:
        return "unclear"
    return answers.pop() if answers else None
