"""Numbers of payment cards (ISO/IEC 7812) and bank accounts (IBAN, ISO 13616), each with its check digits.

A number may be written in groups with a space or a dash between them. Where more digits stand around it, each run of
whole groups is tried, so that "4111 1111 1111 1111 123" is seen as a card and its security code.
"""

import re
from collections.abc import Iterator
from typing import Final

_GAP: Final = "[ \u00a0\u2007\u2009\u202f.\\-\u2010-\u2015\u2212]"
_GROUPS: Final = re.compile(f"\\d(?:{_GAP}{{0,2}}\\d)*")
_DIGITS: Final = re.compile(r"\d+")
_CARD_DIGITS: Final = range(13, 20)  # ISO/IEC 7812-1, section 4.1, without the rare shorter ones
_CARD_STARTS: Final = frozenset("2345689")  # 0 and 7 are not payment cards; 1 is airlines', and today's timestamps
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # the digit sum of twice the digit

_IBAN_START: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ \u00a0.-]?[0-9]{2}")
_IBAN_REST: Final = re.compile(f"(?:{_GAP}?[0-9A-Za-z]){{11,32}}")
_IBAN_CHARACTERS: Final = range(15, 35)  # ISO 13616-1: at most 34; the shortest in use is Norway's
_WORD_END: Final = re.compile(r"(?![A-Za-z0-9])")

# Characters of an IBAN by country: SWIFT, IBAN Registry, release 99.
_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip


def card_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each payment card number."""
    for run in _GROUPS.finditer(text):
        if run.end() - run.start() >= _CARD_DIGITS.start:
            groups = [match.span() for match in _DIGITS.finditer(text, run.start(), run.end())]
            yield from _cards_in(text, groups)


def _cards_in(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    index = 0
    while index < len(groups):
        last = _card_end(text, groups, index)
        if last is not None:
            yield groups[index][0], groups[last][1]
            index = last
        index += 1


def _card_end(text: str, groups: list[tuple[int, int]], index: int) -> int | None:
    """Return the last group of the longest card number that begins with this group."""
    digits, found = "", None
    for last in range(index, len(groups)):
        digits += text[slice(*groups[last])]
        if len(digits) >= _CARD_DIGITS.stop:
            break
        if len(digits) in _CARD_DIGITS and _is_card(digits):
            found = last
    return found


def _is_card(digits: str) -> bool:
    """Tell whether the number begins as cards do and its check digit is right (ISO/IEC 7812-1, annex B)."""
    values = [int(digit) for digit in reversed(digits)]
    if str(values[-1]) not in _CARD_STARTS or len(set(values)) == 1:
        return False
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0


def iban_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each IBAN."""
    done = 0
    for start in _IBAN_START.finditer(text):
        rest = _IBAN_REST.match(text, start.end())
        if rest is None or start.start() < done:
            continue
        end = _iban_end(text, start.start(), rest.end())
        if end is not None:
            yield start.start(), end
            done = end


def _iban_end(text: str, start: int, end: int) -> int | None:
    """Return where the IBAN that begins here ends: after its country's length, or with its word for a new country."""
    length = _IBAN_LENGTHS.get(text[start : start + 2].upper())
    characters = ""
    for index in range(start, end):
        if text[index].isascii() and text[index].isalnum():
            characters += text[index].upper()
        complete = len(characters) == length if length else len(characters) in _IBAN_CHARACTERS
        if complete and _WORD_END.match(text, index + 1) and _is_iban(characters):
            return index + 1
    return None


def _is_iban(characters: str) -> bool:
    """Tell whether the check digits are right (ISO 7064, MOD 97-10): letters count as 10 to 35."""
    return int("".join(str(int(character, 36)) for character in characters[4:] + characters[:4])) % 97 == 1
