"""Long words: runs without spaces of a text that are long enough for a key or a wallet's address."""

import re
from collections.abc import Sequence
from typing import Final

_LONG_WORD: Final = 16  # characters of the shortest key that is searched as a word
_LONG_RUN: Final = _LONG_WORD * b"x"
# What each byte of a text is taken for where only its blanks are looked at.
_BLANKS: Final = bytes(ord(" " if code < 128 and chr(code).isspace() else "x") for code in range(256))  # noqa: PLR2004 - ASCII
_PARTING: Final = re.compile(r"[\s@]")  # what long words are told by
_ADDRESS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,63}[.,;:!?)]*")
_HAS_SIGNS: Final = re.compile("[A-Za-z0-9]")


def long_words(plain: str, ascii_text: bytes) -> list[tuple[int, int]]:
    """Return start and end of each long word that may be a key, in order.

    Args:
        plain: The text as it is read.
        ascii_text: The same with a question mark for each character of another script.
    """
    found: list[tuple[int, int]] = []
    shape = ascii_text.translate(_BLANKS)
    start = shape.find(_LONG_RUN)
    while start >= 0:
        end = shape.find(b" ", start)
        end = len(shape) if end < 0 else end
        for word in plain[start:end].split():  # by the blanks that are not ASCII
            start = plain.find(word, start)
            if len(word) >= _LONG_WORD and _may_be_key(word):
                found.append((start, start + len(word)))
            start += len(word)
        start = shape.find(_LONG_RUN, end)
    return found


def is_parted(plain: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Tell whether taking these places out may make other words of a text."""
    return any(_PARTING.search(plain, *span) for span in spans)


def still_long(words: Sequence[tuple[int, int]], plain: str) -> list[tuple[int, int]]:
    """Return those of the long words that are not taken out of this text."""
    return [word for word in words if _HAS_SIGNS.search(plain, *word)]


def _may_be_key(word: str) -> bool:
    """Tell whether a long word may be a key or an address of a wallet, and so is no address of mail."""
    return ("@" not in word or _ADDRESS.fullmatch(word) is None) and _HAS_SIGNS.search(word) is not None
