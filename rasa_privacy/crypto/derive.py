"""HKDF-SHA256 without salt (RFC 5869): the inputs are uniformly random keys, so no salt is needed (section 3.1)."""

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32


def derive(secret: bytes, info: bytes) -> bytes:
    """Return 32 bytes derived from the secret for the use that `info` names."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)
