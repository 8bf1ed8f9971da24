"""Coarser forms of one text: an age band for an age, a country for an address, and so on (`keep` in privacy.yml).

Each returns the same for its own result, and None where it cannot tell: what is not understood is not kept. What each
still reveals is its first sentence.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Final

from babel import Locale

from rasa_privacy.dialogue.keywords import is_hedged, reply
from rasa_privacy.dialogue.packs import available_languages

_AGES: Final = range(121)
_YEARS: Final = range(1800, 2100)
_BAND: Final = re.compile(r"(0|[1-9]0|1[0-2]0)-(9|[1-9]9|1[0-2]9)")
_DECADE: Final = re.compile(r"(?:1[89]|20)[0-9]0s")
_AGE: Final = re.compile(r"[0-9]{1,3}")
_FULL_DATE: Final = (
    re.compile(r"(?P<year>[0-9]{4})[-./](?P<month>[0-9]{1,2})[-./](?P<day>[0-9]{1,2})"),
    re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
)
_AREA: Final = re.compile(r"[A-Z0-9]{1,4}\*\*\*")
# What may stand behind a code: a town, or the letters of a Dutch one. A number there makes it something else.
_TOWN: Final = r"(?:[ ,]+[^\W\d_][^\d]*)?"
# Of the United Kingdom, Canada and Ireland; the inward part may be left out.
_LETTERED: Final = re.compile(
    r"([A-Z]{1,2}[0-9][A-Z0-9]?)(?:[ -]?[0-9][A-Z]{2})?" + _TOWN
    + r"|([A-Z][0-9][A-Z])[ -]?[0-9][A-Z][0-9]" + _TOWN
    + r"|([A-Z][0-9][0-9W])[ -]?[A-Z0-9]{4}" + _TOWN
)  # fmt: skip
# In groups as in Brazil, Portugal or Sweden, with a country before it, or alone.
_GROUPS: Final = r"[0-9]{0,4}-[0-9]{2,4}|[0-9]{1,4} [0-9]{2,4}"
_DIGITS: Final = re.compile(
    rf"(?:[A-Z]{{1,2}}-)?([0-9]{{2}})(?:[0-9]{{1,7}}|(?:[0-9]{{2,7}}|{_GROUPS})(?:[A-Z]{{2}})?{_TOWN})"
)
_DOMAIN: Final = re.compile(r"@[^\s@]{1,255}")
_PLACE_WITH_CODE: Final = re.compile(r"(?:[A-Z]{1,2}-)?[0-9]{4,6}[ ,]+([^\W\d_][^,]*)")
_PLACE: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .'\u2019/()-]){1,60}")
_MOST_WORDS: Final = 4
_CITIES: Final = ("city", "town", "locality", "ort", "stadt", "ville", "ciudad", "citta", "cidade", "plaats")
_COUNTRIES: Final = ("country_code", "country", "land", "pays", "pais", "paese")
_LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl")
_AROUND: Final = " \t\n.!"  # what people set around an answer
_NO: Final = frozenset(
    {"", "no", "false", "0", "0.0", "none", "null", "nein", "non", "nao", "n\u00e3o", "nee", "keine", "-"}
)


def decade(year: str | None) -> str | None:
    """Return the ten years in which the year lies, such as `1990s`."""
    if year is None or _DECADE.fullmatch(year):
        return year
    return f"{year[:3]}0s"


def is_decade(text: str) -> bool:
    """Tell whether the text is such ten years already."""
    return _DECADE.fullmatch(text) is not None


def age_band(text: str, today: date | None) -> str | None:
    """Return the ten years of age in which a person is, such as `30-39`, from an age or a full date of birth.

    Args:
        text: An age in years, or a date with the year first.
        today: The day for which the age counts; without it a date gives nothing.
    """
    text = text.strip()
    if _BAND.fullmatch(text):
        return text
    age = int(text) if _AGE.fullmatch(text) else _age_on(text, today)
    if age is None or age not in _AGES:
        return None
    return f"{age // 10 * 10}-{age // 10 * 10 + 9}"


def _age_on(text: str, today: date | None) -> int | None:
    for pattern in _FULL_DATE if today is not None else ():
        found = pattern.match(text)
        if found is not None and today is not None:
            try:
                born = date(int(found["year"]), int(found["month"]), int(found["day"]))
            except ValueError:
                return None
            return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return None


def postcode_area(text: str) -> str | None:
    """Return the region of a postcode: the outward part of one that begins with a letter, else its first two digits."""
    text = text.strip().upper()
    if _AREA.fullmatch(text):
        return text
    lettered = _LETTERED.fullmatch(text)
    if lettered is not None:
        return f"{lettered[1] or lettered[2] or lettered[3]}***"
    digits = _DIGITS.fullmatch(text)
    return f"{digits[1]}***" if digits is not None else None


def email_domain(text: str) -> str | None:
    """Return the domain of an email address, such as `@x.example`: the provider or the employer."""
    text = text.strip()
    name, sign, domain = text.rpartition("@")
    found = f"@{domain.casefold()}" if sign else ""
    return found if _DOMAIN.fullmatch(found) and (not name or "@" not in name) else None


def city(value: str | Mapping[str, object]) -> str | None:
    """Return the town of an address."""
    if isinstance(value, Mapping):
        found = _named(value, _CITIES)
        return city(found) if found is not None else None
    parts = [part.strip() for part in value.split(",") if part.strip()]
    for part in reversed(parts):
        behind = _PLACE_WITH_CODE.search(part)
        if behind:
            return _place(behind[1])
    return _place(parts[0]) if len(parts) == 1 else None


def _place(text: str) -> str | None:
    """Return the text where it looks like the name of a town: letters, and few words."""
    text = text.strip()
    return text if _PLACE.fullmatch(text) and len(text.split()) <= _MOST_WORDS else None


def country(value: str | Mapping[str, object]) -> str | None:
    """Return the country of an address as two letters (ISO 3166-1)."""
    if isinstance(value, Mapping):
        found = _named(value, _COUNTRIES)
        return country(found) if found is not None else None
    last = value.rsplit(",", 1)[-1].strip().rstrip(".")
    return _country_names().get(last.casefold())


def yes_no(value: object) -> str | None:
    """Return whether there is a value, or whether it is a yes: `yes` or `no`; None for an answer that is neither.

    Answers are read in every language that the dialogue knows, since a value does not say its own.
    """
    if not isinstance(value, str):
        return "yes" if value else "no"
    text = value.strip(_AROUND).casefold()
    if text == "yes" or text in _NO:
        return "yes" if text == "yes" else "no"
    answers = {reply(value, language) for language in available_languages()} - {None}
    if not answers:  # no answer, so there is a value; but "no allergies" is no yes
        return None if any(is_hedged(text, language) for language in available_languages()) else "yes"
    clear = answers - {"unclear"}
    return str(clear.pop()) if len(clear) == 1 else None


def _named(value: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    by_name = {str(name).casefold(): part for name, part in value.items()}
    found = next((by_name[name] for name in names if isinstance(by_name.get(name), str)), None)
    return str(found).strip() if found is not None else None


@cache
def _country_names() -> Mapping[str, str]:
    """Return code by name, in the languages that are known (CLDR)."""
    names: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "UN", "ZZ", "XA", "XB"):  # noqa: PLR2004 - as ISO's
                names.setdefault(name.casefold(), code)
                names[code.casefold()] = code
    return {**names, "usa": "US", "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "holland": "NL"}
