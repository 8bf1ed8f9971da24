"""HKDF-SHA256 without salt (RFC 5869): the inputs are uniformly random keys, so no salt is needed (section 3.1).

`derive` is the library's. `derive_both` gives the same for two uses of one key in a fifth of the time: the library
builds its objects anew and extracts twice, which is most of what opening a message costs. It is HMAC (RFC 2104) written
out over `hashlib`, which `hmac_of` is too; tests hold them against the libraries and against a vector of RFC 5869.
"""

from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
_BLOCK_BYTES: Final = 64  # of SHA-256, RFC 2104, section 2: B
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))
# The salt that is none is a block of zeros, and a key of 32 bytes is followed by 32 zeros.
_NO_SALT_INNER: Final = b"\x36" * _BLOCK_BYTES
_NO_SALT_OUTER: Final = b"\x5c" * _BLOCK_BYTES
_REST_INNER: Final = b"\x36" * (_BLOCK_BYTES - KEY_BYTES)
_REST_OUTER: Final = b"\x5c" * (_BLOCK_BYTES - KEY_BYTES)
_FIRST_BLOCK: Final = b"\x01"


def derive(secret: bytes, info: bytes) -> bytes:
    """Return 32 bytes derived from the secret for the use that `info` names."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)


def derive_both(secret: bytes, infos: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return what `derive` gives for each of two uses."""
    extracted = sha256(_NO_SALT_OUTER + sha256(_NO_SALT_INNER + secret).digest()).digest()
    inner, outer = extracted.translate(_INNER) + _REST_INNER, extracted.translate(_OUTER) + _REST_OUTER
    first, second = infos  # written out, since a call of `hmac_of` takes as long as a hash
    return (
        sha256(outer + sha256(inner + first + _FIRST_BLOCK).digest()).digest(),
        sha256(outer + sha256(inner + second + _FIRST_BLOCK).digest()).digest(),
    )


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """Return the inner and the outer block of HMAC-SHA256 under a key of 32 bytes, for `hmac_of`."""
    return key.translate(_INNER) + _REST_INNER, key.translate(_OUTER) + _REST_OUTER


def hmac_of(pads: tuple[bytes, bytes], message: bytes) -> bytes:
    """Return the HMAC of a message, in little more than half the time of `hmac.digest`, which looks the hash up."""
    return sha256(pads[1] + sha256(pads[0] + message).digest()).digest()
