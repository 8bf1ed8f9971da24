"""`ConsentLedger`: the append-only, hash-chained record of what people were asked and answered (docs/spec/ledger.md).

Rules:

1. Each record's link covers it and all before it. The last link is kept with a keyed hash; the others are computed by
   who follows the chain. So `verify` finds a record that was changed, removed or added behind our back, at the end too.
2. Each record has a keyed hash of its own, over its number and all it says. So a changed or added one is found when
   the records of its person are read, and nobody is taken for consenting because of it. A keyed hash of how many a
   person has is kept too (`ledger_people.py`), so a removed one is found at the same time.
3. Every 1,000 records a checkpoint is signed, and when `checkpoint` is called.
4. One writer at a time: who appends locks the row of the last link. Two that write the first record at once find that
   its number is taken, and the later one is run again by `Database.transact`.

It does not find by itself that the whole database was put back to an older state; a checkpoint kept elsewhere does.
Records hold no personal data: people are random ids.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage import ledger_rows
from rasa_privacy.storage.books import REMEDY
from rasa_privacy.storage.chain import Chain
from rasa_privacy.storage.checkpoints import EVERY_RECORDS, Checkpoint, Checkpoints
from rasa_privacy.storage.ledger_people import COUNTED, LedgerPeople, with_counts
from rasa_privacy.storage.ledger_record import (
    COLUMNS,
    LINK_BYTES,
    MAC_BYTES,
    LedgerEntry,
    columns_of,
    entry_of,
    is_mac_of,
    record_bytes,
)
from rasa_privacy.storage.ledger_record import LEDGER_EVENTS as LEDGER_EVENTS  # noqa: PLC0414 - named from here
from rasa_privacy.storage.ledger_record import LedgerRecord as LedgerRecord  # noqa: PLC0414 - as above
from rasa_privacy.storage.ledger_rows import FIELDS, RECORDS
from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.query import Query, inserting
from rasa_privacy.storage.standing import NOTHING, Standing
from rasa_privacy.storage.tables import ledger, meta

_HEAD_NAME: Final = "ledger_head"
_HEAD_DOMAIN: Final = "ledger head"
_RECORD_DOMAIN: Final = "ledger record 2"
#: Of records whose link is stored, which it covers too.
_LINKED_DOMAIN: Final = "ledger record"
_C: Final = ledger.c
_SELECT: Final = select(*FIELDS, _C.link, _C.mac).select_from(RECORDS).order_by(_C.seq)
_COUNTED: Final = select(*FIELDS, _C.link, _C.mac, COUNTED).select_from(with_counts(RECORDS)).order_by(_C.seq)
_OF_SUBJECT: Final = Query(_COUNTED.where(_C.subject_id == bindparam("subject")))
_OF_MANY: Final = ManySelect(_C.subject_id, _COUNTED.where)
_PAGE_ROWS: Final = 1000
_NEXT_PAGE: Final = _SELECT.where(_C.seq > bindparam("after")).limit(_PAGE_ROWS)
_LAST: Final = Query(select(*FIELDS, _C.link, _C.mac).select_from(RECORDS).order_by(_C.seq.desc()).limit(1))
_ANY_MAC: Final = select(_C.seq).where(_C.mac.is_not(None)).limit(1)
_SET_MAC: Final = update(ledger).where(_C.seq == bindparam("number")).values(mac=bindparam("digest"))
_HEAD_ROW: Final = meta.c.name == _HEAD_NAME
_GET_HEAD: Final = Query(select(meta.c.value).where(_HEAD_ROW))
_LOCK_HEAD: Final = Query(select(meta.c.value).where(_HEAD_ROW).with_for_update())
_PUT_HEAD: Final = inserting(meta)
_SET_HEAD: Final = Query(update(meta).where(_HEAD_ROW).values(value=bindparam("head")))


class ConsentLedger:
    """The ledger in the database.

    Args:
        index: Blind index of this database, which authenticates each record and the last link.
        checkpoints: Checkpoints of this database.
    """

    def __init__(self, index: BlindIndex, checkpoints: Checkpoints) -> None:
        self._index = index
        self._checkpoints = checkpoints
        self._people = LedgerPeople(index)

    def lock(self, conn: Connection) -> None:
        """Have nobody else append in this transaction, which writes something else first (`ErasureJournal.write`)."""
        _LOCK_HEAD.scalar(conn)

    def append(self, conn: Connection, *records: LedgerRecord) -> int:
        """Add a record, or several of one person, and return the number of the last.

        Args:
            conn: A connection of `Database.transact`.
            records: The records, at least one.

        Raises:
            ContentionError: Another transaction wrote the first record (raised at the end of the transaction at last).
            LedgerError: The end of the ledger does not verify, so nothing may be added to it.
        """
        begin, end = self._verified_end(conn, _LOCK_HEAD)
        rows = self._rows_behind(begin, end, records)
        last = begin + len(rows)
        self._people.count_one(conn, records[0].subject_id, len(rows), last)
        for row in rows:
            ledger_rows.add(conn, row)
        head = self._head(last, rows[-1]["link"])
        if begin == 0:
            _PUT_HEAD.later(conn, name=_HEAD_NAME, value=head)
        else:
            _SET_HEAD.later(conn, head=head)
        self._sign(conn, rows)
        return last

    def append_all(self, conn: Connection, records: Sequence[LedgerRecord]) -> None:
        """Add many records in a few statements, as `append` adds one.

        Raises:
            ContentionError: As `append`.
            LedgerError: As `append`; or a count of before was changed.
        """
        if not records:
            return
        begin, end = self._verified_end(conn, _LOCK_HEAD)
        rows = self._rows_behind(begin, end, records)
        added: dict[bytes, list[int]] = {}
        for row in rows:
            added.setdefault(row["subject_id"], []).append(row["seq"])
        self._people.count_many(conn, added)
        ledger_rows.add_all(conn, rows)
        head = self._head(begin + len(rows), rows[-1]["link"])
        if begin == 0:
            _PUT_HEAD.change(conn, name=_HEAD_NAME, value=head)
        else:
            _SET_HEAD.change(conn, head=head)
        self._sign(conn, rows)

    def _rows_behind(self, seq: int, end: bytes, records: Sequence[LedgerRecord]) -> list[dict[str, Any]]:
        """Return the rows of records that come after the one with this number and link."""
        rows: list[dict[str, Any]] = []
        for number, record in enumerate(records, start=seq + 1):
            columns = columns_of(number, record)
            raw = record_bytes(list(columns.values()))
            end = link(end, raw)
            rows.append({**columns, "link": end, "mac": self._mac(raw)})
        return rows

    def _sign(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Sign a checkpoint at each of these rows where one is due."""
        for row in rows:
            if row["seq"] % EVERY_RECORDS == 0:
                self._checkpoints.sign(conn, row["seq"], row["link"])

    def checkpoint(self, conn: Connection) -> Checkpoint | None:
        """Sign the ledger as it is; return the checkpoint, or None where the ledger is empty.

        Args:
            conn: A connection of `Database.transact`.

        Raises:
            LedgerError: The end of the ledger or the last checkpoint does not verify, so nothing is signed.
        """
        seq, end = self._verified_end(conn, _LOCK_HEAD)
        return self._checkpoints.sign(conn, seq, end) if seq else None

    def of_subject(self, conn: Connection, subject_id: bytes) -> list[LedgerRecord]:
        """Return the records of a subject, the oldest first.

        Raises:
            LedgerError: A record was changed or added behind our back.
        """
        return [entry.record for entry in self.entries_of(conn, subject_id)]

    def entries_of(self, conn: Connection, subject_id: bytes) -> list[LedgerEntry]:
        """Return the records of a subject with their places, the oldest first.

        Raises:
            LedgerError: A record was changed, removed or added behind our back.
        """
        return self._entries(subject_id, _OF_SUBJECT.rows(conn, subject=subject_id))

    def _entries(self, subject_id: bytes, rows: Sequence[Any]) -> list[LedgerEntry]:
        """Return the records in the rows of a person, checked one by one and counted."""
        entries = [entry_of(self._checked(row[:-1])) for row in rows]
        if entries:
            self._people.check(subject_id, rows[-1][-1], len(entries), entries[-1].seq)
        return entries

    def of_many(self, conn: Connection, subject_ids: Collection[bytes]) -> dict[bytes, list[LedgerRecord] | None]:
        """Return the records of each of these people, the oldest first; None where they do not verify."""
        rows: dict[bytes, list[Any]] = {subject_id: [] for subject_id in subject_ids}
        place = COLUMNS.index("subject_id")
        for row in _OF_MANY.rows(conn, subject_ids):
            rows[row[place]].append(row)
        return {subject_id: self._records(subject_id, found) for subject_id, found in rows.items()}

    def _records(self, subject_id: bytes, rows: Sequence[Any]) -> list[LedgerRecord] | None:
        try:
            return [entry.record for entry in self._entries(subject_id, rows)]
        except LedgerError:
            return None

    def iterate(self, conn: Connection) -> Iterator[LedgerRecord]:
        """Yield all records, the oldest first, within the connection's transaction.

        Raises:
            LedgerError: A record was changed or added behind our back.
        """
        return (entry.record for entry in self.entries(conn))

    def entries(self, conn: Connection) -> Iterator[LedgerEntry]:
        """Yield all records with their places, the oldest first.

        Raises:
            LedgerError: A record was changed or added behind our back.
        """
        return (entry_of(self._checked(row)) for row in _rows(conn))

    def verified(self, conn: Connection, begin: Standing = NOTHING) -> Iterator[tuple[LedgerEntry, bytes]]:
        """Yield the records after what is known, with their links, while checking each, and the end after the last.

        Raises:
            LedgerError: A record was changed, removed or added; names the first.
        """
        chain = Chain(begin=begin)
        for row in self._followed(conn, chain):
            yield entry_of(row), chain.link

    def linked(self, conn: Connection, begin: Standing = NOTHING) -> Iterator[tuple[list[Any], bytes]]:
        """Yield the columns and the link of records as `verified` does, for a `BookCheck` to follow.

        Raises:
            LedgerError: A record was changed, removed or added; names the first.
        """
        for entry, end in self.verified(conn, begin):
            yield list(columns_of(entry.seq, entry.record).values()), end

    def verify(self, conn: Connection) -> None:
        """Check every record and the end of the ledger.

        Raises:
            LedgerError: A record was changed, removed or added; names the first.
        """
        for _ in self._followed(conn, Chain()):
            pass

    def is_prepared(self, conn: Connection) -> bool:
        """Return whether `prepare` has done its work."""
        return self._checkpoints.has_begun(conn) and self._people.is_begun(conn)

    def prepare(self, conn: Connection) -> None:
        """Give the ledger of an older release what it lacks, once, if its chain verifies without that.

        Of a chain that does not verify no record gets it, so that none counts; `verify` says what is wrong.
        """
        self._add_macs(conn)
        if not self._people.is_begun(conn) and self._checkpoints.has_begun(conn):
            self._verified_end(conn, _LOCK_HEAD)
            if not self._people.is_begun(conn):
                self.verify(conn)
                self._people.begin(conn)

    def _add_macs(self, conn: Connection) -> None:
        if self._checkpoints.has_begun(conn):
            return
        seq, end = self._verified_end(conn, _LOCK_HEAD)
        if conn.execute(_ANY_MAC).first() is not None or self._checkpoints.has_begun(conn):
            return
        chain = Chain()
        for row in _rows(conn):
            chain.add(row[:-2], row.link)
        self._check_end(chain, 1, (seq, end))
        for page in range(0, seq, _PAGE_ROWS):
            rows = conn.execute(_NEXT_PAGE, {"after": page}).all()
            macs = [{"number": row.seq, "digest": self._hash(row)[:MAC_BYTES]} for row in rows]
            conn.execute(_SET_MAC, macs)
        self._checkpoints.begin(conn)

    def _followed(self, conn: Connection, chain: Chain) -> Iterator[Any]:
        """Yield the rows after the beginning of a chain, each checked when the chain has come to it, and then its end.

        Raises:
            LedgerError: A record was changed, removed or added; names the first.
        """
        first = chain.seq + 1
        for row in _rows(conn, chain.seq):
            chain.add(row[:-2], row[-2])
            yield self._checked(row)
        self._check_end(chain, first, self._verified_end(conn, _GET_HEAD))

    def _checked(self, row: Any) -> Any:
        """Return a row whose keyed hash is right."""
        if not is_mac_of(row[-1], self._hash(row)):
            raise LedgerError(f"consent ledger: record {row[0]} was changed or added; {REMEDY}")
        return row

    def _mac(self, raw: bytes) -> bytes:
        return self._index.of_bytes(_RECORD_DOMAIN, raw)[:MAC_BYTES]

    def _hash(self, row: Any) -> bytes:
        """Return the whole keyed hash that a row of `_SELECT` must have."""
        *columns, stored, _ = row
        raw = record_bytes(columns)
        if stored is None:
            return self._index.of_bytes(_RECORD_DOMAIN, raw)
        return self._index.of_bytes(_LINKED_DOMAIN, stored + raw)

    def _verified_end(self, conn: Connection, get_head: Query) -> tuple[int, bytes]:
        """Return number and link of the last record, 0 and GENESIS where there is none."""
        head = get_head.scalar(conn)  # first, since it may wait for the writer of the last record
        last = _LAST.first(conn)
        if head is None and last is not None:  # the first record was committed between the two, or its end was removed
            head = get_head.scalar(conn)
            last = _LAST.first(conn)
        if head is None and last is None:
            return 0, GENESIS
        seq, stored = (0, None) if last is None else (last[0], last[-2])
        # A head of schema 23 and older is a keyed hash alone, over the link that its record has.
        is_older = len(head or b"") <= LINK_BYTES
        end, digest = (stored, head) if is_older else (head[:LINK_BYTES], head[LINK_BYTES:])
        if end is None or digest != self._head_hash(seq, end):
            raise LedgerError(f"consent ledger: record {seq} is not its true end; {REMEDY}")
        if not is_older or last[-1] is not None:  # records of schema 3 and older have no keyed hash yet
            self._checked(last)
        return seq, end

    def _head(self, seq: int, end: bytes) -> bytes:
        return end + self._head_hash(seq, end)

    def _head_hash(self, seq: int, end: bytes) -> bytes:
        return self._index.of(_HEAD_DOMAIN, f"{seq}:{end.hex()}")

    @staticmethod
    def _check_end(chain: Chain, first: int, end: tuple[int, bytes]) -> None:
        """See that a chain that was followed from a record on leads to the end that was verified.

        Raises:
            LedgerError: It does not: a record is in it that was the store's own in another state of the ledger.
        """
        if (chain.seq, chain.link) != end:
            raise LedgerError(
                f"consent ledger: record {min(first, end[0])} was changed, or one after it up to {end[0]}: they lead "
                f"to another end; {REMEDY}"
            )


def _rows(conn: Connection, after: int = 0) -> Iterator[Any]:
    """Yield all rows after a number in order, read in pages so that the memory stays flat on every driver."""
    page = conn.execute(_NEXT_PAGE, {"after": after}).all()
    yield from page
    while len(page) == _PAGE_ROWS:
        page = conn.execute(_NEXT_PAGE, {"after": page[-1].seq}).all()
        yield from page
