"""Phone numbers in free text.

People write them in every way, so the digits are gathered first and judged then. A run of 7 to 15 digits (ITU-T E.164
allows 15) is a phone number if one of these holds, unless it is a date, a price, or follows a word such as "order":

- it begins with `+`, or with `00` and a country's code, or it is the number of a link to WhatsApp;
- it is a valid number of one of the regions, written with the prefix that is used there (0 in most);
- it has the North American shape 3-3-4;
- a word such as "call" or "phone" stands shortly before it, or it is the whole message and looks like one.

Four numbers and more that rise by the same step, as sizes do, are none where nothing says that they are one.

`phonenumbers` is asked a bounded number of times for each text; after that every run that may be one is taken for one.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import phonenumbers

from rasa_privacy.minimize.accounts import MAX_RUN
from rasa_privacy.minimize.digit_zones import Zone
from rasa_privacy.minimize.phone_context import CONTEXT_CHARACTERS, OTHER_HEADS, PHONE_HEADS, says_other, says_phone
from rasa_privacy.minimize.phone_rules import PhoneRule, rules_of
from rasa_privacy.minimize.searched_text import SearchedText, blanked

_DASHES: Final = "\\-\u2010-\u2015\u2212"
_SPACES: Final = " \t\u00a0\u2007\u2009\u200b\u202f"
_MIN_DIGITS: Final = 7
_RUN: Final = re.compile(f"[+\uff0b]?\\(?\\d+(?:[{_SPACES}{_DASHES}./()]{{1,3}}\\d+)*")
_DIGITS: Final = re.compile(r"\d+")
_MAX_DIGITS: Final = 15  # ITU-T E.164, section 6.2.1
_USUAL_DIGITS: Final = (10, 11)  # of a number with its prefix 0
_INTERNATIONAL: Final = ("+", "\uff0b", "wa.me/")  # before a number with its country's code
_LEAD: Final = 2  # characters before the first digit of a number
_DATE_DIGITS: Final = 4  # of the shortest date, "1.1.24"
_CLOSING_DIGITS: Final = 3  # a last group of fewer may belong to what follows, as in "0170 1234567 2 tickets"
_MAX_DIALLED: Final = 17  # 00 before them

_DATE: Final = re.compile(
    r"(?=\d)(?<![\d+])(?<!\d[ ./-])(?:"
    r"(?:19|20)\d\d([./-])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([./-])(?:0?[1-9]|[12]\d|3[01])\2(?:(?:19|20)\d\d|\d\d)"
    r"|(?:0?[1-9]|[12]\d|3[01]) (?:0?[1-9]|[12]\d|3[01]) (?:19|20)\d\d(?! \d)"
    r")(?![./-]?\d)"
)
_FRACTION: Final = re.compile(r"(?<![\d.,+/ -])0[.,]\d{5,}(?![.,]?\d)|(?<=[a-z] )0[.,]\d{5,}(?![.,]?\d)")
_HOURS: Final = re.compile(
    r"(?=\d)(?<![\d+])(?<!\d[ ./-])(?:[01]\d|2[0-4])[0134][05] ?[-\u2013] ?(?:[01]\d|2[0-4])[0134][05](?![ ./-]?\d)"
)
# As of Windows and Chrome: "10.0.19045.3803".
_VERSION: Final = re.compile(r"(?<![\d+])(?<!\d[ ./-])[1-9]\d{0,2}\.0\.\d{3,6}(?:\.\d{1,6})?(?![ ./-]?\d)")
_EXTENSION: Final = re.compile(r"[ ,]{0,2}(?:x|ext\.?|extension) ?\d{1,5}(?!\d)", re.IGNORECASE)
_PRICE_AFTER: Final = re.compile(
    r" ?(?:[$\u20ac\u00a3\u00a5]|(?:eur|usd|gbp|chf|euros?|dollars?|pounds?|bucks)\b)", re.IGNORECASE
)
_PRICE_BEFORE: Final = re.compile(r"[$\u20ac\u00a3\u00a5] ?$")

_PARTED: Final = re.compile(r"[0-9](?:([./-])[0-9]{1,2}\1[0-9]| [0-9]{1,2} (?:19|20)[0-9])")  # as every date is
_LISTED: Final = 4  # numbers at least in a list of sizes or pages
_LISTED_DIGITS: Final = (2, 3)  # of each
_MOST_STEP: Final = 10  # from one to the next: "10 - 20 - 30 - 40", and not "12 34 56 78"
_LOCAL_SHAPE: Final = re.compile(r"\d{3}[ .-]\d{4}")
_MAX_QUESTIONS: Final = 60  # to phonenumbers for one text, about 50 microseconds each


def phone_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each phone number.

    Raises:
        DetectorError: A region is unknown.
    """
    rules = rules_of(text.regions)
    parted = [zone for zone in text.zones if zone.digits >= _DATE_DIGITS and zone.end - zone.start > zone.digits]
    plain = _without_dates(text.plain, parted)
    search = _Search(plain, rules, text.heads)
    for zone in text.zones:
        if zone.digits >= _MIN_DIGITS:
            for run in _RUN.finditer(plain, max(0, zone.start - _LEAD), zone.end):
                length = run.end() - run.start()
                if length > MAX_RUN:
                    yield run.span()
                elif length >= _MIN_DIGITS:
                    yield from search.in_run(run.start(), run.end())


