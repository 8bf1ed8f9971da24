"""Which granted privileges a role's work needs. PostgreSQL says so itself, of every statement that was sent to it.

`recording` notes each statement once, as the driver gets it. `unneeded` takes a privilege away, has PostgreSQL plan
those of them that name the table, which checks what they need and runs nothing, and gives the privilege back. That of a
sequence is asked for while a statement runs, so such a statement is run.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from typing import Any, Final, NamedTuple

from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

from rasa_privacy.storage.grants import SEQUENCES

_DRIVER: Final[Any] = import_module("psycopg2")  # which has no type hints
_CURSOR: Final[Any] = import_module("psycopg2.extensions").cursor
_WORK: Final = re.compile(r"\W*(SELECT|INSERT|UPDATE|DELETE|WITH|EXECUTE)\b")
_EXECUTE: Final = re.compile(r"EXECUTE (\w+)")
_PREPARE: Final = re.compile(r"PREPARE (\w+) AS")
#: PostgreSQL 15, appendix A: insufficient_privilege.
NOT_ALLOWED: Final = "42501"


class Sent(NamedTuple):
    """A statement as the driver gets it.

    Attributes:
        options: Those of the connection, which name the schema.
        sql: The statement.
        values: Its values.
    """

    options: str
    sql: str | bytes
    values: Any

    @property
    def text(self) -> str:
        """The statement without the rows that the driver has written into it."""
        return self.sql if isinstance(self.sql, str) else self.sql.partition(b"VALUES")[0].decode()


@contextmanager
def recording() -> Iterator[list[Sent]]:
    """Give a list that gets each statement that is sent to PostgreSQL on connections made from now on, once."""
    found: dict[tuple[str, str], Sent] = {}

    class Noting(_CURSOR):  # type: ignore[misc]
        """A cursor that notes what it runs."""

        def execute(self, sql: Any, values: Any = None) -> None:
            """Run a statement, or several with semicolons between them."""
            self._note(sql, values)
            super().execute(sql, values)

        def executemany(self, sql: Any, several: Any) -> None:
            """Run a statement for several values."""
            rows = list(several)
            self._note(sql, rows[0])
            super().executemany(sql, rows)

        def _note(self, sql: Any, values: Any) -> None:
            for each in _parts(self.connection.info.dsn_parameters["options"], sql, values):
                found.setdefault((each.options, each.text), each)

    def connect(_dialect: Any, _record: Any, _arguments: Any, options: Any) -> None:
        options["cursor_factory"] = Noting

    sent: list[Sent] = []
    event.listen(Engine, "do_connect", connect)
    try:
        yield sent
    finally:
        event.remove(Engine, "do_connect", connect)
        sent.extend(found.values())


def _parts(options: str, sql: str | bytes, values: Any) -> Iterator[Sent]:
    """Yield the statements of one way to the server (`storage/waiting.py`) with the values of each."""
    if isinstance(sql, bytes) or not isinstance(values, list):
        yield Sent(options, sql, values)
        return
    for part in sql.split("; "):
        number = part.count("%s")
        yield Sent(options, part, values[:number])
        values = values[number:]


def unneeded(owner: str, user: str, sent: Sequence[Sent], granted: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the privileges without which a user could do everything that was sent all the same.

    Args:
        owner: URL of who owns the tables.
        user: URL of the user, in the same schema.
        sent: What the user's work has sent.
        granted: Table and privilege, each of which the user has; USAGE is that of the table's sequence.
    """
    here = [each for each in sent if each.options == make_url(user).query["options"]]
    name = make_url(user).username
    found = []
    with closing(_connect(owner)) as own, closing(_connect(user)) as other:
        works = _works(other, here)
        for table, word in granted:
            is_counted = word == "USAGE"
            what = f"SEQUENCE {SEQUENCES[table]}" if is_counted else table
            named = re.compile(rf"INSERT INTO {table}\b" if is_counted else rf"\b{table}\b")
            _run(own, f"REVOKE {word} ON {what} FROM {name}")
            concerned = (each for text, each in works if named.search(text))
            if not any(_is_refused(other, each, plan=not is_counted) for each in concerned):
                found.append((table, word))
            _run(own, f"GRANT {word} ON {what} TO {name}")
    return found


def _connect(url: str) -> Any:
    parts = make_url(url)
    connection = _DRIVER.connect(
        host=parts.host, port=parts.port, user=parts.username, dbname=parts.database, options=parts.query["options"]
    )
    connection.autocommit = True
    return connection


def _works(connection: Any, sent: Sequence[Sent]) -> list[tuple[str, Sent]]:
    """Return the statements that read or change, with what they say; prepare those that are prepared."""
    prepared = {}
    for each in sent:
        match = _PREPARE.match(each.text)
        if match:
            prepared[match[1]] = each.text
            _run(connection, each.sql)
    works = [each for each in sent if _WORK.match(each.text)]
    matches = [_EXECUTE.match(each.text) for each in works]
    return [(prepared[match[1]] if match else each.text, each) for each, match in zip(works, matches, strict=True)]


def _run(connection: Any, sql: str | bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _is_refused(connection: Any, sent: Sent, *, plan: bool) -> bool:
    words: str | bytes = b"EXPLAIN " if isinstance(sent.sql, bytes) else "EXPLAIN "
    try:
        with connection.cursor() as cursor:
            cursor.execute(words + sent.sql if plan else sent.sql, sent.values)  # type: ignore[operator]
    except _DRIVER.Error as error:
        if error.pgcode == NOT_ALLOWED:
            return True
        if plan:
            raise
    return False
