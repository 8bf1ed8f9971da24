"""Where the digits of a text stand: `Zone`, a stretch with digits close together, and `Number`, digits of one number.

Most detectors look for digits, and most of a text has none. So its zones are found once, each with what the kinds that
have letters beside their digits cannot do without (`Zone.features`), and a detector reads those that can be its own.
"""

import re
import string
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final, NamedTuple

_BETWEEN: Final = 8  # characters without a digit, at most, between two digits of a zone
_END: Final = (_BETWEEN + 1) * b" "
FEWEST: Final = 8  # digits of the shortest number that is looked up by how many it has
# Dashes with blanks around them part the groups of a number where they part all of them; else they mean "to".
_RUN: Final = re.compile("[0-9]+(?:(?: - [0-9]+){2,}(?!(?: ?[ ./-])?[0-9])|(?:[ ./-]{1,2}[0-9]+)*)")
# A small letter belongs to digits beside it, alone behind them ("54 362 315 k"), or as a country's code ("de 89 37").
# Searches begin with letters, of which there are fewer, and look back at digits; in a short number with digits.
_LETTERED: Final = re.compile(
    "[a-z](?:[.-]?[0-9]|(?<=[0-9].)|(?<=[0-9][.-].)|(?<=[0-9][ /].)(?![a-z])|(?<=[0-9][ ./-]{2}.)(?![a-z])"
    "|(?<![a-z].)(?:[a-z] {1,2}[0-9]{2} | [a-z] [0-9] [0-9] ))"
)
_SHORT_LETTERED: Final = re.compile(
    "[0-9](?:[.-]?[a-z]|(?<=[a-z].)|(?<=[a-z][.-].)|[ /][a-z](?![a-z])|[ ./-]{2}[a-z](?![a-z])"
    "|[0-9] (?:(?<=(?<![a-z])[a-z]{2} .. )|(?<=(?<![a-z])[a-z]{2}  .. ))|(?<=(?<![a-z])[a-z] [a-z] .) [0-9] )"
)
_SHORT: Final = 4  # digits
_NEAR: Final = 6  # characters around digits in which capitals may belong to them
_SHAPE: Final = bytes(ord("0") if chr(code) in string.digits else ord(" ") for code in range(256))
_LEAD: Final = 3  # characters before the digits of the features below
_AFTER: Final = 10  # and after them

# What stands up to the last two letters of a licence of the United Kingdom: a look back has one length each.
_BIRTHDAY: Final = "|".join(
    f"(?<=[0-9]{{6}}{first}[A-Za-z9]{{2}}{second}[0-9]{third}..)"
    for first, second, third in product(("", " "), repeat=3)
)

_OMOCODE: Final = "[0-9LMNP-Vlmnp-v]"  # a digit of an Italian number, or a letter for one

LETTERS: Final = "letters by digits"
#: What all numbers with letters of a kind have in common, wherever in them it stands, and the fewest digits beside it.
BY_DIGITS: Final = {
    "capital after a digit": (2, re.compile("[A-Z](?:(?<=[0-9].)|(?<=[0-9][ -].))")),
    "one letter after a digit": (
        4,
        re.compile("[A-Za-z](?![A-Za-z0-9_])(?:(?<=[0-9].)|(?<=[0-9][ ./-].)|(?<=[0-9][ ./-]{2}.)|(?<=[0-9] - .))"),
    ),
    "number after a state": (5, re.compile("[A-Z],? [0-9]{5}")),
    # An Italian number ends with three digits, or letters for them, and a letter.
    "letter after three": (
        3,
        re.compile(
            f"[A-Za-z](?![A-Za-z0-9_])(?:(?<={_OMOCODE}{{3}}.)|(?<={_OMOCODE}{{3}}[ .-].)|(?<={_OMOCODE}{{3}} - .)"
            f"|(?<=(?:{_OMOCODE}[ .-]){{3}}.))"
        ),
    ),
    "birthday before letters": (7, re.compile(f"[A-Za-z](?:(?<=[0-9].)|(?<=[0-9] .))[A-Za-z](?:{_BIRTHDAY})")),
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
    return [Zone(*place, _features(plain, lower, *place)) for place in _stretches(written, 0)]


def zones_left(plain: str, zones: Sequence[Zone]) -> list[Zone]:
    """Return the zones that are left where something was taken out of some in a row, with all their features."""
    begin, stop = zones[0].start, zones[-1].end
    features = zones[0].features if len(zones) == 1 else _NONE.union(*[zone.features for zone in zones])
    return [Zone(*place, features) for place in _stretches(plain[begin:stop].encode("ascii", "replace"), begin)]


def _stretches(written: bytes, begin: int) -> list[tuple[int, int, int]]:
    """Return start, end and how many digits of each zone in what is written from a place on."""
    shape = written.translate(_SHAPE)  # looking for one sign, or for so many blanks, is quicker than for one of ten
    found: list[tuple[int, int, int]] = []
    first = shape.find(b"0")
    while first >= 0:
        last = shape.find(_END, first)
        if last < 0:
            last = shape.rfind(b"0") + 1
        found.append((begin + first, begin + last, shape.count(b"0", first, last)))
        first = shape.find(b"0", last)
    return found


def _features(plain: str, lower: str, start: int, end: int, digits: int) -> frozenset[str]:
    """Return the features: those by letters where capitals are near the digits, or any letter right beside one."""
    near, far = start - _NEAR if start > _NEAR else 0, end + _NEAR
    lettered = _SHORT_LETTERED if digits <= _SHORT else _LETTERED
    if plain[near:far] == lower[near:far] and lettered.search(plain, near, far) is None:
        return _NONE
    first, last = start - _LEAD if start > _LEAD else 0, end + _AFTER  # with up to three signs before the digits
    has = [LETTERS]
    for fewest, search, name in _SEARCHES:
        if digits >= fewest and search(plain, first, last) is not None:
            has.append(name)
    return frozenset(has)


def _digits(number: str) -> str:
    """Return the digits of a number; to take one sign out after the other is quicker than to look for digits."""
    return number.replace(" ", "").replace("-", "").replace(".", "").replace("/", "")


def numbers_in(plain: str, zones: Iterable[Zone]) -> list[Number]:
    """Return the numbers of these zones whose digits may stand apart, in order."""
    numbers: list[Number] = []
    for zone in zones:
        if zone.digits >= FEWEST:
            for found in _RUN.finditer(plain, zone.start, zone.end):
                start, end = found.span()
                if end - start >= FEWEST:
                    written = found[0]
                    digits = written if written.isdigit() else _digits(written)
                    if len(digits) >= FEWEST:
                        numbers.append(Number(start, end, digits))
    return numbers
