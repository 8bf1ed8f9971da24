"""`JournalTable`: the erasure journal in the key database (docs/spec/journal.md, section 5).

A backup of the conversations does not hold it, since the key database is another one. Each append is a transaction of
its own, committed when the method returns.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, inspect, select
from sqlalchemy.engine import Connection

from rasa_privacy.errors import JournalError
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.journal_entry import Chain, Linked, Position
from rasa_privacy.storage.tables import erasure_journal

_PAGE_ROWS: Final = 1000
_C: Final = erasure_journal.c
_AFTER: Final = (
    select(_C.seq, _C.entry, _C.link).where(_C.seq > bindparam("last")).order_by(_C.seq).limit(bindparam("most"))
)
_LAST: Final = select(func.max(_C.seq))
_INSERT: Final = insert(erasure_journal)
_PUT_BACK: Final = "restore the key database from its newest backup"


class JournalTable:
    """The journal in a table.

    Args:
        database: The key database.
        chain: The chain of this store.
    """

    def __init__(self, database: Database, chain: Chain) -> None:
        self._database = database
        self._chain = chain
        self._verified = chain.start

    @property
    def name(self) -> str:
        """The key database, for messages."""
        return self._database.name

    def read(self) -> Iterator[Linked]:
        """Yield all entries from the first on, verified; nothing where the table was dropped, which the caller finds.

        Raises:
            JournalError: An entry was changed, dropped or moved.
            StorageError: The database cannot be read.
        """
        with self._database.read() as conn:
            if inspect(conn).has_table(erasure_journal.name):
                yield from self._entries(conn, self._chain.start)

    def last_number(self) -> int:
        """Return the number of the last entry, 0 where there is none.

        Raises:
            StorageError: The database cannot be read.
        """
        with self._database.read() as conn:
            return conn.execute(_LAST).scalar() or 0

    def append(self, entries: Sequence[bytes], at_least: int) -> list[Linked]:
        """Write entries and return them when they are committed.

        Args:
            entries: Bytes of one entry or more.
            at_least: Number of an entry that the database of the conversations knows to be in the journal.

        Raises:
            JournalError: The journal is not the one that the database knows. Nothing was written.
            StorageError: The database cannot be written.
        """
        return self._database.transact(lambda conn: self._append(conn, entries, at_least))

    def _append(self, conn: Connection, entries: Sequence[bytes], at_least: int) -> list[Linked]:
        end = self._verified
        for each in self._entries(conn, end):
            end = each.position
        if end.number < at_least:
            raise JournalError(
                f"{self.name}: its journal has {end.number} entries and the database of the conversations knows "
                f"{at_least}; {_PUT_BACK}"
            )
        linked = self._chain.follow_all(end, entries)
        conn.execute(_INSERT, [_row(each) for each in linked])
        self._verified = end
        return linked

    def _entries(self, conn: Connection, position: Position) -> Iterator[Linked]:
        """Yield the verified entries after this position."""
        while True:
            rows = conn.execute(_AFTER, {"last": position.number, "most": _PAGE_ROWS}).all()
            for seq, raw, link in rows:
                linked = self._chain.follow(position, raw)
                if (seq, link) != (linked.position.number, linked.position.link):
                    raise JournalError(
                        f"{self.name}: entry {position.number + 1} of the journal was changed, dropped or moved; "
                        f"{_PUT_BACK}"
                    )
                position = linked.position
                yield linked
            if len(rows) < _PAGE_ROWS:
                return


def _row(linked: Linked) -> dict[str, Any]:
    return {"seq": linked.position.number, "entry": linked.raw, "link": linked.position.link}
