"""Connections and transactions of SQLite; `test_servers.py` has those of PostgreSQL and MariaDB."""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from rasa_privacy.errors import ConfigurationError, StorageError, UnreachableError
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.dialects import sqlite as module


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return a database with one table."""
    opened = Database(f"sqlite:///{tmp_path}/d.db")
    opened.prepare()
    with opened.write() as conn:
        conn.execute(text("CREATE TABLE t (name TEXT UNIQUE)"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("postgresql+asyncpg://user:hunter2@host/db", r"write sqlite:///file, postgresql\+psycopg2"),
        ("mysql://user:hunter2@host/db", r"mysql\+pymysql"),
        ("postgresql+psycopg2://user:hunter2@host:port/db", "no database URL"),
        ("sqlite+aiosqlite:///c.db", "not supported"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///file:c.db?uri=true", "plain file"),
        ("sqlite:///c.db?mode=memory", "plain file"),
        ("conversations.db", "no database URL"),
        ("", "no database URL"),
    ],
)
def test_other_urls_are_refused_without_their_password(url: str, match: str) -> None:
    """What is no server and no plain SQLite file is refused, and no part of the URL is repeated that may be secret."""
    with pytest.raises(ConfigurationError, match=match) as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)


def test_each_connection_is_set_up(database: Database) -> None:
    """Durability, overwriting of deleted bytes and referential integrity are on."""
    expected = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1, "temp_store": 2}
    with database.read() as conn:
        found = {name: conn.execute(text(f"PRAGMA {name}")).scalar() for name in expected}
        assert conn.execute(text("PRAGMA busy_timeout")).scalar() == module.BUSY_MILLISECONDS
    assert found == expected


def test_a_new_file_has_larger_pages_and_an_older_one_keeps_its_own(database: Database, tmp_path: Path) -> None:
    """Three short conversations fit on 4 KiB and seven on 8; a file that is there is gone on with."""
    with sqlite3.connect(tmp_path / "old.db") as file:
        file.executescript("PRAGMA page_size = 4096; CREATE TABLE t (name TEXT)")
    old = Database(f"sqlite:///{tmp_path}/old.db")
    for opened, size in ((database, module.PAGE_BYTES), (old, 4096)):
        with opened.write() as conn:
            conn.execute(text("INSERT INTO t VALUES ('a')"))
            assert conn.execute(text("PRAGMA page_size")).scalar() == size
    old.close()


def test_deleted_bytes_are_overwritten_where_sqlite_would_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some builds of SQLite overwrite by themselves and so flatter any store; with that off, our setting does it."""
    monkeypatch.setattr(module, "_PRAGMAS", ("PRAGMA secure_delete=OFF", *module._PRAGMAS))
    database = Database(f"sqlite:///{tmp_path / 'plain.db'}")
    database.prepare()
    with database.write() as conn:
        conn.execute(text("CREATE TABLE told (what TEXT)"))
        conn.execute(text("INSERT INTO told VALUES ('Quilza-Ravenz-4711')"))
    with database.write() as conn:
        conn.execute(text("DELETE FROM told"))
    assert database.checkpoint()
    database.close()
    assert all(b"Quilza-Ravenz-4711" not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_new_file_is_private(tmp_path: Path) -> None:
    """The file is made for its owner only, and an existing one keeps its mode."""
    Database(f"sqlite:///{tmp_path}/new.db").prepare()
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
    (tmp_path / "new.db").chmod(0o640)
    Database(f"sqlite:///{tmp_path}/new.db").prepare()
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o640


def test_a_link_to_a_file_that_is_not_there_yet_is_followed(tmp_path: Path) -> None:
    """So a path in the bot's folder may lead to a volume, which is empty at the first start."""
    (tmp_path / "volume").mkdir()
    (tmp_path / "c.db").symlink_to(tmp_path / "volume" / "new.db")
    database = Database(f"sqlite:///{tmp_path}/c.db")
    database.prepare()
    with database.read() as conn:
        assert conn.execute(text("SELECT 1")).scalar() == 1
    database.close()
    assert (tmp_path / "volume" / "new.db").stat().st_mode & 0o777 == 0o600


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """The message says that the directory is to be made."""
    with pytest.raises(StorageError, match="make the directory"):
        Database(f"sqlite:///{tmp_path}/none/c.db").prepare()


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    """An error within a write undoes it, and is passed on as it is."""
    with pytest.raises(LookupError), database.write() as conn:
        conn.execute(text("INSERT INTO t VALUES ('x')"))
        raise LookupError
    with database.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM t")).scalar() == 0


def test_a_reader_sees_one_state(database: Database) -> None:
    """What is written during a read transaction is not seen in it."""
    with database.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM t")).scalar() == 0
        with database.write() as writer:
            writer.execute(text("INSERT INTO t VALUES ('x')"))
        assert reader.execute(text("SELECT count(*) FROM t")).scalar() == 0
    with database.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM t")).scalar() == 1


def test_a_second_writer_gives_up_with_a_remedy(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write lock that is held for too long is an error that says to try again."""
    monkeypatch.setattr(module, "_PRAGMAS", ("PRAGMA busy_timeout=50",))
    second = Database(f"sqlite:///{database.name}")
    with database.write(), pytest.raises(UnreachableError, match="another process holds it"), second.write():
        pass
    second.close()


@pytest.mark.parametrize(
    ("statement", "value", "match"),
    [
        ("INSERT INTO t VALUES (:value)", "Jane Canary", "there already"),
        ("INSERT INTO nowhere VALUES (:value)", "Jane Canary", "the database failed"),
        ("INSERT INTO t VALUES (:value)", "Jane Canary \ud800", "valid Unicode"),
        ("INSERT INTO t VALUES (:value)", 2**70, "cannot be stored"),
    ],
)
def test_errors_carry_no_values(
    database: Database, caplog: pytest.LogCaptureFixture, statement: str, value: object, match: str
) -> None:
    """A failing statement shows neither its parameters nor itself, in the error or in a log."""
    caplog.set_level(logging.DEBUG)
    with database.write() as conn:
        conn.execute(text("INSERT INTO t VALUES ('Jane Canary')"))
    with pytest.raises(StorageError, match=match) as caught, database.write() as conn:
        conn.execute(text(statement), {"value": value})
    for shown in (str(caught.value), repr(caught.value), caplog.text):
        assert "Jane" not in shown
        assert "INSERT" not in shown
    assert caught.value.__cause__ is None


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """Another kind of file is not overwritten, and the message says so."""
    (tmp_path / "c.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError, match="no SQLite database"), Database(f"sqlite:///{tmp_path}/c.db").read():
        pass


def test_a_file_that_is_moved_away_is_waited_for(database: Database) -> None:
    """Nothing is made in its place, nothing goes into the moved file, and it serves again when it is back."""
    path = Path(database.name)
    with database.read() as conn:
        conn.execute(text("SELECT count(*) FROM t"))
    path.rename(path.with_name("away.db"))
    for open_transaction in (database.read, database.write):
        with pytest.raises(UnreachableError, match="directory; put the file back"), open_transaction():
            pass
    assert not path.exists()
    path.with_name("away.db").rename(path)
    with database.write() as conn:
        conn.execute(text("INSERT INTO t VALUES ('x')"))


def test_another_file_in_its_place_is_refused(database: Database) -> None:
    """A backup that is put back under a running process must pass the checks of a start first."""
    path = Path(database.name)
    with database.read() as conn:
        conn.execute(text("SELECT count(*) FROM t"))
    backup = path.with_name("backup.db")
    backup.write_bytes(path.read_bytes())
    backup.rename(path)
    with pytest.raises(StorageError, match="start the process again"), database.read():
        pass


def test_checkpoint_empties_the_log(database: Database) -> None:
    """After a checkpoint the write-ahead log has no byte left."""
    with database.write() as conn:
        conn.execute(text("INSERT INTO t VALUES ('x')"))
    assert database.checkpoint()
    assert Path(f"{database.name}-wal").stat().st_size == 0


def test_checkpoint_reports_a_reader_in_the_way(database: Database) -> None:
    """While a reader holds an old state the log stays, which is no error."""
    with database.read() as reader:
        reader.execute(text("SELECT count(*) FROM t")).scalar()
        with database.write() as conn:
            conn.execute(text("INSERT INTO t VALUES ('x')"))
        assert not database.checkpoint()
    assert database.checkpoint()


def test_deleted_bytes_are_overwritten(database: Database) -> None:
    """What was deleted and checkpointed is in no file."""
    with database.write() as conn:
        conn.execute(text("INSERT INTO t VALUES (:v)"), {"v": "canary" * 2000})
    database.checkpoint()
    assert b"canary" in Path(database.name).read_bytes()
    with database.write() as conn:
        conn.execute(text("DELETE FROM t"))
    database.checkpoint()
    files = Path(database.name).parent.glob("d.db*")
    assert not any(b"canary" in file.read_bytes() for file in files)


def test_who_asks_while_the_database_is_closed_keeps_no_connection(database: Database) -> None:
    """It would stay open until the process ends, with its locks."""
    backend = database._backend
    backend.ask(lambda _: None)
    assert len(backend._kept) == 1
    backend.ask(lambda _: database.close())
    assert backend._kept == []


def test_a_closed_database_can_be_removed(database: Database) -> None:
    """Closing lets go of the file, log and all."""
    database.close()
    with sqlite3.connect(database.name) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    assert not Path(f"{database.name}-wal").exists()
