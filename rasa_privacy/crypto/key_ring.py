"""`KeyEncryptionKey`: wraps data keys (docs/spec/keys.md, section 3).

Layout (sizes in bytes)::

    "RPK" 0x01 | epoch 4 | nonce 12 | ciphertext 32 | tag 16
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rasa_privacy.crypto.derive import KEY_BYTES, derive
from rasa_privacy.crypto.identity import ID_BYTES, named
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import KeyProviderError, MalformedSegmentError, StorageError, TamperedSegmentError

#: Subject of a key that belongs to the database and to no person.
NO_SUBJECT: Final = b""
WRAPPED_BYTES: Final = 68
MAX_EPOCH: Final = 2**32 - 1
_PREFIX: Final = b"RPK\x01"
_HEADER: Final = struct.Struct(">4sI12s")
#: What all keys of one epoch begin with.
_START: Final = struct.Struct(">4sI")
#: So many bytes of a wrapped key say in which epoch it was wrapped.
EPOCH_BYTES: Final = _START.size
_NONCES: Final = struct.Struct("12s")
#: How a subject id begins where a key names its owner.
_ID_LENGTH: Final = bytes((ID_BYTES,))
_WRAP_INFO: Final = b"rasa_privacy wrap v1"
_FINGERPRINT_INFO: Final = b"rasa_privacy kek fingerprint v1"

#: Subject id, name of the purpose, and the stored form of a key; and the other way round, as it is written.
Owned: TypeAlias = tuple[bytes, str, bytes]
Rewrapped: TypeAlias = tuple[bytes, bytes, str]


@dataclass(frozen=True, slots=True)
class KeyEncryptionKey:
    """The key of one epoch. It wraps data keys and nothing else.

    Attributes:
        epoch: 1 to MAX_EPOCH.
        secret: 32 random bytes.

    Raises:
        KeyProviderError: The epoch or the length is wrong.
    """

    epoch: int
    secret: bytes = field(repr=False)
    _aead: AESGCM = field(init=False, repr=False, compare=False)
    _start: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the fields and derive the AES key once."""
        if not 1 <= self.epoch <= MAX_EPOCH or len(self.secret) != KEY_BYTES:
            raise KeyProviderError(
                f"key of epoch {self.epoch}: the epoch is out of range or the key is not {KEY_BYTES} bytes"
            )
        object.__setattr__(self, "_aead", AESGCM(derive(self.secret, _WRAP_INFO)))
        object.__setattr__(self, "_start", _START.pack(_PREFIX, self.epoch))

    def fingerprint(self) -> bytes:
        """Return 32 bytes that recognise the key, tell nothing about it, and may be stored."""
        return derive(self.secret, _FINGERPRINT_INFO)

    def wrap(self, key: bytes, subject_id: bytes, purpose: str, nonce: bytes) -> bytes:
        """Return the stored form of a key.

        Args:
            key: 32 bytes.
            subject_id: 16 bytes, or NO_SUBJECT.
            purpose: Name of its purpose.
            nonce: 12 bytes, random and fresh.

        Raises:
            StorageError: A length is wrong.
        """
        if (len(key), len(nonce)) != (KEY_BYTES, NONCE_BYTES):
            raise StorageError("wrapping: the key or the nonce has the wrong length")
        return self._sealed(key, _owner(subject_id, purpose), nonce)

    def unwrap(self, wrapped: bytes, subject_id: bytes, purpose: str) -> bytes:
        """Return the 32 bytes of a key.

        Raises:
            MalformedSegmentError: The bytes do not follow the format.
            KeyProviderError: The key was wrapped in another epoch.
            TamperedSegmentError: It was wrapped by another key, for another owner, or changed since.
        """
        return self._opened(wrapped, _owner(subject_id, purpose))

    def unwrapping(self, purpose: str) -> Callable[[bytes, bytes], bytes]:
        """Return what `unwrap` does for many keys of one purpose: by wrapped key and subject id of 16 bytes."""
        start, size, decrypt, name = self._start, _HEADER.size, self._aead.decrypt, named(purpose)

        def unwrap(wrapped: bytes, subject_id: bytes) -> bytes:
            if len(subject_id) != ID_BYTES:
                raise StorageError("wrapping: a subject id is 16 bytes, or none")
            header = wrapped[:size]
            if len(wrapped) != WRAPPED_BYTES or not header.startswith(start):
                self._refuse(wrapped)
            try:
                return decrypt(header[EPOCH_BYTES:], wrapped[size:], header + _ID_LENGTH + subject_id + name)
            except InvalidTag:
                raise _changed() from None

        return unwrap

    def rewrap(self, keys: Sequence[Owned], new: "KeyEncryptionKey", random: bytes) -> list[Rewrapped]:
        """Return keys of this epoch as another KEK wraps them, which is what `unwrap` and then `wrap` give.

        What was changed, moved or wrapped in another epoch is left out. It is one loop without a call of its own for
        each key, since a million keys are wrapped anew at once and a call takes as long as a fifth of a cipher.

        Args:
            keys: Subject id, name of the purpose and stored form of each.
            new: The KEK that wraps them from now on.
            random: 12 random and fresh bytes for each.

        Raises:
            StorageError: There are not as many random bytes.
        """
        start, size, decrypt = self._start, _HEADER.size, self._aead.decrypt
        begins, encrypt = new._start, new._aead.encrypt  # noqa: SLF001 - of the same class
        owners, done = dict[str, bytes](), list[Rewrapped]()
        known, add = owners.get, done.append
        if len(random) != NONCE_BYTES * len(keys):
            raise StorageError("wrapping: there is not one nonce of 12 bytes for each key")
        for (subject_id, purpose, wrapped), (nonce,) in zip(keys, _NONCES.iter_unpack(random), strict=True):
            try:  # on SQLite a tampered row can hold anything
                header, name = wrapped[:size], known(purpose)
                if name is None:
                    name = owners[purpose] = named(purpose)
                if len(subject_id) != ID_BYTES or len(wrapped) != WRAPPED_BYTES or header[:EPOCH_BYTES] != start:
                    continue
                owner = _ID_LENGTH + subject_id + name
                key = decrypt(header[EPOCH_BYTES:], wrapped[size:], header + owner)
            except (InvalidTag, StorageError, TypeError):
                continue
            opening = begins + nonce
            add((opening + encrypt(nonce, key, opening + owner), subject_id, purpose))
        return done

    def _sealed(self, key: bytes, owner: bytes, nonce: bytes) -> bytes:
        header = _HEADER.pack(_PREFIX, self.epoch, nonce)
        return header + self._aead.encrypt(nonce, key, header + owner)

    def _opened(self, wrapped: bytes, owner: bytes) -> bytes:
        header = wrapped[: _HEADER.size]
        if len(wrapped) != WRAPPED_BYTES or header[: _START.size] != self._start:
            self._refuse(wrapped)
        try:
            return self._aead.decrypt(header[_START.size :], wrapped[_HEADER.size :], header + owner)
        except InvalidTag:
            raise _changed() from None

    def _refuse(self, wrapped: bytes) -> NoReturn:
        """Say why it is no key of this epoch."""
        epoch = epoch_of(wrapped)
        raise KeyProviderError(
            f"a key was wrapped in epoch {epoch}, the key file is of epoch {self.epoch}; put kek-{epoch}.key back"
        )


def epoch_of(wrapped: bytes) -> int:
    """Return the epoch in which a stored key was wrapped; nothing is verified yet.

    Raises:
        MalformedSegmentError: The bytes do not follow the format.
    """
    if len(wrapped) != WRAPPED_BYTES:
        raise MalformedSegmentError(f"wrapped key: {len(wrapped)} bytes instead of {WRAPPED_BYTES}")
    prefix, epoch = _START.unpack_from(wrapped)
    if prefix != _PREFIX:
        raise MalformedSegmentError("wrapped key: the magic bytes are missing or the version is unknown")
    number: int = epoch
    return number


def _changed() -> TamperedSegmentError:
    return TamperedSegmentError("data key: it was changed, or it belongs to another subject or purpose")


def _owner(subject_id: bytes, purpose: str) -> bytes:
    if len(subject_id) not in (len(NO_SUBJECT), ID_BYTES):
        raise StorageError("wrapping: a subject id is 16 bytes, or none")
    return bytes((len(subject_id),)) + subject_id + named(purpose)
