"""Data keys and subjects."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import KeyDestroyedError, PrivacyError, StorageError, TamperedSegmentError
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage import data_keys as module
from rasa_privacy.storage import key_expiry
from rasa_privacy.storage.vault import Vault


@pytest.fixture
def subject(vault: Vault, now: datetime) -> bytes:
    """Return a subject without events."""
    with vault.database.write() as conn:
        return vault.subjects.find_or_create(conn, "+4915112345", now)


def test_a_sender_is_one_subject(vault: Vault, subject: bytes, now: datetime) -> None:
    """The same sender is found again, another is somebody else."""
    with vault.database.write() as conn:
        assert vault.subjects.find_or_create(conn, "+4915112345", now) == subject
        assert vault.subjects.find(conn, "+4915112345") == subject
        assert vault.subjects.find(conn, "+4915112346") is None
        assert vault.subjects.find_or_create(conn, "+4915112346", now) != subject
    assert len(subject) == 16


@pytest.mark.parametrize("sender", ["", "x" * 5000, "Zoë \u0000 \U0001f600", "\ud83d"])
def test_any_sender_id_is_found_again(vault: Vault, now: datetime, sender: str) -> None:
    """Empty, long, odd and invalid sender ids are subjects too, and come back from the list."""
    with vault.database.write() as conn:
        found = vault.subjects.find_or_create(conn, sender, now)
        vault.conversations.append(conn, sender, 0, ["event"], {}, [], now)
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, sender) == found
        assert list(vault.senders.ids(conn)) == [sender]


def test_a_subject_without_events_is_no_conversation(vault: Vault, subject: bytes) -> None:
    """Consent can be asked before anything is stored."""
    with vault.database.read() as conn:
        assert vault.conversations.load(conn, "+4915112345") is None
        assert not vault.conversations.exists(conn, "+4915112345")
        assert vault.conversations.count(conn) == 0
        assert vault.conversations.head(conn, "+4915112345") == (0, 0)
        assert set(vault.data_keys.of_subject(conn, subject)) == {"service"}


def test_a_key_is_made_once(vault: Vault, subject: bytes, now: datetime) -> None:
    """The same purpose has the same key, another purpose another one."""
    with vault.database.write() as conn:
        assert vault.data_keys.get(conn, subject, "draw") is None
        key = vault.data_keys.get_or_create(conn, subject, "draw", now)
        assert vault.data_keys.get_or_create(conn, subject, "draw", now) == key
        assert vault.data_keys.get(conn, subject, "draw") == key
        assert vault.data_keys.get_or_create(conn, subject, "news", now) != key
        assert set(vault.data_keys.of_subject(conn, subject)) == {"service", "draw", "news"}


def test_a_destroyed_key_is_gone(vault: Vault, subject: bytes, now: datetime) -> None:
    """After it was destroyed there is no key, and a new one is another one."""
    with vault.database.write() as conn:
        key = vault.data_keys.get_or_create(conn, subject, "draw", now)
        assert vault.data_keys.destroy(conn, subject, "draw")
        assert not vault.data_keys.destroy(conn, subject, "draw")
        assert vault.data_keys.get(conn, subject, "draw") is None
        assert vault.data_keys.get_or_create(conn, subject, "draw", now) != key


def test_a_key_destroyed_elsewhere_is_gone_here(
    vault: Vault, subject: bytes, now: datetime, sql: Callable[..., list[Any]]
) -> None:
    """Another process's erasure is obeyed at once, although the key was in memory."""
    with vault.database.write() as conn:
        vault.data_keys.get_or_create(conn, subject, "draw", now)
    sql("DELETE FROM data_keys WHERE purpose = 'draw'")
    with vault.database.read() as conn:
        assert vault.data_keys.get(conn, subject, "draw") is None
        assert set(vault.data_keys.of_subject(conn, subject)) == {"service"}


def test_destroying_all_gives_their_ids(vault: Vault, subject: bytes, now: datetime) -> None:
    """The certificate can name which keys were destroyed."""
    with vault.database.write() as conn:
        ids = {key.key_id for key in vault.data_keys.of_subject(conn, subject).values()}
        ids.add(vault.data_keys.get_or_create(conn, subject, "draw", now).key_id)
        assert set(vault.data_keys.destroy_all(conn, subject).values()) == ids
        assert vault.data_keys.of_subject(conn, subject) == {}


