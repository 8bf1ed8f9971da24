"""The categories of items that the law treats apart."""

from typing import Final

#: GDPR Art. 9(1), as categories of items may be called.
SPECIAL: Final = frozenset((
    "biometric", "ethnicity", "genetic", "health", "political", "race", "religion", "sexuality", "trade_union",
))  # fmt: skip

#: What else the CCPA calls sensitive (Cal. Civ. Code § 1798.140(ae)), beside what the GDPR does.
SENSITIVE: Final = SPECIAL | {"citizenship", "credentials", "government_id", "precise_location"}
