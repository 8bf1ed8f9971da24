"""What the database remembers of the erasure journal, and where the journal is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import ConfigurationError, JournalError
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.journal import ErasureJournal, Marks, open_journal
from rasa_privacy.storage.journal_entry import Chain, Erased, Position, Withdrawn
from rasa_privacy.storage.schema import ensure_schema

_INDEX = BlindIndex(bytes(range(32)))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return a database with its tables and nothing else."""
    found = Database(f"sqlite:///{tmp_path}/c.db")
    found.prepare()
    ensure_schema(found)
    yield found
    found.close()


@pytest.fixture
def place(tmp_path: Path) -> StoreSettings:
    """Return settings with a journal in the key folder."""
    (tmp_path / "keys").mkdir(mode=0o700)
    return StoreSettings("", KeySettings("file", tmp_path / "keys"), tmp_path / "privacy.yml")


@pytest.fixture
def journal(place: StoreSettings) -> ErasureJournal:
    """Return the journal of that place."""
    return open_journal(place, _INDEX, None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the journal's file."""
    return tmp_path / "keys" / "erasures.journal"


@pytest.fixture
def write(database: Database, journal: ErasureJournal, now: datetime) -> Callable[..., Marks]:
    """Return a function that writes entries in one transaction, and returns what the database knows then."""

    def run(*purposes: str) -> Marks:
        database.transact(lambda conn: journal.write(conn, *(Withdrawn(bytes(16), now, name) for name in purposes)))
        with database.read() as conn:
            return journal.marks(conn)

    return run


def _fail(database: Database, journal: ErasureJournal, now: datetime) -> None:
    """Write an entry in a transaction that does not commit."""

    def work(conn: Any) -> None:
        journal.write(conn, Withdrawn(bytes(16), now, "lost"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.transact(work)


def _purposes(journal: ErasureJournal, after: int = 0) -> list[str]:
    return [entry.purpose for _, entry in journal.after(after) if isinstance(entry, Withdrawn)]


def test_a_new_database_knows_nothing(database: Database, journal: ErasureJournal) -> None:
    """Neither marks nor a file are there before the first entry."""
    with database.read() as conn:
        marks = journal.marks(conn)
    assert (marks.done, marks.known.number) == (0, 0)
    assert journal.verify(marks) == 0


def test_nothing_to_write_writes_nothing(write: Callable[..., Marks], file: Path) -> None:
    """A withdrawal that found nothing leaves no trace."""
    assert write().known.number == 0
    assert not file.exists()


def test_the_database_remembers_what_was_carried_out(write: Callable[..., Marks], journal: ErasureJournal) -> None:
    """Number and link of the last entry stand in the transaction that it belongs to."""
    write("a")
    marks = write("b", "c")
    assert (marks.done, marks.known.number) == (3, 3)
    assert journal.verify(marks) == 3
    assert _purposes(journal) == ["a", "b", "c"]
    assert _purposes(journal, marks.done) == []


def test_a_transaction_that_failed_leaves_its_entry_to_be_carried_out(
    database: Database, journal: ErasureJournal, write: Callable[..., Marks], now: datetime
) -> None:
    """What comes after it is known, and replay begins at the gap."""
    write("a")
    _fail(database, journal, now)
    marks = write("b")
    assert (marks.done, marks.known.number) == (1, 3)
    assert _purposes(journal, marks.done) == ["lost", "b"]


def test_carrying_out_closes_the_gap(
    database: Database, journal: ErasureJournal, write: Callable[..., Marks], now: datetime
) -> None:
    """Afterwards replay begins after it."""
    _fail(database, journal, now)
    write("b")
    *_, (last, _entry) = journal.after(0)
    database.transact(lambda conn: journal.carried_out(conn, 0, last))
    with database.read() as conn:
        assert journal.marks(conn) == Marks(2, last)


@pytest.mark.parametrize(
    "damage",
    [
        lambda file, _old: file.unlink(),
        lambda file, _old: file.write_bytes(b""),
        lambda file, old: file.write_bytes(old),
        lambda file, _old: file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1])),
        lambda file, _old: file.write_bytes(file.read_bytes()[:-1]),
    ],
    ids=["lost", "empty", "older", "cut", "torn"],
)
def test_a_journal_with_less_than_the_database_knows_is_refused(
    journal: ErasureJournal, write: Callable[..., Marks], file: Path, damage: Callable[[Path, bytes], None]
) -> None:
    """The message says what to do, and nothing can be written either."""
    write("a")
    old = file.read_bytes()
    marks = write("b", "c")
    damage(file, old)
    with pytest.raises(JournalError, match="put its newest copy back"):
        journal.verify(marks)
    with pytest.raises(JournalError):
        write("d")


