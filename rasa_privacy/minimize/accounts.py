"""Numbers of payment cards (ISO/IEC 7812) and bank accounts (IBAN, ISO 13616), each with its check digits.

A number may be written in groups with a space, a dash or both between them. Where more digits stand around it, each
run of whole groups is tried, so that "4111 1111 1111 1111 123" is seen as a card and its security code.
"""

import re
from collections.abc import Iterator
from typing import Final

from rasa_privacy.minimize.digit_zones import LETTERS
from rasa_privacy.minimize.searched_text import SearchedText

_GAP: Final = "[ \u00a0\u2007\u2009\u202f.\\-\u2010-\u2015\u2212]"
_GROUPS: Final = re.compile(f"\\d(?:{_GAP}{{0,2}}\\d| - \\d)*")
_DIGITS: Final = re.compile(r"\d+")
#: Characters of digits with signs between them that are looked through; what is longer counts as numbers of somebody.
MAX_RUN: Final = 400
_CARD_DIGITS: Final = range(13, 20)  # ISO/IEC 7812-1, section 4.1, without the rare shorter ones
# Brands by their first digits, and how many they have: ISO/IEC 7812-1 register, as each network publishes its ranges.
_BRANDS: Final = (
    ("Visa", re.compile("4"), (13, 16, 19)),
    ("Mastercard", re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    ("American Express", re.compile("3[47]"), (15,)),
    ("Diners Club", re.compile("30[0-5]|3095|36|3[89]"), (14, 16, 19)),
    ("Discover", re.compile("6011|64[4-9]|65"), (16, 19)),
    ("JCB", re.compile("352[89]|35[3-8]|2131|1800"), (15, 16, 19)),
    ("UnionPay", re.compile("62|81"), (16, 17, 18, 19)),
    ("Maestro", re.compile("50|5[6-9]|6"), tuple(range(13, 20))),
    ("RuPay", re.compile("60|65|81|82|508|353|356"), (16,)),
    ("Mir", re.compile("220[0-4]"), (16, 17, 18, 19)),
    ("Troy", re.compile("65|9792"), (16,)),
    ("Verve", re.compile("506[01]|507[89]|6500"), (16, 18, 19)),
)
_DOUBLED: Final = str.maketrans("0123456789", "0246813579")  # the digit sum of twice the digit
_BRANDS_OF: Final = {
    length: re.compile("|".join(start.pattern for _, start, lengths in _BRANDS if length in lengths))
    for length in _CARD_DIGITS
}

_IBAN_START: Final = re.compile(
    f"[A-Za-z](?<![A-Za-z0-9].){_GAP}{{0,2}}([A-Za-z])(?:{_GAP}{{0,2}}| - )[0-9](?:{_GAP}{{0,2}}| - )[0-9]"
)
#: The end of a word, or a key of Amazon's that is glued to it.
_END: Final = "(?:(?![A-Za-z0-9])|(?=AKIA|ASIA|AGPA|AIDA|AROA))"
_WORD_END: Final = re.compile(_END)
_IBAN_LEAD: Final = 6  # characters before its first digit
_IBAN_REST: Final = re.compile(f"(?:{_GAP}{{0,2}}[0-9A-Za-z]){{11,32}}")
_IBAN_CHARACTERS: Final = range(15, 35)  # ISO 13616-1: at most 34; the shortest in use is Norway's
_VALUES: Final = {letter: str(10 + place) for place, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_CODES: Final = {ord(letter): value for letter, value in _VALUES.items()}

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
_IBAN_OF: Final = {
    length: re.compile(f"[A-Za-z](?:(?:{_GAP}{{0,2}}| - )[0-9A-Za-z]){{{length - 1}}}{_END}")
    for length in set(_IBAN_LENGTHS.values())
}
_SIGNS: Final = re.compile("[^0-9A-Za-z]+")


def card_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each payment card number."""
    for number in text.numbers:
        if len(number.digits) == _CARD_DIGITS.start:  # so that it is all of them or none
            if _is_card(number.digits) and "/" not in text.plain[number.start : number.end]:
                yield number.start, number.end
        elif len(number.digits) > _CARD_DIGITS.start:
            for run in _GROUPS.finditer(text.plain, number.start, number.end):
                length = run.end() - run.start()
                if length > MAX_RUN:
                    yield run.span()
                elif length >= _CARD_DIGITS.start:
                    yield from _cards_in(
                        text.plain, [match.span() for match in _DIGITS.finditer(text.plain, run.start(), run.end())]
                    )


def _cards_in(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    index, left = 0, sum([end - start for start, end in groups])
    while left >= _CARD_DIGITS.start:
        left -= groups[index][1] - groups[index][0]
        last = _card_end(text, groups, index)
        if last is not None:
            yield groups[index][0], groups[last][1]
            left -= sum([end - start for start, end in groups[index + 1 : last + 1]])
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
    """Tell whether the number is of a brand and its check digit is right (ISO/IEC 7812-1, annex B: Luhn's)."""
    if _BRANDS_OF[len(digits)].match(digits) is None or digits == len(digits) * digits[0]:
        return False
    luhn = digits[-1::-2] + digits[-2::-2].translate(_DOUBLED)
    return (sum(luhn.encode()) - len(luhn) * ord("0")) % 10 == 0


def iban_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each IBAN."""
    plain, done = text.plain, 0
    for zone in text.zones_with(LETTERS):
        for found in _IBAN_START.finditer(plain, max(0, zone.start - _IBAN_LEAD), zone.end):
            start, digits = found.span()
            if start < done:
                continue
            length = _IBAN_LENGTHS.get((plain[start] + found[1]).upper())
            apart = found.start(1) > start + 1  # so may be any two letters, of any two words
            end = None if apart and length is None else _iban_end(plain, start, digits, length)
            if end is not None:
                yield start, end
                done = end


def _iban_end(text: str, start: int, digits: int, length: int | None) -> int | None:
    """Return where the IBAN that begins here ends: after its country's length, or with its word for a new country."""
    if length and (written := text[start : start + length]).isalnum():  # written without gaps
        if len(written) < length or not written.isascii() or _WORD_END.match(text, start + length) is None:
            return None
        return start + length if _is_iban(written.upper()) else None
    if length:
        whole = _IBAN_OF[length].match(text, start)
        return whole.end() if whole is not None and _is_iban(_SIGNS.sub("", whole[0]).upper()) else None
    rest = _IBAN_REST.match(text, digits)
    characters = ""
    for index in range(start, rest.end() if rest else start):
        if text[index].isascii() and text[index].isalnum():
            characters += text[index].upper()
        if len(characters) in _IBAN_CHARACTERS and _WORD_END.match(text, index + 1) and _is_iban(characters):
            return index + 1
    return None


def _is_iban(characters: str) -> bool:
    """Tell whether the check digits are right (ISO 7064, MOD 97-10): letters count as 10 to 35."""
    country, check, account = characters[:2], characters[2:4], characters[4:]
    number = account if account.isdigit() else account.translate(_CODES)
    return int(f"{number}{_VALUES[country[0]]}{_VALUES[country[1]]}{check}") % 97 == 1
