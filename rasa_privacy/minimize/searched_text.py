"""`SearchedText`: a text as the detectors read it, with the way back to the characters that were written.

Rules:

1. Digits of every script, wide letters and accented Latin letters are read as plain ASCII; every kind of blank is a
   space and every kind of dash a hyphen (Unicode TR 15, NFKC, taken for each character by itself).
2. Signs that show nothing (zero-width characters, combining accents, soft hyphens, variation selectors) are left out.
3. `span` says where a place of the plain text stands in the text that was written.

What several detectors need is made once and kept: the text in small letters, where its digits stand, its long words.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, TypeVar

_MAX_TABLE: Final = 20_000  # characters that are remembered; nobody can fill the memory with all of Unicode
_NOTHING: Final = frozenset("\u115f\u1160\u3164\u2800\uffa0")  # letters and signs that are drawn as nothing
_DASHES: Final = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u30fc")
_ACCENTS: Final = range(0x300, 0x370)
_LATIN: Final = range(0xC0, 0x250)
_SMALL_LATIN: Final = range(0x1E00, 0x1F00)
CONTEXT_BEFORE: Final = 48  # characters before a place in which a word for it may stand
CONTEXT_AFTER: Final = 32
_DIGITS: Final = re.compile("[0-9]+")
_ZONE: Final = re.compile("[0-9]+(?:[^0-9]{1,8}[0-9]+)*")
_NUMBER: Final = re.compile("[0-9](?:[ ./-]{0,2}[0-9])*")
_LETTERED: Final = re.compile("[A-Z]|[a-z][.-]?[0-9]|[0-9][.-]?[a-z]")
_NEAR: Final = 6  # characters around digits in which capitals may belong to them
_FEWEST: Final = 8  # digits of the shortest number that is looked up by how many it has
_COUNTED: Final = {count: f"{count} digits" for count in range(8, 16)}  # those that national numbers have
_MAC_SIGNS: Final = 5  # between the pairs of a MAC address
#: One of these is in every word for a password or a PIN.
SECRET_HINTS: Final = ("pass", "kennwort", "contrasena", "clave", "senha", "wachtwoord", "pwd", "parola", "pin")
_SECRET_HEADS: Final = frozenset({"pas", "ken", "mot", "con", "cla", "sen", "wac", "pwd", "par", "pin"})
_LONG_WORD: Final = 16  # characters of the shortest key that is searched as a word
_HEADS: Final = re.compile("([a-z]{1,3})[a-z]*")
# What all letters and digits of a kind have in common, wherever in them it stands.
_CAPITAL_AFTER: Final = re.compile("[0-9][ -]?[A-Z]")
_STATE: Final = re.compile("[A-Z],? [0-9]{5}")
_LONE_LETTER: Final = re.compile("[0-9][ ./-]{0,2}[A-Za-z](?![A-Za-z0-9_])")
_BIRTHDAY: Final = re.compile("[0-9]{6} ?[A-Za-z9]{2} ?[0-9] ?[A-Za-z]{2}")
_BY_DIGITS: Final = (
    ("capital after a digit", _CAPITAL_AFTER),
    ("number after a state", _STATE),
    ("one letter after a digit", _LONE_LETTER),
    ("birthday before letters", _BIRTHDAY),
)
_LEAD: Final = 3  # characters before the digits of these
_AFTER: Final = 10  # and after them

T = TypeVar("T")


class _once(Generic[T]):  # noqa: N801 - used as `cached_property`, of which Python 3.10's takes a lock each time
    """What is made when it is first asked for, and then kept."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__

    def __get__(self, text: Any, _: object = None) -> T:
        made = text.__dict__[self._name] = self._make(text)
        return made


class Zone(NamedTuple):
    """A stretch of the text with digits close together.

    Attributes:
        start: Place of its first digit.
        end: Place after its last digit.
        digits: How many digits it has.
        letters: Whether letters may belong to the digits.
    """

    start: int
    end: int
    digits: int
    letters: bool


class Number(NamedTuple):
    """Digits with at most two signs or blanks between any two of them.

    Attributes:
        start: Place of its first digit.
        end: Place after its last digit.
        digits: The digits alone.
    """

    start: int
    end: int
    digits: str


