"""Rotation of key-encryption keys, and keys in a database of their own, on each kind of database."""

import dataclasses
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from rasa_privacy.errors import ConfigurationError, KeyProviderError
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage import key_expiry
from rasa_privacy.storage import rotation as module
from rasa_privacy.storage.vault import Vault, open_vault

PEOPLE = 25


@pytest.fixture(params=["one database", "keys apart"])
def place(request: pytest.FixtureRequest, settings: StoreSettings, tmp_path: Path) -> StoreSettings:
    """Return settings of a store whose data keys lie beside the conversations, or in a database of their own."""
    if request.param == "one database":
        return settings
    keys = KeySettings("file", tmp_path / "keys", url=f"sqlite:///{tmp_path}/keys.db")
    return dataclasses.replace(settings, keys=keys)


@pytest.fixture
def store(place: StoreSettings, now: datetime) -> Iterator[Vault]:
    """Return an open store with conversations."""
    vault = open_vault(place, clock=lambda: now)
    for number in range(PEOPLE):
        write(vault, f"person {number}", now)
    yield vault
    vault.close()


def write(vault: Vault, sender: str, now: datetime) -> None:
    """Store one event with one value."""
    with vault.database.write() as conn:
        version, count = vault.conversations.head(conn, sender)
        vault.conversations.append(conn, sender, version, [{"event": "x"}], {"draw": [[count, sender]]}, [], now)


def read(vault: Vault, sender: str) -> list[object]:
    """Return the values of one person."""
    with vault.database.read() as conn:
        stored = vault.conversations.load(conn, sender)
    assert stored is not None
    return [entry[1] for entry in stored.values["draw"]]


def rotate(vault: Vault, now: datetime) -> int:
    """Rotate and return how many keys were wrapped anew."""
    vault.rotation.begin_epoch(now)
    return sum(vault.rotation.rewrap())


def counts(vault: Vault) -> dict[int, int]:
    """Return the number of keys by epoch."""
    with vault.key_database.read() as conn:
        return vault.epochs.key_counts(conn)