def test_a_damaged_key_does_not_stop_an_erasure(vault: Vault, subject: bytes, sql: Callable[..., list[Any]]) -> None:
    """What cannot be unwrapped is destroyed all the same."""
    sql("UPDATE data_keys SET wrapped = x'00'")
    with vault.database.write() as conn:
        assert vault.data_keys.destroy_all(conn, subject) == {"service": b""}
    assert sql("SELECT count(*) FROM data_keys") == [(0,)]


def test_no_key_is_made_for_an_erased_subject(vault: Vault, now: datetime) -> None:
    """A late write cannot make a key for a person who is gone."""
    with pytest.raises(KeyDestroyedError, match="erased"), vault.database.write() as conn:
        vault.data_keys.get_or_create(conn, b"x" * 16, "draw", now)


def test_due_keys_are_listed_oldest_first(vault: Vault, subject: bytes, now: datetime) -> None:
    """A key is due from its time on, unless that was taken back."""
    with vault.database.write() as conn:
        for purpose, minutes in (("draw", 2), ("news", 1), ("fitting", 3)):
            vault.data_keys.get_or_create(conn, subject, purpose, now)
            vault.data_keys.touch(conn, subject, purpose, now + timedelta(minutes=minutes))
        assert vault.due_keys.page(conn, now, 10) == []
        due = vault.due_keys.page(conn, now + timedelta(minutes=2), 10)
        assert [each[1:] for each in due] == [(subject, "news"), (subject, "draw")]
        assert vault.due_keys.page(conn, now + timedelta(minutes=2), 10, after=due[0]) == due[1:]
        assert vault.due_keys.page(conn, now + timedelta(minutes=9), 1) == due[:1]
        assert vault.due_keys.by_purpose(conn, now + timedelta(minutes=2)) == {"draw": 1, "news": 1}
        vault.data_keys.touch(conn, subject, "news", None)
        assert vault.due_keys.page(conn, now + timedelta(minutes=2), 10) == due[1:]


def test_a_time_without_zone_is_refused(vault: Vault, subject: bytes, now: datetime) -> None:
    """Local times would make data live too long or too short."""
    with pytest.raises(StorageError, match="time zone"), vault.database.write() as conn:
        vault.data_keys.touch(conn, subject, "service", now.replace(tzinfo=None))


@pytest.mark.parametrize("cached", [True, False])
def test_a_moved_key_is_noticed(
    vault: Vault, subject: bytes, now: datetime, sql: Callable[..., list[Any]], *, cached: bool
) -> None:
    """A wrapped key in another row is refused, whether or not it was unwrapped before."""
    with vault.database.write() as conn:
        vault.data_keys.get_or_create(conn, subject, "draw", now)
        vault.data_keys.get_or_create(conn, subject, "news", now)
        if cached:
            vault.data_keys.of_subject(conn, subject)
    if not cached:
        vault.data_keys._cache.clear()
    sql("UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE purpose = 'draw')")
    with pytest.raises(TamperedSegmentError, match="another subject or purpose"), vault.database.read() as conn:
        vault.data_keys.of_subject(conn, subject)


@pytest.mark.parametrize("value", ["x'00'", "'text'", "7", "zeroblob(68)", "zeroblob(100000)"])
def test_a_replaced_key_is_noticed(vault: Vault, subject: bytes, sql: Callable[..., list[Any]], value: str) -> None:
    """A wrapped key of another form or type is refused by our own error."""
    sql(f"UPDATE data_keys SET wrapped = {value}")  # noqa: S608 - the values stand above
    with pytest.raises(PrivacyError), vault.database.read() as conn:
        vault.data_keys.of_subject(conn, subject)


