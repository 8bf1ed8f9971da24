"""`Backend`: what `Database` needs from one kind of database, and what the kinds have in common.

A backend connects, begins transactions of the right isolation, and turns a driver's error into ours. Reasons are found
by code, or by words where there is no code; a statement, a parameter or a part of the URL but host, port and database
name is never repeated.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from rasa_privacy.errors import ConfigurationError, ContentionError, NotGrantedError, StorageError, UnreachableError

#: How long a new connection may take.
CONNECT_SECONDS: Final = 5
#: How long a statement waits for another transaction's lock, and a thread for a free connection.
LOCK_SECONDS: Final = 10
#: How long a statement may run. A change of the schema may run longer.
STATEMENT_SECONDS: Final = 30

#: Arguments of every engine: 2.0's ways on 1.4 too, and no values in messages.
ENGINE: Final = {"future": True, "hide_parameters": True}
_WRITES: Final = "rasa_privacy_writes"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a database failed.

    Attributes:
        kind: The class of the error.
        text: Cause and remedy.
    """

    kind: type[StorageError]
    text: str


UNKNOWN_OPTION: Final = "its URL in endpoints.yml has an option that the driver does not know; remove it"
UNREACHABLE: Final = Reason(UnreachableError, "the database does not answer; see that its server runs and try again")
BROKEN: Final = Reason(UnreachableError, "the connection broke; see that the database's server runs and try again")
TOO_SLOW: Final = Reason(
    UnreachableError, f"a statement took longer than {STATEMENT_SECONDS} seconds; see what holds the database up"
)
NO_CONNECTION: Final = Reason(
    UnreachableError, "all connections are in use; try again, or allow the database's server more of them"
)
RACE: Final = Reason(ContentionError, "another transaction was first; nothing was written, try again")
LOCKED: Final = Reason(
    ContentionError, f"another transaction holds a lock for longer than {LOCK_SECONDS} seconds; try again"
)
DUPLICATE: Final = Reason(ContentionError, "a row is there already")
NO_PARENT: Final = Reason(ContentionError, "a row names a subject or conversation that is not there (erased?)")
UNSUITABLE: Final = Reason(
    StorageError, "a text or number cannot be stored; see that it is valid Unicode and not too long"
)
DISK_FULL: Final = Reason(StorageError, "the disk is full; free some space")
SERVER_FULL: Final = Reason(
    StorageError,
    "the disk of its server is full, or a limit of what it may take of it is reached; free some space there",
)
NOT_ALLOWED: Final = Reason(
    NotGrantedError,
    "this user may not do that; grant it what its role needs ('rasa-privacy database grants', again after an "
    "upgrade), or all rights on the tables; who upgrades needs CREATE too",
)
READ_ONLY: Final = Reason(StorageError, "the database is read-only (a replica?); name the primary server in its URL")
WRONG_LOGIN: Final = Reason(
    StorageError, "the server refuses user or password; correct them in its URL, or the server's access rules"
)
NO_DATABASE: Final = Reason(StorageError, "there is no such database; make it, or correct its URL in endpoints.yml")
NO_TABLE: Final = Reason(
    StorageError, "a table is missing; restore the database from its backup, and see who removed the table"
)


