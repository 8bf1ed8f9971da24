"""`mask_partials`: a value of which only the beginning is kept is found again by that beginning.

With `keep: {first: 3}` the store knows `SW1` and not `SW1A 1AA`, so the whole value is no known value when it is said
again. A word that begins with what is kept and has a digit in it is taken for it, with a last group of a digit and
letters after it, as postcodes have. Words without a digit stay: `first: 1` would take every other word.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

_REST: Final = r"[\w-]{0,20}(?:[ -]\d\w{1,3}(?!\w))?"


def mask_partials(text: str, beginnings: Mapping[str, Collection[str]]) -> str:
    """Return the text with such words replaced by `[item]`.

    Args:
        text: What a person or the bot said.
        beginnings: The beginnings that are kept, by item.
    """
    for item, found in beginnings.items():
        for beginning in sorted(found, key=len, reverse=True):
            pattern = re.compile(rf"(?<![\w\[]){re.escape(beginning)}{_REST}", re.IGNORECASE)
            text = pattern.sub(lambda match: f"[{item}]" if any(map(str.isdigit, match[0])) else match[0], text)  # noqa: B023 - used at once
    return text