def test_rotation_moves_every_key_and_no_segment(store: Vault, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """All keys are in the new epoch, in batches that split no person, and every conversation is as it was."""
    monkeypatch.setattr(module, "BATCH", 7)
    segments = "SELECT * FROM segments ORDER BY conversation_ref, session, number"
    with store.database.read() as conn:
        before = conn.exec_driver_sql(segments).all()
    assert rotate(store, now) == 2 * PEOPLE
    assert counts(store) == {2: 2 * PEOPLE}
    with store.database.read() as conn:
        assert conn.exec_driver_sql(segments).all() == before
    assert all(read(store, f"person {number}") == [f"person {number}"] for number in range(PEOPLE))


def test_a_server_that_was_open_before_goes_on(store: Vault, place: StoreSettings, now: datetime) -> None:
    """Another process that knows the old epoch only reads and writes on, in the new one."""
    with_other = open_vault(place, clock=lambda: now)
    assert read(with_other, "person 1") == ["person 1"]
    rotate(store, now)
    store.rotation.end_epoch(1, now)
    write(with_other, "person 1", now)
    write(with_other, "somebody new", now)
    assert read(with_other, "person 1") == ["person 1", "person 1"]
    assert read(store, "somebody new") == ["somebody new"]
    assert set(counts(store)) == {2}
    with_other.close()


def test_a_server_lets_go_of_a_kek_that_another_process_destroyed(
    store: Vault, place: StoreSettings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it has met the new epoch; until the old one is ended it stays, since it is needed."""
    monkeypatch.setattr(key_expiry, "LOOK_SECONDS", 0.01)
    other = open_vault(place, clock=lambda: now)
    rotate(store, now)
    assert read(other, "person 1") == ["person 1"]
    other.data_keys.forget_ended_epochs()
    assert set(other.epochs._keks) == {1, 2}
    store.rotation.end_epoch(1, now)
    key_expiry.expire_beside(other)
    until = time.monotonic() + 20
    while 1 in other.epochs._keks and time.monotonic() < until:
        time.sleep(0.01)
    assert set(other.epochs._keks) == {2}
    assert read(other, "person 2") == ["person 2"]
    other.close()


def test_a_store_that_was_closed_is_not_opened_again_to_let_go_of_a_kek(
    store: Vault, place: StoreSettings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file may be put back meanwhile, and a server keeps no connection for it."""
    other = open_vault(place, clock=lambda: now)
    rotate(store, now)
    assert read(other, "person 1") == ["person 1"]
    assert len(other.epochs._keks) > 1
    other.close()
    monkeypatch.setattr(other.key_database, "read", lambda: pytest.fail("it was opened again"))
    other.data_keys.forget_ended_epochs()


def test_a_key_made_during_a_rotation_is_in_the_new_epoch(store: Vault, now: datetime) -> None:
    """From the first commit of a rotation on nobody wraps with the old key."""
    store.rotation.begin_epoch(now)
    write(store, "somebody new", now)
    assert counts(store) == {1: 2 * PEOPLE, 2: 2}


def test_a_key_destroyed_during_a_rotation_stays_destroyed(
    store: Vault, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch changes only what is there when it is written, so that no wrapped key comes back after an erasure."""
    monkeypatch.setattr(module, "BATCH", 2)
    store.rotation.begin_epoch(now)
    gone: set[bytes] = set()

    def erase() -> None:
        for number in range(PEOPLE):
            with store.database.write() as conn:
                subject = store.subjects.find(conn, f"person {number}")
                assert subject is not None
                store.data_keys.destroy(conn, subject, "draw")
                gone.add(subject)

    eraser = threading.Thread(target=erase)
    eraser.start()
    list(store.rotation.rewrap())
    eraser.join()
    list(store.rotation.rewrap())
    with store.database.read() as conn:
        assert all(set(store.data_keys.of_subject(conn, subject)) == {"service"} for subject in gone)
    assert counts(store) == {2: PEOPLE}


def test_a_rotation_that_begins_between_reading_and_writing_is_obeyed(
    store: Vault, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are never written under a KEK that is not the active one any more: its epoch may be ended already."""
    store.rotation.begin_epoch(now)
    written = module.Rotation._written

    def overtaken(self: module.Rotation, batch: module._Batch) -> int:
        if batch.active == 2:
            self.begin_epoch(now)
        return written(self, batch)

    monkeypatch.setattr(module.Rotation, "_written", overtaken)
    assert sum(store.rotation.rewrap()) == 2 * PEOPLE
    assert counts(store) == {3: 2 * PEOPLE}
    list(store.rotation.rewrap())  # the store's own keys, which the rotation that was overtaken wrapped first
    store.rotation.end_epoch(1, now)
    store.rotation.end_epoch(2, now)
    assert all(read(store, f"person {number}") == [f"person {number}"] for number in range(PEOPLE))


def test_ending_an_epoch_makes_older_backups_unreadable(
    store: Vault, place: StoreSettings, now: datetime, tmp_path: Path
) -> None:
    """The KEK is gone, the store works, and what was copied before cannot be opened with what is left."""
    store.checkpoint()
    backup = tmp_path / "backup"
    backup.mkdir()
    for file in tmp_path.glob("*.db"):
        shutil.copy(file, backup / file.name)
    rotate(store, now)
    store.rotation.end_epoch(1, now)
    assert [path.name for path in (tmp_path / "keys").glob("kek-*")] == ["kek-2.key"]
    assert read(store, "person 3") == ["person 3"]
    store.close()
    for file in backup.glob("*.db"):
        shutil.copy(file, tmp_path / file.name)
    with pytest.raises(KeyProviderError, match="kek-1"):
        open_vault(place, clock=lambda: now)


def test_an_epoch_that_is_used_cannot_be_ended(store: Vault, now: datetime) -> None:
    """Neither the active one, nor one that still has keys, nor one that never was; and nothing is destroyed."""
    with pytest.raises(ConfigurationError, match="active"):
        store.rotation.end_epoch(1, now)
    store.rotation.begin_epoch(now)
    with pytest.raises(ConfigurationError, match="still has keys"):
        store.rotation.end_epoch(1, now)
    with pytest.raises(ConfigurationError, match="no epoch 9"):
        store.rotation.end_epoch(9, now)
    assert store.epochs.provider.epochs() == [1, 2]
    assert read(store, "person 0") == ["person 0"]


def test_ending_an_epoch_twice_is_no_error(store: Vault, now: datetime) -> None:
    """What was interrupted between the commit and the destruction is finished by doing it again."""
    rotate(store, now)
    store.rotation.end_epoch(1, now)
    store.rotation.end_epoch(1, now)
    assert store.epochs.provider.epochs() == [2]


def test_a_damaged_key_does_not_stop_a_rotation(store: Vault, now: datetime) -> None:
    """The others are moved; the damaged one stays in its epoch, which therefore cannot be ended."""
    with store.key_database.write() as conn:
        conn.exec_driver_sql(
            "UPDATE data_keys SET wrapped = zeroblob(68) WHERE subject_id = "
            "(SELECT MIN(subject_id) FROM data_keys) AND purpose = 'draw'"
        )
    rotate(store, now)
    assert counts(store) == {1: 1, 2: 2 * PEOPLE - 1}
    with pytest.raises(ConfigurationError, match="damaged"):
        store.rotation.end_epoch(1, now)


def test_many_rotations_follow_one_another(store: Vault, now: datetime) -> None:
    """Epochs count up, and each old key is destroyed in its turn."""
    for number in (1, 2, 3):
        rotate(store, now)
        store.rotation.end_epoch(number, now)
    assert counts(store) == {4: 2 * PEOPLE}
    assert read(store, "person 9") == ["person 9"]


def test_keys_apart_are_in_no_copy_of_the_conversations(settings: StoreSettings, now: datetime, tmp_path: Path) -> None:
    """With `keys.url` the database of conversations holds no wrapped key, index key or fingerprint."""
    keys = KeySettings("file", tmp_path / "keys", url=f"sqlite:///{tmp_path}/keys.db")
    vault = open_vault(dataclasses.replace(settings, keys=keys), clock=lambda: now)
    write(vault, "somebody", now)
    with vault.database.read() as conn:
        for table in ("data_keys", "system_keys", "epochs"):
            assert conn.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar() == 0  # noqa: S608 - our own names
    vault.checkpoint()
    assert b"RPK\x01" not in (tmp_path / "c.db").read_bytes()
    vault.close()


@pytest.mark.parametrize("lost", ["c.db", "keys.db"])
def test_two_halves_that_do_not_belong_together_are_refused(
    settings: StoreSettings, now: datetime, tmp_path: Path, lost: str
) -> None:
    """A store with one of its databases gone or exchanged does not start, and makes nothing new."""
    keys = KeySettings("file", tmp_path / "keys", url=f"sqlite:///{tmp_path}/keys.db")
    place = dataclasses.replace(settings, keys=keys)
    vault = open_vault(place, clock=lambda: now)
    write(vault, "somebody", now)
    vault.checkpoint()
    vault.close()
    for file in tmp_path.glob(f"{lost}*"):
        file.unlink()
    with pytest.raises(KeyProviderError, match="backup"):
        open_vault(place, clock=lambda: now)
    with pytest.raises(KeyProviderError, match="backup"):
        open_vault(place, clock=lambda: now)


def test_a_founding_that_was_interrupted_is_finished(settings: StoreSettings, now: datetime, tmp_path: Path) -> None:
    """Keys that were founded without the conversations' half, and used by nobody, are taken up at the next start."""
    keys = KeySettings("file", tmp_path / "keys", url=f"sqlite:///{tmp_path}/keys.db")
    place = dataclasses.replace(settings, keys=keys)
    open_vault(place, clock=lambda: now).close()
    for file in tmp_path.glob("c.db*"):
        file.unlink()
    vault = open_vault(place, clock=lambda: now)
    write(vault, "somebody", now)
    assert read(vault, "somebody") == ["somebody"]
    vault.close()
