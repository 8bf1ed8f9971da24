"""Dates of birth: a date with a word for birth near it. Any other date is left.

Written as numbers in any order (ISO 8601, day first or month first), run together, or with the name of the month in
English, German, French, Spanish, Italian, Portuguese or Dutch.
"""

import re
from collections.abc import Iterator
from typing import Final

from rasa_privacy.minimize.context import Context, says, zones_said
from rasa_privacy.minimize.searched_text import SearchedText

BIRTH: Final = Context(
    " born ", " dob ", " d o b ", " date of birth", " birth date", " birthdate", " birthday", " bday ",
    " geboren", " geburtsdatum", " geburtstag", " geb ", " geburtsdat", " ne le ", " nee le ", " ne e le ",
    " date de naissance", " naissance", " anniversaire", " nacido", " nacida", " naci ", " nacimiento", " cumpleanos",
    " nato ", " nata ", " nascita", " compleanno", " nascido", " nascida", " nasci ", " nascimento", " aniversario",
    " geboortedatum", " geboorte", " jarig ", " verjaardag", " b day ", " nacio ", " nasceu ", " nacque ", " naissait ",
)  # fmt: skip
_MONTHS: Final = (
    "jan(?:uar[iy]?|vier|eiro)?|januar|gennaio|gen|ene(?:ro)?|feb(?:ruar[iy]?|rero|braio)?|fev(?:rier|ereiro)?"
    "|mar(?:ch|s|zo|co)?|"
    "maerz|marz|maart|mrt|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|ma[iy]|mei|maio|mayo|maggio|mag|jun[ei]?|juin|junio|"
    "junho|giugno|giu|jul[iy]?|juillet|julio|julho|luglio|lug|aug(?:ust|ustus)?|aout|ago(?:sto)?|"
    "sep(?:t|tember|tembre|tiembre)?|setembro|settembre|set|o[ck]t(?:ober|obre|ubre)?|out(?:ubro)?|ott(?:obre)?|"
    "nov(?:ember|embre|iembre|embro)?|de[cz](?:ember|embre|iembre|embro)?|dic(?:embre|iembre)?"
)
_DAY: Final = r"(?:0?[1-9]|[12][0-9]|3[01])"
_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
_YEAR: Final = r"(?:(?:18|19|20)[0-9]{2})"
_SHORT_YEAR: Final = r"'?[0-9]{2}"
_SEP: Final = r"(?: ?[./-] ?| )"
_DATE: Final = re.compile(
    rf"(?<![\w.])(?:{_YEAR}{_SEP}{_MONTH}{_SEP}{_DAY}(?:t[0-9]{{2}}:[0-9]{{2}})?|{_DAY}{_SEP}{_DAY}{_SEP}(?:{_YEAR}|{_SHORT_YEAR})"
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|[12][0-9]|3[01]){_YEAR}"
    rf"|{_DAY}(?:st|nd|rd|th|er|\.|\xba|o)?[ -]?(?:de |of |di )?(?:{_MONTHS})\.?,?(?: de| del| of)?[ -]?(?:{_YEAR}"
    rf"|{_SHORT_YEAR})"
    rf"|(?:{_MONTHS})\.?[ -]{_DAY}(?:st|nd|rd|th)?,? ?{_YEAR})(?!\w)(?![./-][0-9])"
)
_FEWEST_DIGITS: Final = 3  # "5 May 90"
_PADDING: Final = 28  # characters of a day and a month before the year


def birth_date_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each date of birth."""
    for zone in zones_said(text, BIRTH):
        if zone.digits < _FEWEST_DIGITS:
            continue
        for found in _DATE.finditer(text.lower, max(0, zone.start - _PADDING), zone.end + 1):
            if says(text, *found.span(), BIRTH):
                yield found.span()