def _without_dates(plain: str, zones: Sequence[Zone]) -> str:
    """Return the text with dates, opening hours, fractions and versions read as `_`."""
    plain = _blanked(plain, [zone for zone in zones if _PARTED.search(plain, zone.start, zone.end)], 4, _DATE)
    if "-" in plain:
        plain = _blanked(plain, zones, 8, _HOURS)
    if "0." in plain or "0," in plain:
        plain = _blanked(plain, zones, 6, _FRACTION)
    return _blanked(plain, zones, 7, _VERSION) if ".0." in plain else plain


def _blanked(plain: str, zones: Sequence[Zone], digits: int, pattern: re.Pattern[str]) -> str:
    """Return the text without what a pattern finds in the zones of so many digits."""
    found = [
        each.span()
        for zone in zones
        if zone.digits >= digits
        for each in pattern.finditer(plain, zone.start, zone.end + _LEAD)
    ]
    return blanked(plain, found) if found else plain


class _Search:
    """The search of one text; counts the questions to phonenumbers."""

    def __init__(self, text: str, rules: Sequence[PhoneRule], heads: frozenset[str]) -> None:
        self._text = text
        self._rules = rules
        self._questions = 0
        self._answers: dict[tuple[str, str | None], bool] = {}
        self._may_say_phone = not PHONE_HEADS.isdisjoint(heads)
        self._may_say_other = not OTHER_HEADS.isdisjoint(heads) or "#" in text or "\u2116" in text

    def in_run(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the phone numbers in a run of digits and signs."""
        groups = self._groups(start, end)
        index, left = 0, sum([end - start for start, end in groups])
        if _MIN_DIGITS <= left <= _MAX_DIGITS and self._is_marked(groups):  # so most numbers of another country are
            yield self._span(groups, 0, len(groups) - 1)
            return
        while left >= _MIN_DIGITS:
            last = self._last_group(groups, index)
            if last is not None:
                yield self._span(groups, index, last)
            done = index + 1 if last is None else last + 1
            left -= sum([end - start for start, end in groups[index:done]])
            index = done

    def _is_marked(self, groups: Sequence[tuple[int, int]]) -> bool:
        """Tell whether a `+` stands before the groups, and the last is too long to belong to what follows."""
        before, closing = groups[0][0] - 1, groups[-1]
        return before >= 0 and self._text[before] == "+" and closing[1] - closing[0] >= _CLOSING_DIGITS

    def _groups(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the groups of digits that may be part of a number: `AB12`, `2nd`, `$5` and `5 EUR` are not."""
        groups = [match.span() for match in _DIGITS.finditer(self._text, start, end)]
        before, after = self._text[max(0, start - 2) : start], self._text[end : end + 1]
        glued = before[-1:].isascii() and before[-1:].isalpha() and not self._says_phone(self._before(start))
        if glued or _PRICE_BEFORE.search(before):
            groups = groups[1:]
        short = groups and groups[-1][1] - groups[-1][0] <= 2 and after.isascii() and after.isalpha()  # noqa: PLR2004
        if short or _PRICE_AFTER.match(self._text, end):
            groups = groups[:-1]
        return groups

    def _says_phone(self, before: str) -> bool:
        return self._may_say_phone and says_phone(before)

    def _before(self, start: int) -> str:
        return self._text[max(0, start - CONTEXT_CHARACTERS) : start]

    def _last_group(self, groups: Sequence[tuple[int, int]], index: int) -> int | None:
        """Return the last group of the phone number that begins with this group."""
        windows = self._windows(groups, index)
        if not windows:
            return None
        start = groups[index][0]
        before = self._before(start).rstrip("(")
        international = before.endswith(_INTERNATIONAL)
        if not international and self._may_say_other and says_other(before):
            return None
        likely = international or self._says_phone(before) or self._whole_message(groups, index)
        if not likely and self._is_list(groups, index):
            return None
        widest = next(iter([last for last, digits in windows if len(digits) <= _MAX_DIGITS]), None)
        if likely and widest == len(groups) - 1 and groups[-1][1] - groups[-1][0] >= _CLOSING_DIGITS:
            return widest
        for last, digits in windows:
            lengths = [end - begin for begin, end in groups[index : last + 1]]
            if self._ask("+" + digits, None) if international else self._valid(digits, lengths, start):
                return last
        return widest if likely else None

    def _is_list(self, groups: Sequence[tuple[int, int]], index: int) -> bool:
        """Tell whether numbers begin here that rise by the same step, as sizes do: "36 - 38 - 40 - 42"."""
        listed = [self._text[start:end] for start, end in groups[index : index + _LISTED]]
        length = len(listed[0])
        if len(listed) < _LISTED or length not in _LISTED_DIGITS or listed[0][0] == "0":
            return False
        if any(len(each) != length for each in listed):
            return False
        numbers = [int(each) for each in listed]
        step = numbers[1] - numbers[0]
        return 0 < step <= _MOST_STEP and numbers == [numbers[0] + step * place for place in range(_LISTED)]

    def _windows(self, groups: Sequence[tuple[int, int]], index: int) -> list[tuple[int, str]]:
        """Return last group and digits of each run of groups of the right length, longest first."""
        found: list[tuple[int, str]] = []
        digits = ""
        for last in range(index, len(groups)):
            start, end = groups[last]
            digits += self._text[start:end]
            if len(digits) > _MAX_DIALLED:
                break
            if len(digits) >= _MIN_DIGITS:
                found.append((last, digits))
        return found[::-1]

    def _valid(self, digits: str, lengths: list[int], start: int) -> bool:
        if digits.startswith("00") and self._ask("+" + digits[2:], None):
            return True
        if len(digits) > _MAX_DIGITS:
            return False
        if lengths in ([3, 3, 4], [1, 3, 3, 4]):
            return digits[0] not in "01" or lengths[0] == 1 or self._text[start + 3 : start + 4] in "-)."
        if len(digits) in _USUAL_DIGITS and any(rule.prefix == digits[0] == "0" for rule in self._rules):
            return True
        return any(self._ask(digits, rule.region) for rule in self._rules if rule.may_be(digits))

    def _ask(self, digits: str, region: str | None) -> bool:
        """Ask phonenumbers, once for each number; without questions left, the answer is yes."""
        if (digits, region) in self._answers:
            return self._answers[digits, region]
        self._questions += 1
        if self._questions > _MAX_QUESTIONS:
            return True
        try:
            answer = bool(phonenumbers.is_valid_number(phonenumbers.parse(digits, region)))
        except phonenumbers.NumberParseException:
            answer = False
        self._answers[digits, region] = answer
        return answer

    def _whole_message(self, groups: Sequence[tuple[int, int]], index: int) -> bool:
        start, end = groups[index][0], groups[-1][1]
        if index or self._text[:start].strip(" (\n") or self._text[end:].strip(" .!)\n"):
            return False
        return (
            self._text[start] == "0"
            or "(" in self._text[:start]
            or bool(_LOCAL_SHAPE.fullmatch(self._text, start, end))
        )

    def _span(self, groups: Sequence[tuple[int, int]], index: int, last: int) -> tuple[int, int]:
        start, end = groups[index][0], groups[last][1]
        while start and self._text[start - 1] in "(+\uff0b":
            start -= 1
        extension = _EXTENSION.match(self._text, end)
        return start, extension.end() if extension else end
