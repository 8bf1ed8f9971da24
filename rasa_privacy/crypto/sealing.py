"""Sealing and opening under a data key (docs/spec/segment.md, section 3).

Rules: compress, then encrypt; the associated data is header and identity; a reader checks the key commitment before it
decrypts and the declared size before it decompresses. Secrets live in Python objects, which cannot be wiped.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rasa_privacy.crypto.bot_dictionary import WORDS_ID_BYTES, BotDictionaries
from rasa_privacy.crypto.derive import KEY_BYTES, derive_both
from rasa_privacy.crypto.dictionary import dictionary
from rasa_privacy.crypto.segment import (
    HEADER_BYTES,
    KEY_ID_BYTES,
    MAX_BODY_BYTES,
    MAX_PLAINTEXT_BYTES,
    MIN_BODY_BYTES,
    NONCE_BYTES,
    PREFIX,
    TAG_BYTES,
    SealedSegment,
    fields_of,
    header_bytes,
)
from rasa_privacy.errors import MalformedSegmentError, StorageError, TamperedSegmentError

#: What the commitment and the AES key are derived for.
KEY_USES: Final = (b"rasa_privacy key id v1", b"rasa_privacy seal v1")
_RAW: Final = b"\x00"
_RAW_CODEC: Final = _RAW[0]
_ZSTD: Final = b"\x01"
_ZSTD_WITH_DICTIONARY: Final = b"\x02"
_ZSTD_WITH_WORDS: Final = b"\x03"
ZSTD_LEVEL: Final = 3
#: Of the shortest payloads: 3 % fewer bytes, for 15 microseconds where there are 2 KB; higher levels gain nothing more.
_ZSTD_HARD_LEVEL: Final = 5
_MAX_HARD_BYTES: Final = 4 * 2**10
#: A shorter payload has nothing of what the bot says: names and manifests, which an id of words would make longer.
_MIN_WORDS_PAYLOAD_BYTES: Final = 256
#: A longer payload brings enough of its own that repeats.
_MAX_DICTIONARY_BYTES: Final = 16 * 2**10
# A zstd frame is at least 9 bytes with content, so shorter payloads are not tried.
_MIN_COMPRESSIBLE_BYTES: Final = 12
#: Magic and descriptor of a frame without dictionary id and checksum, whose size of less than 256 bytes stands in the
#: byte behind them (RFC 8878, section 3.1.1.1), as most frames of an export have it.
_SMALL_FRAME: Final = b"\x28\xb5\x2f\xfd\x20"
_SMALL_SIZE_AT: Final = len(_SMALL_FRAME)
_MIN_BYTES: Final = HEADER_BYTES + MIN_BODY_BYTES
_MAX_BYTES: Final = HEADER_BYTES + MAX_BODY_BYTES
_NONCE_AT: Final = HEADER_BYTES - NONCE_BYTES
_set: Final = object.__setattr__


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one subject and one purpose.

    Attributes:
        secret: 32 random bytes.
        dictionaries: Those of the store that the key belongs to, if there are any.
        key_id: 32 bytes that commit to the key and may be stored.

    Raises:
        StorageError: The secret is not 32 bytes.
    """

    secret: bytes = field(repr=False)
    dictionaries: BotDictionaries | None = field(default=None, repr=False, compare=False)
    key_id: bytes = field(init=False)
    _short_id: bytes = field(init=False, repr=False, compare=False)
    _start: bytes = field(init=False, repr=False, compare=False)
    _aead: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive the commitment and the AES key once."""
        if len(self.secret) != KEY_BYTES:
            raise StorageError(f"data key: {len(self.secret)} bytes instead of {KEY_BYTES}")
        key_id, aes_key = derive_both(self.secret, KEY_USES)
        short_id = key_id[:KEY_ID_BYTES]
        _set(self, "key_id", key_id)
        _set(self, "_short_id", short_id)
        _set(self, "_start", PREFIX + short_id)
        _set(self, "_aead", AESGCM(aes_key))

    def _encrypt(self, nonce: bytes, message: bytes, associated: bytes) -> bytes:
        return self._aead.encrypt(nonce, message, associated)


class _Codecs(threading.local):
    """One compressor and decompressor per thread, since zstandard's objects must not be shared."""

    def __init__(self) -> None:
        # The codec names the dictionary, so the frame need not.
        options: dict[str, Any] = {"write_content_size": True, "write_checksum": False, "write_dict_id": False}
        self.compress = zstandard.ZstdCompressor(level=ZSTD_LEVEL, **options).compress
        short: dict[str, Any] = {"dict_data": dictionary(), **options}
        self.compress_short = zstandard.ZstdCompressor(level=ZSTD_LEVEL, **short).compress
        self.compress_hard = zstandard.ZstdCompressor(level=_ZSTD_HARD_LEVEL, **short).compress
        self.decompress = {
            _ZSTD: zstandard.ZstdDecompressor().decompress,
            _ZSTD_WITH_DICTIONARY: zstandard.ZstdDecompressor(dict_data=dictionary()).decompress,
        }


