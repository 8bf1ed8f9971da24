"""Rows by many values of one column, in the way that is fast on each database and waits for nobody else's rows.

PostgreSQL takes the values as one array. MariaDB reads a table from its beginning where it holds a list for long, and a
DELETE locks every row on the way; so there each value is looked up by itself. SQLite takes a list.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from sqlalchemy import any_, bindparam, delete
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection

_POSTGRESQL: Final = "postgresql"
_MARIADB: Final = "mysql"


class ManySelect:
    """A SELECT of the rows with any of some values.

    Args:
        column: The column that holds the values.
        make: Returns the statement for a condition on the column.
    """

    def __init__(self, column: Any, make: Callable[[Any], Any]) -> None:
        self._array = make(column == any_(bindparam("several", type_=ARRAY(column.type))))
        self._list = make(column.in_(bindparam("several", expanding=True)))

    def rows(self, conn: Connection, values: Collection[Any]) -> Sequence[Any]:
        """Return the rows."""
        if not values:
            return ()
        statement = self._array if conn.dialect.name == _POSTGRESQL else self._list
        found: Sequence[Any] = conn.execute(statement, {"several": list(values)}).all()
        return found


class ManyDelete:
    """Deletes rows by the values of a column that has an index.

    Args:
        column: The column.
    """

    def __init__(self, column: Any) -> None:
        self._each = delete(column.table).where(column == bindparam("one"))
        self._array = delete(column.table).where(column == any_(bindparam("several", type_=ARRAY(column.type))))
        self._list = delete(column.table).where(column.in_(bindparam("several", expanding=True)))

    def run(self, conn: Connection, values: Collection[Any]) -> int:
        """Delete the rows with any of these values and return how many there were."""
        if not values:
            return 0
        if conn.dialect.name == _MARIADB:
            result = conn.execute(self._each, [{"one": value} for value in values])
        else:
            statement = self._array if conn.dialect.name == _POSTGRESQL else self._list
            result = conn.execute(statement, {"several": list(values)})
        deleted: int = result.rowcount
        return deleted