def test_the_cache_is_bounded(vault: Vault, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many keys stay in memory, the ones used last."""
    monkeypatch.setattr(module, "_CACHED_KEYS", 3)
    with vault.database.write() as conn:
        subjects = [vault.subjects.find_or_create(conn, f"s{number}", now) for number in range(6)]
        for subject in subjects:
            vault.data_keys.of_subject(conn, subject)
    assert len(vault.data_keys._cache) == 3


def test_a_destroyed_key_leaves_the_memory(vault: Vault, subject: bytes, now: datetime) -> None:
    """A key that this process destroys is not kept in its cache."""
    with vault.database.write() as conn:
        vault.data_keys.get_or_create(conn, subject, "draw", now)
        vault.data_keys.of_subject(conn, subject)
        vault.data_keys.destroy(conn, subject, "draw")
        vault.data_keys.destroy_all(conn, subject)
    assert len(vault.data_keys._cache) == 0


def test_a_key_that_another_process_destroyed_leaves_the_memory(
    vault: Vault, subject: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nobody writes to this one any more; a key that is in use stays for its minute."""
    monkeypatch.setattr(key_expiry, "LOOK_SECONDS", 0.01)
    seconds = [0.0]
    keys = module.DataKeys(vault.epochs, bytes, monotonic=lambda: seconds[0])
    with vault.database.read() as conn:
        keys.of_subject(conn, subject)
    thread = key_expiry.expire_beside(replace(vault, data_keys=keys))
    with vault.database.write() as conn:
        vault.data_keys.destroy_all(conn, subject)
    keys.expire()
    assert len(keys._cache) == 1
    seconds[0] = module._CACHED_SECONDS
    until = time.monotonic() + 20
    while keys._cache and time.monotonic() < until:
        time.sleep(0.01)
    assert not keys._cache
    del keys
    thread.join(20)
    assert not thread.is_alive()


def test_a_key_that_nothing_is_stored_under_is_due_after_a_day(vault: Vault, subject: bytes, now: datetime) -> None:
    """Somebody who was asked and never came back does not stay, nor does a key that no save got to use."""
    with vault.database.write() as conn:
        assert vault.due_keys.page(conn, now + timedelta(hours=23), 9) == []
        assert [each[1:] for each in vault.due_keys.page(conn, now + timedelta(hours=24), 9)] == [(subject, "service")]
        vault.data_keys.touch(conn, subject, "service", None)
        assert vault.due_keys.page(conn, now + timedelta(hours=24), 9) == []


def test_an_unwrapped_key_is_remembered_for_some_time_only(vault: Vault, subject: bytes) -> None:
    """After that it is unwrapped again, which is when a key-encryption key that is gone is noticed."""
    seconds = [0.0]
    keys = module.DataKeys(vault.epochs, bytes, monotonic=lambda: seconds[0])
    with vault.database.read() as conn:
        first = keys.get(conn, subject, "service")
        seconds[0] = module._CACHED_SECONDS - 1
        assert keys.get(conn, subject, "service") is first
        seconds[0] = module._CACHED_SECONDS + 1
        again = keys.get(conn, subject, "service")
    assert again == first
    assert again is not first


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_a_person_whose_row_was_deleted_is_still_erased(
    vault: Vault, now: datetime, sql: Callable[..., list[Any]]
) -> None:
    """Nobody is told that nothing is stored of somebody who can be read; what is saved before comes along."""

    def say(sender: str) -> None:
        with vault.database.write() as conn:
            version = vault.conversations.head(conn, sender)[0]
            vault.conversations.append(conn, sender, version, [{"event": "x"}], {}, [], now)

    for sender in ("jane", "ben"):
        say(sender)
    sql("DELETE FROM subjects")
    with vault.database.write() as conn:
        assert vault.subjects.find_or_create(conn, "jane", now) == vault.subjects.find(conn, "jane")
    say("jane")
    for sender, events in (("jane", 2), ("ben", 1)):
        certificate = erase(vault, sender, Evidence("button", "rest", "en", now))
        assert certificate is not None
        assert certificate.counts["events"] == events
        assert erase(vault, sender, Evidence("button", "rest", "en", now)) is None
    assert sql("SELECT conversation_ref FROM conversations") == sql("SELECT subject_id FROM subjects") == []


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.usefixtures("subject")
def test_who_is_erased_while_the_lock_is_waited_for_gets_no_row(
    vault: Vault, sql: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that is gone with its conversation was not lost: nobody goes on for somebody who was just erased."""
    lock = type(vault.subjects).lock

    def erased(self: Any, conn: Any, subject_id: bytes) -> bool:
        conn.exec_driver_sql("DELETE FROM conversations")  # as the erasure that held the lock did
        return lock(self, conn, subject_id)

    sql("DELETE FROM subjects")
    monkeypatch.setattr(type(vault.subjects), "lock", erased)
    with vault.database.write() as conn:
        assert vault.subjects.find_for_update(conn, "+4915112345") is None
    assert sql("SELECT subject_id FROM subjects") == []
