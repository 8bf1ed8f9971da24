"""What the words around a number say about it: "my BSN is 123456782", "Reisepass C01X00T47".

A `Context` is made of phrases in small letters without accents. A space in a phrase stands for the end of a word, or
any signs between words; a phrase without a space at its end also stands for longer words that begin so. Phrases are
looked for in the forty characters before a number, back to the number before it, and in the thirty after it. English,
German, French, Spanish, Italian, Portuguese and Dutch phrases are known.
"""

import re
import string
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from rasa_privacy.minimize.digit_zones import Number, Zone
from rasa_privacy.minimize.phone_context import CONTEXT_CHARACTERS, says_other
from rasa_privacy.minimize.searched_text import CONTEXT_AFTER, CONTEXT_BEFORE, SearchedText, Words, places

_SIGN: Final = re.compile(r"[\W_]")
_ASCII_SIGNS: Final = bytes(
    code if chr(code) in string.ascii_letters + string.digits else ord(" ") for code in range(256)
)
# Another number ends what is looked at; so does what stands for one: `_` and, by `masking`, a name in brackets.
_NUMBER: Final = re.compile("[0-9]{5}")
_FORMER: Final = re.compile(r"_{5}|\[[a-z_]{2,40}\]|^[a-z_]{0,40}\]")


_Place = TypeVar("_Place", Number, Zone)
_ANSWER_CHARACTERS: Final = 40  # beside the value, in a message that is an answer
_WORDS: Final = re.compile(r"\w+")
# Words around an answer that say nothing about it, in the seven languages.
_ANSWERING: Final = frozenset(
    {
        "a", "and", "it", "s", "is", "its", "this", "that", "here", "ok", "okay", "sure", "yes", "please", "thanks",
        "thank", "you", "the", "my", "ja", "ist", "das", "es", "hier", "bitte", "danke", "mein", "meine", "oui", "c",
        "est", "ce", "voici", "merci", "mon", "ma", "si", "esta", "este", "aqui", "gracias", "mi", "el", "la", "e",
        "questo", "ecco", "grazie", "mio", "il", "sim", "isto", "obrigado", "obrigada", "meu", "minha", "o", "het",
        "dit", "alstublieft", "dank", "je", "mijn", "number", "nummer", "numero", "hi", "hello", "hallo", "hola",
        "ola", "ciao", "bonjour",
    }
)  # fmt: skip


class Context:
    """The phrases that speak of one kind of number.

    Args:
        phrases: Each with a space before it.
    """

    def __init__(self, *phrases: str) -> None:
        self._phrases: dict[str, list[str]] = {}
        for phrase in phrases:
            self._phrases.setdefault(phrase.split()[0][:3], []).append(phrase)
        whole = [each for each in phrases if each.endswith(" ") and " " not in each.strip()]
        #: Phrases of one whole word, and all others by the head of their first.
        self._words = frozenset(map(str.strip, whole))
        self._longer = {head: [each for each in found if each not in whole] for head, found in self._phrases.items()}
        #: The first three letters of the first word of each phrase.
        self.heads = frozenset(self._phrases)

    def may_be_in(self, text: SearchedText) -> bool:
        """Tell whether a text has one of the phrases anywhere: quick, and for most texts the answer."""
        return bool(self._first_words(text))

    def may_be_near(self, text: SearchedText, start: int, end: int) -> bool:
        """Tell whether the first word of a phrase that the text has is near a place: quick, and for most places so."""
        return self.may_be_between(text, max(0, start - CONTEXT_BEFORE), end + CONTEXT_AFTER)

    def may_be_between(self, text: SearchedText, start: int, end: int) -> bool:
        """Tell whether the first word of a phrase that the text has is between two places."""
        lower = text.lower
        return any(lower.find(word, start, end) >= 0 for word in self._first_words(text))

    def near(self, text: SearchedText, found: Sequence[_Place]) -> list[_Place]:
        """Return those of the places, all in order, that may be near a phrase: looked for from the words."""
        near = set[_Place]()
        for word in self._first_words(text):
            first, length, count = 0, len(word), len(found)
            for place in places(text.lower, word):
                while first < count and found[first].end < place + length - CONTEXT_AFTER:
                    first += 1
                last = first
                while last < count and found[last].start <= place + CONTEXT_BEFORE:
                    near.add(found[last])
                    last += 1
        return sorted(near) if near else []

    def places_in(self, text: SearchedText) -> Iterator[tuple[int, int]]:
        """Yield start and end of each place of the first word of a phrase that the text has."""
        for word in self._first_words(text):
            for place in places(text.lower, word):
                yield place, place + len(word)

    def _first_words(self, text: SearchedText) -> frozenset[str]:
        """Return the first words of the phrases that a text has."""
        known = text.contexts.get(self)
        if known is None:
            heads = self.heads & text.heads
            phrases = [phrase for head in heads for phrase in self._longer[head]]
            known = text.contexts[self] = (self._words & text.different_words if heads else heads).union(
                [phrase.split()[0] for phrase in phrases if text.has_words(phrase)]
            )
        return known

    def is_in(self, words: Words) -> bool:
        """Tell whether one of the phrases is among these words."""
        if self.heads.isdisjoint(words.heads):
            return False
        return any(phrase in words.together for head in self.heads & words.heads for phrase in self._phrases[head])


