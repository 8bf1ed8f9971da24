"""`Server`: what PostgreSQL and MariaDB have in common: each way to them costs as much as the work (`waiting.py`).

The words that begin a transaction go with its first statement, and the commit with what was written last.
"""

import select
from abc import abstractmethod
from contextlib import suppress
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import InvalidatePoolError

from rasa_privacy.storage import waiting
from rasa_privacy.storage.dialects.backend import Backend


class Server(Backend):
    """One database of a server.

    Args:
        url: A URL of this kind.
        label: What messages call the database.
        options: Further arguments of `create_engine`.

    Raises:
        ConfigurationError: The driver is not installed.
    """

    def __init__(self, url: URL, label: str, **options: Any) -> None:
        super().__init__(url, label, **options)
        event.listen(self.reader, "checkout", self._refuse_closed)
        event.listen(self.reader, "before_cursor_execute", self._send)
        event.listen(self.reader, "rollback", _forget)
        event.listen(self.reader, "rollback_savepoint", _forget)
        self._plain_release = self.reader.dialect.do_release_savepoint
        self.reader.dialect.do_release_savepoint = self.release

    @abstractmethod
    def is_usable(self, connection: Any) -> bool:
        """Return whether the server has not hung up; its farewell would wait to be read."""

    @abstractmethod
    def opening(self, *, writes: bool) -> tuple[str, ...]:
        """Return the words that begin a transaction."""

    def begin(self, connection: Any, *, writes: bool) -> None:
        """Have the words that begin a transaction go with its first statement."""
        waiting.begin(connection, *self.opening(writes=writes))

    def commit(self, connection: Any) -> None:
        """End a transaction together with what was written last; where that fails, undo it."""
        try:
            waiting.commit(self.name, connection)
        except BaseException:
            # SQLAlchemy takes a transaction whose commit failed for ended, and the server does not where a part failed.
            with suppress(self.reader.dialect.dbapi.Error):
                self.roll_back(connection)
            raise

    def roll_back(self, connection: Any) -> None:
        """Undo a transaction; what waits was never sent."""
        waiting.forget(connection)
        connection.dbapi_connection.rollback()

    def release(self, connection: Connection, name: str) -> None:
        """End a part of a transaction with what it wrote last; where that fails, undo the part."""
        try:
            waiting.send(self.name, connection.connection)
        except BaseException:
            # As with a commit: SQLAlchemy takes the part for ended.
            self.reader.dialect.do_rollback_to_savepoint(connection, name)
            raise
        self._plain_release(connection, name)

    def _set_up(self, connection: Any, record: Any) -> None:
        super()._set_up(connection, record)
        waiting.let(record.info)
        # Not before: SQLAlchemy's own look at a new server ends in the driver's ways.
        self.reader.dialect.do_commit = self.commit
        self.reader.dialect.do_rollback = self.roll_back

    def _refuse_closed(self, connection: Any, *_: Any) -> None:
        """Have the pool connect anew where the server has hung up."""
        if not self.is_usable(connection):
            raise InvalidatePoolError

    def _send(self, connection: Connection, *_: Any) -> None:
        """Send what waits before a statement that SQLAlchemy runs."""
        waiting.send(self.name, connection.connection)


def _forget(connection: Connection, *_: Any) -> None:
    """Give up what waits for the end of a transaction, or of a part of it, that is rolled back."""
    # One that broke has nothing left that could wait, and may not be touched before it is rolled back.
    if not connection.invalidated:
        waiting.forget(connection.connection)


def server_label(url: URL) -> str:
    """Return host, port and database of a URL, without user and password."""
    # A password with an unescaped "@" ends up in the host.
    host = (url.host or "local server").rpartition("@")[2]
    return f"{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def is_readable(descriptor: int) -> bool:
    """Say whether there is something to read, or the other side has closed."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
