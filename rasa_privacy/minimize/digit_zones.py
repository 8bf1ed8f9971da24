"""Where the digits of a text stand: `Zone`, a stretch with digits close together, and `Number`, digits of one number.

Most detectors look for digits, and most of a text has none. So its zones are found once, each with what the kinds that
have letters beside their digits cannot do without (`Zone.features`), and a detector reads those that can be its own.
"""

import re
import string
from collections.abc import Iterable
from typing import Final, NamedTuple

_DIGITS: Final = re.compile("[0-9]+")
_ZONE: Final = re.compile("[0-9]+([^0-9]{1,8}[0-9]+)*")  # with a group where it has more than digits
FEWEST: Final = 8  # digits of the shortest number that is looked up by how many it has
_NUMBER: Final = re.compile(f"[0-9](?:[ ./-]{{0,2}}[0-9]){{{FEWEST - 1},}}")
# A small letter belongs to digits beside it, alone behind them ("54 362 315 k"), or as a country's code ("de 89 3704").
_LETTERED: Final = re.compile(
    "[A-Z]|[a-z][.-]?[0-9]|[0-9][.-]?[a-z]|[0-9][ ./-]{1,2}[a-z](?![a-z])|(?<![a-z])[a-z]{2} {1,2}[0-9]{2} "
)
_NEAR: Final = 6  # characters around digits in which capitals may belong to them
_SHAPE: Final = bytes(ord("0") if chr(code) in string.digits else ord(" ") for code in range(256))
_LEAD: Final = 3  # characters before the digits of the features below
_AFTER: Final = 10  # and after them

LETTERS: Final = "letters by digits"
#: What all numbers with letters of a kind have in common, wherever in them it stands, and the fewest digits beside it.
BY_DIGITS: Final = {
    "capital after a digit": (2, re.compile("[0-9][ -]?[A-Z]")),
    "one letter after a digit": (4, re.compile("[0-9][ ./-]{0,2}[A-Za-z](?![A-Za-z0-9_])")),
    "number after a state": (5, re.compile("[A-Z],? [0-9]{5}")),
    "birthday before letters": (7, re.compile("[0-9]{6} ?[A-Za-z9]{2} ?[0-9] ?[A-Za-z]{2}")),
}
_SEARCHES: Final = tuple((fewest, pattern.search, name) for name, (fewest, pattern) in BY_DIGITS.items())
_NONE: Final = frozenset[str]()


class Zone(NamedTuple):
    """A stretch of the text with digits close together.

    Attributes:
        start: Place of its first digit.
        end: Place after its last digit.
        digits: How many digits it has.
        features: `LETTERS` where letters may belong to the digits, and then those of `BY_DIGITS` that it has.
    """

    start: int
    end: int
    digits: int
    features: frozenset[str]


class Number(NamedTuple):
    """Eight digits or more, with at most two signs or blanks between any two of them.

    Attributes:
        start: Place of its first digit.
        end: Place after its last digit.
        digits: The digits alone.
    """

    start: int
    end: int
    digits: str


def zones_of(plain: str, lower: str, written: bytes) -> list[Zone]:
    """Return the zones of a text, in order.

    Args:
        plain: The text.
        lower: The same in small letters.
        written: The same, with one byte for each character.
    """
    shape = written.translate(_SHAPE)  # looking for one sign is quicker than for one of ten
    zones: list[Zone] = []
    find, match, end = shape.find, _ZONE.match, 0
    while (start := find(b"0", end)) >= 0 and (found := match(plain, start)):
        end = found.end()
        digits = end - start if found[1] is None else shape.count(b"0", start, end)
        zones.append(Zone(start, end, digits, _features(plain, lower, start, end, digits)))
    return zones


def zones_between(plain: str, lower: str, begin: int, stop: int) -> list[Zone]:
    """Return the zones of a part of a text, in order."""
    zones = []
    for found in _ZONE.finditer(plain, begin, stop):
        start, end = found.span()
        digits = end - start if found[1] is None else len("".join(_DIGITS.findall(found[0])))
        zones.append(Zone(start, end, digits, _features(plain, lower, start, end, digits)))
    return zones


def _features(plain: str, lower: str, start: int, end: int, digits: int) -> frozenset[str]:
    """Return the features: those by letters where capitals stand near the digits, or any letter right beside one."""
    near, far = start - _NEAR if start > _NEAR else 0, end + _NEAR
    if _LETTERED.search(plain, near, far) is None and (plain.isascii() or plain[near:far] == lower[near:far]):
        return _NONE
    first, last = start - _LEAD if start > _LEAD else 0, end + _AFTER  # with up to three signs before the digits
    return frozenset(
        [
            LETTERS,
            *[
                name
                for fewest, search, name in _SEARCHES
                if digits >= fewest and search(plain, first, last) is not None
            ],
        ]
    )


def _digits(number: str) -> str:
    """Return the digits of a number; to take one sign out after the other is quicker than to look for digits."""
    return number.replace(" ", "").replace("-", "").replace(".", "").replace("/", "")


def numbers_in(plain: str, zones: Iterable[Zone]) -> list[Number]:
    """Return the numbers of these zones whose digits may stand apart, in order."""
    return [
        Number(found.start(), found.end(), found[0] if found[0].isdigit() else _digits(found[0]))
        for zone in zones
        if zone.digits >= FEWEST
        for found in _NUMBER.finditer(plain, zone.start, zone.end)
    ]
