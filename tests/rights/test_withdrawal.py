"""Taking consent back: what only it allowed is gone, and nothing else."""

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from rasa_privacy.errors import JournalError
from rasa_privacy.rights.withdrawal import Withdrawal, withdraw
from rasa_privacy.storage.journal_entry import Withdrawn
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import Clock, active, answer, ask, evidence, give, grant, held, ledger_events

EMAIL = "ana@x.example"


def take_back(vault: Vault, subject_id: bytes, *purposes: str) -> Withdrawal:
    """Withdraw from these purposes."""
    return vault.database.transact(lambda conn: withdraw(vault, conn, subject_id, purposes, evidence(vault)))


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person with a value that two purposes share and values of one purpose each."""
    subject_id = grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana Li", "email": EMAIL}, "newsletter": {"email": EMAIL, "birthday": "1990"}})
    return subject_id


def test_shared_value_stays_for_the_purpose_that_is_still_active(vault: Vault, subject_id: bytes) -> None:
    """Withdrawing the newsletter takes the birthday, and leaves the draw its email address."""
    assert take_back(vault, subject_id, "newsletter") == Withdrawal(("newsletter",), ("birthday",))
    assert held(vault) == {"draw": {"full_name": "Ana Li", "email": EMAIL}}
    assert active(vault) == {"draw"}


def test_withdrawing_all_leaves_no_value_and_no_key(vault: Vault, subject_id: bytes) -> None:
    """After the last consent only the structure is left, under the key of the service."""
    done = take_back(vault, subject_id, "draw", "newsletter")
    assert done.purposes == ("draw", "newsletter")
    assert set(done.items) == {"full_name", "email", "postcode", "birthday"}
    assert held(vault) == {}
    with vault.database.read() as connection:
        assert set(vault.data_keys.of_subject(connection, subject_id)) == {"service"}


def test_withdrawn_value_does_not_come_back_with_a_new_consent(vault: Vault, subject_id: bytes) -> None:
    """A second yes opens new values, not the destroyed ones."""
    take_back(vault, subject_id, "newsletter")
    grant(vault, "newsletter")
    assert "newsletter" not in held(vault)
    give(vault, {"newsletter": {"birthday": "1991"}})
    assert held(vault)["newsletter"] == {"birthday": "1991"}


def test_withdrawing_twice_writes_one_record(vault: Vault, subject_id: bytes) -> None:
    """What is taken back already is passed over."""
    take_back(vault, subject_id, "draw")
    assert take_back(vault, subject_id, "draw") == Withdrawal((), ())
    assert ledger_events(vault, subject_id).count(("draw", "withdrawn")) == 1


def test_withdrawal_is_possible_while_the_question_stands_again(vault: Vault, subject_id: bytes) -> None:
    """Being asked anew does not end a consent, so it can still be taken back."""
    ask(vault, "draw")
    assert active(vault) == {"draw", "newsletter"}
    assert take_back(vault, subject_id, "draw").purposes == ("draw",)
    assert active(vault) == {"newsletter"}


def test_unanswered_question_is_nothing_to_withdraw(vault: Vault) -> None:
    """Who was only asked gave nothing that could be taken back, so nothing is written."""
    subject_id = ask(vault, "draw")
    assert take_back(vault, subject_id, "draw").purposes == ()
    assert ledger_events(vault, subject_id) == [("draw", "asked")]


def test_refusal_asked_about_again_is_nothing_to_withdraw(vault: Vault) -> None:
    """A second question after a no makes no consent out of it."""
    subject_id = ask(vault, "draw")
    answer(vault, "draw", granted=False)
    ask(vault, "draw")
    assert take_back(vault, subject_id, "draw").purposes == ()


def test_expired_consent_still_gives_up_its_values(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """STOP after the consent ran out destroys what it had allowed."""
    clock.advance(days=400)
    assert "draw" not in active(vault)
    take_back(vault, subject_id, "draw")
    assert "draw" not in held(vault)


def test_failed_transaction_withdraws_nothing(vault: Vault, subject_id: bytes) -> None:
    """Ledger and values change together or not at all."""
    before = held(vault)

    def fail() -> None:
        with vault.database.write() as connection:
            withdraw(vault, connection, subject_id, ["draw"], evidence(vault))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert held(vault) == before
    assert active(vault) == {"draw", "newsletter"}


def test_withdrawal_stands_in_the_journal(vault: Vault, subject_id: bytes) -> None:
    """Each purpose has an entry, so that a restored backup does not bring it back; nothing to withdraw has none."""
    take_back(vault, subject_id, "newsletter", "draw", "fitting")
    take_back(vault, subject_id, "newsletter")
    at = vault.clock()
    entries = [entry for _, entry in vault.journal.after(0)]
    assert entries == [Withdrawn(subject_id, at, "draw"), Withdrawn(subject_id, at, "newsletter")]


def test_full_disk_for_the_journal_withdraws_nothing(
    vault: Vault, subject_id: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the ledger nor the values change, and the error says why."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    before = held(vault)
    with pytest.raises(JournalError, match="disk is full"):
        take_back(vault, subject_id, "draw")
    assert held(vault) == before
    assert active(vault) == {"draw", "newsletter"}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE conversations SET manifest = randomblob(length(manifest))",
        "UPDATE segments SET sealed = randomblob(length(sealed))",
        "DELETE FROM segments",
        "DELETE FROM data_keys WHERE purpose = 'service'",
    ],
)
def test_damaged_conversation_does_not_keep_a_consent(
    vault: Vault, subject_id: bytes, sql: Callable[..., list[Any]], damage: str
) -> None:
    """Taking consent back works whatever became of the rows: the key goes."""
    sql(damage)
    assert take_back(vault, subject_id, "draw").purposes == ("draw",)
    assert active(vault) == {"newsletter"}
    with vault.database.read() as connection:
        assert "draw" not in vault.data_keys.due_of(connection, subject_id)
