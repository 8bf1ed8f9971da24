"""Entries to payload bytes and back: MessagePack arrays, cut into payloads that stay under the cap.

Entries are opaque here. What MessagePack cannot hold (a lone surrogate, an integer over 64 bits; both can come from a
channel's JSON) is stored as near as possible instead of losing the turn.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from rasa_privacy.crypto.segment import MAX_PLAINTEXT_BYTES
from rasa_privacy.errors import MalformedSegmentError, StorageError

_MAX_INTEGER: Final = 2**64 - 1
_MIN_INTEGER: Final = -(2**63)
_MAX_FLOAT: Final = 10**300
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode
_raw_decoder: Final = msgspec.msgpack.Decoder(list[msgspec.Raw])


def payloads(entries: Sequence[Any]) -> Iterator[tuple[int, bytes]]:
    """Yield count and payload of runs of entries, one run unless that would pass the cap.

    Raises:
        StorageError: An entry is of a kind that cannot be stored, or too long by itself.
    """
    payload = _encoded(entries)
    if len(payload) <= MAX_PLAINTEXT_BYTES:
        yield len(entries), payload
        return
    if len(entries) == 1:
        raise StorageError(f"an entry of {len(payload)} bytes is over the cap of {MAX_PLAINTEXT_BYTES}; shorten it")
    half = len(entries) // 2
    yield from payloads(entries[:half])
    yield from payloads(entries[half:])


def entries_of(payload: bytes, count: int) -> list[Any]:
    """Return the entries of a payload.

    Raises:
        MalformedSegmentError: It is no array of `count` entries.
    """
    try:
        entries = _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise MalformedSegmentError("segment: its payload is no MessagePack") from None
    if not isinstance(entries, list) or len(entries) != count:
        raise MalformedSegmentError(f"segment: its payload is not an array of {count} entries")
    return entries


def merged(parts: Sequence[bytes]) -> bytes:
    """Return one payload with the entries of all parts, in order.

    Raises:
        MalformedSegmentError: A part is no array.
    """
    entries: list[msgspec.Raw] = []
    try:
        for part in parts:
            entries += _raw_decoder.decode(part)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise MalformedSegmentError("segment: its payload is no MessagePack array") from None
    return _encode(entries)


def _encoded(entries: Sequence[Any]) -> bytes:
    try:
        try:
            return _encode(entries)
        except (UnicodeEncodeError, OverflowError):
            return _encode([_storable(entry) for entry in entries])
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        # The text of the error may quote a value, so only its class is named.
        raise StorageError(
            f"an entry is nested too deep or holds a kind of value without a stored form ({type(error).__name__})"
        ) from None


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, int) and not _MIN_INTEGER <= value <= _MAX_INTEGER:
        return float(value) if abs(value) < _MAX_FLOAT else math.copysign(math.inf, 1 if value > 0 else -1)
    return value
