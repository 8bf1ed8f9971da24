"""Rows by many values of one column, in the way that is fast on each database and waits for nobody else's rows.

PostgreSQL takes the values as one array, and bytes as one text of hexadecimal digits: SQLAlchemy and the driver look at
each value otherwise, which takes longer than the statement. MariaDB reads a table from its beginning where it holds a
list for long, and a DELETE locks every row on the way; so there each value is looked up by itself. SQLite takes a list.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Text, any_, bindparam, cast, delete, literal_column
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA
from sqlalchemy.engine import Connection

from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import Blob

_POSTGRESQL: Final = "postgresql"
_MARIADB: Final = "mysql"
_SQLITE: Final = "sqlite"
#: Where a list of values goes into a statement.
_SEVERAL: Final = "(SEVERAL)"


def bytes_array(values: Iterable[bytes]) -> str:
    """Return PostgreSQL's text of an array of bytes, for `CAST(... AS bytea[])`."""
    listed = '","\\\\x'.join(value.hex() for value in values)
    return f'{{"\\\\x{listed}"}}' if listed else "{}"


class _Array:
    """Many values as one parameter of a statement on PostgreSQL."""

    def __init__(self, column: Any) -> None:
        self._is_bytes = isinstance(column.type, Blob)
        parameter = bindparam("several", type_=Text() if self._is_bytes else ARRAY(column.type))
        self.condition = column == any_(cast(parameter, ARRAY(BYTEA)) if self._is_bytes else parameter)

    def value(self, values: Collection[Any]) -> Any:
        """Return the parameter's value."""
        return bytes_array(values) if self._is_bytes else list(values)


class _Listed(Query):
    """A SELECT that SQLite is given a list of values with, past SQLAlchemy, which looks at each value several times.

    Args:
        statement: Made for a condition with _SEVERAL in place of the list.
    """

    def _run(self, connection: Any, parameters: dict[str, Any]) -> Any:
        form, several = self.form(_SQLITE), parameters["several"]
        before, after = form.sql.split(_SEVERAL)
        values = form.values(parameters)
        place = before.count("?")
        values[place:place] = several
        marks = ",".join("?" * len(several))
        return connection.dbapi_connection.execute(f"{before}({marks}){after}", values)


class ManySelect:
    """A SELECT of the rows with any of some values.

    Args:
        column: The column that holds the values.
        make: Returns the statement for a condition on the column.
    """

    def __init__(self, column: Any, make: Callable[[Any], Any]) -> None:
        self._array = _Array(column)
        self._by_array = Query(make(self._array.condition))
        self._by_list = make(column.in_(bindparam("several", expanding=True)))
        self._listed = _Listed(make(column.op("IN")(literal_column(_SEVERAL))))

    def rows(self, conn: Connection, values: Collection[Any], **parameters: Any) -> Sequence[Any]:
        """Return the rows; other parameters of the statement by name."""
        if not values:
            return ()
        if conn.dialect.name == _POSTGRESQL:
            found: Sequence[Any] = self._by_array.rows(conn, several=self._array.value(values), **parameters)
        elif conn.dialect.name == _SQLITE:
            found = self._listed.rows(conn, several=list(values), **parameters)
        else:
            found = conn.execute(self._by_list, {**parameters, "several": list(values)}).all()
        return found


class ManyDelete:
    """Deletes rows by the values of a column that has an index.

    Args:
        column: The column.
    """

    def __init__(self, column: Any) -> None:
        self._array = _Array(column)
        self._each = delete(column.table).where(column == bindparam("one"))
        self._by_array = delete(column.table).where(self._array.condition)
        self._by_list = delete(column.table).where(column.in_(bindparam("several", expanding=True)))

    def run(self, conn: Connection, values: Collection[Any]) -> int:
        """Delete the rows with any of these values and return how many there were."""
        if not values:
            return 0
        if conn.dialect.name == _MARIADB:
            result = conn.execute(self._each, [{"one": value} for value in values])
        elif conn.dialect.name == _POSTGRESQL:
            result = conn.execute(self._by_array, {"several": self._array.value(values)})
        else:
            result = conn.execute(self._by_list, {"several": list(values)})
        deleted: int = result.rowcount
        return deleted
