"""`Query`: a statement that runs past SQLAlchemy, where SQLAlchemy costs more than the statement.

A turn reads and writes with a dozen small statements. On SQLite each takes 4 microseconds and SQLAlchemy's handling of
it five times as long. On PostgreSQL planning one takes three times as long as running it; so there it is prepared once
for each connection. Errors are the driver's own, which `Database` turns into ours as it does SQLAlchemy's.

To a server the way costs as much as the work. So what is written by `later`, of which nobody asks how many rows it
changed, goes to PostgreSQL together with the next statement of the transaction, in order; `send` sends what waits at
its end. Elsewhere it is written at once.
"""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Table, bindparam, insert
from sqlalchemy.dialects import mysql, postgresql, sqlite

from rasa_privacy.storage.tables import Blob

_as_bytes: Final = Blob().result_processor(None, None)
_DIALECTS: Final = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(paramstyle="format"),
    "mysql": mysql.dialect(paramstyle="format"),
}
_POSTGRESQL: Final = "postgresql"
#: Where a pooled connection to PostgreSQL remembers what it has prepared.
_PREPARED: Final = "rasa_privacy_prepared"
#: Where it keeps what waits for the next statement: SQL and values.
_WAITING: Final = "rasa_privacy_waiting"


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement as one kind of database takes it.

    Attributes:
        sql: What the driver runs.
        names: The parameter of each place in it.
        fixed: Values of parameters that the statement names itself.
        prepare: What is run first, once for each connection; none where nothing needs to be.
    """

    sql: str
    names: Sequence[str]
    fixed: Mapping[str, Any]
    prepare: str = field(default="")

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Return the value of each place."""
        return [parameters[name] if name in parameters else self.fixed[name] for name in self.names]


class Query:
    """A statement with parameters.

    Args:
        statement: A SELECT, INSERT, UPDATE or DELETE. Its parameters are `bindparam`s.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._forms: dict[str, _Form] = {}
        columns = enumerate(getattr(statement, "selected_columns", ()))
        self._blobs = [index for index, column in columns if isinstance(column.type, Blob)]

    @property
    def is_reading(self) -> bool:
        """Whether it is a SELECT, which changes nothing."""
        return bool(self._statement.is_select)

    def rows(self, conn: Any, **parameters: Any) -> Sequence[Any]:
        """Return all rows, as sequences of values.

        Args:
            conn: A connection of `Database.read` or `Database.write`.
            **parameters: Values by name.
        """
        return self.rows_by(conn.dialect.name, conn.connection, parameters)

    def rows_by(self, dialect: str, connection: Any, parameters: dict[str, Any]) -> Sequence[Any]:
        """Return all rows, asked on a pooled connection to a database of this kind."""
        return [self._checked(row) for row in self._fetch(dialect, connection, parameters)]

    def first(self, conn: Any, **parameters: Any) -> Any:
        """Return the first row, or None."""
        rows = self.rows(conn, **parameters)
        return rows[0] if rows else None

    def scalar(self, conn: Any, **parameters: Any) -> Any:
        """Return the first column of the first row, or None."""
        row = self.first(conn, **parameters)
        return None if row is None else row[0]

    def change(self, conn: Any, **parameters: Any) -> int:
        """Write, and return how many rows that changed."""
        changed: int = self._run(conn.dialect.name, conn.connection, parameters).rowcount
        return changed

    def later(self, conn: Any, **parameters: Any) -> None:
        """Write, at the latest before the next statement of the transaction or its end."""
        dialect, connection = conn.dialect.name, conn.connection
        if dialect != _POSTGRESQL:
            self._run(dialect, connection, parameters)
            return
        form = self._forms.get(dialect) or self._form(dialect)
        _prepare(form, connection)
        connection.info.setdefault(_WAITING, []).append((form.sql, form.values(parameters)))

    def _fetch(self, dialect: str, connection: Any, parameters: dict[str, Any]) -> Any:
        """Return all rows. SQLite decodes texts itself, which is faster, unless a tamperer stored what is none."""
        driver = connection.dbapi_connection
        if dialect != "sqlite" or not self.is_reading:
            return self._run(dialect, connection, parameters).fetchall()
        careful, driver.text_factory = driver.text_factory, str
        try:
            return self._run(dialect, connection, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
        finally:
            driver.text_factory = careful
        return self._run(dialect, connection, parameters).fetchall()

    def _run(self, dialect: str, connection: Any, parameters: dict[str, Any]) -> Any:
        form = self._forms.get(dialect) or self._form(dialect)
        values = form.values(parameters)
        driver = connection.dbapi_connection
        if dialect == "sqlite":
            return driver.execute(form.sql, values)
        if form.prepare:
            _prepare(form, connection)
        cursor = driver.cursor()
        cursor.execute(*_together(connection, form.sql, values))
        return cursor

    def _form(self, dialect: str) -> _Form:
        compiled = self._statement.compile(dialect=_DIALECTS[dialect])
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        form = _Form(str(compiled), tuple(compiled.positiontup), fixed)
        if dialect == _POSTGRESQL:
            form = _prepared(form)
        self._forms[dialect] = form
        return form

    def _checked(self, row: Any) -> Any:
        """Return a row in which every blob is bytes, also where a tamperer stored something else."""
        for index in self._blobs:
            value = row[index]
            if type(value) is not bytes and value is not None:
                return [_as_bytes(each) if place in self._blobs else each for place, each in enumerate(row)]
        return row


def _prepared(form: _Form) -> _Form:
    """Return a form that PostgreSQL plans once (PREPARE and EXECUTE), by a name that is the statement's hash."""
    names = list(dict.fromkeys(form.names))
    first, *rest = form.sql.split("%s")
    sql = first + "".join(f"${names.index(name) + 1}{text}" for name, text in zip(form.names, rest, strict=True))
    title = f"rasa_privacy_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
    arguments = f" ({', '.join(['%s'] * len(names))})" if names else ""
    return _Form(f"EXECUTE {title}{arguments}", names, form.fixed, f"PREPARE {title} AS {sql}")


def _prepare(form: _Form, connection: Any) -> None:
    """Let PostgreSQL plan a statement, once for each connection."""
    prepared = connection.info.setdefault(_PREPARED, set())
    if form.sql not in prepared:
        connection.dbapi_connection.cursor().execute(form.prepare)
        prepared.add(form.sql)


def _together(connection: Any, sql: str, values: list[Any]) -> tuple[str, list[Any]]:
    """Return a statement with all that waits before it. The driver gives the result of the last one."""
    waiting = connection.info.pop(_WAITING, None)
    if not waiting:
        return sql, values
    return "; ".join([*(each for each, _ in waiting), sql]), [*(one for _, each in waiting for one in each), *values]


def send(connection: Any) -> None:
    """Send what waits on a pooled connection."""
    *waiting, last = connection.info.get(_WAITING) or [None]
    if last is not None:
        connection.info[_WAITING] = waiting
        connection.dbapi_connection.cursor().execute(*_together(connection, *last))


def forget(connection: Any) -> None:
    """Give up what waits on a pooled connection, since its transaction is rolled back."""
    connection.info.pop(_WAITING, None)


def inserting(table: Table, counter: str = "") -> Query:
    """Return the INSERT of one row; its parameters are the columns but the one that counts up by itself."""
    columns = [column.name for column in table.columns if column.name != counter]
    return Query(insert(table).values({name: bindparam(name) for name in columns}).inline())
