"""What each character of a text is read as, before anything is looked for in it.

Rules:

1. Digits of every script, Chinese ones too (but no tens), wide letters and accented Latin letters are read as plain
   ASCII; every kind of blank is a space and every kind of dash a hyphen (Unicode TR 15, NFKC, taken for each character
   by itself).
2. Signs that show nothing by themselves (zero-width characters, combining accents, soft hyphens, variation selectors,
   the key around the digit of an emoji) are left out.
3. Letters of other scripts are read as Latin ones where they can be nothing else (`lookalikes`).
"""

import re
import unicodedata
from typing import Final

from rasa_privacy.minimize.lookalikes import as_latin

_MAX_TABLE: Final = 20_000  # characters that are remembered; nobody can fill the memory with all of Unicode
_NOTHING: Final = frozenset("\u115f\u1160\u3164\u2800\uffa0")  # letters and signs that are drawn as nothing
_DASHES: Final = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u30fc")
# Chinese digits, those of banks, the zero as a ring and the one as it is read out in phone numbers.
_CHINESE: Final = {
    sign: str(digit)
    for signs in ("\u96f6\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d",
                  "\u3007\u58f9\u8d30\u53c1\u8086\u4f0d\u9646\u67d2\u634c\u7396")
    for digit, sign in enumerate(signs)
} | {"\u5e7a": "1"}  # fmt: skip
_ACCENTS: Final = range(0x300, 0x370)
_LATIN: Final = range(0xC0, 0x250)
_SMALL_LATIN: Final = range(0x1E00, 0x1F00)


class _Table(dict[int, str]):
    """What each character is read as; filled when a character is first met."""

    def __missing__(self, code: int) -> str:
        read = _read(chr(code))
        if len(self) < _MAX_TABLE:
            self[code] = read
        return read


def _read(character: str) -> str:  # noqa: PLR0911 - one line for each kind of character
    """Return the one character that this one is read as, or nothing."""
    code, category = ord(character), unicodedata.category(character)
    if category in ("Cf", "Me") or character in _NOTHING or code in _ACCENTS or 0xFE00 <= code <= 0xFE0F:  # noqa: PLR2004
        return ""
    if character in _CHINESE:
        return _CHINESE[character]
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character in _DASHES or category == "Pd":
        return "-"
    if category == "Zs":
        return " "
    compatible = unicodedata.normalize("NFKC", character)
    numbers = [part for part in compatible if part.isdecimal()]
    if len(compatible) > 1:  # a digit with its full stop or in brackets; all else stays, so that places stay
        return numbers[0] if len(numbers) == 1 and len(compatible) <= 3 else character  # noqa: PLR2004
    if ord(compatible) in _LATIN or ord(compatible) in _SMALL_LATIN:
        return unicodedata.normalize("NFD", compatible)[0]
    return str(unicodedata.decimal(compatible)) if numbers else compatible


_TABLE: Final = _Table()
_FOREIGN: Final = re.compile("([^\x00-\x7f])")
_FEW: Final = 16  # one character in so many


def as_plain(written: str) -> str:
    """Return a text as it is read."""
    foreign = len(written) - len(written.encode("ascii", "ignore"))
    if foreign * _FEW > len(written):
        return as_latin(written.translate(_TABLE))
    parts = _FOREIGN.split(written)
    parts[1::2] = read = [_TABLE[ord(sign)] for sign in parts[1::2]]
    return as_latin("".join(parts), read)


def left_out(written: str) -> list[str]:
    """Return the different characters of a text that are left out."""
    return [sign for sign in set(_FOREIGN.findall(written)) if not _TABLE[ord(sign)]]
