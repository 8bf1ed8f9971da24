"""What waits on a connection to a server, since each way there costs as much as the work.

The words that begin a transaction, and what is written without asking how many rows it changed, wait for the next
statement and go with it, in order; what is left goes with the commit. PostgreSQL takes several statements with
semicolons between them and gives the result of the last one; MariaDB takes them as one compound statement, which needs
no setting of the connection.

Only connections that were told to `let` it hold anything back. Nothing of a transaction that is rolled back is sent.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

_MAY: Final = "rasa_privacy_may_wait"
_OPENING: Final = "rasa_privacy_opening"
_WAITING: Final = "rasa_privacy_waiting"
_MARIADB: Final = "mysql"
#: So many statements are sent although nothing follows yet.
_MOST: Final = 64
#: What is longer is sent with what waits before it: servers bound what they take at once.
_LONG_BYTES: Final = 2**16
_COMMIT: Final = "COMMIT"


class Statement(NamedTuple):
    """A statement as a driver takes it, and the value of each place in it."""

    sql: str
    values: Sequence[Any] = ()


_CHANGED: Final = Statement("SELECT ROW_COUNT()")
#: After a change on MariaDB: an error (1644) where it changed no row.
UNLESS_NONE: Final = Statement("IF ROW_COUNT() = 0 THEN SIGNAL SQLSTATE '45000'; END IF")


def let(info: dict[str, Any]) -> None:
    """Let statements wait on a connection, by what the pool remembers of it."""
    info[_MAY] = True


def may(connection: Any) -> bool:
    """Say whether statements may wait on this pooled connection."""
    return _MAY in connection.info


def begin(connection: Any, *words: str) -> None:
    """Have these words go before the first statement of a transaction, and nothing that one of before left behind."""
    forget(connection)
    connection.info[_OPENING] = [Statement(each) for each in words]


def add(dialect: str, connection: Any, *statements: Statement) -> None:
    """Let statements wait, together, that give nothing back."""
    waiting = connection.info.setdefault(_WAITING, [])
    waiting += statements
    values = (value for each in statements for value in each.values)
    if len(waiting) >= _MOST or any(isinstance(value, bytes) and len(value) > _LONG_BYTES for value in values):
        send(dialect, connection)


def run(dialect: str, connection: Any, statement: Statement) -> Any:
    """Send a statement with all that waits before it, and return a cursor with its result."""
    return _execute(dialect, connection, [*_taken(connection), statement])


def rows(dialect: str, connection: Any, statement: Statement) -> Sequence[Any]:
    """Send a statement as `run` does, and return its rows."""
    cursor = run(dialect, connection, statement)
    found: Sequence[Any] = cursor.fetchall()
    if dialect == _MARIADB:
        cursor.nextset()  # how the compound statement ended stands behind them
    return found


def change(dialect: str, connection: Any, statement: Statement) -> int:
    """Send a statement as `run` does, and return how many rows it changed, without those that what waited changed."""
    if dialect == _MARIADB and connection.info.get(_WAITING):
        cursor = _execute(dialect, connection, [*_taken(connection), statement, _CHANGED])
        [(changed,)] = cursor.fetchall()
        cursor.nextset()
    else:
        changed = run(dialect, connection, statement).rowcount
    return int(changed)


def send(dialect: str, connection: Any) -> None:
    """Send what waits."""
    statements = _taken(connection)
    if statements:
        _execute(dialect, connection, statements)


def commit(dialect: str, connection: Any) -> None:
    """End a transaction with what waits; one in which nothing was done was not begun on the server either."""
    if connection.info.get(_OPENING) and not connection.info.get(_WAITING):
        forget(connection)
        return
    run(dialect, connection, Statement(_COMMIT))


def forget(connection: Any) -> None:
    """Give up what waits, since its transaction is rolled back."""
    _taken(connection)


def _taken(connection: Any) -> list[Statement]:
    return [*connection.info.pop(_OPENING, ()), *connection.info.pop(_WAITING, ())]


def _execute(dialect: str, connection: Any, statements: Sequence[Statement]) -> Any:
    sql = "; ".join(each.sql for each in statements)
    if dialect == _MARIADB and len(statements) > 1:
        sql = f"BEGIN NOT ATOMIC {sql}; END"
    cursor = connection.dbapi_connection.cursor()
    cursor.execute(sql, [value for each in statements for value in each.values])
    return cursor
