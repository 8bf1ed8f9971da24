"""Letters of other scripts that are drawn as Latin ones, as in a "D\u0415" that begins with D and a Cyrillic letter.

They are read as Latin (Unicode TR 39, `confusables.txt`; those that nobody can tell apart) where they can be nothing
else, so that a Russian or Greek word stays what it is:

1. in a text that has Latin letters, and of their scripts no other letters than these;
2. elsewhere in a word that has Latin letters, and no other letter that is none.
"""

import re
from collections.abc import Collection
from typing import Final

_LATIN: Final = re.compile("[A-Za-z]")
_WORD: Final = re.compile(r"[^\W_]+")
_OTHER: Final = re.compile("[\u0370-\u052f]")  # Greek and Cyrillic

_READ: Final = {
    # Cyrillic
    **dict(
        zip(
            "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405\u050c\u051a\u051c",
            "ABEKMHOPCTYXIJSGQW",
            strict=True,
        )
    ),
    **dict(
        zip(
            "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u04cf\u0475",
            "aeopcyxijshdqwlv",
            strict=True,
        )
    ),
    # Greek
    **dict(
        zip(
            "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
            "ABEZHIKMNOPTYX",
            strict=True,
        )
    ),
    **dict(zip("\u03b1\u03bf\u03b9\u03bd\u03c1\u03c5", "aoivpu", strict=True)),
}
_TABLE: Final = str.maketrans(_READ)

#: The letters.
LOOKALIKES: Final = frozenset(_READ)

#: Small letters by the Latin one that they, or else their capitals, look like: one form for all that look alike, where
#: two texts are compared and not read.
SMALL_FORMS: Final = {
    **{sign.casefold(): latin.lower() for sign, latin in _READ.items() if sign.isupper()},
    **{sign: latin for sign, latin in _READ.items() if sign.islower()},
}


def as_latin(text: str, signs: Collection[str] | None = None) -> str:
    """Return a text with such letters read as Latin where they can be nothing else; each stays at its place.

    Args:
        text: The text.
        signs: Those of its signs that are not ASCII, or more, where they are known.
    """
    if signs is None:
        signs = set(text) if _OTHER.search(text) else ()
    if LOOKALIKES.isdisjoint(signs) or _LATIN.search(text) is None:
        return text
    if not any(_OTHER.match(sign) and sign.isalpha() for sign in set(signs) - LOOKALIKES):
        return text.translate(_TABLE)
    return _WORD.sub(lambda found: _word(found[0]), text)


def _word(word: str) -> str:
    if word.isascii() or _LATIN.search(word) is None:
        return word
    read = word.translate(_TABLE)
    return read if read.isascii() else word
