"""Numbers of passports, driving licences and vehicles.

- Passports and licences by a word for them; ICAO Doc 9303 allows nine letters and digits. A licence of the United
  Kingdom (DVLA: sixteen characters with a birthday in them) needs no word.
- Plates by a word for them in the shapes of the countries below, or without one where the shape is a country's alone:
  the United Kingdom's (since 2001), India's, and France's and Spain's with their signs.
"""

import re
from collections.abc import Iterator
from typing import Final

from rasa_privacy.minimize.context import Context, is_other, said_of, says, says_before, zones_said
from rasa_privacy.minimize.searched_text import SearchedText, blanked

PASSPORT: Final = Context(
    " passport", " reisepass", " pass nr", " pass nummer", " passnummer", " passeport", " pasaporte", " passaporto",
    " passaporte", " paspoort",
)  # fmt: skip
LICENCE: Final = Context(
    " driving licen", " driver s licen", " drivers licen", " driver licen", " drivers license", " fuhrerschein",
    " fuehrerschein", " permis de conduire", " permis ", " carnet de conducir", " licencia de conducir",
    " permiso de conducir", " patente ", " carteira de motorista", " cnh ", " carta de conducao", " habilitacao",
    " rijbewijs", " licence number", " license number", " licence no", " license no", " licence is ", " dl number",
    " dl no",
)  # fmt: skip
PLATE: Final = Context(
    " plate", " number plate", " licence plate", " license plate", " numberplate", " registration", " reg ",
    " kennzeichen", " nummernschild", " plaque", " immatriculation", " immatricule", " matricula", " targa ", " placa",
    " chapa", " kenteken", " car reg", " vehicle reg",
)  # fmt: skip
_MIXED: Final = re.compile(
    r"(?<![\w-])(?:(?-i:[A-Z]{1,3})[ -]?)?[A-Z0-9]*[0-9][A-Z0-9]*(?:[ .-][A-Z0-9]*[0-9][A-Z0-9]*){0,17}(?![\w])",
    re.IGNORECASE,
)
_SINGLE: Final = re.compile(  # each letter and digit by itself
    r"(?<![\w-])[A-Z0-9](?P<sign>[ .-])[A-Z0-9](?:(?P=sign)[A-Z0-9]){4,16}(?![A-Z0-9])", re.IGNORECASE
)
_DAY: Final = "(?:0?[1-9]|[12][0-9]|3[01])"
_DATE: Final = re.compile(
    rf"(?<![\w.-])(?:(?:19|20)[0-9]{{2}}([ ./-]){_DAY}\1{_DAY}|{_DAY}([ ./-]){_DAY}\2(?:19|20)[0-9]{{2}})(?![\w-])"
)
_GROUP: Final = re.compile("[A-Z0-9]+", re.IGNORECASE)
_DVLA: Final = re.compile(
    r"(?<!\w)[A-Z9]{5} ?[0-9][0156][0-9](?:0[1-9]|[12][0-9]|3[01])[0-9] ?[A-Z9]{2} ?[0-9]"
    r" ?[A-Z]{2}(?: ?[0-9]{2})?(?!\w)",
    re.IGNORECASE,
)
# By country: GB, FR and IT, IN, ES, DE, NL, BR, PT, US and CA.
_BARE_PLATE: Final = re.compile(
    r"(?<![\w-])(?:[A-HJ-PR-Y][A-HJ-PR-Y][0-9]{2} [A-HJ-PR-Z]{3}|[A-HJ-NP-TV-Z]{2}-[0-9]{3}-[A-HJ-NP-TV-Z]{2}"
    r"|[A-Z]{2}[ -]?[0-9]{2}[ -]?[A-Z]{1,2}[ -]?[0-9]{4}|[0-9]{4}[ -][BCDFGHJKLMNPRSTVWXYZ]{3})(?![\w-])"
)
_NAMED_PLATE: Final = re.compile(
    r"(?<![\w-])(?:[A-Z]{2}[ -]?[0-9]{2}[ -]?[A-Z]{3}|[A-Z]{2}[ -]?[0-9]{3}[ -]?[A-Z]{2}"
    r"|[A-Z]{2}[ -]?[0-9]{1,2}[ -]?[A-Z]{1,3}[ -]?[0-9]{4}|[0-9]{4}[ -]?[A-Z]{3}"
    r"|(?-i:[A-Z]{1,3})[ :-]{1,2}[A-Z]{1,2}[ -]?[0-9]{1,4}[EH]?|[A-Z0-9]{1,3}-[A-Z0-9]{2,3}-[A-Z0-9]{1,2}"
    r"|[A-Z]{3}[ -]?[0-9][A-Z][0-9]{2}|(?-i:[A-Z]{4})[ -]?[0-9]{3}"
    r"|(?:[A-Z]{1,3}-?|(?-i:[A-Z]{1,3}) )[0-9]{3,4}(?:[ -]?[A-Z]{1,3})?"
    r"|[0-9]{1,3}[ -]?[A-Z]{2,3}[ -]?[0-9]{0,3}"
    r"|[0-9][A-Z]{3}[0-9]{3})(?![\w-])",
    re.IGNORECASE,
)
_MODEL: Final = Context(" model", " type", " typ ", " modell")
_NO_CLOCK: Final = re.compile(r"(?:am|pm|th|st|nd|rd|eur|usd|gbp|kg|km|cm|mm|days?|pcs)$", re.IGNORECASE)
_PADDING: Final = 12
_PASSPORT_CHARACTERS: Final = range(7, 10)
_LICENCE_CHARACTERS: Final = range(6, 19)
_FEWEST_DIGITS: Final = 4


