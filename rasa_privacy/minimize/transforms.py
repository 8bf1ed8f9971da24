"""`keep_part`: how much of one value may be kept, by the `keep` of its item in privacy.yml.

- `full`: the value.
- `masked`: its first characters and stars. At most a quarter of the value and never more than two characters are
  shown, and nothing of a value of fewer than five. The stars tell three lengths apart, not the length itself.
- `year`: the year of a date, or None. A two-digit year is none: which century it means would be a guess.
- `first: n`: its first n characters.
- `none`: None.

Each is idempotent, since a value passes several doors and is cut at each. Lists and dicts are cut inside; the keys of
a dict are field names and stay. What is neither text, number, list nor dict is kept under `full` only.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Final

from rasa_privacy.policy.model import First, KeepWord

_STAR: Final = "*"
_SHORTEST_SHOWN: Final = 5  # characters; of fewer than this nothing is shown
_TWO_SHOWN: Final = 8  # characters; the shortest value of which two are a quarter

_YEARS: Final = range(1800, 2100)
_YEAR: Final = re.compile(r"(?<![0-9])(?:1[89]|20)[0-9]{2}(?![0-9])")
_TIME: Final = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")
_ISO_MOMENT: Final = re.compile(r"((?:1[89]|20)[0-9]{2})-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")  # ISO 8601
_YEAR_FIRST: Final = re.compile(r"((?:1[89]|20)[0-9]{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_YEAR_LAST: Final = re.compile(r"[0-3][0-9][0-3][0-9]((?:1[89]|20)[0-9]{2})")
_DATE_DIGITS: Final = 8  # two for the day, two for the month, four for the year; more is no date but another number
_MAX_DATE_CHARACTERS: Final = 1_000
_MAX_DEPTH: Final = 20  # lists in lists; deeper is kept under `full` only


def keep_part(value: object, keep: KeepWord | First) -> object:
    """Return the part of a value that may be kept; None where nothing may.

    Args:
        value: A slot's or an entity's value, as JSON has it.
        keep: The item's `keep`.
    """
    if keep == "full":
        return value
    if isinstance(keep, First):
        length = keep.first
        return _cut(value, lambda text: text.strip()[:length].rstrip(), 0)
    if keep == "masked":
        return _cut(value, _masked, 0)
    if keep == "year":
        return _cut(value, _year, 0)
    return None


def _cut(value: object, cut_text: Callable[[str], object], depth: int) -> object:
    if depth > _MAX_DEPTH or value is None or isinstance(value, bool):
        return None
    if isinstance(value, list | tuple):
        return [_cut(part, cut_text, depth + 1) for part in value]
    if isinstance(value, dict):
        return {name: _cut(part, cut_text, depth + 1) for name, part in value.items()}
    if isinstance(value, int | float):
        return _cut_number(value, cut_text)
    if isinstance(value, date):  # a datetime is one
        return cut_text(value.isoformat())
    return cut_text(value) if isinstance(value, str) else None


def _cut_number(value: float, cut_text: Callable[[str], object]) -> object:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if cut_text is _year:
        return value if isinstance(value, int) and value in _YEARS else None
    try:
        return cut_text(str(value))
    except ValueError:  # Python refuses to write integers of more than 4,300 digits
        return None


def _masked(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    if len(text) < _SHORTEST_SHOWN:
        return _STAR * (_SHORTEST_SHOWN - 1)
    if len(text) < _TWO_SHOWN:
        return text[0] + _STAR * (_SHORTEST_SHOWN - 1)
    return text[:2] + _STAR * (_TWO_SHOWN - 2)


def _year(text: str) -> str | None:
    if len(text) > _MAX_DATE_CHARACTERS:
        return None
    text = "".join(_ascii_digit(character) for character in text.strip())
    match = _ISO_MOMENT.match(text) or _YEAR_FIRST.fullmatch(text) or _YEAR_LAST.fullmatch(text)
    if match is not None:
        return match[1]
    text = _TIME.sub(" ", text)
    if sum(character.isdigit() for character in text) > _DATE_DIGITS:
        return None
    years = set(_YEAR.findall(text))
    return years.pop() if len(years) == 1 else None


def _ascii_digit(character: str) -> str:
    """Arabic, Devanagari and full-width digits are written as 0 to 9."""
    number = unicodedata.decimal(character, None)
    return character if number is None else str(number)