def says(text: SearchedText, start: int, end: int, context: Context) -> bool:
    """Tell whether the words before or after a place speak of this kind of number."""
    return context.may_be_near(text, start, end) and (
        context.is_in(_words_before(text, start)) or context.is_in(_words_after(text, end))
    )


def zones_said(text: SearchedText, context: Context) -> list[Zone]:
    """Return the stretches with digits by which, or in which, words speak of this kind of number."""
    return [
        zone
        for zone in context.near(text, text.zones)
        if says(text, zone.start, zone.end, context) or _says_within(text, zone, context)
    ]


def said_of(text: SearchedText, zone: Zone, start: int, end: int, context: Context) -> bool:
    """Tell whether the words speak of a place in a zone: those around the place, or around the whole zone."""
    return says(text, start, end, context) or says(text, zone.start, zone.end, context)


def _says_within(text: SearchedText, zone: Zone, context: Context) -> bool:
    """Tell whether a word between the digits speaks of this kind: "12, zip 90210" is one zone."""
    return context.may_be_between(text, zone.start, zone.end) and context.is_in(
        _words(text.lower[zone.start : zone.end])
    )


def says_before(text: SearchedText, start: int, context: Context) -> bool:
    """Tell whether the words before a place speak of this kind of number."""
    return context.may_be_in(text) and context.is_in(_words_before(text, start))


def _words_before(text: SearchedText, start: int) -> Words:
    """Return the words before a place, back to the last number or `CONTEXT_BEFORE` characters."""
    before = text.lower[max(0, start - CONTEXT_BEFORE) : start]
    if before not in text.words_before:
        text.words_before[before] = _words(before[max([end for _, end in _numbers(before)], default=0) :])
    return text.words_before[before]


def _words_after(text: SearchedText, end: int) -> Words:
    """Return the words after a place, up to the next number or `CONTEXT_AFTER` characters."""
    after = text.lower[end : end + CONTEXT_AFTER]
    if after not in text.words_after:
        text.words_after[after] = _words(after[: min([start for start, _ in _numbers(after)], default=None)])
    return text.words_after[after]


def _numbers(window: str) -> list[tuple[int, int]]:
    numbers = [found.span() for found in _NUMBER.finditer(window)]
    if "_" in window or "]" in window:
        numbers += [found.span() for found in _FORMER.finditer(window)]
    return numbers


def _words(window: str) -> Words:
    if window.isascii():
        words = window.encode().translate(_ASCII_SIGNS).decode("ascii").split()
    else:
        words = _SIGN.sub(" ", window).split()
    return Words(f" {' '.join(words)} ", frozenset([word[:3] for word in words]))


def is_other(text: SearchedText, start: int) -> bool:
    """Tell whether the words before a number say that it is one of an order, a ticket, a price or the like."""
    before = text.lower[max(0, start - CONTEXT_CHARACTERS) : start]
    if before not in text.others_before:
        text.others_before[before] = says_other(before)
    return text.others_before[before]


def is_answer(text: SearchedText, start: int, end: int) -> bool:
    """Tell whether the place is the whole message but for words such as "ok, it's ... please"."""
    if len(text.plain) - (end - start) > _ANSWER_CHARACTERS:
        return False
    rest = f"{text.lower[:start]} {text.lower[end:]}"
    return all(word in _ANSWERING for word in _WORDS.findall(rest))
