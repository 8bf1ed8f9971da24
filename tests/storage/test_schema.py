"""The schema and its migrations."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, insert, inspect
from sqlalchemy.engine import Connection, Engine

from rasa_privacy.errors import SchemaVersionError
from rasa_privacy.storage import schema
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.schema import SCHEMA_REVISION
from rasa_privacy.storage.tables import metadata
from tests.support.databases import new_url

Sql = Callable[..., list[Any]]
_UPGRADE = """
import sys
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.schema import upgrade
print(upgrade(Database(sys.argv[1])))
"""
_FOUND = """
import logging
import sys
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.schema import ensure_schema
logging.basicConfig(level=logging.INFO)
database = Database(sys.argv[1])
database.prepare()
ensure_schema(database)
"""


@pytest.fixture
def url(kind: str, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a database of the test's own, which may change its tables."""
    with new_url(kind, tmp_path) as found:
        yield found


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Return an empty database."""
    opened = Database(url)
    opened.prepare()
    yield opened
    opened.close()


def test_migrations_make_the_tables_of_this_release(database: Database) -> None:
    """The migrated schema and `tables.py` do not differ, but for the foreign keys, of which PostgreSQL has none."""
    schema.ensure_schema(database)
    assert_migrated(database)


def assert_migrated(database: Database) -> None:
    """Compare the database's tables with `tables.py`; on PostgreSQL exactly its foreign keys are missing."""
    with database.read() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        missing = [(what, key.parent.name) for what, key in compare_metadata(context, metadata)]
    keys = [("add_fk", table.name) for table in metadata.tables.values() for _ in table.foreign_key_constraints]
    assert sorted(missing) == (sorted(keys) if database.dialect == "postgresql" else [])


