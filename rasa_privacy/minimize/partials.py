"""`mask_partials`: a value of which only the beginning is kept is found again by that beginning.

With `keep: {first: 3}` the store knows `SW1` and not `SW1A 1AA`, so the whole value is no known value when it is said
again. A word that begins with what is kept and has a digit in it is taken for it, with a last group of a digit and
letters after it, as postcodes have. Words without a digit stay: `first: 1` would take every other word.

No pattern is made of a beginning: `re` would keep it in its cache, and making one takes as long as all detectors.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

_START: Final = re.compile(r"(?<![\w\[])")
_TURKISH: Final = str.maketrans("\u0130\u0131", "ii")
_REST: Final = re.compile(r"[\w-]{0,20}(?:[ -]\d\w{1,3}(?!\w))?")


def mask_partials(text: str, beginnings: Mapping[str, Collection[str]]) -> str:
    """Return the text with such words replaced by `[item]`.

    Args:
        text: What a person or the bot said.
        beginnings: The beginnings that are kept, by item.
    """
    for item, found in beginnings.items():
        for beginning in sorted(found, key=len, reverse=True):
            text = _masked(text, beginning, item)
    return text


def _masked(text: str, beginning: str, item: str) -> str:
    """Return the text with the words of one beginning replaced."""
    folded, length = _folded(beginning), len(beginning)
    parts: list[str] = []
    done = taken = 0
    for place in (found.start() for found in _START.finditer(text)):
        if place < taken or _folded(text[place : place + length]) != folded:
            continue
        rest = _REST.match(text, place + length)
        taken = rest.end() if rest else place + length
        if any(map(str.isdigit, text[place:taken])):
            parts += [text[done:place], f"[{item}]"]
            done = taken
    return "".join([*parts, text[done:]])


def _folded(text: str) -> str:
    """Return the text whatever its case, also that of the two letters i of Turkish."""
    return text.translate(_TURKISH).casefold()
