"""`BlindIndex`: a keyed hash that finds a value without storing it (docs/spec/keys.md, section 4).

Who has the key can test guesses, so the key is wrapped like a data key. Without it the index says nothing about the
value.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Final

from rasa_privacy.crypto.derive import KEY_BYTES, hmac_of, hmac_pads
from rasa_privacy.errors import StorageError

#: So much of an index is stored where rows are found by it. Two values share it with a chance of 2^-120. With a byte
#: more, PostgreSQL takes 8 more for each entry of an index, whose length is a multiple of 8.
FOUND_BY_BYTES: Final = 15


@dataclass(frozen=True, slots=True)
class BlindIndex:
    """HMAC-SHA256 under one key, with a domain for each use.

    Attributes:
        key: 32 random bytes.

    Raises:
        StorageError: The key is not 32 bytes.
    """

    key: bytes = field(repr=False)
    _pads: tuple[bytes, bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the length of the key."""
        if len(self.key) != KEY_BYTES:
            raise StorageError(f"index key: {len(self.key)} bytes instead of {KEY_BYTES}")
        object.__setattr__(self, "_pads", hmac_pads(self.key))

    def of(self, domain: str, value: str) -> bytes:
        """Return the 32-byte index of a value within a domain of 1 to 255 bytes."""
        return self.of_bytes(domain, value.encode("utf-8", "surrogatepass"))

    def to_find(self, domain: str, value: str) -> bytes:
        """Return the first FOUND_BY_BYTES of it, by which rows are found."""
        return self.of(domain, value)[:FOUND_BY_BYTES]

    def finding(self, domain: str) -> Callable[[str], bytes]:
        """Return `to_find` for many values of one domain."""
        inner, outer = self._pads
        start = inner + _named(domain)

        def find(value: str) -> bytes:
            message = value.encode("utf-8", "surrogatepass")
            return sha256(outer + sha256(start + message).digest()).digest()[:FOUND_BY_BYTES]

        return find

    def of_bytes(self, domain: str, value: bytes) -> bytes:
        """Return the same of a value that is bytes."""
        return hmac_of(self._pads, _named(domain) + value)


@lru_cache(maxsize=64)
def _named(domain: str) -> bytes:
    name = domain.encode()
    return bytes((len(name),)) + name
