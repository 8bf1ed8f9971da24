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
from typing import Any

from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.hash_chain import link
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage import ledger_rows
from rasa_privacy.storage.chain import Chain
from rasa_privacy.storage.checkpoints import EVERY_RECORDS, Checkpoint, Checkpoints
from rasa_privacy.storage.ledger_end import LedgerEnd
from rasa_privacy.storage.ledger_macs import LedgerMacs
from rasa_privacy.storage.ledger_people import LedgerPeople
from rasa_privacy.storage.ledger_record import (
    COLUMNS,
    LedgerEntry,
    LedgerRecord,
    columns_of,
    entry_of,
    record_bytes,
)
from rasa_privacy.storage.standing import NOTHING, Standing


class ConsentLedger:
    """The ledger in the database.

    Args:
        index: Blind index of this database, which authenticates each record and the last link.
        checkpoints: Checkpoints of this database.
    """

    def __init__(self, index: BlindIndex, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._people = LedgerPeople(index)
        self._macs = LedgerMacs(index)
        self._end = LedgerEnd(index, self._macs)

    def lock(self, conn: Connection) -> None:
        """Have nobody else append in this transaction, which writes something else first (`ErasureJournal.write`)."""
        self._end.lock(conn)

    def append(self, conn: Connection, *records: LedgerRecord) -> int:
        """Add a record, or several of one person, and return the number of the last.

        Args:
            conn: A connection of `Database.transact`.
            records: The records, at least one.

        Raises:
            ContentionError: Another transaction wrote the first record (raised at the end of the transaction at last).
            LedgerError: The end of the ledger does not verify, so nothing may be added to it.
        """
        begin, end = self._end.verified(conn, lock=True)
        rows = self._rows_behind(begin, end, records)
        last = begin + len(rows)
        self._people.count_one(conn, records[0].subject_id, len(rows), last)
        for row in rows:
            ledger_rows.add(conn, row)
        self._end.put(conn, begin, last, rows[-1]["link"])
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
        begin, end = self._end.verified(conn, lock=True)
        rows = self._rows_behind(begin, end, records)
        added: dict[bytes, list[int]] = {}
        for row in rows:
            added.setdefault(row["subject_id"], []).append(row["seq"])
        self._people.count_many(conn, added)
        ledger_rows.add_all(conn, rows)
        self._end.put(conn, begin, begin + len(rows), rows[-1]["link"], at_once=True)
        self._sign(conn, rows)

    def _rows_behind(self, seq: int, end: bytes, records: Sequence[LedgerRecord]) -> list[dict[str, Any]]:
        """Return the rows of records that come after the one with this number and link."""
        rows: list[dict[str, Any]] = []
        for number, record in enumerate(records, start=seq + 1):
            columns = columns_of(number, record)
            raw = record_bytes(list(columns.values()))
            end = link(end, raw)
            rows.append({**columns, "link": end, "mac": self._macs.of(raw)})
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
        seq, end = self._end.verified(conn, lock=True)
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
        return self._entries(subject_id, ledger_rows.of_subject(conn, subject_id))

    def _entries(self, subject_id: bytes, rows: Sequence[Any]) -> list[LedgerEntry]:
        """Return the records in the rows of a person, checked one by one and counted."""
        entries = [entry_of(self._macs.checked(row[:-1])) for row in rows]
        if entries:
            self._people.check(subject_id, rows[-1][-1], len(entries), entries[-1].seq)
        return entries

    def of_many(self, conn: Connection, subject_ids: Collection[bytes]) -> dict[bytes, list[LedgerRecord] | None]:
        """Return the records of each of these people, the oldest first; None where they do not verify."""
        rows: dict[bytes, list[Any]] = {subject_id: [] for subject_id in subject_ids}
        place = COLUMNS.index("subject_id")
        for row in ledger_rows.of_many(conn, subject_ids):
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
        return (entry_of(self._macs.checked(row)) for row in ledger_rows.iterate(conn))

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
            self._end.verified(conn, lock=True)
            if not self._people.is_begun(conn):
                self.verify(conn)
                self._people.begin(conn)

    def _add_macs(self, conn: Connection) -> None:
        if self._checkpoints.has_begun(conn):
            return
        seq, end = self._end.verified(conn, lock=True)
        if ledger_rows.has_mac(conn) or self._checkpoints.has_begun(conn):
            return
        chain = Chain()
        for row in ledger_rows.iterate(conn):
            chain.add(row[:-2], row.link)
        self._end.check(chain, 1, (seq, end))
        for rows in ledger_rows.pages(conn):
            ledger_rows.set_macs(conn, {row.seq: self._macs.of_row(row) for row in rows})
        self._checkpoints.begin(conn)

    def _followed(self, conn: Connection, chain: Chain) -> Iterator[Any]:
        """Yield the rows after the beginning of a chain, each checked when the chain has come to it, and then its end.

        Raises:
            LedgerError: A record was changed, removed or added; names the first.
        """
        first = chain.seq + 1
        for row in ledger_rows.iterate(conn, chain.seq):
            chain.add(row[:-2], row[-2])
            yield self._macs.checked(row)
        self._end.check(chain, first, self._end.verified(conn))
