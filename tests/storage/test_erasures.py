"""Erasing people."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.errors import ConversationConflictError, StorageError
from rasa_privacy.storage.erasures import Erasure
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault

Save = Callable[..., int]
Load = Callable[..., Any]
Sql = Callable[..., list[Any]]
_PERSONAL = ("subjects", "conversations", "sessions", "segments", "data_keys")


@pytest.fixture
def erase(vault: Vault, now: datetime) -> Callable[[str, str], bytes]:
    """Return a function that erases a sender and returns the subject id."""

    def bury(sender: str, certificate: str) -> bytes:
        with vault.database.write() as conn:
            subject_id = vault.subjects.find(conn, sender)
            assert subject_id is not None
            vault.erasures.bury(conn, subject_id, now, certificate, {"events": 3, "draw": 1})
        return subject_id

    return bury


def _fill(save: Save) -> None:
    for sender in ("a", "b"):
        save(sender, [1, 2], {"draw": [[0, "x"]]})
        save(sender, [3], {"news": [[2, "x"]]}, starts=[0])


def test_nothing_of_an_erased_person_is_left(save: Save, load: Load, sql: Sql, erase: Callable[..., bytes]) -> None:
    """All rows of the person go, and nobody else's."""
    _fill(save)
    before = {table: sql(f"SELECT count(*) FROM {table}")[0][0] for table in _PERSONAL}  # noqa: S608 - own constants
    erase("a", "ER-1")
    assert load("a") is None
    for table in _PERSONAL:
        assert sql(f"SELECT count(*) FROM {table}") == [(before[table] // 2,)]  # noqa: S608 - own constants
    assert load("b", all_sessions=True).structure == [1, 2, 3]


def test_journal_and_tombstone_remember(vault: Vault, save: Save, erase: Callable[..., bytes], now: datetime) -> None:
    """The certificate, the subject and the sender are known as erased."""
    _fill(save)
    subject_id = erase("a", "ER-1")
    with vault.database.read() as conn:
        tombstone = vault.erasures.tombstone_of(conn, "a")
        assert tombstone is not None
        assert tombstone.erased_at == now
        assert vault.erasures.tombstone_of(conn, "b") is None
        assert vault.erasures.is_erased(conn, subject_id)
        assert not vault.erasures.is_erased(conn, b"x" * 16)
        found = vault.erasures.certificate(conn, "ER-1")
        assert found is not None
        assert found.key_ids is not None
        assert set(found.key_ids) == {"service", "draw", "news"}
        assert all(len(key_id) == 64 for key_id in found.key_ids.values())
        assert replace(found, key_ids=None) == Erasure("ER-1", subject_id, now, {"events": 3, "draw": 1})
        assert vault.erasures.certificate(conn, "ER-2") is None


def test_a_late_write_does_not_bring_the_person_back(
    vault: Vault, save: Save, load: Load, erase: Callable[..., bytes]
) -> None:
    """Whoever appends to what was erased gets a conflict."""
    _fill(save)
    erase("a", "ER-1")
    with pytest.raises(ConversationConflictError, match="erased"):
        save("a", ["late"], version=2)
    assert load("a") is None
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, "a") is None


def test_a_person_who_comes_back_is_somebody_new(
    vault: Vault, save: Save, load: Load, erase: Callable[..., bytes]
) -> None:
    """After an erasure the same sender is another subject, can be erased again, and the latest tombstone counts."""
    _fill(save)
    first = erase("a", "ER-1")
    save("a", ["hello again"])
    assert load("a").structure == ["hello again"]
    assert load("a").subject_id != first
    second = erase("a", "ER-2")
    with vault.database.read() as conn:
        tombstone = vault.erasures.tombstone_of(conn, "a")
        assert tombstone is not None
        assert vault.erasures.certificate_of(conn, second) == "ER-2"
        assert vault.erasures.is_erased(conn, first)


def test_erasing_again_is_recorded_and_harmless(
    vault: Vault, save: Save, erase: Callable[..., bytes], now: datetime
) -> None:
    """The same subject can be buried twice; a subject that never was cannot."""
    _fill(save)
    subject_id = erase("a", "ER-1")
    later = now + timedelta(days=1)
    with vault.database.write() as conn:
        vault.erasures.bury(conn, subject_id, later, "ER-2", {})
        tombstone = vault.erasures.tombstone_of(conn, "a")
        assert tombstone is not None
        assert vault.erasures.certificate_of(conn, subject_id) == "ER-1"
    with pytest.raises(StorageError, match="no such subject"), vault.database.write() as conn:
        vault.erasures.bury(conn, b"x" * 16, later, "ER-3", {})


def test_a_certificate_number_is_used_once(save: Save, load: Load, erase: Callable[..., bytes]) -> None:
    """A number that was given out undoes the whole second erasure."""
    _fill(save)
    erase("a", "ER-1")
    with pytest.raises(StorageError, match="there already"):
        erase("b", "ER-1")
    assert load("b") is not None


def test_a_damaged_conversation_can_be_erased(save: Save, load: Load, sql: Sql, erase: Callable[..., bytes]) -> None:
    """What cannot be opened any more can still be deleted."""
    _fill(save)
    sql("UPDATE conversations SET manifest = x'00', sealed_sender = x'00'")
    sql("UPDATE segments SET sealed = x'00'")
    sql("UPDATE data_keys SET wrapped = x'00'")
    erase("a", "ER-1")
    assert load("a") is None


def test_the_ledger_stays(vault: Vault, save: Save, erase: Callable[..., bytes], now: datetime) -> None:
    """The proof of consent survives under the random id, and still verifies."""
    _fill(save)
    with vault.database.write() as conn:
        subject_id = vault.subjects.find(conn, "a")
        assert subject_id is not None
        vault.ledger.append(conn, LedgerRecord(subject_id, "draw", "granted", bytes(32), "en", "button", "rest", now))
    erase("a", "ER-1")
    with vault.database.read() as conn:
        assert len(vault.ledger.of_subject(conn, subject_id)) == 1
        vault.ledger.verify(conn)


def test_not_even_sealed_bytes_are_left(
    vault: Vault, save: Save, sql: Sql, erase: Callable[..., bytes], tmp_path: Path
) -> None:
    """After the checkpoint neither the sealed segments nor the wrapped keys are in any file."""
    _fill(save)
    where = "(SELECT subject_id FROM conversations WHERE conversation_ref = 1)"
    sealed = [row[0] for row in sql("SELECT sealed FROM segments WHERE conversation_ref = 1")]
    wrapped = [row[0] for row in sql(f"SELECT wrapped FROM data_keys WHERE subject_id = {where}")]  # noqa: S608
    erase("a", "ER-1")
    assert vault.database.checkpoint()
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("c.db*"))
    assert len(sealed) >= 3
    assert len(wrapped) == 3
    # Their random parts: nonce, ciphertext and tag.
    assert not any(raw[-30:] in stored for raw in (*sealed, *wrapped))
