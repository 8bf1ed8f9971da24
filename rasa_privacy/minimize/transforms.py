"""`keep_part`: how much of one value may be kept, by the `keep` of its item in privacy.yml.

- `full`: the value.
- `masked`: its first characters and stars. At most a quarter of the value and never more than two characters are
  shown, and nothing of a value of fewer than five. The stars tell three lengths apart, not the length itself.
- `year`: the year of a date, or None. A two-digit year is none: which century it means would be a guess. `decade`: ten
  years. `age_band`: ten years of age.
- `postcode_area`, `email_domain`, `city`, `country`: what their names say (`generalising`), or None.
- `pseudonym`: the same word for the same value, in this bot alone; without its key it tells nothing.
- `yes_no`: whether there is a value, or whether it is a yes.
- `first: n`, `last: n`: its first or last n characters.
- `none`: None.

Each is idempotent, since a value passes several doors and is cut at each. Lists and dicts are cut inside; of a dict
what stands under a field's name stays, and a key that is no such name is a value itself and goes with its part. What is
neither text, number, list nor dict is kept under `full` only.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, Protocol

from rasa_privacy.minimize import generalising
from rasa_privacy.minimize.event_fields import NAME
from rasa_privacy.policy.item_model import Ends, KeepWord

_PSEUDONYM: Final = re.compile(r"p-[a-z2-7]{26}")
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
_NUMBER_DIGITS: Final = 5  # of what is no field's name but somebody's number
_MAX_DEPTH: Final = 20  # lists in lists; deeper is kept under `full` only


class Pseudonyms(Protocol):
    """Gives the same word for the same value, by a key."""

    def __call__(self, value: str, /) -> str:
        """Return `p-` and 26 characters of base 32."""


@dataclass(frozen=True, slots=True)
class Aids:
    """What some of the forms need beside the value.

    Attributes:
        today: The day for which an age counts; without it a date of birth gives no age.
        pseudonym: Gives pseudonyms; without it none is kept.
    """

    today: date | None = None
    pseudonym: Pseudonyms | None = None


def keep_part(value: object, keep: KeepWord | Ends, aids: Aids = Aids()) -> object:
    """Return the part of a value that may be kept; None where nothing may.

    Args:
        value: A slot's or an entity's value, as JSON has it.
        keep: The item's `keep`.
        aids: The day and the key, for those that need them.
    """
    if keep == "full":
        return value
    if keep == "yes_no":
        return None if value is None else generalising.yes_no(value)
    if keep in _PLACES and isinstance(value, Mapping):
        return _PLACES[keep](value)
    cut_text = _cutter(keep, aids)
    return None if cut_text is None else _cut(value, cut_text, 0)


def _cutter(keep: KeepWord | Ends, aids: Aids) -> Callable[[str], object] | None:
    if isinstance(keep, Ends):
        return partial(_ends, keep)
    if keep == "age_band":
        return partial(generalising.age_band, today=aids.today)
    if keep == "pseudonym":
        return partial(_pseudonym, aids.pseudonym)
    return _CUTTERS.get(keep)


def _ends(keep: Ends, text: str) -> str:
    text = text.strip()
    return text[: keep.first].rstrip() if keep.first is not None else text[-(keep.last or 1) :].lstrip()


def _pseudonym(give: Pseudonyms | None, text: str) -> str | None:
    text = text.strip()
    if _PSEUDONYM.fullmatch(text):
        return text
    return give(unicodedata.normalize("NFKC", text).casefold()) if give is not None and text else None


def _cut(value: object, cut_text: Callable[[str], object], depth: int) -> object:
    if depth > _MAX_DEPTH or value is None or isinstance(value, bool):
        return None
    if isinstance(value, list | tuple):
        return [_cut(part, cut_text, depth + 1) for part in value]
    if isinstance(value, dict):
        return {name: _cut(part, cut_text, depth + 1) for name, part in value.items() if _is_field(name)}
    if isinstance(value, int | float):
        return _cut_number(value, cut_text)
    if isinstance(value, date):  # a datetime is one
        return cut_text(value.isoformat())
    return cut_text(value) if isinstance(value, str) else None


def _is_field(name: object) -> bool:
    """Tell whether a key is the name of a field, and not an address or a number of somebody."""
    written = str(name)
    return NAME.fullmatch(written) is not None and sum(map(str.isdigit, written)) < _NUMBER_DIGITS


def _cut_number(value: float, cut_text: Callable[[str], object]) -> object:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if cut_text in (_year, _decade) and not isinstance(value, int):
        return None
    if cut_text is _decade:
        return _decade(str(value)) if value in _YEARS else None
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


def _decade(text: str) -> str | None:
    return text.strip() if generalising.is_decade(text.strip()) else generalising.decade(_year(text))


def _ascii_digit(character: str) -> str:
    """Arabic, Devanagari and full-width digits are written as 0 to 9."""
    number = unicodedata.decimal(character, None)
    return character if number is None else str(number)


_CUTTERS: Final[Mapping[str, Callable[[str], object]]] = {
    "masked": _masked,
    "year": _year,
    "decade": _decade,
    "postcode_area": generalising.postcode_area,
    "email_domain": generalising.email_domain,
    "city": generalising.city,
    "country": generalising.country,
}
_PLACES: Final[Mapping[object, Callable[[Mapping[str, object]], object]]] = {
    "city": generalising.city,
    "country": generalising.country,
}
