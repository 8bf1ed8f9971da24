"""Manifests: which segments are live, sealed under the service key (docs/spec/segment.md, sections 5 and 6).

The head manifest holds the current session and a hash over the closed ones, so that its size and the cost of reading
the last session do not grow with the number of sessions.
"""

import struct
from typing import Any, Final

import msgspec

from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.crypto.sealing import DataKey, open_sealed, seal, tag_of
from rasa_privacy.errors import MalformedSegmentError, TamperedSegmentError

_CLOSED: Final = struct.Struct(">Q")


class SegmentRef(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One live segment.

    Attributes:
        first_seq: Number of the event of its first entry.
        count: Number of entries.
        level: How often it was merged; FINAL_LEVEL is never merged again.
        tag: Its 16-byte GCM tag.
    """

    first_seq: int
    count: int
    level: int
    tag: bytes


#: Live segments of one session by purpose, in the order of the rows.
Purposes = dict[str, list[SegmentRef]]


class Head(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The current state of a conversation.

    Attributes:
        event_count: Events in all sessions.
        session: Number of the first event of the current session.
        closed: How many sessions came before it.
        chain: Link over the manifests of those (`chain_closed`).
        purposes: Segments of the current session.
    """

    event_count: int
    session: int
    closed: int
    chain: bytes
    purposes: Purposes


def empty_head() -> Head:
    """Return the head of a conversation without events."""
    return Head(0, 0, 0, GENESIS, {})


def chain_closed(chain: bytes, session: int, sealed_manifest: bytes) -> bytes:
    """Return the link that adds a closed session to the chain.

    Raises:
        TamperedSegmentError: The row's session is no number.
    """
    try:
        number = _CLOSED.pack(session)
    except struct.error:
        raise TamperedSegmentError("a closed session's number is none; restore the database from its backup") from None
    return link(chain, number + tag_of(sealed_manifest))


_encode: Final = msgspec.msgpack.Encoder().encode
_head_decoder: Final = msgspec.msgpack.Decoder(Head)
_purposes_decoder: Final = msgspec.msgpack.Decoder(Purposes)


def open_head(key: DataKey, sealed: bytes | None, identity: bytes) -> Head:
    """Return the head manifest.

    Raises:
        MalformedSegmentError: It is missing or does not follow the format.
        TamperedSegmentError: It is not the one of this conversation and version.
    """
    head: Head = _open(key, sealed, identity, _head_decoder)
    return head


def open_purposes(key: DataKey, sealed: bytes | None, identity: bytes) -> Purposes:
    """Return the manifest of a closed session.

    Raises:
        MalformedSegmentError: It is missing or does not follow the format.
        TamperedSegmentError: It is not the one of this session and version.
    """
    purposes: Purposes = _open(key, sealed, identity, _purposes_decoder)
    return purposes


def _open(key: DataKey, sealed: bytes | None, identity: bytes, decoder: Any) -> Any:
    try:
        return decoder.decode(open_sealed(key, sealed or b"", identity))
    except msgspec.MsgspecError:
        raise MalformedSegmentError("manifest: it does not follow the format of this release") from None


def seal_manifest(key: DataKey, manifest: Head | Purposes, identity: bytes, nonce: bytes) -> bytes:
    """Return the stored form of a manifest."""
    return seal(key, _encode(manifest), identity, nonce)
