"""`ManyDelete`: the rows of many values of one column, in a way that waits for nobody else's rows.

MariaDB reads a table from its beginning where it holds a list for long, and locks every row on the way; so there each
value is looked up by itself.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import bindparam, delete
from sqlalchemy.engine import Connection

_MARIADB: Final = "mysql"


class ManyDelete:
    """Deletes rows by the values of a column that has an index.

    Args:
        column: The column.
    """

    def __init__(self, column: Any) -> None:
        self._each = delete(column.table).where(column == bindparam("one"))
        self._all = delete(column.table).where(column.in_(bindparam("several", expanding=True)))

    def run(self, conn: Connection, values: Collection[Any]) -> int:
        """Delete the rows with any of these values and return how many there were."""
        if not values:
            return 0
        if conn.dialect.name == _MARIADB:
            result = conn.execute(self._each, [{"one": value} for value in values])
        else:
            result = conn.execute(self._all, {"several": list(values)})
        deleted: int = result.rowcount
        return deleted
