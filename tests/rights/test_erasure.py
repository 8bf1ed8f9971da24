"""Erasure: everything goes, a certificate says so, and nothing stands in its way."""

import errno
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlalchemy.engine import Engine

from rasa_privacy.crypto.identity import SERVICE, Place
from rasa_privacy.crypto.sealing import seal
from rasa_privacy.errors import JournalError, KeyDestroyedError, StorageError
from rasa_privacy.rights.access import holdings
from rasa_privacy.rights.erasure import ErasureCertificate, certificate_number, erase
from rasa_privacy.storage.conversation_rows import by_subject
from rasa_privacy.storage.journal_entry import Erased
from rasa_privacy.storage.subjects import SENDER_DOMAIN
from rasa_privacy.storage.tables import conversations
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, START, active, evidence, give, grant, held, ledger_events

Sql = Callable[..., list[Any]]
VALUES = {"draw": {"full_name": "Ana Li"}, "newsletter": {"birthday": "1990"}}
#: What the erasure counts besides of the values that the person gave.
COUNTED = {"values": 2, "draw:full_name": 1, "newsletter:birthday": 1}


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person with two consents and three events."""
    subject_id = grant(vault, "draw", "newsletter")
    give(vault, VALUES, events=3)
    return subject_id


def erased(vault: Vault, sender: str = SENDER) -> ErasureCertificate:
    """Erase a person who is there."""
    certificate = erase(vault, sender, evidence(vault))
    assert certificate is not None
    return certificate


def assert_gone(vault: Vault, subject_id: bytes) -> None:
    """Check that neither person, key nor event is left, and that a certificate names the erasure."""
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, SENDER) is None
        assert vault.data_keys.of_subject(connection, subject_id) == {}
        assert vault.erasures.is_erased(connection, subject_id)
        assert vault.erasures.tombstone_of(connection, SENDER) is not None
        assert holdings(vault, connection, SENDER).is_empty


def test_everything_is_gone_and_the_certificate_says_what(vault: Vault, subject_id: bytes) -> None:
    """The certificate counts what was destroyed, and its number is known."""
    certificate = erased(vault)
    assert re.fullmatch(r"ER(-[0-9A-HJKMNP-TV-Z]{4}){3}", certificate.number)
    assert certificate.erased_at == START
    assert certificate.counts == {"events": 3, "keys": 3}
    assert_gone(vault, subject_id)
    with vault.database.read() as connection:
        entry = vault.erasures.certificate(connection, certificate.number)
    assert entry is not None
    assert (entry.subject_id, entry.counts, entry.erased_at) == (subject_id, {**certificate.counts, **COUNTED}, START)


def test_ledger_shows_the_end_of_each_consent(vault: Vault, subject_id: bytes) -> None:
    """The records stay under the random id, closed, and the chain still verifies."""
    erased(vault)
    assert ledger_events(vault, subject_id)[-2:] == [("draw", "withdrawn"), ("newsletter", "withdrawn")]
    with vault.database.read() as connection:
        vault.ledger.verify(connection)


def test_erasing_twice_is_no_error(vault: Vault, subject_id: bytes) -> None:
    """The second time there is nothing left, and no second certificate."""
    erased(vault)
    assert erase(vault, SENDER, evidence(vault)) is None
    assert_gone(vault, subject_id)


def test_somebody_unknown_has_nothing_to_erase(vault: Vault) -> None:
    """Without a person there is no certificate."""
    assert erase(vault, "nobody", evidence(vault)) is None


def test_person_who_comes_back_is_new(vault: Vault, subject_id: bytes) -> None:
    """A new subject has no consent and no value, and can be erased again."""
    first = erased(vault)
    assert active(vault) == frozenset()
    again = grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    assert again != subject_id
    assert active(vault) == {"draw"}
    assert erased(vault).number != first.number


def test_others_keep_what_is_theirs(vault: Vault, subject_id: bytes) -> None:
    """Erasing one person touches nobody else."""
    grant(vault, "draw", sender="ben")
    give(vault, {"draw": {"full_name": "Ben Ko"}}, sender="ben")
    erased(vault)
    assert_gone(vault, subject_id)
    assert held(vault, "ben") == {"draw": {"full_name": "Ben Ko"}}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE conversations SET manifest = randomblob(length(manifest))",
        "UPDATE conversations SET manifest = x'00'",
        "UPDATE conversations SET sealed_sender = randomblob(80)",
        "UPDATE segments SET sealed = randomblob(length(sealed))",
        "DELETE FROM segments",
        "DELETE FROM data_keys WHERE purpose = 'service'",
        "DELETE FROM data_keys",
        "UPDATE data_keys SET wrapped = randomblob(length(wrapped))",
        "UPDATE data_keys SET wrapped = x'00' WHERE purpose = 'draw'",
    ],
)
def test_damaged_conversation_can_be_erased(vault: Vault, subject_id: bytes, sql: Sql, damage: str) -> None:
    """What cannot be read any more can still be destroyed."""
    sql(damage)
    assert re.match("ER-", erased(vault).number)
    assert_gone(vault, subject_id)


@pytest.mark.usefixtures("subject_id")
def test_rows_that_come_back_without_their_keys_do_not_open(vault: Vault, sql: Sql) -> None:
    """A conversation that is restored after the erasure, as a partial backup would, cannot be read."""
    subject, conversation = sql("SELECT * FROM subjects")[0], sql("SELECT * FROM conversations")[0]
    erased(vault)
    sql("INSERT INTO subjects VALUES (?, ?, ?)", subject)
    sql(f"INSERT INTO conversations VALUES ({', '.join('?' * len(conversation))})", conversation)  # noqa: S608 - question marks
    with pytest.raises(KeyDestroyedError):
        held(vault)


def _statements(vault: Vault, sender: str) -> int:
    counted: list[str] = []

    def count(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        counted.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        erased(vault, sender)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    return len(counted)


def test_cost_does_not_depend_on_the_length(vault: Vault) -> None:
    """20 events and 5,000 events take the same number of statements."""
    for sender, saves in (("short", 1), ("long", 250)):
        grant(vault, "draw", sender=sender)
        for _ in range(saves):
            give(vault, {"draw": {"full_name": sender}}, sender=sender, events=20)
    assert _statements(vault, "long") == _statements(vault, "short")


def test_certificate_numbers_are_made_of_the_given_randomness() -> None:
    """The number is three groups of four, without letters that are taken for digits."""
    assert certificate_number(lambda length: b"\xff" * length) == "ER-ZZZZ-ZZZZ-ZZZZ"
    assert not set("ILOU") & set("".join(certificate_number()[3:] for _ in range(200)))


def test_erasure_that_reading_back_does_not_confirm_gets_no_certificate(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim "checked" rests on the check: where the rows are still there, nothing is claimed."""
    grant(vault, "draw")
    monkeypatch.setattr(type(vault.erasures), "bury", lambda *_arguments, **_named: None)
    with pytest.raises(StorageError, match="still finds"):
        erase(vault, SENDER, evidence(vault))


