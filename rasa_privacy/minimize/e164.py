"""Numbers that are in E.164 (ITU-T) as they are written, told without parsing them: an export asks for a million.

It only ever says yes where `phonenumbers` would give the same text back. A number that may lose digits there, such as a
national prefix after the country code, or has an unusual length, is left to the library; a test compares the two over
all country codes.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_MOST_CODE_DIGITS: Final = 3


class _Plan(NamedTuple):
    """What is known of the numbers of a country code.

    Attributes:
        code_digits: How long the code is.
        lengths: Numbers of digits behind the code that are possible.
        prefix: What the library may strip from behind the code; None for nothing.
    """

    code_digits: int
    lengths: frozenset[int]
    prefix: re.Pattern[str] | None


def is_e164(written: str) -> bool:
    """Return whether a text is surely a possible number in E.164: `+` and digits, of which the library strips none."""
    digits = written[1:]
    if written[:1] != "+" or not (digits.isascii() and digits.isdigit()) or digits[0] == "0":
        return False
    plan = _plan_of(digits[:_MOST_CODE_DIGITS])
    if plan is None:
        return False
    national = digits[plan.code_digits :]
    return (
        len(national) in plan.lengths
        and national[0] != "0"
        and (plan.prefix is None or plan.prefix.match(national) is None)
    )


@lru_cache(maxsize=1024)
def _plan_of(begin: str) -> _Plan | None:
    """Return what is known of the country code that a number begins with, or None where there is no such code."""
    found = (_plan(begin[:length]) for length in range(1, len(begin) + 1))
    return next((plan for plan in found if plan is not None), None)


def _plan(code: str) -> _Plan | None:
    """Return what is known of a country code, or None where there is no such code."""
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code))
    if regions is None:
        return None
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0])
    if metadata is None or metadata.general_desc is None:
        return _Plan(len(code), frozenset(), None)
    prefix = metadata.national_prefix_for_parsing
    lengths = frozenset(metadata.general_desc.possible_length or ()) - {-1}
    return _Plan(len(code), lengths, None if prefix is None else re.compile(prefix))
