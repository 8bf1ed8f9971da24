"""Requests that name what they are about: "delete my phone number", "I object to the newsletter".

"My email is wrong, it is ana@x.example" has the right value too.

Rules:

1. What is named are items and purposes of privacy.yml, by what people call them. Every word must be one of a wording of
   the language or of such a name; "delete my phone from the cart" is none of ours.
2. A wrong value is what stands after words such as "it is", alone and as it was typed. Whether it is one of its kind is
   checked by who takes it.
3. Of a deletion that names some things and all that is held the larger is meant: "delete my account and my phone".
4. Two requests in one message are two wordings with a word such as "and", or a mark, between them. In a window on a web
   page a word that closes it is none.
5. Of a message with many marks only the first parts are looked at, since each takes as long as a message.

The wordings of each language are `request_wordings`'.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from rasa_privacy.dialogue.keywords import closes, opt_out, privacy_request, words_of
from rasa_privacy.dialogue.purposes import chosen_purposes, listed_topics, named_topics, names_something
from rasa_privacy.dialogue.request_wordings import request_wordings
from rasa_privacy.dialogue.wordings import fold
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import item_of

DELETE: Final = "privacy_delete"
CORRECT: Final = "privacy_correct"
OBJECT: Final = "privacy_object"
RESTRICT: Final = "privacy_restrict"
_STOP: Final = "privacy_stop"
#: Questions that may name what they are about.
QUESTIONS: Final = ("privacy_why", "privacy_how_long", "privacy_who_sees", "privacy_what")

_MAX_CHARACTERS: Final = 300
MAX_VALUE: Final = 200
#: So many words at the end of a question are looked through for the purposes that it is about.
_MOST_WORDS: Final = 8
#: A deletion in more parts is left to what is guessed.
_MOST_PARTS: Final = 5
#: So many places between two requests, and parts of a guessed deletion, are looked at.
_MOST_PLACES: Final = 12
#: Between two requests.
_MARKS: Final = ".,;!?\n\u2013\u2014"
_TRIMMED: Final = " \t\"'\u201c\u201d\u201e\u00ab\u00bb"


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """A request with what it names.

    Attributes:
        intent: The privacy intent.
        language: The language of its wording.
        topics: Purposes, and items as `purposes.item_topics` gives them; none for a request that names nothing.
        value: Of a correction what is right, as it was typed; empty where that was not said.
    """

    intent: str
    language: str
    topics: tuple[str, ...] = ()
    value: str = field(default="", repr=False)


def deletion_of(text: str, languages: Sequence[str], policy: Policy) -> NamedRequest | None:
    """Return a wish to have items or purposes deleted, or None; one that is also about all that is held names none."""
    for language in _spoken(text, languages, policy):
        if _is_all_and_more(text, policy, language):
            return NamedRequest(DELETE, language)
        topics = _named(request_wordings(language).erase, text, policy, language)
        if topics:
            return NamedRequest(DELETE, language, topics)
    return None


def deletion_named(text: str, policy: Policy, language: str) -> tuple[str, ...]:
    """Return what a deletion that was guessed names; nothing where a part of it is about all that is held."""
    parts = list(islice(_parts(text, request_wordings(language).joining), _MOST_PLACES))
    is_larger = len(parts) > 1 and any(_is_all(part, policy, language) for part in parts)
    return () if is_larger else named_topics(text, policy, language)


def _is_all_and_more(text: str, policy: Policy, language: str) -> bool:
    """Return whether every part of the text is something to be deleted, and one of them all that is held."""
    patterns = request_wordings(language)
    parts = list(islice(_parts(text, patterns.joining), _MOST_PARTS + 1))
    if not 1 < len(parts) <= _MOST_PARTS:
        return False
    whole = [_is_all(part, policy, language) for part in parts]
    told = [_named(patterns.erase, part, policy, language) for part in parts]
    is_said = any(told) or any(privacy_request(part, language) == DELETE for part in parts)
    return (
        is_said
        and any(whole)
        and all(
            is_whole or named or listed_topics(part, policy, language)
            for part, is_whole, named in zip(parts, whole, told, strict=True)
        )
    )


def _is_all(part: str, policy: Policy, language: str) -> bool:
    """Return whether a part of a deletion is about all that is held, as "my account" is; not "my account number"."""
    words = "".join(f"{word} " for word in words_of(part, language))
    is_all = (
        request_wordings(language).all_held.fullmatch(words) is not None or privacy_request(part, language) == DELETE
    )
    return is_all and not named_topics(part, policy, language)


def question_of(text: str, languages: Sequence[str], policy: Policy, *, asked: bool) -> NamedRequest | None:
    """Return a question about privacy that ends in the purposes that it is about, or None.

    Args:
        text: The message as the person wrote it.
        languages: The bot's languages, the conversation's first.
        policy: The privacy.yml in force.
        asked: Whether a question of ours or a form's waits; then "why for the draw?" is one.
    """
    for language in _spoken(text, languages, policy):
        for place in [found.span() for found in re.finditer(r"\s+", text)][: -_MOST_WORDS - 1 : -1]:
            purposes = chosen_purposes(text[place[1] :], policy, language, policy.purposes)
            intent = privacy_request(text[: place[0]], language, asked=asked) if purposes else None
            if intent in QUESTIONS:
                return NamedRequest(str(intent), language, purposes)
    return None


def restriction_of(text: str, languages: Sequence[str], policy: Policy) -> NamedRequest | None:
    """Return a wish that purposes be restricted, or an objection to them, or None."""
    for language in _spoken(text, languages, policy):
        patterns = request_wordings(language)
        for intent, wordings in ((OBJECT, patterns.object), (RESTRICT, patterns.restrict)):
            topics = _named(wordings, text, policy, language)
            if topics and not any(map(item_of, topics)):
                return NamedRequest(intent, language, topics)
    return None


def correction_of(text: str, languages: Sequence[str], policy: Policy, *, in_form: bool = False) -> NamedRequest | None:
    """Return a wish to have one item corrected, or None. "Change my email" may be said to a shop that never had one.

    Args:
        text: The message as the person wrote it.
        languages: The bot's languages, the conversation's first.
        policy: The privacy.yml in force.
        in_form: Whether a form runs; then "my new number is ..." answers that.
    """
    for language in _spoken(text, languages, policy):
        patterns = request_wordings(language)
        topics = _named(patterns.change, text, policy, language)
        if _is_one_item(topics):
            return NamedRequest(CORRECT, language, topics)
        for head, start, end in _splits(text, language, patterns.verb):
            changing = (
                *patterns.change_to,
                *(() if in_form else patterns.new),
                *(patterns.verb_last if end < len(text) else ()),
            )
            topics = _named_in(changing, head, policy, language)
            value = clean_value(text[start:end]) if _is_one_item(topics) else ""
            if value:
                return NamedRequest(CORRECT, language, topics, value)
    return None


def both_of(
    text: str, languages: Sequence[str], policy: Policy, *, asked: bool = False
) -> tuple[NamedRequest, NamedRequest] | None:
    """Return the two requests of a message that is two, or None; while we ask, a bare "who gets it?" is one."""
    for language in languages if len(text) <= _MAX_CHARACTERS else ():
        for left, right in islice(_halves(text, request_wordings(language).joining), _MOST_PLACES):
            first = _half(left, language, policy, asked=asked)
            second = _half(right, language, policy, asked=asked) if first is not None else None
            if first is not None and second is not None and first.intent != second.intent:
                return first, second
    return None


def beside_closing(text: str, languages: Sequence[str], policy: Policy) -> NamedRequest | None:
    """Return the request of a message that beside it only closes a window on a web page, or None.

    "Quit and delete my data" is a deletion there: a word that closes the chat is no opt-out.
    """
    for language in languages if len(text) <= _MAX_CHARACTERS else ():
        for left, right in islice(_halves(text, request_wordings(language).joining), _MOST_PLACES):
            for one, other in ((left, right), (right, left)):
                found = (
                    _half(other, language, policy) if closes(one, language) and not closes(other, language) else None
                )
                if found is not None:
                    return found
    return None


def _spoken(text: str, languages: Sequence[str], policy: Policy) -> tuple[str, ...]:
    """Return the languages in which the text has a word of some name, without which there is nothing to look for."""
    short = len(text) <= _MAX_CHARACTERS
    return tuple(language for language in languages if short and names_something(text, policy, language))


def _half(text: str, language: str, policy: Policy, *, asked: bool = False) -> NamedRequest | None:
    if opt_out(text, language, in_form=True):
        return NamedRequest(_STOP, language)
    spoken = (language,)
    named = (
        deletion_of(text, spoken, policy) or restriction_of(text, spoken, policy) or correction_of(text, spoken, policy)
    )
    if named is not None:
        return named
    intent = privacy_request(text, language, asked=asked, then=True)
    return NamedRequest(intent, language) if intent is not None else None


def _halves(text: str, joining: frozenset[str]) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"\S+", text):
        word = found[0]
        if fold(word.strip(_MARKS)) in joining:
            yield text[: found.start()], text[found.end() :]
        elif word[-1] in _MARKS and not word[:-1].isdecimal():
            yield text[: found.end()], text[found.end() :]


def _parts(text: str, joining: frozenset[str]) -> Iterator[str]:
    """Yield what stands between all words such as "and", and marks."""
    left = text
    while found := next(_halves(left, joining), None):
        part, left = found
        if part.strip(f"{_TRIMMED}{_MARKS}"):
            yield part
    if left.strip(f"{_TRIMMED}{_MARKS}"):
        yield left


def _splits(text: str, language: str, verb: re.Pattern[str]) -> Iterator[tuple[str, int, int]]:
    """Yield, for each place between two words, the words before it, and where what follows begins and ends.

    A verb at the end, as in German and Dutch, is not part of what follows.
    """
    places = [found.span() for found in re.finditer(r"[^\s:=]+", text)]
    words = ["".join(f"{word} " for word in words_of(text[start:end], language)) for start, end in places]
    last = next((taken for taken in (2, 1) if verb.fullmatch("".join(words[-taken:]))), 0)
    end = places[-last][0] if last else len(text)
    for at in range(1, len(places) - last):
        yield "".join(words[:at]), places[at][0], end


def clean_value(text: str) -> str:
    """Return a value that somebody typed without what stands around it; empty where it cannot be one."""
    value = text.strip(_TRIMMED).rstrip(".,;!?").strip(_TRIMMED)
    return value if value.isprintable() and len(value) <= MAX_VALUE else ""


def _is_one_item(topics: tuple[str, ...]) -> bool:
    return len(topics) == 1 and bool(item_of(topics[0]))


def _named(patterns: Sequence[re.Pattern[str]], text: str, policy: Policy, language: str) -> tuple[str, ...]:
    """Return what a message of one of these wordings names; none where it is no such wording."""
    return _named_in(patterns, "".join(f"{word} " for word in words_of(text, language)), policy, language)


def _named_in(patterns: Sequence[re.Pattern[str]], words: str, policy: Policy, language: str) -> tuple[str, ...]:
    for pattern in patterns:
        found = pattern.fullmatch(words)
        topics = listed_topics(found["list"], policy, language) if found is not None else None
        if topics:
            return topics
    return ()
