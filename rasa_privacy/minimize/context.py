"""What the words around a number say about it: "my BSN is 123456782", "Reisepass C01X00T47".

A `Context` is made of phrases in small letters without accents. A space in a phrase stands for the end of a word, or
any signs between words; a phrase without a space at its end also stands for longer words that begin so. Phrases are
looked for in the forty characters before a number, back to the number before it, and in the thirty after it. English,
German, French, Spanish, Italian, Portuguese and Dutch phrases are known.
"""

import re
from typing import Final

from rasa_privacy.minimize.phone_context import says_other
from rasa_privacy.minimize.searched_text import CONTEXT_AFTER, CONTEXT_BEFORE, SearchedText

_SIGNS: Final = re.compile(r"[\W_]+")
# Another number ends what is looked at; `_` is what a finding was, and a name in brackets what `masking` wrote for one.
_NUMBER: Final = re.compile(r"[0-9]{5}|_{5}|\[[a-z_]{2,40}\]|^[a-z_]{0,40}\]")


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
        self._phrases = phrases
        #: The first three letters of the first word of each phrase.
        self.heads = frozenset(phrase.split()[0][:3] for phrase in phrases)

    def may_be_near(self, text: SearchedText, start: int, end: int) -> bool:
        """Tell whether a word around a place begins as one of the phrases does: quick, for most places."""
        heads = self.heads & text.heads
        return bool(heads) and text.has_near(heads, start, end)

    def may_be_in(self, text: SearchedText) -> bool:
        """Tell whether any word of a text begins as one of the phrases does."""
        return not self.heads.isdisjoint(text.heads)

    def is_in(self, window: str) -> bool:
        """Tell whether a part of a text, in small letters, has one of the phrases."""
        padded = f" {_SIGNS.sub(' ', window)} "
        return any(phrase in padded for phrase in self._phrases)


def says(text: SearchedText, start: int, end: int, context: Context) -> bool:
    """Tell whether the words before or after a place speak of this kind of number."""
    if not context.may_be_near(text, start, end):
        return False
    if context.is_in(words_before(text, start)):
        return True
    after = text.lower[end : end + CONTEXT_AFTER]
    other = _NUMBER.search(after)
    return context.is_in(after[: other.start()] if other else after)


def says_before(text: SearchedText, start: int, context: Context) -> bool:
    """Tell whether the words before a place speak of this kind of number."""
    return context.may_be_in(text) and context.is_in(words_before(text, start))


def words_before(text: SearchedText, start: int) -> str:
    """Return what stands before a place, back to the last number or `CONTEXT_BEFORE` characters, in small letters."""
    before = text.lower[max(0, start - CONTEXT_BEFORE) : start]
    return before[max((other.end() for other in _NUMBER.finditer(before)), default=0) :]


def is_other(text: SearchedText, start: int) -> bool:
    """Tell whether the words before a number say that it is one of an order, a ticket, a price or the like."""
    return says_other(text.lower[max(0, start - 40) : start])


def is_answer(text: SearchedText, start: int, end: int) -> bool:
    """Tell whether the place is the whole message but for words such as "ok, it's ... please"."""
    if len(text.plain) - (end - start) > _ANSWER_CHARACTERS:
        return False
    rest = f"{text.lower[:start]} {text.lower[end:]}"
    return all(word in _ANSWERING for word in _WORDS.findall(rest))
