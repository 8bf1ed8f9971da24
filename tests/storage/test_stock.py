"""Rasa's own SQL store is read person by person, changed by nothing, and emptied for good."""

import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rasa_privacy.errors import ConfigurationError, StorageError
from rasa_privacy.storage import stock
from rasa_privacy.storage.stock import StockStore
from tests.support.databases import SERVERS, new_url
from tests.support.stock import OldStore, conversation, write_on_server

MARK = "Zaphod Beeblebrox 0815"


@pytest.fixture
def old(tmp_path: Path) -> OldStore:
    """Return an empty old store."""
    return OldStore(tmp_path / "rasa.db")


@pytest.fixture
def filled(old: OldStore) -> OldStore:
    """Return an old store with three people whose events lie between each other's."""
    for event in conversation(MARK):
        for sender in ("b", "a", "Ä, with ' and 🙂"):
            old.add(sender, event)
    return old


@pytest.fixture
def opened(filled: OldStore) -> Iterator[StockStore]:
    """Return it opened."""
    with closing(StockStore(filled.url)) as store:
        yield store


def test_each_person_comes_with_all_events_in_order(filled: OldStore, opened: StockStore) -> None:
    """Rows of one person come together, the oldest first, with their numbers."""
    people = list(opened)
    assert sorted(person.sender_id for person in people) == ["a", "b", "Ä, with ' and 🙂"]
    assert (opened.people, opened.rows) == (3, filled.count())
    for person in people:
        assert [row.event for row in person.rows] == conversation(MARK)
        assert [row.row for row in person.rows] == sorted(row.row for row in person.rows)


def test_reading_changes_no_byte(filled: OldStore) -> None:
    """The file is the same before and after, and nothing stands beside it."""
    before = filled.path.read_bytes()
    with closing(StockStore(filled.url)) as store:
        list(store)
        assert store.is_unchanged()
    assert filled.path.read_bytes() == before
    assert [path.name for path in filled.path.parent.iterdir()] == ["rasa.db"]


def test_rows_that_come_meanwhile_are_noticed_and_not_read(filled: OldStore, opened: StockStore) -> None:
    """What the old bot writes while it is read makes it changed; so does a row that goes."""
    assert opened.is_unchanged()
    filled.add("new", *conversation())
    filled.add("a", *conversation())
    assert not opened.is_unchanged()
    assert {person.sender_id: len(person.rows) for person in opened if person.sender_id in {"a", "new"}} == {
        "a": len(conversation())
    }
    with closing(StockStore(filled.url)) as again:
        filled.sql("DELETE FROM events WHERE id = 1")
        assert not again.is_unchanged()


