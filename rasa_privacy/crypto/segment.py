"""`SealedSegment`: the stored form of one run of events.

Layout (docs/spec/segment.md, section 2; sizes in bytes)::

    "RPS" 0x02 | key_id 16 | nonce 12 | body 17..MAX_BODY_BYTES
    "RPS" 0x01 | key_id 32 | nonce 12 | body 17..MAX_BODY_BYTES      read, and not written any more

No keys and no I/O here; `sealing.py` calls AES-GCM.
"""

import struct
from dataclasses import dataclass, field
from typing import Final

from rasa_privacy.errors import MalformedSegmentError

KEY_ID_BYTES: Final = 16
#: In segments of version 1.
LONG_KEY_ID_BYTES: Final = 32
NONCE_BYTES: Final = 12  # NIST SP 800-38D, section 8.2: 96 bits
TAG_BYTES: Final = 16  # NIST SP 800-38D, section 5.2.1.2
MAX_PLAINTEXT_BYTES: Final = 16 * 2**20
MIN_BODY_BYTES: Final = 1 + TAG_BYTES  # the codec byte, then the tag
MAX_BODY_BYTES: Final = 1 + MAX_PLAINTEXT_BYTES + TAG_BYTES
_MAGIC: Final = b"RPS"
#: What is written begins with it.
PREFIX: Final = _MAGIC + b"\x02"
_HEADER: Final = struct.Struct(">4s16s12s")
HEADER_BYTES: Final = _HEADER.size
_LONG_PREFIX: Final = _MAGIC + b"\x01"
_LONG_HEADER: Final = struct.Struct(">4s32s12s")


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A segment whose lengths are right. Nothing in it is authenticated yet.

    Attributes:
        key_id: The commitment to the data key: 16 bytes, or 32 in version 1.
        nonce: 12 bytes, random per segment (SP 800-38D, section 8.2.2).
        body: Ciphertext then tag, MIN_BODY_BYTES to MAX_BODY_BYTES bytes.

    Raises:
        MalformedSegmentError: A field has the wrong length.
    """

    key_id: bytes
    nonce: bytes
    body: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Check the lengths, since struct pads and truncates `16s` silently."""
        if len(self.key_id) not in {KEY_ID_BYTES, LONG_KEY_ID_BYTES} or len(self.nonce) != NONCE_BYTES:
            raise MalformedSegmentError("segment: a header field has the wrong length")
        if not MIN_BODY_BYTES <= len(self.body) <= MAX_BODY_BYTES:
            raise MalformedSegmentError(
                f"segment: the body is {len(self.body)} bytes, not {MIN_BODY_BYTES} to {MAX_BODY_BYTES}"
            )

    @classmethod
    def from_bytes(cls, raw: bytes) -> "SealedSegment":
        """Read stored bytes strictly.

        Raises:
            MalformedSegmentError: Wrong magic, unknown version or wrong length.
        """
        key_id, nonce, length = fields_of(raw)
        return cls(key_id, nonce, raw[length:])

    def header(self) -> bytes:
        """Return the header bytes. The associated data is these, then the identity."""
        if len(self.key_id) == LONG_KEY_ID_BYTES:
            return _LONG_HEADER.pack(_LONG_PREFIX, self.key_id, self.nonce)
        return _HEADER.pack(PREFIX, self.key_id, self.nonce)

    def to_bytes(self) -> bytes:
        """Return the stored form."""
        return self.header() + self.body

    @property
    def tag(self) -> bytes:
        """The 16-byte GCM tag, by which a manifest names the segment."""
        return self.body[-TAG_BYTES:]


def fields_of(raw: bytes) -> tuple[bytes, bytes, int]:
    """Return key id and nonce of stored bytes, read strictly, and how many bytes their header has.

    Raises:
        MalformedSegmentError: Wrong magic, unknown version or wrong length.
    """
    prefix = raw[:4]
    layout = _LONG_HEADER if prefix == _LONG_PREFIX else _HEADER
    if not layout.size + MIN_BODY_BYTES <= len(raw) <= layout.size + MAX_BODY_BYTES:
        raise MalformedSegmentError(f"segment: {len(raw)} bytes cannot be one")
    if prefix[:3] != _MAGIC:
        raise MalformedSegmentError("segment: the magic bytes are missing")
    if prefix not in {PREFIX, _LONG_PREFIX}:
        raise MalformedSegmentError(
            f"segment: format version {prefix[3]} is unknown to this release, which reads 1 and 2"
        )
    _, key_id, nonce = layout.unpack_from(raw)
    return key_id, nonce, layout.size


def header_bytes(key_id: bytes, nonce: bytes) -> bytes:
    """Return the header of a segment that is about to be sealed; both have their lengths."""
    return _HEADER.pack(PREFIX, key_id, nonce)
