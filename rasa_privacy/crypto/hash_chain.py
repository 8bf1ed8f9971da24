"""A chain of hashes: each link covers a record and everything before it (docs/spec/segment.md, section 6).

The chain by itself shows a change to those who kept an older link. Who keeps the last link, and how, is the caller's
affair.
"""

import hashlib
import struct
from typing import Final

LINK_BYTES: Final = 32
#: What the first link follows.
GENESIS: Final = bytes(LINK_BYTES)
_DOMAIN: Final = b"rasa_privacy chain v1"
_LENGTH: Final = struct.Struct(">Q")


def link(previous: bytes, record: bytes) -> bytes:
    """Return the 32-byte link of a record that follows `previous`, which is GENESIS or an earlier link."""
    return hashlib.sha256(b"".join((_DOMAIN, previous, _LENGTH.pack(len(record)), record))).digest()
