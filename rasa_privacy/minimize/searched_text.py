"""`SearchedText`: a text as the detectors read it, with the way back to the characters that were written.

`plain_characters` says what each character is read as; `span`, where a place of the plain text stands in the text that
was written.

What several detectors need is made once and kept: the text in small letters, where its digits stand, its long words.
"""

import re
import string
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter
from typing import AnyStr, Final, NamedTuple

from rasa_privacy.minimize.digit_zones import BY_DIGITS, LETTERS, Number, Zone, numbers_in, zones_left, zones_of
from rasa_privacy.minimize.long_words import is_parted, long_words, still_long
from rasa_privacy.minimize.once import once
from rasa_privacy.minimize.plain_characters import as_plain, left_out
from rasa_privacy.minimize.text_features import signs_of

CONTEXT_BEFORE: Final = 48  # characters before a place in which a word for it may stand
CONTEXT_AFTER: Final = 32
_COUNTED: Final = {count: f"{count} digits" for count in range(8, 16)}  # those that national numbers have
_head_of: Final = itemgetter(slice(3))  # the letters of a word by which it is looked up
# What each byte of a text is taken for where only its letters are looked at.
_LETTERS: Final = "".join(
    chr(code).lower() if chr(code) in string.ascii_letters else " " for code in range(256)
).encode()

# What is made anew where something is taken out; all else stays, since places do not move.
_ANEW: Final = ("ascii", "_letters", "long_words", "most_digits", "numbers_by_count", "features")


class Words(NamedTuple):
    """Words near a place.

    Attributes:
        together: The words in small letters, with a space before each and at the end.
        heads: The first three letters of each.
    """

    together: str
    heads: frozenset[str]


@lru_cache(maxsize=1_000)
def _in_a_row(phrase: str, *, whole: bool) -> re.Pattern[bytes]:
    """Return the pattern of a phrase of detectors in `SearchedText._letters`; to begin with a word makes it quick."""
    first, *others = phrase.split()
    following = "".join([f" +{word}" for word in others])
    return re.compile(f"{first}(?<![a-z]{first}){following}{'(?![a-z])' if whole else ''}".encode())


