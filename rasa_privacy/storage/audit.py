"""`AuditLog`: the append-only, hash-chained record of what operators did with personal data (docs/spec/audit.md).

Rules:

1. A record is written before what it is about gets out: in the transaction of a change, or committed before what was
   read is shown. Where it cannot be written, the access does not happen.
2. Each record's link covers it and all before it, and each has a keyed hash of its own; the last link is kept with a
   keyed hash. So `verify` finds a record that was changed, removed or added behind our back, at the end too.
3. Every 1,000 records a checkpoint is signed, and when `checkpoint` is called.
4. One writer at a time: who appends locks the row of the last link. Append last in a transaction.

It does not find by itself that the whole database was put back to an older state; a checkpoint kept elsewhere does.
No value of a person is in it: people are random ids, and everything else is names of privacy.yml and counts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import AuditError
from rasa_privacy.storage.audit_record import COLUMNS, AuditEntry, AuditRecord, columns_of, entry_of, record_bytes
from rasa_privacy.storage.books import AUDIT, REMEDY
from rasa_privacy.storage.chain import BookCheck
from rasa_privacy.storage.checkpoints import EVERY_RECORDS, Checkpoint, Checkpoints
from rasa_privacy.storage.paging import Pages
from rasa_privacy.storage.signer import Signer
from rasa_privacy.storage.standing import NOTHING, Standing
from rasa_privacy.storage.tables import audit, meta, to_micros

_HEAD_NAME: Final = "audit_head"
_HEAD_DOMAIN: Final = "audit head"
_RECORD_DOMAIN: Final = "audit record"
_C: Final = audit.c
_SELECT: Final = select(*(_C[name] for name in COLUMNS), _C.link, _C.mac)
_PAGE_ROWS: Final = 1000
_PAGES: Final = Pages(_SELECT, _C.seq)
_LAST: Final = select(_C.seq, _C.link).order_by(_C.seq.desc()).limit(1)
_INSERT: Final = insert(audit)
_GET_HEAD: Final = select(meta.c.value).where(meta.c.name == _HEAD_NAME)
_LOCK_HEAD: Final = _GET_HEAD.with_for_update()
_PUT_HEAD: Final = insert(meta)
_SET_HEAD: Final = update(meta).where(meta.c.name == _HEAD_NAME).values(value=bindparam("head"))


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found right.

    Attributes:
        records: Number of records.
        checkpoints: Number of checkpoints.
        covered: Number of the last record that a checkpoint covers.
        link: Link of the last record, which covers all before it.
    """

    records: int
    checkpoints: int
    covered: int
    link: bytes = field(default=GENESIS, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records to show; what is None or empty is not looked at.

    Attributes:
        operator: Their label.
        verb: A word of the log.
        outcome: How it ended.
        subject_id: Whom it is about.
        since: Not before this, aware and in UTC.
        until: Before this, aware and in UTC.
    """

    operator: str | None = None
    verb: str | None = None
    outcome: str | None = None
    subject_id: bytes | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditLog:
    """The audit log in the database.

    Args:
        index: Blind index of this database, which authenticates each record and the last link.
        checkpoints: Checkpoints of the audit log.
        signer: What signs them.
    """

    def __init__(self, index: BlindIndex, checkpoints: Checkpoints, signer: Signer) -> None:
        self._index = index
        self._checkpoints = checkpoints
        self._signer = signer

    def append(self, conn: Connection, *records: AuditRecord) -> int:
        """Add records and return the number of the last one; many at once cost little more than one.

        Args:
            conn: A connection of `Database.transact`.
            records: One or more.

        Raises:
            ContentionError: Another transaction wrote the first record.
            AuditError: The end of the log does not verify, so nothing may be added to it.
        """
        seq, end = self._verified_end(conn, _LOCK_HEAD)
        is_first, rows = seq == 0, []
        for record in records:
            seq += 1
            columns = columns_of(seq, record)
            raw = record_bytes(columns)
            end = link(end, raw)
            rows.append({**dict(zip(COLUMNS, columns, strict=True)), "link": end, "mac": self._mac(raw, end)})
        if not rows:
            return seq
        conn.execute(_INSERT, rows)
        head = self._head(seq, end)
        if is_first:
            conn.execute(_PUT_HEAD, {"name": _HEAD_NAME, "value": head})
        else:
            conn.execute(_SET_HEAD, {"head": head})
        if seq // EVERY_RECORDS > (seq - len(rows)) // EVERY_RECORDS:
            self._checkpoints.sign(conn, seq, end)
        return seq

    def checkpoint(self, conn: Connection) -> Checkpoint | None:
        """Sign the log as it is; return the checkpoint, or None where the log is empty.

        Raises:
            AuditError: The end of the log or the last checkpoint does not verify, so nothing is signed.
        """
        seq, end = self._verified_end(conn, _LOCK_HEAD)
        return self._checkpoints.sign(conn, seq, end) if seq else None

    def checkpoints(self, conn: Connection) -> Iterator[Checkpoint]:
        """Yield all checkpoints in their order."""
        return self._checkpoints.iterate(conn)

    def entries(self, conn: Connection, after: int = 0) -> Iterator[AuditEntry]:
        """Yield the records after a number, the oldest first.

        Raises:
            AuditError: A record was changed or added behind our back.
        """
        return (entry_of(self._checked(row)) for row in _PAGES.rows(conn, after))

    def newest(self, conn: Connection, wanted: Wanted, most: int) -> list[AuditEntry]:
        """Return the newest records of those that are wanted, the oldest of them first.

        Raises:
            AuditError: A record was changed or added behind our back.
        """
        statement = _SELECT.where(*_conditions(wanted)).order_by(_C.seq.desc()).limit(most)
        return [entry_of(self._checked(row)) for row in conn.execute(statement).all()][::-1]

    def each(self, conn: Connection, wanted: Wanted, *, newest_first: bool = False) -> Iterator[AuditEntry]:
        """Yield all records that are wanted, in their order or the other way round; the memory stays flat.

        Raises:
            AuditError: A record was changed or added behind our back.
        """
        order, last = (_C.seq.desc() if newest_first else _C.seq), None
        while True:
            conditions = _conditions(wanted)
            if last is not None:
                conditions.append(_C.seq < last if newest_first else _C.seq > last)
            rows = conn.execute(_SELECT.where(*conditions).order_by(order).limit(_PAGE_ROWS)).all()
            for row in rows:
                yield entry_of(self._checked(row))
            if len(rows) < _PAGE_ROWS:
                return
            last = rows[-1].seq

    def verify(
        self,
        conn: Connection,
        key: VerifyingKey | None = None,
        kept: Iterable[Checkpoint] = (),
        begin: Standing = NOTHING,
    ) -> Verified:
        """Check every record, the end, and every checkpoint; the memory stays flat, whatever the length.

        Args:
            conn: A connection that reads.
            key: The public key that somebody kept; otherwise the store's own.
            kept: Checkpoints that somebody kept.
            begin: What was verified before; only what came after it is checked.

        Raises:
            AuditError: Something was changed, removed, added or reordered; names the first.
        """
        check = BookCheck(self._signer.store_id, key or self._signer.key.public(), kept, AUDIT, begin)
        rows = (self._checked(row) for row in _PAGES.rows(conn, begin.seq))
        check.follow(((list(row[:-2]), row.link) for row in rows), self._checkpoints.iterate(conn, begin.checkpoints))
        self._verified_end(conn, _GET_HEAD)
        self._checkpoints.verified_last(conn)
        check.end()
        return Verified(check.chain.seq, check.checkpoints, check.covered, check.chain.link)

    def is_prepared(self, conn: Connection) -> bool:
        """Return whether `prepare` has done its work."""
        return self._checkpoints.has_begun(conn)

    def prepare(self, conn: Connection) -> None:
        """Say of an empty log, once, that there is no checkpoint yet; from then on a missing one is noticed."""
        if not self._checkpoints.has_begun(conn) and conn.execute(_LAST).first() is None:
            self._checkpoints.begin(conn)

    def _checked(self, row: Any) -> Any:
        """Return a row whose keyed hash is right."""
        *columns, stored, mac = row
        if mac != self._mac(record_bytes(columns), stored):
            raise AuditError(f"audit log: record {columns[0]} was changed or added; {REMEDY}")
        return row

    def _mac(self, raw: bytes, stored: bytes) -> bytes:
        return self._index.of_bytes(_RECORD_DOMAIN, stored + raw)

    def _verified_end(self, conn: Connection, get_head: Any) -> tuple[int, bytes]:
        """Return number and link of the last record, 0 and GENESIS where there is none."""
        head = conn.execute(get_head).scalar()  # first, since it may wait for the writer of the last record
        last = conn.execute(_LAST).first()
        if head is None and last is not None:  # the first record was committed between the two, or its end was removed
            head = conn.execute(get_head).scalar()
            last = conn.execute(_LAST).first()
        seq, end = (0, GENESIS) if last is None else (last.seq, last.link)
        if head != (None if last is None else self._head(seq, end)):
            raise AuditError(f"audit log: record {seq} is not its true end; {REMEDY}")
        return seq, end

    def _head(self, seq: int, end: bytes) -> bytes:
        return self._index.of(_HEAD_DOMAIN, f"{seq}:{end.hex()}")


def _conditions(wanted: Wanted) -> list[Any]:
    conditions = [
        _C[name] == getattr(wanted, name)
        for name in ("operator", "verb", "outcome", "subject_id")
        if getattr(wanted, name) is not None
    ]
    if wanted.since is not None:
        conditions.append(_C.at >= to_micros(wanted.since))
    if wanted.until is not None:
        conditions.append(_C.at < to_micros(wanted.until))
    return conditions
