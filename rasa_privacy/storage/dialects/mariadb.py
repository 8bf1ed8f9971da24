"""MariaDB 10.11, through PyMySQL.

- A transaction that reads is REPEATABLE READ, so that it sees one state; one that writes is READ COMMITTED, and its
  caller locks the rows that it decides by (`Subjects.find_for_update`). A statement without a transaction stands alone.
- A commit is on the server's disk when it returns if `innodb_flush_log_at_trx_commit` is 1, which is the default and
  can be set for the whole server only.
- DDL commits by itself here. So one process at a time changes the schema, under a named lock that ends with its
  connection, and what an interrupted change has already done is passed over when it is begun again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.pool import NullPool

from rasa_privacy.errors import ContentionError, StorageError
from rasa_privacy.storage.dialects import backend
from rasa_privacy.storage.dialects.backend import Reason
from rasa_privacy.storage.dialects.server import Server, is_readable, server_label

_SET_UP: Final = (
    f"SET SESSION max_statement_time = {backend.STATEMENT_SECONDS}, "
    f"innodb_lock_wait_timeout = {backend.LOCK_SECONDS}, "
    f"lock_wait_timeout = {backend.LOCK_SECONDS}, "
    "sql_mode = 'TRADITIONAL', "  # refuses what does not fit instead of cutting it
    "tx_isolation = 'READ-COMMITTED', "
    "autocommit = 1"
)
#: Twice the longest statement, so that the server's own limit, which has a name, comes first.
_SOCKET_SECONDS: Final = 2 * backend.STATEMENT_SECONDS
_SCHEMA_LOCK: Final = "CONCAT('rasa_privacy.', MD5(DATABASE()))"
#: Names differ where a byte differs. A new table takes it from the database, which is ours alone.
_COLLATION: Final = "ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
_ONE_STATE: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
#: By MariaDB's error number (https://mariadb.com/kb/en/mariadb-error-code-reference/).
_REASONS: Final = {
    # 1644 stands for a row that changed meanwhile (`waiting.py`).
    **dict.fromkeys((1020, 1213, 1644), backend.RACE),
    1205: backend.LOCKED,
    1062: backend.DUPLICATE,
    **dict.fromkeys((1451, 1452), backend.NO_PARENT),
    **dict.fromkeys((2002, 2003, 2005), backend.UNREACHABLE),
    **dict.fromkeys((0, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 2014, 2055), backend.BROKEN),
    **dict.fromkeys((1317, 1969), backend.TOO_SLOW),
    **dict.fromkeys((1040, 1203, 1226), backend.NO_CONNECTION),
    **dict.fromkeys((1044, 1142, 1143, 1227, 1370), backend.NOT_ALLOWED),
    **dict.fromkeys((1045, 1130, 1698), backend.WRONG_LOGIN),
    **dict.fromkeys((1290, 1792, 1836), backend.READ_ONLY),
    **dict.fromkeys((3, 1021, 1030, 1041, 1114), backend.SERVER_FULL),
    **dict.fromkeys((1264, 1366, 1406), backend.UNSUITABLE),
    1046: backend.NO_DATABASE,
    1049: backend.NO_DATABASE,
    1146: backend.NO_TABLE,
    1153: Reason(StorageError, "a row is larger than the server takes; set max_allowed_packet to 64M there"),
    1193: Reason(StorageError, "the server is not MariaDB 10.11 or later; other servers are not supported"),
}
#: What DDL says when it is run twice: table, column, key, primary key there; column or key not there (to drop); foreign
#: key there.
_DONE_BEFORE: Final = frozenset((1050, 1060, 1061, 1068, 1091, 1826))


class MariaDB(Server):
    """One MariaDB database."""

    name = "mysql"
    extra = "mariadb"

    def __init__(self, url: URL) -> None:
        chosen = {
            "connect_timeout": backend.CONNECT_SECONDS,
            "read_timeout": _SOCKET_SECONDS,
            "write_timeout": _SOCKET_SECONDS,
            "charset": "utf8mb4",
        }
        self._url = url.set(drivername="mysql+pymysql")
        self._arguments = {key: value for key, value in chosen.items() if key not in url.query}
        super().__init__(self._url, server_label(url), connect_args=self._arguments)

    def set_up(self, connection: Any) -> None:
        """Set the limits of a session."""
        connection.query(_SET_UP)

    def is_usable(self, connection: Any) -> bool:
        """Return whether the server has not hung up."""
        # PyMySQL has no public name for its socket, and its ping is a round trip.
        return bool(connection.open) and not is_readable(connection._sock.fileno())  # noqa: SLF001

    def opening(self, *, writes: bool) -> tuple[str, ...]:
        """Return START TRANSACTION, with its isolation where that is not the session's."""
        return ("START TRANSACTION",) if writes else (_ONE_STATE, "START TRANSACTION READ ONLY")

    def reason(self, error: Any) -> Reason | None:
        """Return why MariaDB failed, by its number."""
        return _REASONS.get(_number(error))

    def code(self, error: Any) -> str:
        """Return MariaDB's error number."""
        return f", error {_number(error)}"

    @contextmanager
    def changing_schema(self) -> Iterator[Connection]:
        """Change tables as the only one, on a connection without a limit of time.

        Raises:
            ContentionError: Another process changes them.
        """
        arguments = {**self._arguments, "read_timeout": None}
        engine = create_engine(self._url, poolclass=NullPool, connect_args=arguments, **backend.ENGINE)
        event.listen(engine, "do_execute", _pass_over)
        with engine.begin() as connection:
            asked = connection.exec_driver_sql(f"SELECT GET_LOCK({_SCHEMA_LOCK}, {backend.LOCK_SECONDS})")
            if asked.scalar() != 1:
                raise ContentionError(f"{self.label}: another process changes the schema; try again when it is done")
            connection.exec_driver_sql(_COLLATION)
            yield connection


def _pass_over(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
    """Run a statement of a migration; pass over what an interrupted run has done."""
    try:
        cursor.execute(statement, parameters)
    except Exception as error:
        if _number(error) not in _DONE_BEFORE:
            raise
    return True


def _number(error: Any) -> int:
    """Return MariaDB's number of an error, -1 for one that has none."""
    number = error.args[0] if error.args else None
    return number if isinstance(number, int) else -1
