"""SQLite: one file, one writer at a time.

- A transaction that writes starts with BEGIN IMMEDIATE, so that writers queue instead of failing half-way.
- A commit is on the disk when it returns (synchronous=FULL), because "deleted" is said after it.
- Deleted bytes are overwritten in the file (secure_delete); `checkpoint` does the same for the write-ahead log.
- A file is made by `prepare` only. One that is moved away does not answer, until it is back; another one in its place
  is refused, since a restored backup must pass the checks of the start.
"""

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from rasa_privacy.errors import ConfigurationError, StorageError, UnreachableError
from rasa_privacy.storage.dialects.backend import DISK_FULL, LOCK_SECONDS, Backend, Reason

BUSY_MILLISECONDS: Final = LOCK_SECONDS * 1000
_CHECKPOINT_MILLISECONDS: Final = 250
_WAL_ATTEMPTS: Final = 100
_WAL_PAUSE_SECONDS: Final = 0.05
#: Of a new file. A short conversation is a row of 1.1 KB, of which 4 KiB take three and 8 KiB seven.
PAGE_BYTES: Final = 8192
_PRAGMAS: Final = (
    f"PRAGMA page_size={PAGE_BYTES}",  # before the file gets its first page; later it does nothing
    f"PRAGMA busy_timeout={BUSY_MILLISECONDS}",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",
    "PRAGMA temp_store=MEMORY",  # no temporary files beside the database
)
#: What SQLite says, and what to do about it.
_REASONS: Final = {
    "locked": Reason(UnreachableError, "another process holds it for too long; end that process or try again"),
    "disk is full": DISK_FULL,
    "readonly": Reason(
        StorageError, "it is read-only for this process; correct the owner and mode of the file and its directory"
    ),
    "unable to open": Reason(
        UnreachableError,
        "the file cannot be opened; correct its URL in endpoints.yml, or the mode of the file and its directory",
    ),
    "not a database": Reason(StorageError, "the file is no SQLite database; name another file in endpoints.yml"),
    "malformed": Reason(StorageError, "the file is damaged; restore it from its backup"),
    "disk I/O": Reason(
        StorageError, "the disk reports an error; check it, and restore the file from its backup if need be"
    ),
    "FOREIGN KEY": Reason(StorageError, "a row names a subject or conversation that is not there (erased?)"),
    "UNIQUE": Reason(StorageError, "a row is there already"),
}


class SQLite(Backend):
    """One SQLite file.

    Args:
        url: For example `sqlite:///conversations.db`. `sqlite://` in memory is refused.

    Raises:
        ConfigurationError: The URL is not a file that we can use.
    """

    name = "sqlite"
    extra = ""

    def __init__(self, url: URL) -> None:
        name = url.database
        if not name or name == ":memory:" or name.startswith("file:") or url.query:
            raise ConfigurationError(
                "the database's URL must name a plain file, for example sqlite:///conversations.db; one in memory is "
                "lost at the end of the process, and the action server cannot see it"
            )
        self._path = Path(name)
        self._opened: tuple[int, int] | None = None
        super().__init__(url, name, creator=self._connect)

    def _connect(self) -> sqlite3.Connection:
        # mode=rw: SQLite must not make an empty file where the database was.
        where = f"file:{quote(str(self._path.absolute()))}?mode=rw"
        return sqlite3.connect(where, uri=True, check_same_thread=False, timeout=BUSY_MILLISECONDS / 1000)

    def set_up(self, connection: Any) -> None:
        """Set the pragmas (SQLAlchemy's recipe for pysqlite: we say BEGIN, the driver does not)."""
        connection.isolation_level = None
        connection.text_factory = _text
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        _enter_wal_mode(connection)

    def begin(self, connection: Any, *, writes: bool) -> None:
        """Begin; one that writes takes the write lock."""
        connection.dbapi_connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def reason(self, error: Any) -> Reason | None:
        """Return why SQLite failed, by its words."""
        text = str(error)
        return next((reason for words, reason in _REASONS.items() if words in text), None)

    def check(self) -> None:
        """See that the path still names the file that was opened.

        Raises:
            UnreachableError: There is no file.
            StorageError: There is another file.
        """
        try:
            found = self._path.stat()
        except OSError as error:
            remedy = "put the file back, or correct its URL in endpoints.yml"
            if self._opened is None and isinstance(error, FileNotFoundError):
                remedy = f"a bot's server makes its store at its first start: start it, or, if there was one, {remedy}"
            raise UnreachableError(f"{self.label}: {error.strerror}; {remedy}") from None
        identity = (found.st_dev, found.st_ino)
        if self._opened is None:
            self._opened = identity
        if identity != self._opened:
            raise StorageError(
                f"{self.label}: another file took its place while this process ran; start the process again, so that "
                "the file is checked"
            )

    def prepare(self) -> None:
        """Make an empty file that only this user may read, where there is none.

        One that is there is not opened: closing it would end all locks that this process has on it, which POSIX has by
        file and process (sqlite.org/howtocorrupt.html, section 2.2). The next process that closes the store would then
        take itself for the last one, and remove the write-ahead log that this one goes on writing to.

        Raises:
            StorageError: The directory is missing or closed to us.
        """
        try:
            if not self._path.exists():
                where = self._path.resolve()  # O_EXCL follows no link
                with suppress(FileExistsError):  # another process was first
                    os.close(os.open(where, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StorageError(
                f"{self.label}: {error.strerror}; make the directory, or correct its URL in endpoints.yml and the modes"
            ) from None

    def checkpoint(self) -> bool:
        """Move the write-ahead log into the database and cut it to nothing; wait a quarter of a second for readers."""
        try:
            connection = self.reader.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(f"PRAGMA busy_timeout={_CHECKPOINT_MILLISECONDS}")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                busy = cursor.fetchone()[0]
                cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
            finally:
                connection.close()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self.explain(error) from None
        return not busy


def _text(raw: bytes) -> str | bytes:
    """Return a text, or what a tamperer put in its place as the bytes that it is; the driver would fail at all rows."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


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
