"""`Query`: a SELECT that runs past SQLAlchemy where SQLAlchemy costs more than the query.

A conversation is read with two small queries. On SQLite each takes 4 microseconds, and SQLAlchemy's handling of it
five times as long; so there the driver is asked itself. On a server the way to it costs more than either, and
SQLAlchemy also sees to lost connections; so there it is used as everywhere else.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from rasa_privacy.storage.tables import Blob

_as_bytes: Final = Blob().result_processor(None, None)


class Query:
    """A SELECT with parameters.

    Args:
        statement: Its parameters are `bindparam`s.
    """

    def __init__(self, statement: Select) -> None:
        self._statement = statement
        compiled = statement.compile(dialect=sqlite.dialect())
        self._sql = str(compiled)
        self._names: Sequence[str] = compiled.positiontup
        columns = enumerate(statement.selected_columns)
        self._blobs = [index for index, column in columns if isinstance(column.type, Blob)]

    def rows(self, conn: Connection, **parameters: Any) -> Sequence[Any]:
        """Return all rows, as sequences of values."""
        if conn.dialect.name != "sqlite":
            rows: Sequence[Any] = conn.execute(self._statement, parameters).all()
            return rows
        driver = conn.connection.dbapi_connection
        found = driver.execute(self._sql, [parameters[name] for name in self._names]).fetchall()
        return [self._checked(row) for row in found]

    def _checked(self, row: Any) -> Any:
        """Return a row in which every blob is bytes, also where a tamperer stored something else."""
        if all(type(row[index]) is bytes or row[index] is None for index in self._blobs):
            return row
        return [_as_bytes(value) if index in self._blobs else value for index, value in enumerate(row)]
