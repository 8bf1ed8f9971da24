"""Opening the store, and the ways in which that must fail."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.errors import (
    KeyProviderError,
    PolicyError,
    PrivacyError,
    SchemaVersionError,
    StorageError,
)
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.vault import Vault, open_vault, utc_now

Sql = Callable[..., list[Any]]


@pytest.fixture
def closed(vault: Vault, save: Callable[..., int], tmp_path: Path) -> Path:
    """Return the key file of a closed store that holds a conversation."""
    save("a", ["event"])
    vault.close()
    return tmp_path / "keys" / "kek-1.key"


def _fails(settings: StoreSettings, error: type[PrivacyError], match: str) -> None:
    with pytest.raises(error, match=match):
        open_vault(settings)


def test_a_store_is_made_and_found_again(settings: StoreSettings, closed: Path) -> None:
    """What one process stored, the next one reads."""
    opened = open_vault(settings)
    with opened.database.read() as conn:
        stored = opened.conversations.load(conn, "a")
        assert stored is not None
        assert stored.structure == ["event"]
        assert opened.policy.controller.name == "Northwind Outdoor"
    opened.close()
    assert closed.stat().st_mode & 0o777 == 0o600


def test_an_existing_key_is_used_for_a_new_database(settings: StoreSettings, closed: Path, tmp_path: Path) -> None:
    """A second database may share the key; their indexes differ all the same."""
    before = closed.read_bytes()
    first = open_vault(settings)
    second = open_vault(replace(settings, url=f"sqlite:///{tmp_path}/second.db"))
    assert closed.read_bytes() == before
    assert first.index.key != second.index.key
    first.close()
    second.close()


def test_a_lost_key_is_never_replaced(settings: StoreSettings, closed: Path) -> None:
    """Without its key an existing database is not opened, and no new key is made."""
    closed.unlink()
    _fails(settings, KeyProviderError, "backup")
    assert list(closed.parent.iterdir()) == []
    closed.parent.rmdir()
    _fails(settings, KeyProviderError, "backup")
    assert not closed.parent.exists()


@pytest.mark.usefixtures("closed")
def test_another_databases_key_is_refused(settings: StoreSettings, tmp_path: Path) -> None:
    """A key file of another database is named as such, before anything is opened with it."""
    elsewhere = KeySettings("file", tmp_path / "other_keys")
    open_vault(replace(settings, url=f"sqlite:///{tmp_path}/other.db", keys=elsewhere)).close()
    _fails(replace(settings, keys=elsewhere), KeyProviderError, "not the one of")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_can_read_is_refused(settings: StoreSettings, closed: Path, mode: int) -> None:
    """A key file with permissions for others stops the start."""
    closed.chmod(mode)
    _fails(settings, KeyProviderError, "chmod 600")


def test_a_truncated_key_is_refused(settings: StoreSettings, closed: Path) -> None:
    """A key file that was cut short stops the start."""
    closed.write_bytes(closed.read_bytes()[:-20])
    _fails(settings, KeyProviderError, "cut short")


@pytest.mark.usefixtures("closed")
def test_a_missing_or_moved_index_key_is_refused(settings: StoreSettings, sql: Sql) -> None:
    """Without the index key nobody could be found, so the store does not open."""
    sql("UPDATE system_keys SET wrapped = randomblob(68)")
    _fails(settings, PrivacyError, "key")
    sql("DELETE FROM system_keys")
    _fails(settings, PrivacyError, "index key is missing")


def test_a_wrong_policy_is_reported_first(settings: StoreSettings, tmp_path: Path) -> None:
    """With a privacy.yml that is wrong, neither database nor key is made."""
    (tmp_path / "privacy.yml").write_text("version: 1\n")
    _fails(settings, PolicyError, "privacy.yml")
    assert [file.name for file in tmp_path.iterdir()] == ["privacy.yml"]


def test_the_database_is_reported_before_the_key(settings: StoreSettings, closed: Path, sql: Sql) -> None:
    """With wrong schema and wrong key the schema is named."""
    closed.unlink()
    sql("UPDATE alembic_version SET version_num = '9999'")
    _fails(settings, SchemaVersionError, "9999")


def test_a_directory_that_is_missing_is_reported(settings: StoreSettings, tmp_path: Path) -> None:
    """A database in a directory that is not there makes no key."""
    _fails(replace(settings, url=f"sqlite:///{tmp_path}/none/c.db"), StorageError, "make the directory")
    assert not (tmp_path / "keys").exists()


def test_a_key_without_its_database_is_no_obstacle(settings: StoreSettings, closed: Path, tmp_path: Path) -> None:
    """A start that was cut off between key and commit can be repeated."""
    for file in tmp_path.glob("c.db*"):
        file.unlink()
    before = closed.read_bytes()
    open_vault(settings).close()
    assert closed.read_bytes() == before


def test_randomness_is_passed_in(settings: StoreSettings) -> None:
    """All randomness comes from the argument."""
    drawn: list[int] = []

    def source(size: int) -> bytes:
        drawn.append(size)
        return os.urandom(size)

    opened = open_vault(settings, random_bytes=source)
    assert sorted(drawn) == [8, 12, 12, 16, 32, 32, 32]  # temporary name, nonces, store id, index key, signing key, key
    drawn.clear()
    with opened.database.write() as conn:
        opened.conversations.append(conn, "a", 0, ["x"], {}, [], opened.clock())
    assert sorted(drawn) == [12, 12, 12, 12, 16, 32]
    opened.close()


def test_the_vault_shows_no_key(vault: Vault) -> None:
    """The repr of an open store holds neither key."""
    assert repr(vault.epochs.kek(1).secret) not in repr(vault)
    assert repr(vault.index.key) not in repr(vault)


def test_the_clock_is_aware() -> None:
    """The default clock is in UTC and says so."""
    offset = utc_now().utcoffset()
    assert offset is not None
    assert not offset