def test_full_disk_for_the_journal_erases_nothing(
    vault: Vault, subject_id: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without its entry in the journal a restore could undo the erasure, so it is not begun, and that is said."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(JournalError, match="disk is full"):
            erase(vault, SENDER, evidence(vault))
    assert held(vault) == VALUES
    assert active(vault) == {"draw", "newsletter"}
    assert (tmp_path / "keys" / "erasures.journal").read_bytes() == b""
    erased(vault)
    assert_gone(vault, subject_id)


def test_journal_has_the_certificate_and_no_sender(vault: Vault, subject_id: bytes) -> None:
    """Its entry names the random id, and nothing by which a person can be looked up."""
    certificate = erased(vault)
    (_, entry), *more = vault.journal.after(0)
    assert entry == Erased(subject_id, certificate.erased_at, certificate.number, {**certificate.counts, **COUNTED})
    assert more == []


def _second_conversation(vault: Vault, subject_id: bytes, sender: str) -> None:
    """Give a person a second conversation with four events, as a merge of two channels would."""
    with vault.database.read() as connection:
        key = vault.data_keys.get(connection, subject_id, SERVICE)
    assert key is not None
    row = {
        "conversation_id": bytes(16),
        "subject_id": subject_id,
        "sender_index": vault.index.to_find(SENDER_DOMAIN, sender),
        "sealed_sender": seal(key, sender.encode(), Place(subject_id, bytes(16)).sender(), b"twelve bytes"),
        "version": 0,
        "session": 0,
        "manifest": None,
    }
    with vault.database.write() as connection:
        connection.execute(insert(conversations), row)
    give(vault, {}, sender=sender, events=4)


def test_all_conversations_of_a_person_go(vault: Vault, subject_id: bytes) -> None:
    """Whoever asks in one of them is erased in the others too, and each sender is marked."""
    _second_conversation(vault, subject_id, "by mail")
    assert erased(vault).counts == {"events": 7, "keys": 3}
    assert_gone(vault, subject_id)
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, "by mail") is None
        assert vault.erasures.tombstone_of(connection, "by mail") is not None
        assert by_subject(connection, subject_id) == []


def test_two_who_erase_at_once_both_find_the_person_gone(vault: Vault, subject_id: bytes) -> None:
    """One gets the certificate, the other finds nothing stored, and neither fails."""
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: erase(vault, SENDER, evidence(vault)), range(4)))
    assert sum(certificate is not None for certificate in done) == 1
    assert_gone(vault, subject_id)
