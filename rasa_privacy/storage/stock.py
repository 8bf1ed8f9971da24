"""`StockStore`: the table `events` of Rasa's own `SQLTrackerStore`, read person by person, and emptied at the end.

Rules:

1. Reading changes nothing in it. What is read ends at the newest row of the moment when it was opened.
2. Memory holds the events of one person at a time. Rows are grouped as the database compares texts, and then told apart
   exactly: MariaDB takes `Ann` and `ann` for one, which are two people.
3. A row whose data is no event (damaged, or cut by a TEXT column of 64 KiB) keeps its number and nothing else.
4. Emptying overwrites: SQLite with secure_delete and VACUUM, PostgreSQL with VACUUM FULL, MariaDB by rebuilding the
   table. It does not reach the backups and the logs of a database server, nor the free blocks of a disk.

Table and columns: rasa 3.6.21, rasa/core/tracker_store.py, `SQLTrackerStore.SQLEvent`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from rasa_privacy.errors import StorageError
from rasa_privacy.storage.stock_database import StockDatabase, stock_events

#: Rows that one transaction deletes at least, so that it stays short; a person is never cut in two.
BATCH_ROWS: Final = 5000
#: The latest time that a `datetime` can have, in seconds since 1970.
_MAX_SECONDS: Final = 253_402_300_799
_E: Final = stock_events.c
_UPTO: Final = _E.id <= bindparam("upto")
_SIZE: Final = select(func.count(), func.max(_E.id)).select_from(stock_events)
_PEOPLE: Final = select(func.count(_E.sender_id.distinct())).where(_UPTO)
_FIRST: Final = select(func.min(_E.sender_id)).where(_UPTO)
_NEXT: Final = _FIRST.where(_E.sender_id > bindparam("last"))
_ROWS: Final = select(_E.sender_id, _E.id, _E.data).where(_UPTO, _E.sender_id == bindparam("sender")).order_by(_E.id)
_BOUNDARY: Final = select(_E.sender_id).where(_UPTO).order_by(_E.sender_id).limit(1).offset(BATCH_ROWS - 1)
_DELETE: Final = delete(stock_events).where(_UPTO)
_DELETE_TO: Final = _DELETE.where(_E.sender_id <= bindparam("last"))
_LEFT: Final = select(func.count()).select_from(stock_events).where(_UPTO)
_EMPTY_LOG: Final = "PRAGMA wal_checkpoint(TRUNCATE)"
_REBUILD: Final = {
    "sqlite": "VACUUM",
    "postgresql": "VACUUM FULL events",
    "mysql": "OPTIMIZE TABLE events",
    "mariadb": "OPTIMIZE TABLE events",
}


@dataclass(frozen=True, slots=True)
class StockEvent:
    """One row.

    Attributes:
        row: Its `id`.
        event: What `Event.as_dict()` gave, with its type and a time that is one; None where the row is damaged.
    """

    row: int
    event: dict[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class StockPerson:
    """One conversation: its key and its rows, the oldest first. There is at least one."""

    sender_id: str = field(repr=False)
    rows: tuple[StockEvent, ...]


class StockStore:
    """The old store.

    Args:
        url: The SQLAlchemy URL of its database, for example `sqlite:///rasa.db`.

    Attributes:
        name: What to call it in messages; never the password.
        rows: Number of rows when it was opened.
        people: Number of sender ids then, as the database compares texts.

    Raises:
        ConfigurationError: The URL is none, its driver is missing, the file is not there, or it has no such table.
        StorageError: The database cannot be read.
    """

    def __init__(self, url: str) -> None:
        self._old = StockDatabase(url, "--from")
        self.name = self._old.name
        self._engine = self._old.engine
        self._dialect = self._old.dialect
        self._reading = self._old.transaction
        with self._reading() as conn:
            self._old.check_table(conn)
            self.rows, self._upto = self._size(conn)
            self.people: int = conn.execute(_PEOPLE, {"upto": self._upto}).scalar_one()

    def __iter__(self) -> Iterator[StockPerson]:
        """Yield each person with all rows.

        Raises:
            StorageError: The database cannot be read any more.
        """
        last: str | None = None
        while True:
            with self._reading() as conn:
                values = {"upto": self._upto, "last": last}
                last = conn.execute(_NEXT if last is not None else _FIRST, values).scalar()
                rows = conn.execute(_ROWS, {"upto": self._upto, "sender": last}).all() if last is not None else []
            if last is None:
                return
            # A stable sort keeps the order of the rows of each exact sender id.
            for sender_id, mine in groupby(sorted(rows, key=lambda row: str(row[0])), key=lambda row: str(row[0])):
                yield StockPerson(sender_id, tuple(StockEvent(row, _event_of(data)) for _, row, data in mine))

    def is_unchanged(self) -> bool:
        """Say whether no row came or went since it was opened.

        Raises:
            StorageError: The database cannot be read any more.
        """
        with self._reading() as conn:
            return self._size(conn) == (self.rows, self._upto)

    def scrub(self, advance: Callable[[int], None]) -> None:
        """Delete every row that was there when it was opened, and overwrite what they left in the file.

        Args:
            advance: Called with the number of rows of each batch once it is committed.

        Raises:
            StorageError: Something is left; the message says what was done. It can be called again.
        """
        while True:
            with self._reading() as conn:
                last = conn.execute(_BOUNDARY, {"upto": self._upto}).scalar()
                statement = _DELETE if last is None else _DELETE_TO
                advance(conn.execute(statement, {"upto": self._upto, "last": last}).rowcount)
            if last is None:
                break
        self._rebuild()
        with self._reading() as conn:
            left: int = conn.execute(_LEFT, {"upto": self._upto}).scalar_one()
        if left:
            raise StorageError(f"{self.name}: {left} rows are still there after they were deleted; run it again")

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _rebuild(self) -> None:
        statement = _REBUILD[self._dialect]
        try:
            with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as conn:
                conn.execute(text(statement)).close()
                busy = self._dialect == "sqlite" and conn.execute(text(_EMPTY_LOG)).one()[0]
        except SQLAlchemyError:
            busy = True
        if busy:
            raise StorageError(
                f"{self.name}: the rows are deleted, and the database still holds their bytes, because it could not be "
                f"rebuilt; end what uses it and run this again, or run '{statement}' yourself"
            )

    def _size(self, conn: Connection) -> tuple[int, int]:
        count, newest = conn.execute(_SIZE).one()
        return int(count), int(newest or 0)


def _event_of(data: Any) -> dict[str, Any] | None:
    """Return the event of a row, or None where it is none."""
    try:
        found = json.loads(data)
    except (TypeError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("event"), str):
        return None
    time = found.get("timestamp")
    if isinstance(time, bool) or not isinstance(time, int | float):
        return None
    return found if 0 <= time <= _MAX_SECONDS else None  # NaN compares with nothing
