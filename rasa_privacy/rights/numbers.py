"""Numbers that people keep and read out: of certificates and of requests. Random, so that none tells of another."""

import secrets
from collections.abc import Callable
from typing import Final

#: Letters and digits that are not taken for one another when read out (Crockford's base 32).
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS: Final = 3
_GROUP: Final = 4


def new_number(prefix: str, choice: Callable[[str], str] = secrets.choice) -> str:
    """Return the prefix and three groups of four random characters (60 bits), such as `ER-7K2M-0QX4-ZB9T`."""
    return "-".join([prefix, *("".join(choice(ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))])
