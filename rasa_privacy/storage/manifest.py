"""Manifests: which segments are live, sealed under the service key (docs/spec/segment.md, sections 5 and 6).

The head manifest holds the current session and a hash over the closed ones, so that its size and the cost of reading
the last session do not grow with the number of sessions.
"""

import struct
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from rasa_privacy.crypto.hash_chain import GENESIS, LINK_BYTES, link
from rasa_privacy.crypto.sealing import DataKey, open_sealed, seal, tag_of
from rasa_privacy.crypto.segment import TAG_BYTES
from rasa_privacy.errors import MalformedSegmentError, TamperedSegmentError

#: A segment of this level is never merged again.
FINAL_LEVEL: Final = 15
_CLOSED: Final = struct.Struct(">Q")

_Number: TypeAlias = Annotated[int, Meta(ge=0)]
_Count: TypeAlias = Annotated[int, Meta(ge=1)]
_Level: TypeAlias = Annotated[int, Meta(ge=0, le=FINAL_LEVEL)]
_Tag: TypeAlias = Annotated[bytes, Meta(min_length=TAG_BYTES, max_length=TAG_BYTES)]
_Link: TypeAlias = Annotated[bytes, Meta(min_length=LINK_BYTES, max_length=LINK_BYTES)]


class SegmentRef(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One live segment.

    Attributes:
        first_seq: Number of the event of its first entry.
        count: Number of entries.
        level: How often it was merged; FINAL_LEVEL is never merged again.
        tag: Its 16-byte GCM tag.
    """

    first_seq: _Number
    count: _Count
    level: _Level
    tag: _Tag


#: Live segments of one session by purpose, in the order of the rows.
Purposes = dict[str, list[SegmentRef]]
#: How many values there are, by purpose and item.
Values = dict[str, Annotated[dict[str, _Count], Meta(min_length=1)]]


class Head(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The current state of a conversation.

    Attributes:
        event_count: Events in all sessions.
        session: Number of the first event of the current session.
        closed: How many sessions came before it.
        chain: Link over the manifests of those (`chain_closed`).
        purposes: Segments of the current session.
        values: How many values all sessions hold; None for a conversation from before that was counted.
    """

    event_count: _Number
    session: _Number
    closed: _Number
    chain: _Link
    purposes: Purposes
    values: Values | None = None


def empty_head() -> Head:
    """Return the head of a conversation without events."""
    return Head(0, 0, 0, GENESIS, {}, {})


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


_packed: Final = msgspec.msgpack.Encoder().encode
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


def head_in(payload: bytes) -> Head:
    """Return the head manifest in a payload that was opened.

    Raises:
        MalformedSegmentError: It does not follow the format.
    """
    head: Head = _decoded(payload, _head_decoder)
    return head


def _open(key: DataKey, sealed: bytes | None, identity: bytes, decoder: Any) -> Any:
    return _decoded(open_sealed(key, sealed or b"", identity), decoder)


def _decoded(payload: bytes, decoder: Any) -> Any:
    try:
        manifest = decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise MalformedSegmentError("manifest: it does not follow the format of this release") from None
    if _encoded(manifest) != payload:
        raise MalformedSegmentError("manifest: it is not written as this release writes it")
    return manifest


def seal_manifest(key: DataKey, manifest: Head | Purposes, identity: bytes, nonce: bytes) -> bytes:
    """Return the stored form of a manifest."""
    return seal(key, _encoded(manifest), identity, nonce)


def _encoded(manifest: Head | Purposes) -> bytes:
    """Return the payload of a manifest; a head without counts has no field for them."""
    if isinstance(manifest, Head) and manifest.values is None:
        return _packed(msgspec.structs.astuple(manifest)[:-1])
    return _packed(manifest)
