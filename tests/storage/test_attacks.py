"""What somebody with the database, and without a key, cannot do: take another's place, or bring people back."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from rasa_privacy.errors import KeyProviderError, TamperedSegmentError
from rasa_privacy.policy.settings import KeySettings
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage.dialects.server import server_label
from rasa_privacy.storage.tables import from_micros
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import SENDER, Clock, active, clock, evidence, give, grant, held, settings_in, sql, vault

__all__ = ["clock", "sql", "vault"]

Sql = Callable[..., list[Any]]


@pytest.fixture
def two(vault: Vault) -> Vault:
    """Return a store with two people who agreed and gave a value."""
    for sender, name in ((SENDER, "Ana Li"), ("mallory", "Mallory")):
        grant(vault, "draw", sender=sender)
        give(vault, {"draw": {"full_name": name}}, sender=sender)
    return vault


def _exchange_senders(sql: Sql) -> None:
    (one, index), (other, second) = sql("SELECT conversation_ref, sender_index FROM conversations")
    sql("UPDATE conversations SET sender_index = ? WHERE conversation_ref = ?", (b"x" * 32, one))
    sql("UPDATE conversations SET sender_index = ? WHERE conversation_ref = ?", (index, other))
    sql("UPDATE conversations SET sender_index = ? WHERE conversation_ref = ?", (second, one))


def test_nobody_takes_the_place_of_another(two: Vault, tmp_path: Path, sql: Sql, clock: Clock) -> None:
    """Who exchanges two senders' indexes reads, writes and erases nothing of the other."""
    two.close()
    _exchange_senders(sql)
    with closing(open_vault(settings_in(tmp_path), clock)) as opened:
        with opened.database.read() as connection, pytest.raises(TamperedSegmentError, match="not its own"):
            opened.conversations.load(connection, "mallory")
        with pytest.raises(TamperedSegmentError, match="not its own"):
            erase(opened, "mallory", evidence(opened))
        with opened.database.read() as connection, pytest.raises(TamperedSegmentError, match="not its own"):
            opened.subjects.find(connection, SENDER)


def test_what_was_seen_before_is_no_proof_for_another_row(two: Vault, sql: Sql) -> None:
    """A process that knows both rows notices the exchange too."""
    assert held(two)["draw"] == {"full_name": "Ana Li"}
    _exchange_senders(sql)
    with two.database.read() as connection, pytest.raises(TamperedSegmentError, match="not its own"):
        two.conversations.load(connection, SENDER)


def test_nobody_is_erased_in_the_place_of_another(two: Vault, sql: Sql) -> None:
    """Who exchanges the random ids of two people has neither erased, nor one judged by the consent of the other."""
    with two.database.read() as connection:
        one, other = (two.subjects.find(connection, sender) for sender in (SENDER, "mallory"))
    exchange = "UPDATE conversations SET subject_id = CASE subject_id WHEN ? THEN ? ELSE ? END"
    sql(exchange, (one, other, one))
    with pytest.raises(TamperedSegmentError, match="not its own"):
        erase(two, SENDER, evidence(two))
    with pytest.raises(TamperedSegmentError, match="not its own"):
        active(two)
    sql(exchange, (one, other, one))
    assert [held(two, sender)["draw"]["full_name"] for sender in (SENDER, "mallory")] == ["Ana Li", "Mallory"]


def _rows(path: Path, *tables: str) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as file:
        return {table: file.execute(f"SELECT * FROM {table}").fetchall() for table in tables}  # noqa: S608 - above


def _put_back(path: Path, rows: dict[str, list[Any]]) -> None:
    with closing(sqlite3.connect(path)) as file:
        for table, values in rows.items():
            file.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            for row in values:
                file.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - as above
        file.commit()


_PERSON = ("subjects", "data_keys", "conversations", "sessions", "segments")


def test_rows_of_an_erased_person_that_are_put_back_are_erased_again(two: Vault, tmp_path: Path, clock: Clock) -> None:
    """The next start looks at what the database holds, and not only at how far it says that it is."""
    two.checkpoint()
    before = _rows(tmp_path / "c.db", *_PERSON)
    assert erase(two, SENDER, evidence(two)) is not None
    two.close()
    _put_back(tmp_path / "c.db", before)
    with closing(open_vault(settings_in(tmp_path), clock)) as opened:
        assert opened.replayed.erased == 1
        with opened.database.read() as connection:
            assert opened.subjects.find(connection, SENDER) is None
        assert held(opened, "mallory")["draw"] == {"full_name": "Mallory"}
    with closing(open_vault(settings_in(tmp_path), clock)) as opened:
        assert opened.replayed.erased == 0