def test_emptying_leaves_no_byte_in_the_file(
    filled: OldStore, opened: StockStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last batch neither the file nor anything beside it holds what the rows held."""
    monkeypatch.setattr(stock, "_BOUNDARY", stock._BOUNDARY.limit(1).offset(3))
    batches: list[int] = []
    assert MARK.encode() in filled.path.read_bytes()
    opened.scrub(batches.append)
    assert len(batches) > 2
    assert sum(batches) == 3 * len(conversation())
    assert filled.count() == 0
    for path in filled.path.parent.iterdir():
        assert MARK.encode() not in path.read_bytes()
    opened.scrub(batches.append)


def test_what_the_old_bot_deleted_itself_goes_too(filled: OldStore) -> None:
    """Its database did not overwrite what it deleted; the file is written anew."""
    with closing(sqlite3.connect(filled.path)) as connection, connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("DELETE FROM events")
    assert MARK.encode() in filled.path.read_bytes()
    with closing(StockStore(filled.url)) as store:
        store.scrub(lambda _: None)
    assert MARK.encode() not in filled.path.read_bytes()


def test_a_kill_before_the_file_is_written_anew_leaves_no_byte(
    filled: OldStore, opened: StockStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch overwrites what it deletes."""
    monkeypatch.setattr(opened, "_rebuild", lambda: None)
    opened.scrub(lambda _: None)
    assert MARK.encode() not in filled.path.read_bytes()


def test_emptying_a_file_with_a_log_empties_the_log(filled: OldStore) -> None:
    """In WAL mode the bytes would stay in the log."""
    filled.sql("PRAGMA journal_mode=WAL")
    with closing(sqlite3.connect(filled.path)) as other:
        other.execute("SELECT COUNT(*) FROM events").fetchall()
        filled.add("late", *conversation(MARK))
        with closing(StockStore(filled.url)) as store:
            store.scrub(lambda _: None)
        for path in filled.path.parent.iterdir():
            assert MARK.encode() not in path.read_bytes()


def test_emptying_leaves_what_came_later(filled: OldStore, opened: StockStore) -> None:
    """A row that was not read is not deleted."""
    filled.add("a", *conversation())
    opened.scrub(lambda _: None)
    assert filled.count() == len(conversation())


def test_a_reader_in_the_way_is_named_and_the_second_try_finishes(filled: OldStore) -> None:
    """Where the file cannot be rebuilt, the message does not claim that the bytes are gone."""
    filled.sql("PRAGMA journal_mode=WAL")
    with closing(sqlite3.connect(filled.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM events").fetchone()
        with closing(StockStore(filled.url)) as store:
            with pytest.raises(StorageError, match="the rows are deleted, and the database still holds"):
                store.scrub(lambda _: None)
            reader.execute("COMMIT")
            store.scrub(lambda _: None)
    for path in filled.path.parent.iterdir():
        assert MARK.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///{folder}/nothing.db", "there is no file"),
        ("sqlite://", "there is no file"),
        ("rasa.db", "is no database URL"),
        ("oracle://me:geheim@host/rasa", "oracle is not supported"),
        ("mysql+nodriver://me:geheim@host/rasa", r"pip install rasa_privacy\[mariadb\]"),
    ],
)
def test_a_wrong_url_says_what_to_write(tmp_path: Path, url: str, message: str) -> None:
    """The password of a URL is never shown, and no file is made."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        StockStore(url.format(folder=tmp_path))
    assert "geheim" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("table", ["CREATE TABLE other (id INTEGER)", "CREATE TABLE events (id INTEGER, what TEXT)"])
def test_a_database_without_rasas_table_is_refused(tmp_path: Path, table: str) -> None:
    """Another program's file is named as what it is."""
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute(table)
    with pytest.raises(ConfigurationError, match="no table 'events'"):
        StockStore(f"sqlite:///{tmp_path}/x.db")


def test_a_file_that_is_no_database_is_an_error_of_ours(tmp_path: Path) -> None:
    """Neither SQLAlchemy's error nor a value of it gets out."""
    (tmp_path / "x.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(StorageError, match=r"x\.db: the old store does not answer as it should"):
        StockStore(f"sqlite:///{tmp_path}/x.db")


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    """The message has host and database, and what to look at."""
    with pytest.raises(StorageError, match=r"127\.0\.0\.1:1/rasa: the old store") as caught:
        StockStore("postgresql+psycopg2://me:geheim@127.0.0.1:1/rasa")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in SERVERS])
def test_a_server_is_read_and_emptied_alike(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """People whose sender ids differ in case only are two, also where the database takes them for one."""
    monkeypatch.setattr(stock, "_BOUNDARY", stock._BOUNDARY.limit(1).offset(3))
    senders = ("b", "Ann", "ann", "Ä with ' and %s")
    with new_url(kind, tmp_path) as url:
        write_on_server(url, [(sender, conversation(sender)) for sender in senders])
        with closing(StockStore(url)) as store:
            found = {person.sender_id: [row.event for row in person.rows] for person in store}
            assert found == {sender: conversation(sender) for sender in senders}
            assert store.is_unchanged()
            batches: list[int] = []
            store.scrub(batches.append)
            assert sum(batches) == store.rows == len(senders) * len(conversation())
            assert list(store) == []


def test_memory_holds_one_person_at_a_time(old: OldStore) -> None:
    """Ten times as many people need no more memory."""

    def peak() -> int:
        with closing(StockStore(old.url)) as store:
            tracemalloc.start()
            for _ in store:
                pass
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return most

    def add(first: int, last: int) -> None:
        for number in range(first, last):
            old.add(f"person {number}", *conversation(), *conversation())

    add(0, 30)
    few = peak()
    add(30, 300)
    assert peak() < 2 * few
