"""Entries of the erasure journal, their bytes, and the chain that holds them together (docs/spec/journal.md, 2 and 3).

No I/O here. Decoding is strict and canonical: accepted bytes re-encode to themselves.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import JournalError

MAX_ENTRY_BYTES: Final = 48 * 2**10
#: So many kinds, and so many parts, has an entry at most.
MAX_KINDS: Final = 128
_MAX_COUNT: Final = 2**53  # what every JSON reader takes as an integer
_DOMAIN: Final = "erasure journal"

_SubjectId: TypeAlias = Annotated[bytes, Meta(min_length=16, max_length=16)]
_Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
_Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
_Kind: TypeAlias = Annotated[str, Meta(min_length=1, max_length=129)]  # a topic: two names and a colon
_KeyId: TypeAlias = Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", max_length=64)]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=_MAX_COUNT)]
_Counts: TypeAlias = Annotated[dict[_Kind, _Count], Meta(max_length=MAX_KINDS)]


class Erased(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="erased"):
    """A person was erased.

    Attributes:
        subject_id: 16 random bytes.
        at: When, aware and in UTC.
        certificate: Number of the certificate.
        counts: What was erased, by kind.
    """

    subject_id: _SubjectId
    at: _Moment
    certificate: _Word
    counts: _Counts


class Withdrawn(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="withdrawn"):
    """What one purpose held of a person was destroyed, and the consent that allowed it ended.

    Attributes:
        subject_id: 16 random bytes.
        at: When, aware and in UTC.
        purpose: Name of the purpose, or of an optional item of it (`policy.topics.choice`).
    """

    subject_id: _SubjectId
    at: _Moment
    purpose: Annotated[str, Meta(min_length=1, max_length=255)]


class PartErased(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="part"):
    """A part of what was held of a person was erased, and certified. It comes before the `Withdrawn` of its topics.

    Attributes:
        subject_id: 16 random bytes.
        at: When, aware and in UTC.
        certificate: Number of the certificate.
        counts: What was erased, by kind.
        key_ids: Ids of the data keys that were destroyed by topic, 64 hexadecimal digits each; empty where none was.
    """

    subject_id: _SubjectId
    at: _Moment
    certificate: _Word
    counts: _Counts
    key_ids: Annotated[dict[_Kind, _KeyId], Meta(min_length=1, max_length=MAX_KINDS)]


Entry: TypeAlias = Erased | Withdrawn | PartErased

_encoder: Final = msgspec.json.Encoder(order="deterministic")
_decoder: Final = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """Return the bytes of an entry.

    Raises:
        JournalError: It could not be read back as what it is.
    """
    try:
        raw = _encoder.encode(entry)
    except (msgspec.MsgspecError, ValueError, TypeError):  # UnicodeEncodeError is a ValueError
        raise JournalError("erasure journal: an entry has a field that is no valid text, number or time") from None
    decode(raw)
    return raw


def decode(raw: bytes) -> Entry:
    """Return the entry of these bytes.

    Raises:
        JournalError: They are not what `encode` returns for any entry.
    """
    if len(raw) > MAX_ENTRY_BYTES:
        raise JournalError(f"erasure journal: an entry is longer than {MAX_ENTRY_BYTES} bytes")
    try:
        entry: Entry = _decoder.decode(raw)
        canonical = entry.at.utcoffset() == timedelta(0) and _encoder.encode(entry) == raw
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        canonical = False
    if not canonical:
        raise JournalError("erasure journal: an entry does not follow version 1 of its format")
    return entry


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the journal.

    Attributes:
        number: Number of an entry; 0 is before the first.
        link: 32 bytes that cover that entry and all before it.
    """

    number: int
    link: bytes


@dataclass(frozen=True, slots=True)
class Linked:
    """An entry in its place.

    Attributes:
        position: Where it stands.
        raw: Its bytes.
    """

    position: Position
    raw: bytes


class Chain:
    """Links under the index key of one database.

    Args:
        index: Blind index of that database.
    """

    def __init__(self, index: BlindIndex) -> None:
        self._index = index
        #: The place before the first entry.
        self.start: Final = Position(0, index.of(_DOMAIN, "start"))

    def follow(self, previous: Position, raw: bytes) -> Linked:
        """Return the entry with these bytes as the next one after `previous`."""
        number = previous.number + 1
        digest = hashlib.sha256(raw).hexdigest()
        return Linked(Position(number, self._index.of(_DOMAIN, f"{number}:{previous.link.hex()}:{digest}")), raw)

    def follow_all(self, previous: Position, entries: Sequence[bytes]) -> list[Linked]:
        """Return the entries as those that come next after `previous`."""
        linked: list[Linked] = []
        for raw in entries:
            linked.append(self.follow(linked[-1].position if linked else previous, raw))
        return linked
