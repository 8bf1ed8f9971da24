"""How phone numbers of a region are written at home, and which digits are none of its numbers.

`phonenumbers` takes a tenth of a millisecond to judge one number, and most that look like one have no country's shape.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import phonenumbers

from rasa_privacy.errors import DetectorError

_AMERICAN: Final = re.compile("1?[2-9][0-9]{2}[2-9][0-9]{6}")  # North American Numbering Plan
_ABROAD: Final = "00"  # before the code of another country, in most


class PhoneRule(NamedTuple):
    """How numbers of a region are written.

    Attributes:
        region: ISO 3166-1 code.
        code: Of the country.
        prefix: What is dialled before a number within it, `0` in most.
        shape: Of every number of the country without its prefix; None where more than the prefix may stand before it.
    """

    region: str
    code: int
    prefix: str
    shape: re.Pattern[str] | None

    def may_be(self, digits: str) -> bool:
        """Tell quickly whether these digits may be a number of the region, as it is dialled there."""
        if self.code == 1:
            return _AMERICAN.fullmatch(digits) is not None
        if not digits.startswith(self.prefix):
            return False
        if self.shape is None or digits.startswith(_ABROAD):
            return True
        return self.shape.fullmatch(digits, len(self.prefix)) is not None or self.shape.fullmatch(digits) is not None


@lru_cache(maxsize=64)
def rules_of(regions: tuple[str, ...]) -> tuple[PhoneRule, ...]:
    """Return the rules of each region.

    Raises:
        DetectorError: A region is unknown.
    """
    rules = []
    for region in regions:
        code = phonenumbers.country_code_for_region(region)
        if code == 0:
            raise DetectorError(f"the phone region {region!r} is unknown; use ISO 3166-1 codes such as 'DE'")
        prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""  # noqa: FBT003 - its API
        rules.append(PhoneRule(region, code, prefix, _shape(region, code, prefix)))
    return tuple(rules)


def _shape(region: str, code: int, prefix: str) -> re.Pattern[str] | None:
    rules = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if rules is None:
        return None
    dialled = rules.national_prefix_for_parsing or ""  # a pattern; of its alternatives the first that fits counts
    if (prefix, rules.international_prefix, dialled.split("|")[0]) != ("0", _ABROAD, "0") or "(" in dialled:
        return None
    if rules.national_prefix_transform_rule:
        return None
    every = map(phonenumbers.PhoneMetadata.metadata_for_region, phonenumbers.region_codes_for_country_code(code))
    described = [each.general_desc.national_number_pattern for each in every if each and each.general_desc]
    return re.compile("|".join(f"(?:{pattern})" for pattern in described))
