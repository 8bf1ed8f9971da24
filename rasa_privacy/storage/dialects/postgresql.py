"""PostgreSQL 15, through psycopg2, and what speaks its protocol (docs/adr/0006-three-databases.md).

- A transaction that reads is REPEATABLE READ, READ ONLY: one state of the database. One that writes is READ COMMITTED,
  and its caller locks the rows that it decides by (`Subjects.find_for_update`). psycopg2 would send BEGIN and COMMIT by
  themselves; it begins no transaction, and we say these words together with what waits (`server.py`).
- A commit is on the server's disk when it returns: synchronous_commit is switched on for each connection.
- Nothing waits for ever: see the seconds in `backend.py`; a transaction whose process has gone ends after a minute.
- A pooled connection that the server has closed is noticed before it is used, without a round trip.
- Statements of a turn are prepared for each connection (`query.py`), and their plans must stay good while the tables
  grow: so indexes are preferred to reading whole tables. Behind PgBouncer that needs `pool_mode = session`.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, Final

from sqlalchemy.engine import URL, Connection

from rasa_privacy.errors import StorageError
from rasa_privacy.storage.dialects import backend
from rasa_privacy.storage.dialects.backend import Reason
from rasa_privacy.storage.dialects.server import Server, is_readable, server_label

_SET_UP: Final = (
    f"SET statement_timeout = {backend.STATEMENT_SECONDS * 1000}; "
    f"SET lock_timeout = {backend.LOCK_SECONDS * 1000}; "
    "SET idle_in_transaction_session_timeout = 60000; "
    "SET synchronous_commit = on; "
    "SET bytea_output = hex"  # for `_from_hex`
)
#: A plan that is kept was made for the tables as they were, perhaps empty. Whole tables are seldom read, and then this
#: raises the estimate so far that PostgreSQL would compile the query. What a relative does not know it does without.
_PLANS: Final = ("SET enable_seqscan = off", "SET jit = off")
_ONE_STATE: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#: The type of binary columns (pg_type.dat, typname `bytea`).
_BYTEA: Final = 17
#: A host that vanished without a word is given up after 15 to 20 seconds (libpq, section 34.1.2).
_KEEPALIVE: Final = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
#: By SQLSTATE (PostgreSQL 15, appendix A), or its class of two characters.
_REASONS: Final = {
    "40001": backend.RACE,
    "40P01": backend.RACE,
    "22012": backend.RACE,  # a division by zero stands for a row that changed meanwhile (`query.py`)
    "42P07": backend.RACE,  # two processes made the same table
    "42710": backend.RACE,
    "55P03": backend.LOCKED,
    "23505": backend.DUPLICATE,
    "23503": backend.NO_PARENT,
    "57014": backend.TOO_SLOW,
    "57P01": backend.BROKEN,
    "57P02": backend.BROKEN,
    "57P03": backend.UNREACHABLE,
    "57P05": backend.BROKEN,
    "25P03": backend.BROKEN,
    "25006": backend.READ_ONLY,
    "53300": backend.NO_CONNECTION,
    "53100": backend.SERVER_FULL,
    "42501": backend.NOT_ALLOWED,
    "42P01": backend.NO_TABLE,
    "3D000": backend.NO_DATABASE,
    "08": backend.BROKEN,
    "22": backend.UNSUITABLE,
    "28": backend.WRONG_LOGIN,
}
#: While connecting there is no code: words of the server, then of libpq.
_WORDS: Final = {
    "password": backend.WRONG_LOGIN,
    "role ": backend.WRONG_LOGIN,
    "pg_hba.conf": backend.WRONG_LOGIN,
    "too many": backend.NO_CONNECTION,
    "remaining connection slots": backend.NO_CONNECTION,
    "starting up": backend.UNREACHABLE,
    "shutting down": backend.UNREACHABLE,
    "invalid connection option": Reason(StorageError, backend.UNKNOWN_OPTION),
    "permission denied for database": backend.NOT_ALLOWED,
    "does not exist": backend.NO_DATABASE,
}


class PostgreSQL(Server):
    """One PostgreSQL database, or one schema of it where the URL's `options` set `search_path`."""

    name = "postgresql"
    extra = "postgresql"

    def __init__(self, url: URL) -> None:
        chosen = {"connect_timeout": backend.CONNECT_SECONDS, "application_name": "rasa_privacy", **_KEEPALIVE}
        super().__init__(
            url.set(drivername="postgresql+psycopg2"),
            server_label(url),
            connect_args={key: value for key, value in chosen.items() if key not in url.query},
            use_native_hstore=False,  # would cost a query for each connection
        )

    def set_up(self, connection: Any) -> None:
        """Set the limits of a session, in which psycopg2 begins no transaction by itself."""
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(_SET_UP)
            for setting in _PLANS:
                with suppress(self.reader.dialect.dbapi.ProgrammingError):
                    cursor.execute(setting)
        extensions = import_module("psycopg2.extensions")  # an extra; who comes here has it
        extensions.register_type(extensions.new_type((_BYTEA,), "BYTEA", _from_hex), connection)

    def is_usable(self, connection: Any) -> bool:
        """Return whether the server has not hung up."""
        return not (connection.closed or is_readable(connection.fileno()))

    def opening(self, *, writes: bool) -> tuple[str, ...]:
        """Return BEGIN with its isolation."""
        return ("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",) if writes else (_ONE_STATE,)

    def roll_back(self, connection: Any) -> None:
        """Undo a transaction; psycopg2 knows of none."""
        super().roll_back(connection)
        driver = connection.dbapi_connection
        if driver.info.transaction_status:  # 0 is none (libpq, section 34.2)
            with driver.cursor() as cursor:
                cursor.execute("ROLLBACK")

    def reason(self, error: Any) -> Reason | None:
        """Return why PostgreSQL failed: by code, by words where there is none."""
        code = getattr(error, "pgcode", None)
        if code is not None:
            return _REASONS.get(code) or _REASONS.get(code[:2])
        driver, text = self.reader.dialect.dbapi, str(error)
        if isinstance(error, driver.InterfaceError):
            return backend.BROKEN
        other = backend.UNREACHABLE if isinstance(error, driver.OperationalError) else None
        return next((reason for words, reason in _WORDS.items() if words in text), other)

    def code(self, error: Any) -> str:
        """Return the SQLSTATE."""
        return f", SQLSTATE {error.pgcode}" if getattr(error, "pgcode", None) else ""

    @contextmanager
    def changing_schema(self) -> Iterator[Connection]:
        """Open a transaction that changes tables; statements may take as long as they need."""
        with self.writer.begin() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            yield connection


def _from_hex(value: str | None, _cursor: Any) -> bytes | None:
    """Return binary data as bytes: as the memoryview that psycopg2 makes it takes longer, before it is copied again."""
    return None if value is None else bytes.fromhex(value[2:])