_codecs: Final = _Codecs()


def seal(key: DataKey, plaintext: bytes, identity: bytes, nonce: bytes) -> bytes:
    """Return the stored form of a payload.

    Args:
        key: Data key of the subject and purpose.
        plaintext: At most MAX_PLAINTEXT_BYTES.
        identity: What the bytes are and where they belong (`identity.py`).
        nonce: 12 bytes, random and fresh.

    Raises:
        StorageError: The payload is too long.
        MalformedSegmentError: The nonce has the wrong length.
    """
    if len(plaintext) > MAX_PLAINTEXT_BYTES:
        raise StorageError(f"payload of {len(plaintext)} bytes is over the cap of {MAX_PLAINTEXT_BYTES}; split it")
    if len(nonce) != NONCE_BYTES:
        raise MalformedSegmentError(f"segment: a nonce of {len(nonce)} bytes instead of {NONCE_BYTES}")
    associated = header_bytes(key._short_id, nonce) + identity  # noqa: SLF001
    return SealedSegment(key._short_id, nonce, key._encrypt(nonce, _pack(key, plaintext), associated)).to_bytes()  # noqa: SLF001


def open_sealed(key: DataKey, raw: bytes, identity: bytes) -> bytes:
    """Return the payload of stored bytes after everything about them was verified.

    Raises:
        MalformedSegmentError: The bytes do not follow the format, or the bot's words that they need are not there.
        TamperedSegmentError: They were sealed under another key or place, or they or the words were changed.
        StorageError: The words cannot be read.
    """
    if raw.startswith(key._start) and _MIN_BYTES <= len(raw) <= _MAX_BYTES:  # noqa: SLF001 - what `fields_of` finds too
        nonce, length = raw[_NONCE_AT:HEADER_BYTES], HEADER_BYTES
    else:
        key_id, nonce, length = fields_of(raw)
        if key_id not in (key._short_id, key.key_id):  # noqa: SLF001 - a set would be made anew
            raise TamperedSegmentError("segment: sealed under another data key than the one of its place")
    try:
        message = key._aead.decrypt(nonce, raw[length:], raw[:length] + identity)  # noqa: SLF001
    except InvalidTag:
        raise TamperedSegmentError("segment: it was changed, or it was moved here from another place") from None
    return unpacked(key.dictionaries, message)


def open_together(
    secret: bytes, dictionaries: BotDictionaries | None, sealed: Iterable[tuple[bytes, bytes]]
) -> list[bytes]:
    """Return the payloads of stored bytes of version 2 that lie under one key, as `open_sealed` does of each.

    Args:
        secret: The key's, 32 bytes. No `DataKey` is made of it, which is for those who open more.
        dictionaries: As `DataKey`.
        sealed: The stored bytes and the identity of each.

    Raises:
        PrivacyError: As `DataKey` and `open_sealed`; and for bytes of version 1, which that one opens.
    """
    if len(secret) != KEY_BYTES:
        raise StorageError(f"data key: {len(secret)} bytes instead of {KEY_BYTES}")
    key_id, aes_key = derive_both(secret, KEY_USES)
    start, decrypt = PREFIX + key_id[:KEY_ID_BYTES], AESGCM(aes_key).decrypt
    payloads = []
    for raw, identity in sealed:
        if not raw.startswith(start) or not _MIN_BYTES <= len(raw) <= _MAX_BYTES:
            raise TamperedSegmentError("segment: of version 1, or sealed under another data key")
        header = raw[:HEADER_BYTES]
        try:
            message = decrypt(header[_NONCE_AT:], raw[HEADER_BYTES:], header + identity)
        except InvalidTag:
            raise TamperedSegmentError("segment: it was changed, or it was moved here from another place") from None
        payloads.append(message[1:] if message[0] == _RAW_CODEC else unpacked(dictionaries, message))
    return payloads


