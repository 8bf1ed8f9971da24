"""Postcodes and coordinates.

- Postcodes by a word for them (Universal Postal Union, S42: their shapes), and without one where the shape is a
  country's alone: the United Kingdom's and Canada's with their space, or after a state of the US.
- Coordinates as decimal degrees with four places or more (after a comma five), with fewer after "lat" or "geo:", or in
  degrees, minutes and seconds (ISO 6709), in range.
"""

import re
from collections.abc import Iterator
from typing import Final

from rasa_privacy.minimize.context import Context, said_of, zones_said
from rasa_privacy.minimize.digit_zones import Zone
from rasa_privacy.minimize.searched_text import SearchedText, places

POSTCODE: Final = Context(
    " postcode", " post code", " postal", " zip ", " zipcode", " plz ", " postleitzahl", " code postal", " cp ",
    " codigo postal", " cap ", " cep ", " pin code", " pincode", " c p ", " eircode", " postcodes",
)  # fmt: skip
_UK: Final = (
    r"(?:GIR ?0AA|[A-PR-UWYZ][0-9][0-9A-HJKPS-UW]? ?[0-9][ABD-HJLNP-UW-Z]{2}"
    r"|[A-PR-UWYZ][A-HK-Y][0-9][0-9ABEHMNPRV-Y]? ?[0-9][ABD-HJLNP-UW-Z]{2})"
)
_CANADA: Final = r"[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z][ -]?[0-9][ABCEGHJ-NPRSTV-Z][0-9]"
_BARE: Final = re.compile(rf"(?<![\w-])(?:{_UK}|{_CANADA})(?![\w-])")
_STATE: Final = re.compile(
    r"(?<![\w-])(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]"
    r"|T[NX]|UT|V[AT]|"
    r"W[AIVY]),? ([0-9]{5}(?:-[0-9]{4})?)(?![\w-])"
)
_NAMED: Final = re.compile(
    rf"(?<![\w.,-])(?:{_UK}|{_CANADA}|[0-9]{{5}}-[0-9]{{3,4}}|[0-9]{{4}}-[0-9]{{3}}|[0-9]{{4}} ?[A-Z]{{2}}"
    rf"|[0-9]{{2}}-[0-9]{{3}}"
    r"|[0-9]{3} ?[0-9]{3}|[0-9]{3} [0-9]{2}|(?:[A-Z]{1,2}-)?[0-9]{4,5}|[A-Z][0-9][0-9W] ?[0-9A-Z]{4})"
    r"(?![\w-])(?![.,][0-9])",
    re.IGNORECASE,
)
_PADDING: Final = 8

_NUMBER: Final = r"[-+]?[0-9]{1,3}\.[0-9]{4,12}"
# With four places and no sign of degrees behind them it may be a rate of two currencies.
_COMMA_NUMBER: Final = r"[-+]?[0-9]{1,3},(?:[0-9]{5,12}|[0-9]{4}(?= ?\u00b0| ?[NSEWO](?![a-z])))"
_SIDE: Final = r"(?: ?(?:\u00b0|deg))? ?[NSEWO]?"
_DECIMAL: Final = re.compile(
    rf"(?<![\w.,])(?:[NS] ?)?({_NUMBER}){_SIDE} ?[,;/ ] ?(?:[EW] ?|lon(?:gitude)?:? ?|lng:? ?|and )?"
    rf"({_NUMBER}){_SIDE}(?!\w|\.[0-9])",
    re.IGNORECASE,
)
_COMMAS: Final = re.compile(
    rf"(?<![\w.,])(?:[NS] ?)?({_COMMA_NUMBER}){_SIDE}(?: ?[,;/] | ?[;/] ?| )"
    rf"(?:[EW] ?)?({_COMMA_NUMBER}){_SIDE}(?!\w|,[0-9])",
    re.IGNORECASE,
)
_ANGLE: Final = (
    r"[0-9]{1,3} ?[\u00b0\u00ba] ?[0-9]{1,2}(?:\.[0-9]{1,6})? ?['\u2032\u2019](?: ?[0-9]{1,2}(?:\.[0-9]{1,6})? ?"
    r"(?:\"|\u2033|\u201d|''))? ?"
)
_ANGLES: Final = re.compile(rf"(?<!\w){_ANGLE}[NS](?:,? ?){_ANGLE}[EWO](?!\w)", re.IGNORECASE)
_ROUGH: Final = r"[-+]?[0-9]{1,3}[.,][0-9]{1,12}"
_NAMED_PAIR: Final = re.compile(  # RFC 5870 has geo:
    rf"(?:(?<![a-z])lat(?:itud(?:e|ine)?)?\W{{0,4}}|(?<![a-z])geo:)({_ROUGH}){_SIDE}[ ,;&\"]{{1,4}}"
    rf"(?:lo?ng?(?:itud(?:e|ine)?)?\W{{0,4}})?({_ROUGH}){_SIDE}(?!\w|[.,][0-9])"
)
_FEWEST: Final = 10  # digits of two numbers with four places


def postcode_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each postcode."""
    for zone in zones_said(text, POSTCODE):
        for found in _in(text, zone, _NAMED):
            has_digits = any(character.isdigit() for character in found[0])
            if has_digits and said_of(text, zone, *found.span(), POSTCODE):
                yield found.span()
    for zone in text.zones_with("capital after a digit"):
        yield from (found.span() for found in _in(text, zone, _BARE) if " " in found[0])
    for zone in text.zones_with("number after a state") if "US" in text.regions else ():
        yield from (found.span(1) for found in _in(text, zone, _STATE))


def _in(text: SearchedText, zone: Zone, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    return pattern.finditer(text.plain, max(0, zone.start - _PADDING), zone.end + _PADDING)


def coordinate_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each pair of coordinates."""
    for word in ("lat", "geo:"):
        for place in places(text.lower, word):
            named = _NAMED_PAIR.match(text.lower, place)
            if named is not None and _in_range(named):
                yield named.start(1), named.end()
    for zone in text.zones:
        if zone.digits < 6:  # noqa: PLR2004 - degrees and minutes, twice
            continue
        start, end = max(0, zone.start - 6), zone.end + 8
        for sign, pattern in ((".", _DECIMAL), (",", _COMMAS)) if zone.digits >= _FEWEST else ():
            if text.plain.count(sign, zone.start, zone.end) > 1:
                yield from (found.span() for found in pattern.finditer(text.plain, start, end) if _in_range(found))
        if "\u00b0" in text.plain or "\u00ba" in text.plain:
            yield from (found.span() for found in _ANGLES.finditer(text.plain, start, end))


def _in_range(found: re.Match[str]) -> bool:
    latitude, longitude = (float(each.replace(",", ".")) for each in found.groups())
    return abs(latitude) <= 90 and abs(longitude) <= 180  # noqa: PLR2004 - degrees
