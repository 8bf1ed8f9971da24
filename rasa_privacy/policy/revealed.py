"""What a value still tells when it is kept by the `keep` of its item: nothing is kept without telling something.

Shown where somebody chooses or answers for it: in an editor (`json_schema`), in the report, and in docs/keeping.md.
Tests hold each sentence against what `minimize.transforms` does.
"""

from collections.abc import Mapping
from typing import Final

from rasa_privacy.policy.item_model import Ends, KeepWord

REVEALS: Final[Mapping[KeepWord, str]] = {
    "full": "the value",
    "masked": ("its first character where it has five to seven, its first two where it has more, and which of the two"),
    "year": "the year of a date",
    "decade": "the ten years in which a date lies",
    "age_band": "between which tens of years the age was on the day it was given",
    "postcode_area": "the area: the outward part of a code that begins with letters, else two digits",
    "email_domain": "the provider or the employer, which may be one person's own domain",
    "city": "the town, and no street",
    "country": "the country, as two letters",
    "pseudonym": "whether two values of this bot are the same; who has the key can try guesses",
    "yes_no": "whether there is a value, or whether the answer was a yes; of an unclear answer nothing",
    "none": "nothing",
}


def revealed(keep: KeepWord | Ends) -> str:
    """Return what is still told of a value that is kept by this."""
    if not isinstance(keep, Ends):
        return REVEALS[keep]
    end, count = ("first", keep.first) if keep.first is not None else ("last", keep.last)
    return f"its {end} {'character' if count == 1 else f'{count} characters'}, which is all of a value that has no more"