class Backend(ABC):
    """One kind of database behind one URL.

    Args:
        url: A URL of this kind.
        label: What messages call the database.
        options: Further arguments of `create_engine`.

    Raises:
        ConfigurationError: The driver is not installed.
    """

    #: `sqlite`, `postgresql` or `mysql`, as SQLAlchemy calls them.
    name: ClassVar[str]
    #: The extra of this package that brings the driver.
    extra: ClassVar[str]

    def __init__(self, url: URL, label: str, **options: Any) -> None:
        self.label = label
        # One, or a few where several threads asked at the same moment.
        self._kept: list[Any] = []
        self._is_closed = False
        try:
            self.reader: Any = create_engine(
                url,
                poolclass=QueuePool,
                pool_timeout=LOCK_SECONDS,
                # The connection that was used last: what it and its server's process need is at hand still.
                pool_use_lifo=True,
                # Every transaction is ended before its connection is given back, so this would only be a round trip.
                pool_reset_on_return=None,
                **ENGINE,
                **options,
            )
        except ImportError:
            raise ConfigurationError(
                f"{label}: the driver is not installed; run pip install 'rasa_privacy[{self.extra}]'"
            ) from None
        self.writer: Any = self.reader.execution_options(**{_WRITES: True})
        self.errors: tuple[type[Exception], ...] = (SQLAlchemyError, self.reader.dialect.dbapi.Error)
        event.listen(self.reader, "do_connect", _connect)
        event.listen(self.reader, "connect", self._set_up)
        event.listen(self.reader, "begin", self._on_begin)

    @abstractmethod
    def set_up(self, connection: Any) -> None:
        """Prepare a new driver connection."""

    @abstractmethod
    def begin(self, connection: Any, *, writes: bool) -> None:
        """Begin a transaction on a pooled connection, or say which one begins with the next statement."""

    @abstractmethod
    def reason(self, error: Any) -> Reason | None:
        """Return why the driver failed; None for what has no name here."""

    def check(self) -> None:  # noqa: B027 - only a file can be exchanged
        """Look, before each transaction, whether the database is still the one that was opened."""

    def prepare(self) -> None:  # noqa: B027 - only a file is made by us
        """Make what must be there before connecting."""

    def checkpoint(self) -> bool:
        """Clear the log of what was deleted, where this process can."""
        return True

    def is_usable(self, connection: Any) -> bool:  # noqa: ARG002 - a server can hang up
        """Return whether a driver connection that was not used for a while can be, without asking anybody."""
        return True

    def ask(self, work: Callable[[Any], T]) -> T:
        """Run work on a connection on which each statement is a transaction of its own.

        It is kept for the next one who asks: a way through the pool takes a twentieth of reading a short conversation.
        """
        connection = self._taken()
        try:
            result = work(connection)
        except BaseException:
            connection.invalidate()  # nobody knows what state it is in
            connection.close()
            raise
        if self._kept or self._is_closed:
            connection.close()
        else:
            self._kept.append(connection)
        return result

    def _taken(self) -> Any:
        """Return the connection that was kept, or one of the pool."""
        try:
            connection = self._kept.pop()
        except IndexError:
            return self.reader.raw_connection()
        if self.is_usable(connection.dbapi_connection):
            return connection
        connection.invalidate()
        connection.close()
        return self.reader.raw_connection()

    @contextmanager
    def changing_schema(self) -> Iterator[Connection]:
        """Open a transaction that changes tables; of two at once one waits, or fails with `ContentionError`."""
        with self.writer.begin() as connection:
            yield connection

    def explain(self, error: Exception) -> StorageError:
        """Return our error for one of `errors`."""
        original = getattr(error, "orig", None) or error
        if isinstance(error, PoolTimeoutError):
            reason: Reason | None = NO_CONNECTION
        else:
            reason = self.reason(original)
            if getattr(error, "connection_invalidated", False) and reason in {None, UNREACHABLE}:
                reason = BROKEN
        if reason is None:
            # Named by its class only, so that no value gets out.
            return StorageError(f"{self.label}: the database failed ({type(error).__name__}{self.code(original)})")
        return reason.kind(f"{self.label}: {reason.text}")

    def code(self, error: Any) -> str:  # noqa: ARG002
        """Return the database's own error code for a message, with a comma before it; nothing where it has none."""
        return ""

    def close(self) -> None:
        """Close all connections."""
        self._is_closed = True
        with suppress(IndexError):
            while True:
                self._kept.pop().close()
        self.reader.dispose()

    def _set_up(self, connection: Any, _record: Any) -> None:
        try:
            self.set_up(connection)
        except BaseException:
            connection.close()
            raise

    def _on_begin(self, connection: Any) -> None:
        # Past SQLAlchemy's execution, which would cost more than the transaction.
        self.begin(connection.connection, writes=_WRITES in connection.get_execution_options())


def _connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
    try:
        return dialect.connect(*arguments, **options)
    except TypeError:  # PyMySQL takes the URL's options as arguments of a function
        raise ConfigurationError(UNKNOWN_OPTION) from None
