"""`ConsentLedger`: the append-only, hash-chained record of what people were asked and answered.

Each record's link covers it and all before it; the last link is kept with a keyed hash (docs/spec/keys.md, section 5).
So `verify` finds a record that was changed, removed or added behind our back, at the end too. It does not find that the
whole database was put back to an older state. Records hold no personal data: people are random ids.

One writer at a time: who appends locks the row of the last link. Two that write the first record at once find that its
number is taken, and the later one is run again by `Database.transact`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.errors import LedgerError, TamperedSegmentError
from rasa_privacy.storage.tables import from_micros, ledger, meta, to_micros

#: The words of the ledger.
LEDGER_EVENTS: Final = frozenset(("asked", "granted", "refused", "withdrawn", "expired", "superseded"))

_HEAD_NAME: Final = "ledger_head"
_HEAD_DOMAIN: Final = "ledger head"
_C: Final = ledger.c
_SELECT: Final = select(
    _C.seq, _C.subject_id, _C.purpose, _C.event, _C.notice_hash, _C.language, _C.method, _C.channel, _C.at, _C.link
).order_by(_C.seq)
_OF_SUBJECT: Final = _SELECT.where(_C.subject_id == bindparam("subject"))
_PAGE: Final = _SELECT.limit(bindparam("most"))
_NEXT_PAGE: Final = _PAGE.where(_C.seq > bindparam("after"))
_PAGE_ROWS: Final = 1000
_LAST: Final = select(_C.seq, _C.link).order_by(_C.seq.desc()).limit(1)
_INSERT: Final = insert(ledger)
_GET_HEAD: Final = select(meta.c.value).where(meta.c.name == _HEAD_NAME)
_LOCK_HEAD: Final = _GET_HEAD.with_for_update()
_PUT_HEAD: Final = insert(meta)
_SET_HEAD: Final = update(meta).where(meta.c.name == _HEAD_NAME).values(value=bindparam("head"))
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


class ConsentLedger:
    """The ledger in the database.

    Args:
        index: Blind index of this database, which authenticates the last link.
    """

    def __init__(self, index: BlindIndex) -> None:
        self._index = index

    def append(self, conn: Connection, record: LedgerRecord) -> int:
        """Add a record and return its number.

        Args:
            conn: A connection of `Database.transact`.
            record: The record.

        Raises:
            ContentionError: Another transaction wrote the first record (raised at the end of the transaction at last).
            LedgerError: The end of the ledger does not verify, so nothing may be added to it.
        """
        seq, previous = self._verified_end(conn, _LOCK_HEAD)
        seq += 1
        columns = _columns(seq, record)
        new = link(previous, _encode(list(columns.values())))
        conn.execute(_INSERT, {**columns, "link": new})
        head = self._head(seq, new)
        if seq == 1:
            conn.execute(_PUT_HEAD, {"name": _HEAD_NAME, "value": head})
        else:
            conn.execute(_SET_HEAD, {"head": head})
        return seq

    def of_subject(self, conn: Connection, subject_id: bytes) -> list[LedgerRecord]:
        """Return the records of a subject, the oldest first.

        Raises:
            LedgerError: A record was changed into something that is none.
        """
        return [_record(row) for row in conn.execute(_OF_SUBJECT, {"subject": subject_id}).all()]

    def iterate(self, conn: Connection) -> Iterator[LedgerRecord]:
        """Yield all records, the oldest first, within the connection's transaction.

        Raises:
            LedgerError: A record was changed into something that is none.
        """
        return map(_record, _rows(conn))

    def verify(self, conn: Connection) -> None:
        """Check every record and the end of the ledger.

        Raises:
            LedgerError: A record was changed, removed or added; names the first.
        """
        previous = GENESIS
        for expected, row in enumerate(_rows(conn), start=1):
            *columns, stored = row
            if columns[0] != expected:
                raise LedgerError(f"consent ledger: record {expected} is missing; restore the database from its backup")
            if stored != link(previous, _encode(columns)):
                raise LedgerError(
                    f"consent ledger: record {expected} was changed; restore the database from its backup"
                )
            previous = stored
        self._verified_end(conn, _GET_HEAD)

    def _verified_end(self, conn: Connection, get_head: Any) -> tuple[int, bytes]:
        """Return number and link of the last record, 0 and GENESIS where there is none."""
        head = conn.execute(get_head).scalar()  # first, since it may wait for the writer of the last record
        last = conn.execute(_LAST).first()
        seq, end = (0, GENESIS) if last is None else (last.seq, last.link)
        if head != (None if last is None else self._head(seq, end)):
            raise LedgerError(f"consent ledger: record {seq} is not its true end; restore the database from its backup")
        return seq, end

    def _head(self, seq: int, end: bytes) -> bytes:
        return self._index.of(_HEAD_DOMAIN, f"{seq}:{end.hex()}")


def _rows(conn: Connection) -> Iterator[Any]:
    """Yield all rows in order, read in pages so that the memory stays flat on every driver."""
    page = conn.execute(_PAGE, {"most": _PAGE_ROWS}).all()
    yield from page
    while len(page) == _PAGE_ROWS:
        page = conn.execute(_NEXT_PAGE, {"after": page[-1].seq, "most": _PAGE_ROWS}).all()
        yield from page


def _columns(seq: int, record: LedgerRecord) -> dict[str, Any]:
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


def _record(row: Any) -> LedgerRecord:
    seq, subject_id, purpose, event, notice_hash, language, method, channel, at, _link = row
    try:
        return LedgerRecord(subject_id, purpose, event, notice_hash, language, method, channel, from_micros(at))
    except TamperedSegmentError:
        raise LedgerError(f"consent ledger: record {seq} has no time; restore the database from its backup") from None
