"""Tokens of operators: random, shown once, kept as argon2id hashes (RFC 9106).

A token is `rpo.<name>.<secret>`: the prefix lets scanners of source code find one that was pasted somewhere, the name
finds the row, and the secret is 32 random bytes in base64url. A secret that long cannot be guessed; the slow hash is
for whoever steals the table.
"""

import base64
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY

SECRET_BYTES: Final = 32
#: Names of operators: what they are called in the log and in their token.
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TOKEN: Final = re.compile(rf"rpo\.({NAME.pattern})\.([A-Za-z0-9_-]{{43}})")
_HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


class Token(NamedTuple):
    """A token in its parts.

    Attributes:
        name: Whose it says that it is.
        secret: What only they know.
    """

    name: str
    secret: str

    def __repr__(self) -> str:
        return f"Token({self.name!r}, ...)"


def make_token(name: str, random_bytes: Callable[[int], bytes]) -> tuple[str, Token]:
    """Return a new token as text, to be shown once, and in its parts."""
    secret = base64.urlsafe_b64encode(random_bytes(SECRET_BYTES)).rstrip(b"=").decode("ascii")
    return f"rpo.{name}.{secret}", Token(name, secret)


def parse_token(text: str) -> Token | None:
    """Return the parts of a token, or None where the text is none."""
    match = _TOKEN.fullmatch(text.strip())
    return None if match is None else Token(match[1], match[2])


def hash_secret(secret: str) -> str:
    """Return the argon2id hash of a secret, with its salt and costs. It takes some 50 milliseconds and 64 MiB."""
    return _HASHER.hash(secret)


def is_secret(secret: str, hashed: str) -> bool:
    """Return whether a secret is the one that was hashed; a damaged hash is nobody's."""
    try:
        return _HASHER.verify(hashed, secret)
    except (Argon2Error, InvalidHashError):
        return False