def test_another_journal_of_the_same_database_is_refused(
    place: StoreSettings, journal: ErasureJournal, write: Callable[..., Marks], file: Path, now: datetime
) -> None:
    """One that was begun anew after the first was lost has other links, whatever its length."""
    marks = write("a")
    anew = open_journal(replace(place, journal=file.with_name("anew")), _INDEX, None)
    other = Database(f"sqlite:///{file}.db")
    other.prepare()
    ensure_schema(other)
    other.transact(lambda conn: anew.write(conn, *(Withdrawn(bytes(16), now, name) for name in "xyz")))
    other.close()
    file.with_name("anew").replace(file)
    with pytest.raises(JournalError, match="lost, cut or old"):
        journal.verify(marks)


def test_an_older_database_with_the_newer_journal_is_welcome(
    journal: ErasureJournal, write: Callable[..., Marks]
) -> None:
    """That is what a restored backup looks like."""
    old = write("a")
    write("b")
    assert journal.verify(old) == 2
    assert _purposes(journal, old.done) == ["b"]


@pytest.mark.parametrize(
    "value",
    [b"", bytes(52), b"RPJ\x02" + bytes(48), b"RPJ\x01" + bytes(7) + b"\x02" + bytes(7) + b"\x01" + bytes(32)],
    ids=["empty", "no magic", "version 2", "more done than known"],
)
def test_a_damaged_row_is_refused(
    database: Database,
    journal: ErasureJournal,
    write: Callable[..., Marks],
    sql: Callable[..., list[Any]],
    value: bytes,
) -> None:
    """The row of the database has a strict format."""
    write("a")
    sql("UPDATE meta SET value = ? WHERE name = 'erasure_journal'", (value,))
    with pytest.raises(JournalError, match="restore the database"), database.read() as conn:
        journal.marks(conn)


def test_the_entries_are_typed(database: Database, journal: ErasureJournal, now: datetime) -> None:
    """Both kinds come back as what they were."""
    entries = (Erased(bytes(16), now, "ER-1", {"events": 3}), Withdrawn(bytes(16), now, "draw"))
    database.transact(lambda conn: journal.write(conn, *entries))
    assert tuple(entry for _, entry in journal.after(0)) == entries


def test_the_first_place_that_is_named_is_used(place: StoreSettings, database: Database, tmp_path: Path) -> None:
    """A file of its own, then the key database, then the key folder."""
    own = tmp_path / "own.journal"
    assert open_journal(replace(place, journal=own), _INDEX, database).name == str(own)
    assert open_journal(place, _INDEX, database).name == database.name
    assert open_journal(place, _INDEX, None).name == str(tmp_path / "keys" / "erasures.journal")


def test_without_a_place_the_setting_is_asked_for(place: StoreSettings) -> None:
    """A provider without a folder needs the journal to be named."""
    with pytest.raises(ConfigurationError, match="'journal' is missing"):
        open_journal(replace(place, keys=KeySettings("env", None)), _INDEX, None)


def test_a_position_before_the_first_is_the_same_for_all_who_hold_the_key() -> None:
    """The start depends on the index key alone."""
    assert Chain(_INDEX).start == Chain(BlindIndex(bytes(range(32)))).start
    assert Chain(_INDEX).start != Position(0, bytes(32))