class _Table(dict[int, str]):
    """What each character is read as; filled when a character is first met."""

    def __missing__(self, code: int) -> str:
        read = _read(chr(code))
        if len(self) < _MAX_TABLE:
            self[code] = read
        return read


def _read(character: str) -> str:  # noqa: PLR0911 - one line for each kind of character
    """Return the one character that this one is read as, or nothing."""
    code, category = ord(character), unicodedata.category(character)
    if category == "Cf" or character in _NOTHING or code in _ACCENTS or 0xFE00 <= code <= 0xFE0F:  # noqa: PLR2004
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character in _DASHES or category == "Pd":
        return "-"
    if category == "Zs":
        return " "
    compatible = unicodedata.normalize("NFKC", character)
    numbers = [part for part in compatible if part.isdecimal()]
    if len(compatible) > 1:  # a digit with its full stop or in brackets; all else stays, so that places stay
        return numbers[0] if len(numbers) == 1 and len(compatible) <= 3 else character  # noqa: PLR2004
    if ord(compatible) in _LATIN or ord(compatible) in _SMALL_LATIN:
        return unicodedata.normalize("NFD", compatible)[0]
    return str(unicodedata.decimal(compatible)) if numbers else compatible


_TABLE: Final = _Table()


class SearchedText:
    """A text, and what the detectors read in its place.

    Args:
        written: The text as a person or the bot wrote it.
        regions: ISO 3166-1 codes of the countries whose numbers are written without a country code.

    Attributes:
        plain: The text as it is read.
        regions: As given.
    """

    def __init__(self, written: str, regions: tuple[str, ...]) -> None:
        self._written = written
        self.regions = regions
        self._is_ascii = written.isascii()
        self.plain = written if self._is_ascii else written.translate(_TABLE)

    @_once
    def lower(self) -> str:
        """The plain text in small letters, each at its place."""
        return self.plain.lower()

    @_once
    def zones(self) -> list[Zone]:
        """The stretches with digits, in order."""
        return self._zones_in(0, len(self.plain))

    @_once
    def most_digits(self) -> int:
        """How many digits the stretch with the most of them has."""
        return max([zone.digits for zone in self.zones], default=0)

    def _zones_in(self, begin: int, stop: int) -> list[Zone]:
        zones: list[Zone] = []
        for found in _ZONE.finditer(self.plain, begin, stop):
            start, end = found.span()
            written = found[0]
            digits = end - start if written.isdecimal() else len("".join(_DIGITS.findall(written)))
            zones.append(Zone(start, end, digits, self._has_letters(start, end)))
        return zones

    def _has_letters(self, start: int, end: int) -> bool:
        """Tell whether letters may belong to these digits: capitals near them, or any letter right beside one."""
        near = max(0, start - _NEAR)
        return _LETTERED.search(self.plain, near, end + _NEAR) is not None or (
            not self._is_ascii and self.has_capitals(near, end + _NEAR)
        )

    @_once
    def numbers(self) -> list[Number]:
        """The numbers whose digits may stand apart, in order."""
        return [
            Number(*found.span(), "".join(_DIGITS.findall(found[0])))
            for zone in self.zones
            if zone.digits >= _FEWEST
            for found in _NUMBER.finditer(self.plain, zone.start, zone.end)
        ]

    @_once
    def features(self) -> frozenset[str]:
        """What the text has that some detectors cannot do without: most texts need few of them."""
        return self._signs.union([_COUNTED.get(len(number.digits), "") for number in self.numbers])

    @_once
    def _signs(self) -> frozenset[str]:
        """The features that do not become more where something is taken out."""
        plain, lower = self.plain, self.lower
        has = self._signs_by_digits()
        if "://" in plain:
            has.add("link")
        if self.long_words:
            has.add("long word")
        if not self._is_ascii and ("\u00b0" in plain or "\u00ba" in plain):
            has.add("degrees")
        colons = plain.count(":")
        if colons > 1:  # of the shortest IPv6 address
            has.add("parted by signs")
        if colons >= _MAC_SIGNS or plain.count("-") >= _MAC_SIGNS or "mac" in lower:
            has.add("pairs")
        if not _SECRET_HEADS.isdisjoint(self.heads) and any(hint in lower for hint in SECRET_HINTS):
            has.add("word for a secret")
        return frozenset(has)

    def _signs_by_digits(self) -> set[str]:
        plain = self.plain
        dots = plain.count(".")
        has = set()
        for zone in self.zones:
            if zone.letters:
                has.add("letters by digits")
            if dots > 1 and (inner := plain.count(".", zone.start, zone.end)) > 1:
                has.add("degrees")
                if inner > 2:  # noqa: PLR2004 - of an IPv4 address
                    has.add("parted by signs")
        if "letters by digits" in has:
            if "2a" in self.lower or "2b" in self.lower:
                has.add("Corsican")
            has.update(feature for feature, pattern in _BY_DIGITS if self._is_by(pattern))
        return has

    def _is_by(self, pattern: re.Pattern[str]) -> bool:
        """Tell whether this is where letters are by digits; it begins with a digit or up to three signs before one."""
        return any(
            pattern.search(self.plain, max(0, zone.start - _LEAD), zone.end + _AFTER)
            for zone in self.zones
            if zone.letters
        )

    @_once
    def heads(self) -> frozenset[str]:
        """The first three letters of all words."""
        return frozenset(_HEADS.findall(self.lower))

    def has_near(self, heads: frozenset[str], start: int, end: int) -> bool:
        """Tell whether one of these stands around a place, as far as a context is looked for."""
        lower, first, last = self.lower, max(0, start - CONTEXT_BEFORE), end + CONTEXT_AFTER
        return any(lower.find(head, first, last) >= 0 for head in heads)

    def has_capitals(self, start: int, end: int) -> bool:
        """Tell whether a stretch has capital letters."""
        return self.plain[start:end] != self.lower[start:end]

    @_once
    def long_words(self) -> list[tuple[int, int]]:
        """Start and end of each run without spaces that is long enough for a key or a wallet's address."""
        found: list[tuple[int, int]] = []
        done = 0
        for word in [word for word in self.plain.split() if len(word) >= _LONG_WORD]:
            start = self.plain.find(word, done)
            done = start + len(word)
            found.append((start, done))
        return found

    def without(self, spans: list[tuple[int, int]]) -> "SearchedText":
        """Return this text with the characters of these places, in order, read as `_`."""
        if not spans:
            return self
        other = SearchedText.__new__(SearchedText)
        # What has only become less is kept: whoever looks at it looks at the text as well.
        kept = ("_written", "regions", "heads", "_signs", "_origin", "_is_ascii")
        other.__dict__.update({name: self.__dict__[name] for name in kept if name in self.__dict__})
        other.plain = blanked(self.plain, spans)
        if "zones" in self.__dict__:
            other.zones = other._zones_left(self.zones, spans)  # noqa: SLF001 - of this very class
        return other

    def _zones_left(self, zones: list[Zone], spans: list[tuple[int, int]]) -> list[Zone]:
        """Return the zones that are left of those of the text before these places were taken out."""
        left: list[Zone] = []
        place = 0
        for zone in zones:
            while place < len(spans) and spans[place][1] <= zone.start:
                place += 1
            if place < len(spans) and spans[place][0] < zone.end:
                left += self._zones_in(zone.start, zone.end)
            else:
                left.append(zone)
        return left

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a place of the plain text stands in the text that was written."""
        if len(self.plain) == len(self._written):
            return start, end
        return self._origin[start], self._origin[end]

    def place(self, index: int) -> int:
        """Return where a place of the text that was written is read."""
        return index if len(self.plain) == len(self._written) else bisect_left(self._origin, index)

    @_once
    def _origin(self) -> list[int]:
        """The place in the written text of each character of the plain one, and of its end."""
        kept = [index for index, character in enumerate(self._written) if _TABLE[ord(character)]]
        return [*kept, len(self._written)]


def blanked(plain: str, spans: list[tuple[int, int]]) -> str:
    """Return a text with the characters of these places, in order, read as `_`."""
    parts: list[str] = []
    done = 0
    for start, end in spans:
        parts += [plain[done:start], "_" * (end - max(start, done))]
        done = max(done, end)
    return "".join([*parts, plain[done:]])
