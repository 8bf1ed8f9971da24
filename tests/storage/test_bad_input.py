"""Bad input and bad surroundings: each is named with its remedy, shows nobody's data, and loses nothing."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import (
    KeyProviderError,
    MalformedSegmentError,
    PrivacyError,
    SchemaVersionError,
    StorageError,
    TamperedSegmentError,
    UnreachableError,
)
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.dialects import mariadb
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import SENDER, START, active, give, grant, held, settings_in, sql

__all__ = ["sql"]

_MARK = "CANARYvalue"
_OTHER = "CANARYother"
_ROOT = Path(__file__).parents[2]
#: Each damage to the row of one person, with plain SQL; `?` is the row of the conversation.
_DAMAGES = [
    "UPDATE segments SET sealed = randomblob(80) WHERE conversation_ref = ?",
    "UPDATE segments SET sealed = x'' WHERE conversation_ref = ?",
    "UPDATE segments SET sealed = 'text' WHERE conversation_ref = ?",
    "UPDATE segments SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE conversation_ref = ?",
    "DELETE FROM segments WHERE conversation_ref = ?",
    "UPDATE conversations SET manifest = NULL WHERE conversation_ref = ?",
    "UPDATE conversations SET manifest = substr(manifest, 2) WHERE conversation_ref = ?",
    "UPDATE conversations SET version = version + 1 WHERE conversation_ref = ?",
]


@pytest.fixture
def settings(tmp_path: Path) -> StoreSettings:
    """Return the settings of a store in which two people have given values."""
    made = settings_in(tmp_path)
    with closing(open_vault(made, lambda: START)) as vault:
        for sender in (SENDER, _OTHER):
            grant(vault, "draw", sender=sender)
            give(vault, {"draw": {"email": _MARK}}, sender, events=3)
    return made


@contextmanager
def _opened(settings: StoreSettings) -> Iterator[Vault]:
    vault = open_vault(settings, lambda: START)
    try:
        yield vault
    finally:
        vault.close()


@contextmanager
def _pragma(statement: str) -> Iterator[None]:
    """Have every new connection set up with one more statement."""

    def prepare(connection: Any, _record: Any) -> None:
        connection.execute(statement)

    event.listen(Engine, "connect", prepare)
    try:
        yield
    finally:
        event.remove(Engine, "connect", prepare)


def _names(error: PrivacyError, *words: str) -> None:
    """Check that a message holds these words, and nothing of anybody."""
    shown = json.dumps([str(error), repr(error.args)])
    assert all(re.search(word, shown) for word in words), shown
    assert "CANARY" not in shown
    assert SENDER not in shown


def _intact(settings: StoreSettings) -> None:
    """Check that both people have what they had."""
    with _opened(settings) as vault:
        for sender in (SENDER, _OTHER):
            assert held(vault, sender) == {"draw": {"email": _MARK}}
            assert active(vault, sender) == {"draw"}
        with vault.database.read() as connection:
            vault.ledger.verify(connection)


def _erase(vault: Vault) -> object:
    return erase(vault, SENDER, Evidence("button", "rest", "en", START))


@pytest.mark.parametrize("damage", _DAMAGES)
def test_one_damaged_conversation_does_not_stop_the_others(
    settings: StoreSettings, sql: Callable[..., list[Any]], damage: str
) -> None:
    """It is named by its row and can be erased; everybody else is read, saved and erased as ever."""
    sql(damage, (1,))
    with _opened(settings) as vault:
        with pytest.raises((MalformedSegmentError, TamperedSegmentError)) as caught:
            held(vault)
        _names(caught.value, r"conversation 1\b")
        give(vault, {"draw": {"email": _MARK, "full_name": _MARK}}, _OTHER)
        assert held(vault, _OTHER) == {"draw": {"email": _MARK, "full_name": _MARK}}
        assert _erase(vault) is not None
        assert held(vault) == {}
        assert held(vault, _OTHER) != {}


def test_a_damaged_data_key_stops_one_person_only(settings: StoreSettings, sql: Callable[..., list[Any]]) -> None:
    """A key that does not unwrap is named, and the others' keys still do."""
    sql(
        "UPDATE data_keys SET wrapped = randomblob(68) "
        "WHERE subject_id = (SELECT subject_id FROM conversations WHERE conversation_ref = 1)"
    )
    with _opened(settings) as vault:
        with pytest.raises((MalformedSegmentError, TamperedSegmentError)) as caught:
            held(vault)
        _names(caught.value, "key")
        assert held(vault, _OTHER) == {"draw": {"email": _MARK}}
        assert _erase(vault) is not None
        assert held(vault) == {}


def test_a_full_disk_while_saving_loses_no_confirmed_turn(settings: StoreSettings) -> None:
    """The save says that the disk is full, earlier turns stay readable, and with space the turn is saved again."""
    with _pragma("PRAGMA max_page_count = 1"), _opened(settings) as vault:  # or what is there, free pages too
        with pytest.raises(StorageError) as caught:
            give(vault, {"draw": {"email": _MARK + os.urandom(200_000).hex()}}, events=50)
        _names(caught.value, "disk is full", "free some space")
        assert held(vault) == {"draw": {"email": _MARK}}
    _intact(settings)
    with _opened(settings) as vault:
        give(vault, {"draw": {"full_name": "Ana"}})
        assert held(vault) == {"draw": {"email": _MARK, "full_name": "Ana"}}