def test_the_first_start_says_nothing_about_each_migration(tmp_path: Path) -> None:
    """Not to a server that shows what is said for information, as Rasa's does."""
    command = [sys.executable, "-c", _FOUND, f"sqlite:///{tmp_path}/new.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_the_revision_is_the_newest_migration() -> None:
    """The constant in the code names the head of the migrations."""
    assert ScriptDirectory(str(schema._MIGRATIONS)).get_heads() == [schema.SCHEMA_REVISION]


def test_a_second_open_changes_nothing(database: Database, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current schema is left alone: all that could change it would fail."""
    schema.ensure_schema(database)
    before = sql("SELECT version_num FROM alembic_version")
    monkeypatch.setattr(database, "change_schema", None)
    monkeypatch.setattr(database, "write", None)
    schema.ensure_schema(database)
    assert sql("SELECT version_num FROM alembic_version") == before == [(SCHEMA_REVISION,)]
    with pytest.raises(TypeError):
        database.write()


def test_a_newer_schema_is_refused(database: Database, sql: Sql) -> None:
    """A database of a later release names both revisions and the remedy."""
    schema.ensure_schema(database)
    sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaVersionError, match=rf"schema 9999 is newer than {SCHEMA_REVISION}.*install the release"):
        schema.ensure_schema(database)
    with pytest.raises(SchemaVersionError, match="9999"):
        schema.upgrade(database)


def test_an_older_schema_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of an earlier release names both revisions and is not migrated behind one's back."""
    schema.ensure_schema(database)
    with database.write() as conn:
        conn.execute(insert(metadata.tables["meta"]), {"name": "store_id", "value": bytes(16)})
    monkeypatch.setattr(schema, "SCHEMA_REVISION", "9998")
    with pytest.raises(SchemaVersionError, match=r"is older than 9998.*backup.*'rasa-privacy database upgrade'"):
        schema.ensure_schema(database)


def test_upgrade_accepts_a_known_schema(database: Database) -> None:
    """Upgrading a current database is no error and says what it had."""
    schema.ensure_schema(database)
    assert schema.upgrade(database) == SCHEMA_REVISION
    assert schema.revision_of(database) == SCHEMA_REVISION


def test_another_programs_database_is_left_alone(database: Database, sql: Sql) -> None:
    """The stock tracker store's database is refused and keeps its tables."""
    sql("CREATE TABLE events (id INTEGER PRIMARY KEY)")
    for change in (schema.ensure_schema, schema.upgrade):
        with pytest.raises(SchemaVersionError, match="another program's tables"):
            change(database)
    with database.read() as conn:
        assert inspect(conn).get_table_names() == ["events"]
    assert schema.revision_of(database) is None


def test_some_that_upgrade_at_once_do_it_once(url: str, database: Database, sql: Sql) -> None:
    """One process finds the old revision at least; none fails, and no row is lost."""
    _make_0001(database)
    _put_old_rows(sql)
    command = [sys.executable, "-c", _UPGRADE, url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=120) for process in processes]
    assert [errors for _, errors in said] == [""] * 4
    assert sorted(written.strip() for written, _ in said) == ["0001", *[SCHEMA_REVISION] * 3]
    schema.ensure_schema(database)
    _check_old_rows(sql)


@pytest.mark.parametrize("founding", [True, False])
def test_a_migration_that_is_cut_off_is_gone_on_with(database: Database, sql: Sql, *, founding: bool) -> None:
    """After each statement of a migration the process may end; the next start, or upgrade, brings it to its end."""
    if not founding:
        _make_0001(database)
        _put_old_rows(sql)
    go_on = schema.ensure_schema if founding else schema.upgrade
    cuts = _Cuts()
    try:
        while not cuts.is_over(lambda: go_on(database)):
            pass
    finally:
        cuts.end()
    assert cuts.count > (15 if founding else 5)
    schema.ensure_schema(database)
    assert_migrated(database)
    if not founding:
        _check_old_rows(sql)


class _CutError(Exception):
    """Stands for the end of the process."""


class _Cuts:
    """Ends the n-th run of a migration after its n-th statement that changes something."""

    def __init__(self) -> None:
        self.count = 0
        self._left = 0
        event.listen(Engine, "after_cursor_execute", self._after)

    def end(self) -> None:
        """Cut no more."""
        event.remove(Engine, "after_cursor_execute", self._after)

    def _after(self, _conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.split(maxsplit=1)[0] in {"CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE"}:
            self._left -= 1
            if self._left == 0:
                raise _CutError

    def is_over(self, run: Callable[[], object]) -> bool:
        """Let the run come one statement further than the last one; say whether it came to its end."""
        self.count += 1
        self._left = self.count
        try:
            run()
        except _CutError:
            return False
        return True


#: Number, session and purpose of segments as schema 0001 has them, and what their numbers are within the session.
_SEGMENTS = ((3, 0, "service"), (5, 0, "draw"), (8, 3, "service"), (9, 0, "draw"))
_NUMBERS = ((0, 1, "service", b"3"), (0, 2, "draw", b"5"), (0, 3, "draw", b"9"), (3, 1, "service", b"8"))


def _put_old_rows(sql: Sql) -> None:
    sql("INSERT INTO meta (name, value) VALUES ('kek_fingerprint', ?)", (b"f" * 32,))
    sql("INSERT INTO subjects (subject_id, created_at) VALUES (?, 1)", (b"s" * 16,))
    sql(
        "INSERT INTO data_keys (subject_id, purpose, wrapped, created_at) VALUES (?, 'service', ?, 1)",
        (b"s" * 16, b"w"),
    )
    columns = "conversation_id, subject_id, sender_index, sealed_sender, version, session"
    sql(
        f"INSERT INTO conversations (conversation_ref, {columns}) VALUES (7, ?, ?, ?, ?, 5, 3)",  # noqa: S608 - constant
        (b"c" * 16, b"s" * 16, b"i" * 32, b"n"),
    )
    for number, session, purpose in _SEGMENTS:
        sql(
            "INSERT INTO segments (segment_id, conversation_ref, session, purpose, sealed) VALUES (?, 7, ?, ?, ?)",
            (number, session, purpose, str(number).encode()),
        )


def _check_old_rows(sql: Sql) -> None:
    assert sql("SELECT epoch, fingerprint FROM epochs") == [(1, b"f" * 32)]
    assert sql("SELECT subject_id, wrapped FROM data_keys") == [(b"s" * 16, b"w")]
    assert sql("SELECT subject_id, created_at FROM subjects") == [(b"s" * 16, 1)]
    columns = "conversation_ref, conversation_id, subject_id, sender_index, sealed_sender, version, session"
    old = (7, b"c" * 16, b"s" * 16, b"i" * 15, b"n", 5, 3)
    assert sql(f"SELECT {columns} FROM conversations") == [old]  # noqa: S608 - constant
    found = sql("SELECT session, number, purpose, sealed FROM segments WHERE conversation_ref = 7 ORDER BY 1, 2")
    assert found == list(_NUMBERS)


def _make_0001(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema._MIGRATIONS))

    def make(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    database.change_schema(make)


def test_a_path_with_percent_signs_is_no_problem(tmp_path: Path) -> None:
    """Neither the database's nor the package's path passes through an interpolation."""
    (tmp_path / "100%s").mkdir()
    opened = Database(f"sqlite:///{tmp_path}/100%s/c.db")
    opened.prepare()
    schema.ensure_schema(opened)
    with opened.read() as conn:
        assert conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == SCHEMA_REVISION
    opened.close()
    assert (tmp_path / "100%s" / "c.db").stat().st_size > 0
