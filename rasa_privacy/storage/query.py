"""`Query`: a statement that runs past SQLAlchemy, where SQLAlchemy costs more than the statement.

A turn reads and writes with a dozen small statements. On SQLite each takes 4 microseconds and SQLAlchemy's handling of
it five times as long. On PostgreSQL planning one takes three times as long as running it; so there it is prepared once
for each connection. On MariaDB one that stands alone is prepared, which spares a fifth of what it takes the server.
Errors are the driver's own, which `Database` turns into ours as it does SQLAlchemy's.

What is written by `later`, of which nobody asks how many rows it changed, waits for the next statement of the
transaction where the way to a server would be its own (`waiting.py`); elsewhere it is written at once.
"""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Table, bindparam, insert
from sqlalchemy.dialects import mysql, postgresql, sqlite

from rasa_privacy.storage import waiting
from rasa_privacy.storage.tables import Blob, as_bytes
from rasa_privacy.storage.waiting import Statement

_DIALECTS: Final = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(paramstyle="format"),
    "mysql": mysql.dialect(paramstyle="format"),
}
_POSTGRESQL: Final = "postgresql"
_SQLITE: Final = "sqlite"
_MARIADB: Final = "mysql"
#: By which a form for MariaDB that is prepared is found; in transactions statements go together and are not.
_PREPARED_MARIADB: Final = "mysql, prepared"
#: Where a pooled connection to a server remembers what it has prepared.
_PREPARED: Final = "rasa_privacy_prepared"
#: Where one remembers that MariaDB prepares nothing more (its variable max_prepared_stmt_count, which may be 0).
_NO_ROOM: Final = "rasa_privacy_no_room"
_TOO_MANY_PREPARED: Final = 1461  # https://mariadb.com/kb/en/mariadb-error-code-reference/

