"""`LedgerRecord`: one record of the consent ledger, its stored columns, and the bytes that its link covers.

The bytes are the MessagePack array of the columns in the order of `COLUMNS` (docs/spec/ledger.md, section 2).
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from rasa_privacy.errors import LedgerError, TamperedSegmentError
from rasa_privacy.storage.books import REMEDY
from rasa_privacy.storage.tables import from_micros, to_micros

#: The words of the ledger.
LEDGER_EVENTS: Final = frozenset(("asked", "granted", "refused", "withdrawn", "expired", "superseded"))
#: What a link covers, in this order.
COLUMNS: Final = ("seq", "subject_id", "purpose", "event", "notice_hash", "language", "method", "channel", "at")

#: Of a link, which is a SHA-256.
LINK_BYTES: Final = 32
#: So much of a keyed hash is stored: half of it, as RFC 2104, section 5, has it.
MAC_BYTES: Final = 16
#: So much stands in records and counts from before 2026-11-30.
_LONG_MAC_BYTES: Final = 32

_encode: Final = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """One thing that happened to the consent of one person for one purpose.

    Attributes:
        subject_id: 16 random bytes.
        purpose: Name of the purpose.
        event: What happened, a word of `LEDGER_EVENTS`.
        notice_hash: Hash of the notice that was shown.
        language: BCP 47 tag of that notice.
        method: How it was answered, for example `button` or `keyword`.
        channel: Rasa's name of the input channel.
        at: Aware UTC time.

    Raises:
        LedgerError: The event is no word of the ledger, or the time has no zone.
    """

    subject_id: bytes
    purpose: str
    event: str
    notice_hash: bytes
    language: str
    method: str
    channel: str
    at: datetime

    def __post_init__(self) -> None:
        """Refuse a record that could not be read back as what it is."""
        if self.event not in LEDGER_EVENTS:
            raise LedgerError(f"ledger record: the event must be one of {', '.join(sorted(LEDGER_EVENTS))}")
        if self.at.tzinfo is None:
            raise LedgerError("ledger record: the time needs a time zone; use datetime.now(timezone.utc)")


class LedgerEntry(NamedTuple):
    """A record with its place in the ledger.

    Attributes:
        seq: Its number, from 1.
        record: What it says.
    """

    seq: int
    record: LedgerRecord


def columns_of(seq: int, record: LedgerRecord) -> dict[str, Any]:
    """Return the columns in the order in which the link covers them."""
    return {
        "seq": seq,
        "subject_id": record.subject_id,
        "purpose": record.purpose,
        "event": record.event,
        "notice_hash": record.notice_hash,
        "language": record.language,
        "method": record.method,
        "channel": record.channel,
        "at": to_micros(record.at),
    }


def is_mac_of(stored: object, whole: bytes) -> bool:
    """Return whether this is what is stored of a keyed hash, which is its beginning, or all of it in older rows."""
    return (
        isinstance(stored, bytes)
        and len(stored) in {MAC_BYTES, _LONG_MAC_BYTES}
        and hmac.compare_digest(stored, whole[: len(stored)])
    )


def record_bytes(columns: Sequence[Any]) -> bytes:
    """Return the bytes that the link of these columns covers."""
    return _encode(columns)


def entry_of(row: Sequence[Any]) -> LedgerEntry:
    """Return the entry in a row that begins with the columns.

    Raises:
        LedgerError: The record was changed into something that is none.
    """
    seq, subject_id, purpose, event, notice_hash, language, method, channel, at, *_ = row
    try:
        moment = from_micros(at)
    except TamperedSegmentError:
        raise LedgerError(f"consent ledger: record {seq} has no time; {REMEDY}") from None
    return LedgerEntry(seq, LedgerRecord(subject_id, purpose, event, notice_hash, language, method, channel, moment))