class SearchedText:
    """A text, and what the detectors read in its place.

    Args:
        written: The text as a person or the bot wrote it.
        regions: ISO 3166-1 codes of the countries whose numbers are written without a country code.

    Attributes:
        plain: The text as it is read.
        regions: As given.
        contexts: By what was looked for (`context.Context`), the first words of its phrases that are there.
        words_before: The words before places that were looked at, by the characters before them.
        words_after: The words after them.
        others_before: By the same, whether they say that something else follows (`context.is_other`).
    """

    def __init__(self, written: str, regions: tuple[str, ...]) -> None:
        self._written = written
        self.regions = regions
        self._is_ascii = written.isascii()
        self.plain = written if self._is_ascii else as_plain(written)
        self.contexts: dict[object, frozenset[str]] = {}
        self.words_before: dict[str, Words] = {}
        self.words_after: dict[str, Words] = {}
        self.others_before: dict[str, bool] = {}
        self._zones_with: dict[str, list[Zone]] = {}

    @once
    def lower(self) -> str:
        """The plain text in small letters, each at its place."""
        return self.plain.lower()

    @once
    def zones(self) -> list[Zone]:
        """The stretches with digits, in order."""
        return zones_of(self.plain, self.lower, self.ascii)

    @once
    def most_digits(self) -> int:
        """How many digits the stretch with the most of them has."""
        return max([zone.digits for zone in self.zones], default=0)

    @once
    def numbers(self) -> list[Number]:
        """The numbers whose digits may stand apart, in order."""
        return numbers_in(self.plain, self.zones)

    @once
    def numbers_by_count(self) -> dict[int, list[Number]]:
        """The numbers by how many digits they have."""
        counted: dict[int, list[Number]] = {}
        for number in self.numbers:
            counted.setdefault(len(number.digits), []).append(number)
        return counted

    @once
    def features(self) -> frozenset[str]:
        """What the text has that some detectors cannot do without: most texts need few of them."""
        counted = [_COUNTED[count] for count in self.numbers_by_count if count in _COUNTED]
        return self._signs.union(counted, ("long word",) if self.long_words else ())

    @once
    def _signs(self) -> frozenset[str]:
        """The features that do not become more where something is taken out."""
        return signs_of(self)

    def zones_with(self, feature: str) -> list[Zone]:
        """Return the stretches with letters by their digits that have this feature, one that is asked of each."""
        if feature not in self._zones_with:
            told = feature if feature in BY_DIGITS else LETTERS
            self._zones_with[feature] = [zone for zone in self.zones if told in zone.features]
        return self._zones_with[feature]

    @once
    def heads(self) -> frozenset[str]:
        """The first three letters of all words."""
        return frozenset(map(_head_of, self.different_words))

    def has_words(self, phrase: str) -> bool:
        """Tell whether words of Latin letters stand in a row; with a space at the end, the last of them is whole."""
        first, space, more = phrase[1:].partition(" ")
        if not space:
            return self._has_beginning(first)
        if first not in self.different_words:
            return False
        if not more:
            return True
        *others, last = more.split(" ")  # the last is empty where its word is whole
        if not self.different_words.issuperset(others) or not (last == "" or self._has_beginning(last)):
            return False
        return _in_a_row(phrase, whole=last == "").search(self._letters) is not None

    def _has_beginning(self, start: str) -> bool:
        place = bisect_left(self._sorted_words, start)
        return self._sorted_words[place : place + 1] != [] and self._sorted_words[place].startswith(start)

    @once
    def _latin_words(self) -> list[str]:
        return self._letters.decode("ascii").split()

    def word_places(self, word: str) -> Iterator[int]:
        """Yield where Latin words with one sign between them stand, with a sign before and after them."""
        for place in places(self._letters, f" {word} ".encode()):
            yield place + 1

    @once
    def _letters(self) -> bytes:
        """The small Latin letters of the text, and a blank for each other character."""
        return self.ascii.translate(_LETTERS)

    @once
    def different_words(self) -> frozenset[str]:
        """The words of Latin letters, in small ones."""
        return frozenset(self._latin_words)

    @once
    def _sorted_words(self) -> list[str]:
        return sorted(self.different_words)

    @once
    def ascii(self) -> bytes:
        """The plain text with a question mark for each character of another script."""
        return self.plain.encode("ascii", "replace")

    @once
    def long_words(self) -> list[tuple[int, int]]:
        """Start and end of each run without spaces that is long enough for a key or a wallet's address.

        An email address is none.
        """
        return long_words(self.plain, self.ascii)

    def without(self, spans: list[tuple[int, int]]) -> "SearchedText":
        """Return this text with the characters of these places, in order, read as `_`."""
        if not spans:
            return self
        other = SearchedText.__new__(SearchedText)
        made = other.__dict__
        made.update(self.__dict__)
        for name in _ANEW:
            made.pop(name, None)
        other.plain = plain = blanked(self.plain, spans)
        if "long_words" in self.__dict__ and not is_parted(self.plain, spans):
            other.long_words = still_long(self.long_words, plain)
        other.lower = plain.lower() if self._is_ascii else blanked(self.lower, spans)
        other._take_over(self, spans)  # noqa: SLF001 - of this very class
        return other

    def _take_over(self, text: "SearchedText", spans: list[tuple[int, int]]) -> None:
        """Take the zones and numbers of the text before these places were taken out, but for those that they touch."""
        self._zones_with = {}
        self.zones = zones = text.zones.copy()
        self.numbers = numbers = text.numbers.copy()
        for start, end in reversed(spans):
            first, last = bisect_left(zones, (start,)), bisect_left(zones, (end,))
            if first and zones[first - 1].end > start:
                first -= 1
            if first >= last:
                continue
            begin, stop = zones[first].start, zones[last - 1].end
            least, most = bisect_left(numbers, (begin,)), bisect_left(numbers, (stop,))
            # Where all of them is taken out, nothing is left to look for.
            left = [] if start <= begin and stop <= end else zones_left(self.plain, zones[first:last])
            zones[first:last] = left
            if least < most:
                numbers[least:most] = numbers_in(self.plain, left) if left else []
        if numbers == text.numbers:
            self.numbers_by_count = text.numbers_by_count

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a place of the plain text stands in the text that was written."""
        if len(self.plain) == len(self._written):
            return start, end
        return start + bisect_right(self._gaps, start), end + bisect_right(self._gaps, end)

    def as_written(self, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return where these places of the plain text stand in the text that was written."""
        if len(self.plain) == len(self._written):
            return spans
        return [self.span(start, end) for start, end in spans]

    def place(self, index: int) -> int:
        """Return where a place of the text that was written is read."""
        return index - bisect_left(self._left_out, index)

    @once
    def _left_out(self) -> list[int]:
        """The places in the written text of the characters that the plain one does not have."""
        if len(self.plain) == len(self._written):
            return []
        return sorted([place for sign in left_out(self._written) for place in places(self._written, sign)])

    @once
    def _gaps(self) -> list[int]:
        """The places in the plain text before which each of those stood."""
        return [place - count for count, place in enumerate(self._left_out)]


def places(text: AnyStr, part: AnyStr, start: int = 0) -> Iterator[int]:
    """Yield where a part of a text is, from a place on: one search for a few words each is quicker than one for all."""
    place = text.find(part, start)
    while place >= 0:
        yield place
        place = text.find(part, place + 1)


def blanked(plain: str, spans: list[tuple[int, int]]) -> str:
    """Return a text with the characters of these places, in order, read as `_`."""
    parts: list[str] = []
    done = 0
    for start, end in spans:
        parts += [plain[done:start], "_" * (end - max(start, done))]
        done = max(done, end)
    return "".join([*parts, plain[done:]])