def is_under(key: DataKey, raw: bytes) -> bool:
    """Say whether stored bytes name this key as theirs. That they are, only opening them tells.

    Raises:
        MalformedSegmentError: The bytes do not follow the format.
    """
    return fields_of(raw)[0] in {key._short_id, key.key_id}  # noqa: SLF001


def tag_of(raw: bytes) -> bytes:
    """Return the GCM tag of stored bytes, by which a manifest names them."""
    return raw[-TAG_BYTES:]


def _pack(key: DataKey, plaintext: bytes) -> bytes:
    """Return codec byte and data: the shorter form, the raw one on a tie."""
    if len(plaintext) >= _MIN_COMPRESSIBLE_BYTES:
        codec, frame = _compressed(key, plaintext)
        if len(frame) < len(plaintext):
            return codec + frame
    return _RAW + plaintext


def _compressed(key: DataKey, plaintext: bytes) -> tuple[bytes, bytes]:
    """Return the bytes before the frame, and the frame."""
    if len(plaintext) > _MAX_DICTIONARY_BYTES:
        return _ZSTD, _codecs.compress(plaintext)
    is_hard = len(plaintext) <= _MAX_HARD_BYTES
    words = key.dictionaries.current() if key.dictionaries and len(plaintext) >= _MIN_WORDS_PAYLOAD_BYTES else None
    if words is not None:
        return _ZSTD_WITH_WORDS + words.name, (words.compress_hard if is_hard else words.compress)(plaintext)
    return _ZSTD_WITH_DICTIONARY, (_codecs.compress_hard if is_hard else _codecs.compress_short)(plaintext)


def unpacked(dictionaries: BotDictionaries | None, message: bytes) -> bytes:
    """Return the payload in a message that was decrypted.

    Raises:
        MalformedSegmentError: As `open_sealed`.
        StorageError: As `open_sealed`.
    """
    codec, data = message[:1], message[1:]
    if codec == _RAW:
        return data
    if codec == _ZSTD_WITH_WORDS:
        return _decompress(_words(dictionaries, data[:WORDS_ID_BYTES]), data[WORDS_ID_BYTES:])
    decompress = _codecs.decompress.get(codec)
    if decompress is None:
        raise MalformedSegmentError("segment: its codec is unknown to this release")
    return _decompress(decompress, data)


def _words(dictionaries: BotDictionaries | None, name: bytes) -> Callable[..., bytes]:
    decompress = dictionaries.of(name) if dictionaries and len(name) == WORDS_ID_BYTES else None
    if decompress is None:
        raise MalformedSegmentError(
            "segment: the words of the bot that it was compressed with are not there; restore the rows 'bot words ...' "
            "of the table 'meta' from a backup, or start a server with the model of that time, which writes them anew"
        )
    return decompress


def _decompress(decompress: Callable[..., bytes], frame: bytes) -> bytes:
    """Decompress one frame after its declared size was checked, so that no small frame can fill the memory."""
    try:
        if frame.startswith(_SMALL_FRAME) and len(frame) > _SMALL_SIZE_AT:
            size = frame[_SMALL_SIZE_AT]
            is_allowed = len(frame) < size
        else:
            declared = zstandard.get_frame_parameters(frame)
            size = declared.content_size  # 2**64 - 1 where none is declared
            is_allowed = len(frame) < size <= MAX_PLAINTEXT_BYTES and not declared.dict_id
        if not is_allowed:
            raise MalformedSegmentError(
                "segment: its compressed frame declares a size or a dictionary that is not allowed"
            )
        # By position, which takes half the time: the most bytes, then neither frames nor anything else behind this one.
        return decompress(frame, size, False, False)  # noqa: FBT003
    except zstandard.ZstdError:
        raise MalformedSegmentError("segment: its compressed frame cannot be read") from None
