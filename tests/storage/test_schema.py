"""The schema and its migrations."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from rasa_privacy.errors import SchemaVersionError
from rasa_privacy.storage import schema
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.tables import metadata


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return an empty database."""
    opened = Database(f"sqlite:///{tmp_path}/c.db")
    opened.create_file()
    yield opened
    opened.close()


def test_migrations_make_the_tables_of_this_release(database: Database) -> None:
    """The migrated schema and `tables.py` do not differ."""
    schema.ensure_schema(database)
    with database.read() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_revision_is_the_newest_migration() -> None:
    """The constant in the code names the head of the migrations."""
    assert ScriptDirectory(str(schema._MIGRATIONS)).get_heads() == [schema.SCHEMA_REVISION]


def test_a_second_open_changes_nothing(database: Database) -> None:
    """A current schema is left alone."""
    schema.ensure_schema(database)
    before = database.path.read_bytes()
    schema.ensure_schema(database)
    assert database.path.read_bytes() == before


def test_a_newer_schema_is_refused(database: Database, sql: Callable[..., list[Any]]) -> None:
    """A database of a later release names both revisions and the remedy."""
    schema.ensure_schema(database)
    sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaVersionError, match=r"schema 9999 is newer than 0001.*install the release"):
        schema.ensure_schema(database)
    with pytest.raises(SchemaVersionError, match="9999"):
        schema.upgrade(database)


def test_an_older_schema_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of an earlier release names both revisions and is not migrated behind one's back."""
    schema.ensure_schema(database)
    monkeypatch.setattr(schema, "SCHEMA_REVISION", "0002")
    with pytest.raises(SchemaVersionError, match=r"schema 0001 is older than 0002.*copy the file.*upgrade"):
        schema.ensure_schema(database)


def test_upgrade_accepts_a_known_schema(database: Database) -> None:
    """Upgrading a current database is no error."""
    schema.ensure_schema(database)
    schema.upgrade(database)
    schema.ensure_schema(database)


def test_another_programs_database_is_left_alone(database: Database) -> None:
    """The stock tracker store's file is refused and keeps its tables."""
    with closing(sqlite3.connect(database.path)) as connection, connection:
        connection.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, sender_id TEXT)")
    with pytest.raises(SchemaVersionError, match="another program's tables"):
        schema.ensure_schema(database)
    with database.read() as conn:
        assert inspect(conn).get_table_names() == ["events"]


def test_a_path_with_percent_signs_is_no_problem(tmp_path: Path) -> None:
    """Neither the database's nor the package's path passes through an interpolation."""
    (tmp_path / "100%s").mkdir()
    opened = Database(f"sqlite:///{tmp_path}/100%s/c.db")
    opened.create_file()
    schema.ensure_schema(opened)
    opened.close()
