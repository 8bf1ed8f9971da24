"""`KnownValues`: what a person is known to have said, ready to be found again in texts.

That takes as long as there are values, so a turn does it once for all of its texts. What is ready ends with the turn:
no cache keeps what people said.
"""

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from rasa_privacy.minimize.folded_words import folded_words
from rasa_privacy.minimize.once import once

_MIN_LETTERS: Final = 3  # of a word that is replaced by itself
_MIN_DIGITS: Final = 5  # of a value whose digits may be written in groups
_MAX_NAME_WORDS: Final = 8  # of a name or a postal address; a value of more words is a sentence
_MAX_TURNED_WORDS: Final = 4  # of a value whose words are found in any order
_MAX_RUN: Final = 200  # characters of a value that are looked for at once

# How letters are written where a keyboard has none: "Mueller".
_SPELT_OUT: Final = str.maketrans({"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00f8": "oe", "\u00e5": "aa"})


@dataclass(frozen=True, slots=True)
class Folded:
    """Values as they are compared, each with its item.

    Attributes:
        words: Single words.
        runs: Values that may stand over several words, written together.
        turned: The same with their words in any order.
        starts: The first two characters of each run.
        longest: Characters of the longest run.
    """

    words: Mapping[str, str]
    runs: Mapping[str, str]
    turned: Mapping[str, str]
    starts: frozenset[str]
    longest: int


class KnownValues(Mapping[str, Collection[str]]):
    """Values by item, which are made ready when the first text is looked through.

    Args:
        values: Values by item; not to be changed any more.
    """

    def __init__(self, values: Mapping[str, Collection[str]]) -> None:
        self._values = values

    def __getitem__(self, item: str) -> Collection[str]:
        return self._values[item]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"KnownValues({', '.join(self._values)})"

    @once
    def folded(self) -> Folded:
        """The values as they are compared."""
        return _folded(self._values)

    def joined(self, more: Mapping[str, Collection[str]]) -> "KnownValues":
        """Return these and more values, which are these where no other is among them."""
        if not any(set(values).difference(self.get(item, ())) for item, values in more.items()):
            return self
        both = {item: {*self.get(item, ()), *more.get(item, ())} for item in (*self, *more)}
        return KnownValues(both)


def ready(values: Mapping[str, Collection[str]]) -> KnownValues:
    """Return values as they are, or what makes them ready."""
    return values if isinstance(values, KnownValues) else KnownValues(values)


def spellings(values: Collection[str]) -> set[str]:
    """Return values, and how those with umlauts are written without."""
    small = [unicodedata.normalize("NFC", value).lower() for value in values if not value.isascii()]
    return {*values, *(value.translate(_SPELT_OUT) for value in small)}


def _folded(known: Mapping[str, Collection[str]]) -> Folded:
    words: dict[str, str] = {}
    alone: dict[str, str] = {}
    runs: dict[str, str] = {}
    turned: dict[str, str] = {}
    for item in sorted(known):
        for value in sorted(spellings(known[item])):
            parts = folded_words(value)
            together = "".join(parts)
            if len(parts) == 1:
                words[together] = item
            if len(parts) > 1 or sum(map(str.isdigit, together)) >= _MIN_DIGITS:
                runs.update(dict.fromkeys(_pieces(parts), item))
            if 1 < len(parts) <= _MAX_TURNED_WORDS:
                turned.update(dict.fromkeys(map("".join, permutations(parts)), item))
            if "@" not in value:
                alone.update(dict.fromkeys(_name_words(parts), item))
    every = {**turned, **runs}
    starts, longest = frozenset(run[:2] for run in every), max(map(len, every), default=0)
    return Folded({**alone, **words}, runs, turned, starts, longest)


def _pieces(parts: Sequence[str]) -> Iterator[str]:
    """Yield a value's words written together, a long value in pieces, so that looking for it stays quick."""
    piece = ""
    for part in parts:
        if piece and len(piece) + len(part) > _MAX_RUN:
            yield piece
            piece = ""
        piece += part
    yield piece


def _name_words(parts: Sequence[str]) -> Iterator[str]:
    """Yield the words of a name or address that point at the person by themselves; a sentence has none."""
    for part in parts if 1 < len(parts) <= _MAX_NAME_WORDS else ():
        if sum(map(str.isalpha, part)) >= _MIN_LETTERS:
            yield part
