"""`Database`: connections and transactions of one SQLite file.

Rules:

1. A transaction starts with a real BEGIN; one that writes starts with BEGIN IMMEDIATE, so that writers queue instead of
   failing half-way.
2. A commit is on the disk when it returns (synchronous=FULL), because "deleted" is said after it.
3. Deleted bytes are overwritten in the file (secure_delete); `checkpoint` does the same for the write-ahead log.
4. No error that leaves this module carries parameters.

Open it in the process that uses it: connections must not be carried over a fork.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from rasa_privacy.errors import ConfigurationError, StorageError

BUSY_MILLISECONDS: Final = 10_000
_CHECKPOINT_MILLISECONDS: Final = 250
_WAL_ATTEMPTS: Final = 100
_WAL_PAUSE_SECONDS: Final = 0.05
_BEGIN: Final = "rasa_privacy_begin"
_DRIVERS: Final = ("sqlite", "sqlite+pysqlite")
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout={BUSY_MILLISECONDS}",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",
    "PRAGMA temp_store=MEMORY",  # no temporary files beside the database
)
#: What SQLite says, and what to do about it. Anything else is named by its class only, so that no value gets out.
_REMEDIES: Final = {
    "locked": "another process holds it for too long; end that process or try again",
    "disk is full": "the disk is full; free some space",
    "readonly": "it is read-only for this process; correct the owner and mode of the file and its directory",
    "unable to open": "the file cannot be opened; correct tracker_store.url, or the mode of the file and its directory",
    "not a database": "the file is no SQLite database; name another file in tracker_store.url",
    "malformed": "the file is damaged; restore it from its backup",
    "disk I/O": "the disk reports an error; check it, and restore the file from its backup if need be",
    "FOREIGN KEY": "a row names a subject or conversation that is not there (erased?)",
    "UNIQUE": "a row is there already",
}


class Database:
    """One SQLite file.

    Args:
        url: For example `sqlite:///conversations.db`. Other databases and `sqlite://` in memory are refused.

    Raises:
        ConfigurationError: The URL is not a file that we can use.
    """

    def __init__(self, url: str) -> None:
        parsed = _checked(url)
        self.path = Path(parsed.database)
        self._engine = create_engine(
            parsed,
            future=True,
            hide_parameters=True,
            poolclass=QueuePool,
            connect_args={"check_same_thread": False, "timeout": BUSY_MILLISECONDS / 1000},
        )
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one state of the database. Writing in it may fail.

        Raises:
            StorageError: The database cannot be read.
        """
        return self._transaction(self._engine)

    def write(self) -> AbstractContextManager[Connection]:
        """Open a transaction that holds the write lock until it ends.

        Raises:
            StorageError: The database cannot be written, or another writer holds it for too long.
        """
        return self._transaction(self._writer)

    @contextmanager
    def _transaction(self, engine: Any) -> Iterator[Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            # `from None`: the cause carries the statement, and in some drivers the values.
            raise StorageError(f"{self.path}: {_reason(error)}") from None
        except (UnicodeEncodeError, OverflowError):
            raise StorageError(
                f"{self.path}: a text or number cannot be stored; see that it is valid Unicode"
            ) from None

    def create_file(self) -> None:
        """Make an empty file that only this user may read, where there is none.

        Raises:
            StorageError: The directory is missing or closed to us.
        """
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StorageError(
                f"{self.path}: {error.strerror}; make the directory, or correct tracker_store.url and the modes"
            ) from None

    def checkpoint(self) -> bool:
        """Move the write-ahead log into the database and cut it to nothing.

        Returns:
            Whether that worked; it waits a quarter of a second for readers, and the next checkpoint does it otherwise.

        Raises:
            StorageError: The database cannot be reached.
        """
        try:
            connection = self._engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(f"PRAGMA busy_timeout={_CHECKPOINT_MILLISECONDS}")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                busy = cursor.fetchone()[0]
                cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
            finally:
                connection.close()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StorageError(f"{self.path}: {_reason(error)}") from None
        return not busy

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "tracker_store.url is no database URL; write one such as sqlite:///conversations.db"
        ) from None
    if parsed.drivername not in _DRIVERS:
        raise ConfigurationError(
            f"tracker_store.url: {parsed.drivername} is not supported in this version, SQLite is. PostgreSQL and "
            "MariaDB come in a later release (docs/LIMITATIONS.md)"
        )
    name = parsed.database
    if not name or name == ":memory:" or name.startswith("file:") or parsed.query:
        raise ConfigurationError(
            "tracker_store.url must name a plain file, for example sqlite:///conversations.db; one in memory is lost "
            "at the end of the process, and the action server cannot see it"
        )
    return parsed


def _prepare(connection: Any, _record: Any) -> None:
    """Set up a new connection (SQLAlchemy's recipe for pysqlite: we say BEGIN, the driver does not)."""
    connection.isolation_level = None
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        _enter_wal_mode(connection)
    except BaseException:
        connection.close()
        raise


def _enter_wal_mode(connection: Any) -> None:
    # busy_timeout does not cover the change of mode while another process makes the same change.
    for _ in range(_WAL_ATTEMPTS):
        if _is_in_wal_mode(connection):
            return
        time.sleep(_WAL_PAUSE_SECONDS)
    connection.execute("PRAGMA journal_mode=WAL")


def _is_in_wal_mode(connection: Any) -> bool:
    try:
        return bool(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False


def _begin(connection: Any) -> None:
    # Past SQLAlchemy's execution, which would cost more than the transaction.
    connection.connection.dbapi_connection.execute(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _reason(error: Exception) -> str:
    text = str(getattr(error, "orig", None) or error)
    return next(
        (remedy for word, remedy in _REMEDIES.items() if word in text), f"the database failed ({type(error).__name__})"
    )
