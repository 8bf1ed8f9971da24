"""`Database`: connections and transactions of one database: SQLite, PostgreSQL or MariaDB.

Rules on all of them:

1. `read` sees one state of the database, and so does `ask`, which runs one statement and no transaction around it.
2. `write` is a real transaction that is durable when it is committed, because "deleted" is said after it. Who changes
   anything of a person first locks the subject (`Subjects.find_for_update`, or `Subjects.lock`); SQLite lets one writer
   in at a time anyway.
3. `transact` is how to write: a lost race is run again from the start.
4. No error that leaves this module carries a statement, a parameter or a password.

Open it in the process that uses it: connections must not be carried over a fork.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError

from rasa_privacy.errors import ConfigurationError, ContentionError, StorageError
from rasa_privacy.storage.dialects.backend import Backend
from rasa_privacy.storage.dialects.mariadb import MariaDB
from rasa_privacy.storage.dialects.postgresql import PostgreSQL
from rasa_privacy.storage.dialects.sqlite import SQLite
from rasa_privacy.storage.query import Query

_ATTEMPTS: Final = 20
#: No new attempt is begun after this.
_PATIENCE_SECONDS: Final = 30
_BACKENDS: Final[dict[str, Callable[[URL], Backend]]] = {
    "sqlite": SQLite,
    "sqlite+pysqlite": SQLite,
    "postgresql": PostgreSQL,
    "postgresql+psycopg2": PostgreSQL,
    "mysql+pymysql": MariaDB,
    "mariadb+pymysql": MariaDB,
}

T = TypeVar("T")


class Database:
    """One database.

    Args:
        url: For example `sqlite:///conversations.db`, `postgresql+psycopg2://user:password@host/name` or
            `mysql+pymysql://user:password@host/name`.

    Attributes:
        name: What messages call it: the file, or host, port and database name.
        dialect: `sqlite`, `postgresql` or `mysql`.
        is_closed: Whether `close` was called, after which nothing should be begun.

    Raises:
        ConfigurationError: The URL is none of these, or the driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._backend = _open_backend(url)
        self.name = self._backend.label
        self.dialect = self._backend.name
        self.is_closed = False

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one state of the database. Writing in it may fail.

        Raises:
            StorageError: The database cannot be read.
        """
        return self._transaction(self._backend.reader.begin)

    def ask(self, query: Query, **parameters: Any) -> Sequence[Any]:
        """Return the rows of one SELECT that needs no transaction: one way to a server instead of four.

        Raises:
            StorageError: The database cannot be read.
        """
        with self._explained():
            return self._backend.ask(lambda connection: query.rows_alone(self.dialect, connection, parameters))

    def write(self) -> AbstractContextManager[Connection]:
        """Open a transaction that writes. `transact` also tries again.

        Raises:
            StorageError: The database cannot be written.
            ContentionError: Another transaction was first, and nothing was written.
            UnreachableError: The database does not answer. If the connection broke during the commit nobody can tell
                whether it was done: read before you write again.
        """
        return self._transaction(self._backend.writer.begin)

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that writes, again where another transaction was first.

        Raises:
            StorageError: As `write`.
        """
        return _insist(self.write, work)

    def change_schema(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which makes or changes tables; again where another process was first.

        On MariaDB each statement commits by itself, so `work` must be able to go on where it was interrupted.

        Raises:
            StorageError: As `write`.
        """
        return _insist(lambda: self._transaction(self._backend.changing_schema), work)

    @contextmanager
    def _transaction(self, begin: Callable[[], AbstractContextManager[Connection]]) -> Iterator[Connection]:
        with self._explained(), begin() as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """See that the database is still the one that was opened, and turn the driver's errors into ours."""
        self._backend.check()
        try:
            yield
        except self._backend.errors as error:
            # `from None`: the cause carries the statement, and in some drivers the values.
            raise self._backend.explain(error) from None
        except (UnicodeEncodeError, OverflowError):
            raise self._unsuitable() from None
        except ValueError as error:
            if "NUL" not in str(error):  # psycopg2's own check of a text
                raise
            raise self._unsuitable() from None

    def _unsuitable(self) -> StorageError:
        return StorageError(f"{self.name}: a text or number cannot be stored; see that it is valid Unicode without NUL")

    def prepare(self) -> None:
        """Make an empty SQLite file that only this user may read, where there is none; a server's database is there.

        Raises:
            StorageError: The directory is missing or closed to us.
        """
        self._backend.prepare()

    def checkpoint(self) -> bool:
        """Move SQLite's write-ahead log into the database and cut it to nothing; servers see to their own.

        Returns:
            Whether that worked; it waits a quarter of a second for readers, and the next checkpoint does it otherwise.

        Raises:
            StorageError: The database cannot be reached.
        """
        return self._backend.checkpoint()

    def close(self) -> None:
        """Close all connections."""
        self.is_closed = True
        self._backend.close()


def _insist(begin: Callable[[], AbstractContextManager[Connection]], work: Callable[[Connection], T]) -> T:
    end = time.monotonic() + _PATIENCE_SECONDS
    for _ in range(_ATTEMPTS - 1):
        try:
            with begin() as connection:
                return work(connection)
        except ContentionError:  # noqa: PERF203 - a lost race costs more than the handler
            if time.monotonic() < end:
                continue
            raise
    with begin() as connection:
        return work(connection)


def _open_backend(url: str) -> Backend:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "what stands for url in endpoints.yml is no database URL; write one such as sqlite:///conversations.db"
        ) from None
    backend = _BACKENDS.get(parsed.drivername)
    if backend is None:
        raise ConfigurationError(
            f"endpoints.yml: databases of the kind {parsed.drivername} are not supported; write sqlite:///file, "
            "postgresql+psycopg2://... or mysql+pymysql://... (for MariaDB)"
        )
    return backend(parsed)