def _erase_on_a_full_disk(folder: Path, full: str) -> PrivacyError:
    command = [sys.executable, "-m", "tests.support.full_disk", str(folder), full]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return StorageError(done.stdout)


def test_a_full_disk_under_the_journal_erases_nothing_and_says_so(settings: StoreSettings, tmp_path: Path) -> None:
    """Nobody is told "deleted", and nothing is; with space it is done."""
    _names(_erase_on_a_full_disk(tmp_path, "journal"), "erasures.journal", "correct|free")
    _intact(settings)
    with _opened(settings) as vault:
        assert _erase(vault) is not None
        assert held(vault) == {}


def test_a_full_disk_under_the_database_puts_an_erasure_off(settings: StoreSettings, tmp_path: Path) -> None:
    """Nobody is told "deleted"; the journal knows of it, so that the next start with space does what was asked for."""
    _names(_erase_on_a_full_disk(tmp_path, "database"), r"c\.db", "disk", "free some space|check it")
    with _opened(settings) as vault:
        assert held(vault) == {}
        assert held(vault, _OTHER) == {"draw": {"email": _MARK}}
        with vault.database.read() as connection:
            vault.ledger.verify(connection)


def test_a_database_that_is_read_only_is_named(settings: StoreSettings) -> None:
    """Reading goes on, saving and erasing say that it is read-only and what to correct, and nothing is lost."""
    with _pragma("PRAGMA query_only = ON"), _opened(settings) as vault:
        assert held(vault) == {"draw": {"email": _MARK}}
        with pytest.raises(StorageError) as saving:
            give(vault, {"draw": {"email": "new"}})
        with pytest.raises(StorageError) as erasing:
            _erase(vault)
        for caught in (saving, erasing):
            _names(caught.value, "read-only", "mode")
    _intact(settings)


def test_a_schema_of_the_future_is_left_alone(
    settings: StoreSettings, tmp_path: Path, sql: Callable[..., list[Any]]
) -> None:
    """A database of a later release is refused with both revisions named, and not one byte of it changes."""
    (known,) = sql("SELECT version_num FROM alembic_version")[0]
    sql("UPDATE alembic_version SET version_num = '9999'")
    before = (tmp_path / "c.db").read_bytes()
    with pytest.raises(SchemaVersionError) as caught:
        open_vault(settings)
    _names(caught.value, "9999", str(known), "install the release")
    assert (tmp_path / "c.db").read_bytes() == before
    sql("UPDATE alembic_version SET version_num = ?", (known,))
    _intact(settings)


@pytest.mark.parametrize("cut", [0, 1, 30, 70, 100])
def test_a_truncated_key_file_loses_nothing(settings: StoreSettings, tmp_path: Path, cut: int) -> None:
    """The start stops and names file and backup; with the file from the backup everything is there."""
    file = tmp_path / "keys" / "kek-1.key"
    whole = file.read_bytes()
    file.write_bytes(whole[:cut])
    with pytest.raises(KeyProviderError) as caught:
        open_vault(settings)
    _names(caught.value, "kek-1.key", "cut short", "backup")
    assert file.read_bytes() == whole[:cut]
    file.write_bytes(whole)
    _intact(settings)


def test_a_wrong_key_opens_nothing_and_changes_nothing(settings: StoreSettings, tmp_path: Path) -> None:
    """Another store's key is recognised before anything is opened with it, and this one's can be put back."""
    file, kept = tmp_path / "keys" / "kek-1.key", tmp_path / "kept"
    file.rename(kept)
    (tmp_path / "other").mkdir()
    open_vault(settings_in(tmp_path / "other")).close()
    (tmp_path / "other" / "keys" / "kek-1.key").rename(file)
    with pytest.raises(KeyProviderError) as caught:
        open_vault(settings)
    _names(caught.value, "backup|put that")
    kept.replace(file)
    _intact(settings)


def test_a_key_that_others_may_read_is_refused(settings: StoreSettings, tmp_path: Path) -> None:
    """The message says which file it is and how to close it, and that others may know the key."""
    file = tmp_path / "keys" / "kek-1.key"
    file.chmod(0o644)
    with pytest.raises(KeyProviderError) as caught:
        open_vault(settings)
    _names(caught.value, "kek-1.key", "chmod 600", "known")
    file.chmod(0o600)
    _intact(settings)


@pytest.mark.parametrize("scheme", ["postgresql+psycopg2", "mysql+pymysql"])
def test_a_database_that_refuses_is_unreachable(scheme: str) -> None:
    """Nobody listens at the port: the message names host and cause, and neither user's password nor a value."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        database = Database(f"{scheme}://someone:CANARYpassword@127.0.0.1:{taken.getsockname()[1]}/test")
        with pytest.raises(UnreachableError) as caught, database.read():
            pass
    _names(caught.value, "127.0.0.1")


@pytest.mark.parametrize("scheme", ["postgresql+psycopg2", "mysql+pymysql"])
def test_a_database_that_says_nothing_is_given_up(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and never answers is unreachable after some seconds, and not waited for without end."""
    monkeypatch.setattr(mariadb, "_SOCKET_SECONDS", 1)  # else twice what a statement may take
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database(f"{scheme}://someone:CANARYpassword@127.0.0.1:{silent.getsockname()[1]}/test")
        with pytest.raises(UnreachableError) as caught, database.read():
            pass
    _names(caught.value, "127.0.0.1")
