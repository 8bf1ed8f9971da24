"""The three databases of the tests, and a new or an emptied one for a test. `servers.py` says which of them run here.

Part pytest plug-in (`tests/conftest.py` names it).
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from rasa_privacy.storage.database import Database
from rasa_privacy.storage.schema import ensure_schema

#: Addresses of the servers, as compose.yml starts them: no password, database `test`.
SERVERS: Final = {
    "postgresql": "postgresql+psycopg2://postgres@127.0.0.1:5432/test",
    "mariadb": "mysql+pymysql://root@127.0.0.1:3306/test",
}
KINDS: Final = ("sqlite", *SERVERS)
#: All kinds as parameters of a test, each server's with its marker.
EACH_KIND: Final = ("sqlite", *(pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in SERVERS))
EACH_SERVER: Final = EACH_KIND[1:]
#: MariaDB's tables whose next row number is not 1, also where a test deleted its rows; and PostgreSQL's counters.
_ADVANCED: Final = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND auto_increment > 1"
)
_SEQUENCES: Final = ("attestations_attestation_seq", "conversations_conversation_ref_seq")

EmptyUrl: TypeAlias = Callable[[str, Path], AbstractContextManager[str]]


@contextmanager
def new_url(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database that is empty, or a file that is not there, and drop it afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/c.db"
        return
    name = f"test_{secrets.token_hex(6)}"
    # A schema of PostgreSQL is made and dropped faster than a database, and is as good.
    what = "SCHEMA" if kind == "postgresql" else "DATABASE"
    _on_server(kind, f"CREATE {what} {name}")
    url = make_url(SERVERS[kind])
    try:
        named = url.set(query={"options": f"-csearch_path={name}"}) if what == "SCHEMA" else url.set(database=name)
        yield named.render_as_string(hide_password=False)
    finally:
        _on_server(kind, f"DROP {what} {name}{' CASCADE' if what == 'SCHEMA' else ''}")


@contextmanager
def emptied(url: str) -> Iterator[str]:
    """Yield the URL of a server's database with our tables and no rows; delete what was added."""
    try:
        yield url
    finally:
        engine = create_engine(url, future=True)
        with engine.begin() as connection:
            names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
            asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)  # noqa: S608
            filled = [row[0] for row in connection.execute(text(asked))]
            counted = connection.execute(text(_ADVANCED)).scalars() if engine.dialect.name != "postgresql" else ()
            for statement in _emptying(engine.dialect.name, filled, counted):
                connection.execute(text(statement))
        engine.dispose()


def _emptying(dialect: str, filled: Sequence[str], advanced: Iterable[str]) -> list[str]:
    """Return the statements that delete all rows and let row numbers begin at 1 again. TRUNCATE takes longer."""
    deleted = [f"DELETE FROM {name}" for name in filled]  # noqa: S608 - our own names
    if dialect == "postgresql":
        return [*deleted, *(f"ALTER SEQUENCE {name} RESTART" for name in _SEQUENCES)]
    counted = [f"ALTER TABLE {name} AUTO_INCREMENT = 1" for name in advanced]
    return ["SET foreign_key_checks = 0", *deleted, *counted]


def run_plain(url: str, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """Run one statement with `?` for each parameter, past our code, and return the rows as tuples of plain values."""
    engine = create_engine(url, future=True)
    try:
        with engine.begin() as connection:
            if engine.dialect.name != "sqlite":
                statement = _translated(statement.replace("?", "%s"), engine.dialect.name)
            result = connection.exec_driver_sql(statement, tuple(parameters))
            return [tuple(map(_plain, row)) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def _translated(statement: str, dialect: str) -> str:
    """Return a statement with SQLite's words for bytes and rows replaced by the other database's."""
    if dialect == "postgresql":
        statement = re.sub(r"x'([0-9a-f]*)'", r"'\\x\1'::bytea", statement)
        return re.sub(r"randomblob\((\d+)\)", r"decode(repeat('5a', \1), 'hex')", statement)
    return statement.replace("randomblob(", "RANDOM_BYTES(")


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _on_server(kind: str, statement: str) -> None:
    engine = create_engine(SERVERS[kind], isolation_level="AUTOCOMMIT", future=True)
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """Return the kind of database; a test module that is run on each kind sets it (`tests/storage/conftest.py`)."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def server_urls() -> Iterator[Callable[..., str]]:
    """Return a function that gives the one database of this worker on a server, or the one that keys have there."""
    opened: dict[tuple[str, bool], tuple[Any, str]] = {}

    def url(kind: str, *, keys: bool = False) -> str:
        if (kind, keys) not in opened:
            manager = new_url(kind, Path())
            opened[kind, keys] = (manager, manager.__enter__())
            database = Database(opened[kind, keys][1])
            ensure_schema(database)
            database.close()
        return opened[kind, keys][1]

    yield url
    for manager, _ in opened.values():
        manager.__exit__(None, None, None)


@pytest.fixture(scope="session")
def empty_url(server_urls: Callable[..., str]) -> EmptyUrl:
    """Return a function that gives the URL of a database without rows: of a file not there yet, or of our tables."""
    return _empty(server_urls, "c.db", keys=False)


@pytest.fixture(scope="session")
def empty_key_url(server_urls: Callable[..., str]) -> EmptyUrl:
    """Return the same for a second database, which keys have for themselves."""
    return _empty(server_urls, "keys.db", keys=True)


def _empty(server_urls: Callable[..., str], file: str, *, keys: bool) -> EmptyUrl:
    @contextmanager
    def url(kind: str, folder: Path) -> Iterator[str]:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/{file}"
            return
        with emptied(server_urls(kind, keys=keys)) as found:
            yield found

    return url


@pytest.fixture
def url(kind: str, tmp_path: Path, empty_url: EmptyUrl) -> Iterator[str]:
    """Return the URL of a database that has no rows."""
    with empty_url(kind, tmp_path) as found:
        yield found


@pytest.fixture
def sql(url: str) -> Callable[..., list[Any]]:
    """Return a function that runs plain SQL, as somebody with the database and without the key could."""
    return lambda statement, parameters=(): run_plain(url, statement, parameters)
