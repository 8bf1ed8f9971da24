"""The words of a text as they are compared: without case, accents and what else is written in more than one way."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from rasa_privacy.minimize.lookalikes import SMALL_FORMS

# Scripts without spaces between words: Thai to Myanmar, Khmer, Kana, Han, and Hangul, which glues its particles on.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff"
)
_WORD: Final = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
# Letters with a stroke, which Unicode does not take apart, and two written as one.
_STROKES: Final = {
    "\u0142": "l", "\u00f8": "o", "\u0111": "d", "\u0127": "h", "\u0131": "i", "\u0167": "t", "\u00e6": "ae",
    "\u0153": "oe", "\u00fe": "th", "\u00f0": "d",
}  # fmt: skip
_INVISIBLE: Final = frozenset({"Mn", "Me", "Cf"})  # Unicode categories: accents, enclosing marks, zero-width signs


class Word(NamedTuple):
    """A word of a text as it is compared, and where it stands in the text."""

    folded: str
    start: int
    end: int


def words_of(text: str) -> Iterator[Word]:
    """Yield the words of a text, without accents and case."""
    if text.isascii():
        for match in _WORD.finditer(text.lower()):
            yield Word(match[0], match.start(), match.end())
        return
    folded, origin = _folded(text)
    for match in _WORD.finditer(folded):
        yield Word(match[0], origin[match.start()], origin[match.end()])


def folded_words(text: str) -> list[str]:
    """Return the words of a text as they are compared, without their places."""
    found: list[str] = _WORD.findall(text.lower() if text.isascii() else _folded(text)[0])
    return found


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the text as it is compared, and for each of its characters, and its end, the place in the text."""
    parts: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        part = character.lower() if character.isascii() else _fold(character)
        parts.append(part)
        origin.extend([index] * len(part))
    origin.append(len(text))
    return "".join(parts), origin


def _fold(character: str) -> str:
    compatible = unicodedata.normalize("NFKC", character)
    wide = compatible if len(compatible) == 1 else character
    if wide.isdecimal():
        return str(unicodedata.decimal(wide))
    bare = [
        SMALL_FORMS.get(part) or _STROKES.get(part, part)
        for part in unicodedata.normalize("NFD", wide.casefold())
        if unicodedata.category(part) not in _INVISIBLE
    ]
    return unicodedata.normalize("NFC", "".join(bare))
