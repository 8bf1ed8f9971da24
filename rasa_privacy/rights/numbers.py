"""Numbers that people keep and read out: of certificates and of requests. Random, so that none tells of another."""

import os
from collections.abc import Callable
from typing import Final

#: Letters and digits that are not taken for one another when read out (Crockford's base 32).
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS: Final = 3
_GROUP: Final = 4
#: A regular expression of numbers with a prefix.
FORM: Final = f"{{}}(-[{ALPHABET}]{{{{{_GROUP}}}}}){{{{{_GROUPS}}}}}"
#: The character of each byte. There are 32, which is a part of 256, so that each is as likely as the others.
_LETTERS: Final = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))


def new_number(prefix: str, random_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """Return the prefix and three groups of four random characters (60 bits), such as `ER-7K2M-0QX4-ZB9T`."""
    letters = random_bytes(_GROUPS * _GROUP).translate(_LETTERS).decode("ascii")
    return "-".join([prefix, *(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))])