def test_a_ledger_that_is_put_back_gives_no_consent(two: Vault, tmp_path: Path, clock: Clock) -> None:
    """A withdrawal is known to the journal, so an older ledger with its own end does not undo it."""
    two.checkpoint()
    before = _rows(tmp_path / "c.db", "ledger", "ledger_people", "subjects", "meta")
    with two.database.write() as connection:
        subject_id = two.subjects.find_for_update(connection, SENDER)
        assert subject_id is not None
        withdraw(two, connection, subject_id, ["draw"], evidence(two))
    two.checkpoint()
    journal = [row for row in _rows(tmp_path / "c.db", "meta")["meta"] if row[0] == "erasure_journal"]
    two.close()
    before["meta"] = [row for row in before["meta"] if row[0] != "erasure_journal"] + journal
    _put_back(tmp_path / "c.db", before)
    with closing(open_vault(settings_in(tmp_path), clock)) as opened:
        assert opened.replayed.withdrawn == 1
        assert active(opened) == frozenset()
        assert active(opened, "mallory") == {"draw"}


def test_keys_that_are_put_back_alone_are_destroyed_again(tmp_path: Path, clock: Clock) -> None:
    """With keys apart and the journal in a file, a restored key database opens nothing that was erased."""
    keys = KeySettings("file", tmp_path / "keys", url=f"sqlite:///{tmp_path}/k.db")
    settings = replace(settings_in(tmp_path), keys=keys, journal=tmp_path / "erasures.journal")
    opened = open_vault(settings, clock)
    subject_id = grant(opened, "draw")
    give(opened, {"draw": {"full_name": "Ana Li"}})
    opened.checkpoint()
    before = _rows(tmp_path / "k.db", "data_keys")
    assert erase(opened, SENDER, evidence(opened)) is not None
    opened.close()
    _put_back(tmp_path / "k.db", before)
    with closing(open_vault(settings, clock)) as again, again.database.read() as connection:
        assert again.data_keys.due_of(connection, subject_id) == {}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE data_keys SET wrapped = CAST(x'52504B0100000063' || substr(wrapped, 9) AS BLOB) WHERE subject_id = ?",
        "UPDATE data_keys SET due_at = 'soon' WHERE subject_id = ? AND purpose = 'service'",
        "UPDATE conversations SET conversation_id = x'00' WHERE subject_id = ?",
        "UPDATE conversations SET version = 'one' WHERE subject_id = ?",
    ],
)
def test_one_damaged_row_does_not_stop_the_sweep(two: Vault, sql: Sql, clock: Clock, damage: str) -> None:
    """What is due of the others goes."""
    with two.database.read() as connection:
        subject_id = two.subjects.find(connection, "mallory")
    sql(damage, (subject_id,))
    clock.now = clock.now.replace(year=clock.now.year + 2)
    sweep(two, clock.now)
    with two.database.read() as connection:
        assert two.subjects.find(connection, SENDER) is None


def test_a_damaged_ledger_keeps_nobody_from_being_erased(two: Vault, sql: Sql) -> None:
    """Being forgotten does not hang on a record about the past."""
    sql("UPDATE ledger_kinds SET event = 'maybe'")
    sql("UPDATE meta SET value = x'00' WHERE name = 'ledger_head'")
    assert erase(two, SENDER, evidence(two)) is not None


def test_keys_are_not_made_anew_for_people_who_are_there(two: Vault, tmp_path: Path, sql: Sql, clock: Clock) -> None:
    """A store whose keys were deleted does not begin again, which would hide everybody."""
    two.close()
    for table in ("epochs", "system_keys", "meta", "ledger"):
        sql(f"DELETE FROM {table}")  # noqa: S608 - the names stand above
    for each in (tmp_path / "keys").glob("erasures*"):
        each.unlink()
    with pytest.raises(KeyProviderError, match="somebody emptied a table"):
        open_vault(settings_in(tmp_path), clock)


def test_a_password_with_an_at_sign_is_in_no_message() -> None:
    """Unescaped, the end of the password would be taken for the host."""
    assert "cr" not in server_label(make_url("postgresql+psycopg2://bot:se@cr@host/db"))
    assert server_label(make_url("postgresql+psycopg2://bot:se@cr@host:5/db")) == "host:5/db"


@pytest.mark.parametrize("stored", ["soon", 1.5, 2**62, True])
def test_a_time_that_is_none_is_named(stored: Any) -> None:
    """SQLite stores any type in any column."""
    with pytest.raises(TamperedSegmentError, match="stored time"):
        from_micros(stored)
