"""A fresh database of each kind for a benchmark, dropped afterwards, and how many bytes it takes."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

#: Kinds, and the server's URL where there is one: standard local ports, as in compose.yml.
SERVERS: Final = {
    "SQLite": "",
    "PostgreSQL": "postgresql+psycopg2://postgres@127.0.0.1:5432/test",
    "MariaDB": "mysql+pymysql://root@127.0.0.1:3306/test",
}


@contextmanager
def fresh_url(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new, empty database."""
    if kind == "SQLite":
        yield f"sqlite:///{folder}/c{secrets.token_hex(4)}.db"
        return
    server, name = SERVERS[kind], f"bench_{secrets.token_hex(6)}"
    _run(server, f"CREATE DATABASE {name}")
    try:
        yield str(make_url(server).set(database=name))
    finally:
        _run(server, f"DROP DATABASE {name}" + (" WITH (FORCE)" if kind == "PostgreSQL" else ""))


def bytes_of(url: str) -> int:
    """Return the bytes that the tables of a server's database take, cleared of what was deleted."""
    if url.startswith("postgresql"):
        _run(url, "VACUUM FULL")
        tables = "SELECT SUM(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = :schema"
        number: int = _run(url, tables.replace(":schema", "'public'::regnamespace"))
        return number
    _run(url, f"OPTIMIZE TABLE {_tables(url)}")
    sizes = "SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = DATABASE()"
    return int(_run(url, sizes))


def settle(url: str) -> None:
    """Bring a server's statistics up to date and have it write what waits, as it does by itself in time."""
    if url.startswith("postgresql"):
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
            _run(url, statement)
    elif url.startswith("mysql"):
        _run(url, f"ANALYZE TABLE {_tables(url)}")


def _tables(url: str) -> str:
    """Return the names of the tables of a database of MariaDB, with commas."""
    listed = "SELECT GROUP_CONCAT(table_name) FROM information_schema.tables WHERE table_schema = DATABASE()"
    return str(_run(url, listed))


def _run(server: str, statement: str) -> Any:
    engine = create_engine(server, isolation_level="AUTOCOMMIT", future=True)
    with engine.connect() as connection:
        result = connection.execute(text(statement))
        value = result.scalar() if result.returns_rows else None
    engine.dispose()
    return value