def passport_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each passport's number."""
    yield from _mixed(text, PASSPORT, _PASSPORT_CHARACTERS)


def licence_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each driving licence's number."""
    yield from _mixed(text, LICENCE, _LICENCE_CHARACTERS)
    for zone in text.zones_with("birthday before letters"):
        for found in _DVLA.finditer(text.plain, max(0, zone.start - _PADDING), zone.end + _PADDING):
            yield found.span()


def _mixed(text: SearchedText, context: Context, characters: range) -> Iterator[tuple[int, int]]:
    zones = [zone for zone in zones_said(text, context) if zone.digits >= _FEWEST_DIGITS]
    # An expiry date is as long as a number is.
    plain = blanked(text.plain, [date.span() for zone in zones for date in _DATE.finditer(text.plain, *zone[:2])])
    for zone in zones:
        begin, stop = max(0, zone.start - _PADDING), zone.end + _PADDING
        for found in (*_SINGLE.finditer(plain, begin, stop), *_MIXED.finditer(plain, begin, stop)):
            for start, end in _numbers(found, characters):
                if says(text, start, end, context):
                    yield start, end


def _numbers(found: re.Match[str], characters: range) -> Iterator[tuple[int, int]]:
    """Yield the numbers in a run of groups, each the longest that begins there: what follows may be another number."""
    groups = [group.span() for group in _GROUP.finditer(found.string, *found.span())]
    first = 0
    while first < len(groups):
        last = _last_group(found.string, groups[first:], characters)
        if last is not None:
            yield groups[first][0], groups[first + last][1]
        first += 1 if last is None else last + 1


def _last_group(plain: str, groups: list[tuple[int, int]], characters: range) -> int | None:
    last, length, digits = None, 0, 0
    for index, (start, end) in enumerate(groups):
        length += end - start
        if length >= characters.stop:
            break
        digits += sum(map(str.isdigit, plain[start:end]))
        if length in characters and digits >= _FEWEST_DIGITS:
            last = index
    return last


def _trimmed(text: SearchedText, found: re.Match[str]) -> tuple[int, int]:
    """A small word before the digits, such as "is", is no part of the number."""
    head = re.match(r"[a-z]{1,3} ", text.plain[found.start() : found.end()])
    return found.start() + (head.end() if head else 0), found.end()


def plate_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each number plate."""
    for zone in zones_said(text, PLATE):
        for found in _NAMED_PLATE.finditer(text.plain, max(0, zone.start - _PADDING), zone.end + _PADDING):
            is_plate = _has_letters(found[0]) and not _NO_CLOCK.search(found[0])
            if is_plate and said_of(text, zone, *found.span(), PLATE):
                yield _trimmed(text, found)
    for zone in text.zones_with("capital after a digit"):
        for found in _BARE_PLATE.finditer(text.plain, max(0, zone.start - _PADDING), zone.end + _PADDING):
            if not (is_other(text, found.start()) or says_before(text, found.start(), _MODEL)):
                yield _trimmed(text, found)


def _has_letters(written: str) -> bool:
    return any(sign.isalpha() for sign in written) and any(sign.isdigit() for sign in written)
