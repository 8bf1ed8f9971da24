"""What the words around a number say about it: "my BSN is 123456782", "Reisepass C01X00T47".

A `Context` is made of phrases in small letters without accents. A space in a phrase stands for the end of a word, or
any signs between words; a phrase without a space at its end also stands for longer words that begin so. Phrases are
looked for in the forty characters before a number, back to the number before it, and in the thirty after it. English,
German, French, Spanish, Italian, Portuguese and Dutch phrases are known.
"""

import re
from typing import Final

from rasa_privacy.minimize.phone_context import says_other
from rasa_privacy.minimize.searched_text import SearchedText

_BEFORE: Final = 48  # characters before a number that are looked at
_AFTER: Final = 32
_SIGNS: Final = re.compile(r"[\W_]+")
# Another number ends what is looked at; `_` is what a finding was, and a name in brackets what `masking` wrote for one.
_NUMBER: Final = re.compile(r"[0-9]{5}|_{5}|\[[a-z_]{2,40}\]|^[a-z_]{0,40}\]")


class Context:
    """The phrases that speak of one kind of number.

    Args:
        phrases: Each with a space before it.
    """

    def __init__(self, *phrases: str) -> None:
        self._phrases = phrases
        self._heads = frozenset(phrase.split()[0][:3] for phrase in phrases)

    def may_be_in(self, text: SearchedText) -> bool:
        """Tell whether a word of the text begins as one of the phrases does: quick, for most texts."""
        return not self._heads.isdisjoint(text.heads)

    def is_in(self, window: str) -> bool:
        """Tell whether a part of a text, in small letters, has one of the phrases."""
        padded = f" {_SIGNS.sub(' ', window)} "
        return any(phrase in padded for phrase in self._phrases)


def says(text: SearchedText, start: int, end: int, context: Context) -> bool:
    """Tell whether the words before or after a place speak of this kind of number."""
    if not context.may_be_in(text):
        return False
    if context.is_in(words_before(text, start)):
        return True
    after = text.lower[end : end + _AFTER]
    other = _NUMBER.search(after)
    return context.is_in(after[: other.start()] if other else after)


def says_before(text: SearchedText, start: int, context: Context) -> bool:
    """Tell whether the words before a place speak of this kind of number."""
    return context.may_be_in(text) and context.is_in(words_before(text, start))


def words_before(text: SearchedText, start: int) -> str:
    """Return what stands before a place, back to the last number or `_BEFORE` characters, in small letters."""
    before = text.lower[max(0, start - _BEFORE) : start]
    return before[max((other.end() for other in _NUMBER.finditer(before)), default=0) :]


def is_other(text: SearchedText, start: int) -> bool:
    """Tell whether the words before a number say that it is one of an order, a ticket, a price or the like."""
    return says_other(text.lower[max(0, start - 40) : start])


def is_alone(text: SearchedText, start: int, end: int) -> bool:
    """Tell whether the place is the whole message but for signs around it."""
    plain = text.plain
    return not plain[:start].strip(" .,:;!?()\n\t") and not plain[end:].strip(" .,:;!?()\n\t")