#: More rows are looked at column by column, which takes less time.
_FEW: Final = 16
_BLOB_TYPES: Final = frozenset({bytes, type(None)})


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
        self._claim: _Form | None = None
        self._lock: _Form | None = None
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
        dialect, connection = conn.dialect.name, conn.connection
        if dialect == _SQLITE:
            found: Sequence[Any] = self._fetch(connection, parameters)
        else:
            found = waiting.rows(dialect, connection, self._statement_for(dialect, connection, parameters))
        if len(found) > _FEW and all(
            _BLOB_TYPES.issuperset(map(type, map(itemgetter(at), found))) for at in self._blobs
        ):
            return found
        return [self._checked(row) for row in found]

    def rows_alone(self, dialect: str, connection: Any, parameters: dict[str, Any]) -> Sequence[Any]:
        """Return all rows, asked on a pooled connection to a database of this kind, outside of a transaction."""
        if dialect == _SQLITE:
            return [self._checked(row) for row in self._fetch(connection, parameters)]
        statement = self._statement_alone(dialect, connection, parameters)
        return [self._checked(row) for row in waiting.rows(dialect, connection, statement)]

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
        dialect, connection = conn.dialect.name, conn.connection
        if dialect == _SQLITE:
            changed: int = self._run(connection, parameters).rowcount
            return changed
        return waiting.change(dialect, connection, self._statement_for(dialect, connection, parameters))

    def later(self, conn: Any, **parameters: Any) -> None:
        """Write, at the latest before the next statement of the transaction or its end."""
        dialect, connection = conn.dialect.name, conn.connection
        if waiting.may(connection):
            waiting.add(dialect, connection, self._statement_for(dialect, connection, parameters))
        else:
            self.change(conn, **parameters)

    def claim(self, conn: Any, **parameters: Any) -> bool:
        """Write what has to change a row; return whether it did, as far as that is known now.

        On a server it waits as with `later`, and there it is an error of the server if no row changes: whatever comes
        after it is not done, and the transaction ends with a `ContentionError`.
        """
        dialect, connection = conn.dialect.name, conn.connection
        if not waiting.may(connection):
            return self.change(conn, **parameters) > 0
        if dialect == _POSTGRESQL:
            form = self._claim = self._claim or self._claiming()
            _prepare(form, connection)
            waiting.add(dialect, connection, Statement(form.sql, form.values(parameters)))
        else:
            waiting.add(dialect, connection, self._statement_for(dialect, connection, parameters), waiting.UNLESS_NONE)
        return True

    def lock(self, conn: Any, **parameters: Any) -> None:
        """Have a SELECT ... FOR UPDATE lock its row before the next statement sees anything; which one it is not told.

        On SQLite nobody else writes anyway.
        """
        dialect, connection = conn.dialect.name, conn.connection
        if dialect == _POSTGRESQL:
            waiting.add(dialect, connection, self._statement_for(dialect, connection, parameters))
        elif dialect != _SQLITE:
            form = self._lock = self._lock or self._locking(dialect)
            waiting.add(dialect, connection, Statement(form.sql, form.values(parameters)))

    def _locking(self, dialect: str) -> _Form:
        """Return a SELECT of one row and column in a form in which MariaDB gives back nothing."""
        form = self._compiled(dialect)
        return replace(form, sql=form.sql.replace("FROM", "INTO @locked FROM", 1))

    def _claiming(self) -> _Form:
        """Return the statement in a form in which PostgreSQL divides by zero where it changes no row."""
        form = self._compiled(_POSTGRESQL)
        sql = f"WITH changed AS ({form.sql} RETURNING 1) SELECT 1 / COUNT(*) FROM changed"  # noqa: S608 - our own
        return _prepared(replace(form, sql=sql))

    def _fetch(self, connection: Any, parameters: dict[str, Any]) -> Any:
        """Return all rows. SQLite decodes texts itself, which is faster, unless a tamperer stored what is none."""
        driver = connection.dbapi_connection
        careful = driver.text_factory
        if self.is_reading:
            driver.text_factory = str
        try:
            found = self._run(connection, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
        else:
            return found
        finally:
            driver.text_factory = careful
        return self._run(connection, parameters).fetchall()

    def _run(self, connection: Any, parameters: dict[str, Any]) -> Any:
        """Run it on SQLite."""
        form = self.form(_SQLITE)
        return connection.dbapi_connection.execute(form.sql, form.values(parameters))

    def _statement_for(self, dialect: str, connection: Any, parameters: dict[str, Any]) -> Statement:
        """Return what a server is sent, after PostgreSQL was told to plan it, once for each connection."""
        form = self.form(dialect)
        if form.prepare:
            _prepare(form, connection)
        return Statement(form.sql, form.values(parameters))

    def _compiled(self, dialect: str) -> _Form:
        compiled = self._statement.compile(dialect=_DIALECTS[dialect])
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return _Form(str(compiled), tuple(compiled.positiontup), fixed)

    def form(self, dialect: str) -> _Form:
        """Return the statement as one kind of database takes it."""
        return self._forms.get(dialect) or self._form(dialect)

    def _form(self, dialect: str) -> _Form:
        form = self._compiled(dialect)
        if dialect == _POSTGRESQL:
            form = _prepared(form)
        self._forms[dialect] = form
        return form

    def _statement_alone(self, dialect: str, connection: Any, parameters: dict[str, Any]) -> Statement:
        if dialect == _MARIADB:
            prepared = self._forms.get(_PREPARED_MARIADB) or self._form_alone()
            if _prepare_where_there_is_room(prepared, connection):
                return Statement(prepared.sql, prepared.values(parameters))
        return self._statement_for(dialect, connection, parameters)

    def _form_alone(self) -> _Form:
        form = self._forms[_PREPARED_MARIADB] = _prepared_on_mariadb(self._compiled(_MARIADB))
        return form

    def _checked(self, row: Any) -> Any:
        """Return a row in which every blob is bytes, also where a tamperer stored something else."""
        for index in self._blobs:
            value = row[index]
            if type(value) is not bytes and value is not None:
                return [as_bytes(each) if place in self._blobs else each for place, each in enumerate(row)]
        return row


def _prepared(form: _Form) -> _Form:
    """Return a form that PostgreSQL plans once (PREPARE and EXECUTE), by a name that is the statement's hash."""
    names = list(dict.fromkeys(form.names))
    first, *rest = form.sql.split("%s")
    sql = first + "".join(f"${names.index(name) + 1}{text}" for name, text in zip(form.names, rest, strict=True))
    title = f"rasa_privacy_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
    arguments = f" ({', '.join(['%s'] * len(names))})" if names else ""
    return _Form(f"EXECUTE {title}{arguments}", names, form.fixed, f"PREPARE {title} AS {sql}")


def _prepared_on_mariadb(form: _Form) -> _Form:
    """Return a form that MariaDB reads once; it takes each place's value apart."""
    sql = form.sql.replace("%s", "?")
    title = f"rasa_privacy_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
    arguments = f" USING {', '.join(['%s'] * len(form.names))}" if form.names else ""
    text = sql.replace("'", "''")
    return _Form(f"EXECUTE {title}{arguments}", form.names, form.fixed, f"PREPARE {title} FROM '{text}'")


def _prepare(form: _Form, connection: Any) -> None:
    """Let a server read a statement, and PostgreSQL plan it, once for each connection."""
    prepared = connection.info.setdefault(_PREPARED, set())
    if form.sql not in prepared:
        connection.dbapi_connection.cursor().execute(form.prepare)
        prepared.add(form.sql)


def _prepare_where_there_is_room(form: _Form, connection: Any) -> bool:
    """Let MariaDB read a statement; return whether it did, or has as many of all its connections as it may have."""
    if connection.info.get(_NO_ROOM):
        return False
    try:
        _prepare(form, connection)
    except connection.dbapi_connection.Error as error:
        if error.args[:1] != (_TOO_MANY_PREPARED,):
            raise
        connection.info[_NO_ROOM] = True
        return False
    return True


def inserting(table: Table, counter: str = "") -> Query:
    """Return the INSERT of one row; its parameters are the columns but the one that counts up by itself."""
    columns = [column.name for column in table.columns if column.name != counter]
    return Query(insert(table).values({name: bindparam(name) for name in columns}).inline())
