"""`StockDatabase`: a database with the table `events` of Rasa's own tracker store or of its SQL event broker.

Both write the same three columns that matter here (rasa 3.6.21: rasa/core/tracker_store.py, `SQLTrackerStore.SQLEvent`;
rasa/core/brokers/sql.py, `SQLEventBroker.SQLBrokerEvent`). Rows of one sender are found as the database compares texts,
and then told apart exactly: MariaDB takes `Ann` and `ann` for one, which are two people.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from rasa_privacy.errors import ConfigurationError, StorageError
from rasa_privacy.storage.dialects.server import server_label

_BUSY_SECONDS: Final = 10
_EXTRAS: Final = {"sqlite": "", "postgresql": "postgresql", "mysql": "mariadb", "mariadb": "mariadb"}
_AT_ONCE: Final = 500

stock_events: Final = Table(
    "events",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("sender_id", String(255), nullable=False),
    Column("data", Text),
)
_E: Final = stock_events.c
_OF_SENDER: Final = select(_E.id, _E.sender_id).where(_E.sender_id == bindparam("sender"))
_DELETE: Final = delete(stock_events).where(_E.id.in_(bindparam("rows", expanding=True)))
_COUNT: Final = select(func.count()).select_from(stock_events)
_EMPTY_LOG: Final = "PRAGMA wal_checkpoint(TRUNCATE)"


class StockDatabase:
    """The old database.

    Args:
        url: The SQLAlchemy URL, for example `sqlite:///rasa.db`.
        where: What named it, for messages.

    Attributes:
        name: What to call it in messages; never the password.
        dialect: `sqlite`, `postgresql`, `mysql` or `mariadb`.
        engine: Its connections.

    Raises:
        ConfigurationError: The URL is none, its driver is missing, or the file is not there.
    """

    def __init__(self, url: str, where: str) -> None:
        parsed = _checked(url, where)
        self.name = str(parsed.database) if parsed.host is None else server_label(parsed)
        self.dialect: str = parsed.get_backend_name()
        self.engine = _engine(parsed, self.name, where)

    def check_table(self, conn: Connection) -> None:
        """See that the table is there.

        Raises:
            ConfigurationError: It is not, or is another's.
        """
        if not has_stock_table(conn):
            raise ConfigurationError(
                f"{self.name}: there is no table 'events' with the columns id, sender_id and data, so it is not the "
                "store of a Rasa bot; name the database of 'type: SQL' in the old endpoints.yml"
            )

    def count(self) -> int:
        """Return how many rows there are.

        Raises:
            ConfigurationError: The table is not there.
            StorageError: The database does not answer.
        """
        with self.transaction() as conn:
            self.check_table(conn)
            number: int = conn.execute(_COUNT).scalar_one()
        return number

    def count_of(self, sender_ids: Collection[str]) -> int:
        """Return how many rows these senders have.

        Raises:
            ConfigurationError: The table is not there.
            StorageError: The database does not answer.
        """
        with self.transaction() as conn:
            self.check_table(conn)
            return len(_rows_of(conn, sender_ids))

    def remove(self, sender_ids: Collection[str]) -> int:
        """Delete the rows of these senders, read back, and return how many there were.

        SQLite overwrites them; a server keeps them in its files until it vacuums, and in its logs.

        Raises:
            ConfigurationError: The table is not there.
            StorageError: The database does not answer, or rows are still there; it can be called again.
        """
        with self.transaction() as conn:
            self.check_table(conn)
            rows = _rows_of(conn, sender_ids)
            for first in range(0, len(rows), _AT_ONCE):
                conn.execute(_DELETE, {"rows": rows[first : first + _AT_ONCE]})
        with self.transaction() as conn:
            left = len(_rows_of(conn, sender_ids))
        if left:
            raise StorageError(f"{self.name}: {left} rows are still there after they were deleted; run it again")
        if rows and self.dialect == "sqlite":
            with self.transaction() as conn:
                conn.execute(text(_EMPTY_LOG)).close()
        return len(rows)

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction.

        Raises:
            StorageError: The database does not answer.
        """
        try:
            with self.engine.begin() as conn:
                yield conn
        except SQLAlchemyError as error:
            # The cause may carry values, so only its class is named.
            raise StorageError(
                f"{self.name}: the old store does not answer as it should ({type(error).__name__}); see that its "
                "server runs, that the name and password are right, and that nothing else locks it"
            ) from None


def has_stock_table(conn: Connection) -> bool:
    """Say whether a database holds such a table."""
    inspector = inspect(conn)
    if not inspector.has_table("events"):
        return False
    columns = {column["name"] for column in inspector.get_columns("events")}
    return all(column.name in columns for column in stock_events.columns)


def _rows_of(conn: Connection, sender_ids: Collection[str]) -> list[int]:
    """Return the numbers of the rows of exactly these senders."""
    found = []
    for sender_id in filter(_is_text, dict.fromkeys(sender_ids)):
        found += [row for row, name in conn.execute(_OF_SENDER, {"sender": sender_id}) if name == sender_id]
    return found


def _is_text(sender_id: str) -> bool:
    """Say whether the table can hold this; half a surrogate pair and NUL no database takes."""
    return "\0" not in sender_id and sender_id.encode("utf-8", "replace").decode() == sender_id


def _checked(url: str, where: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"{where} is no database URL; write one such as sqlite:///rasa.db") from None
    if parsed.get_backend_name() not in _EXTRAS:
        raise ConfigurationError(
            f"{where}: {parsed.get_backend_name()} is not supported; SQLite, PostgreSQL and MariaDB or MySQL are"
        )
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise ConfigurationError(
            f"{where}: there is no file {parsed.database or '(none named)'}; name the database of the old store, for "
            "example sqlite:///rasa.db"
        )
    return parsed


def _engine(parsed: URL, name: str, where: str) -> Any:
    sqlite = parsed.get_backend_name() == "sqlite"
    arguments = {"timeout": _BUSY_SECONDS} if sqlite else {"connect_timeout": _BUSY_SECONDS}
    try:
        engine = create_engine(parsed, future=True, hide_parameters=True, connect_args=arguments)
    except (NoSuchModuleError, ImportError):
        extra = _EXTRAS[parsed.get_backend_name()]
        raise ConfigurationError(
            f"{where}: the driver {parsed.drivername} of {name} is not installed; "
            f"run 'pip install rasa_privacy[{extra}]', or name another driver"
        ) from None
    if sqlite:
        _overwrite_what_is_deleted(engine)
    return engine


def _overwrite_what_is_deleted(engine: Any) -> None:
    @event.listens_for(engine, "connect")  # type: ignore[untyped-decorator, unused-ignore]
    def prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA secure_delete=ON").close()
