"""Taking consent back: what only it allowed is gone, and nothing else."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.consent.ledger import record_answer, record_asked
from rasa_privacy.errors import JournalError
from rasa_privacy.rights.withdrawal import Withdrawal, destroy_items, withdraw, withdraw_items
from rasa_privacy.storage.journal_entry import Withdrawn
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import (
    Clock,
    active,
    answer,
    ask,
    evidence,
    give,
    grant,
    held,
    ledger_events,
    notice_of,
    settings_in,
)

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


def test_what_was_never_held_is_not_said_to_be_deleted(vault: Vault, subject_id: bytes) -> None:
    """Neither an optional item without a yes, nor anything of a purpose for which nothing was given yet."""
    done = take_back(vault, subject_id, "draw", "newsletter")
    assert set(done.removed) == {"full_name", "email"}
    grant(vault, "fitting")
    assert take_back(vault, subject_id, "fitting").removed == ()
    grant(vault, "newsletter", "newsletter:birthday")
    give(vault, {"newsletter": {"email": EMAIL, "birthday": "1990"}})
    assert set(take_back(vault, subject_id, "newsletter").removed) == {"email", "birthday"}


def test_what_an_expired_consent_held_is_said_to_be_deleted(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """Its optional items count as left out no more, and may be there."""
    clock.advance(days=400)
    assert "postcode" in take_back(vault, subject_id, "draw").removed


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


# Optional items.


def say_no(vault: Vault, subject_id: bytes, topic: str) -> tuple[str, ...]:
    """Ask about an optional item, and say no to it."""
    ask(vault, topic)

    def work(connection: Any) -> tuple[str, ...]:
        record_answer(vault, connection, subject_id, topic, granted=False, evidence=evidence(vault))
        purpose, item = topic.split(":")
        return destroy_items(vault, connection, subject_id, purpose, [item], vault.clock()).items

    return vault.database.transact(work)


def sealed(vault: Vault) -> int:
    """Return how many segments the newsletter has."""
    with vault.database.read() as connection:
        return len(connection.exec_driver_sql("SELECT 1 FROM segments WHERE purpose = 'newsletter'").all())


def test_a_no_to_an_optional_item_destroys_its_value_alone(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """What the purpose holds of other items stays, under a new key, due when the old one was."""
    give(vault, {"newsletter": {"birthday": "1991"}}, events=3)
    with vault.database.read() as connection:
        before = vault.data_keys.of_subject(connection, subject_id)["newsletter"]
        due = vault.data_keys.due_of(connection, subject_id)
    clock.advance(days=1)
    assert say_no(vault, subject_id, "newsletter:birthday") == ("birthday",)
    assert held(vault) == {"draw": {"full_name": "Ana Li", "email": EMAIL}, "newsletter": {"email": EMAIL}}
    assert active(vault) == {"draw", "newsletter"}
    with vault.database.read() as connection:
        assert vault.data_keys.of_subject(connection, subject_id)["newsletter"] != before
        assert vault.data_keys.due_of(connection, subject_id) == due
    give(vault, {"newsletter": {"email": "new@x.example"}})
    assert held(vault)["newsletter"] == {"email": "new@x.example"}


def test_nothing_is_rewritten_where_there_is_no_such_value(vault: Vault) -> None:
    """Most people never gave one."""
    subject_id = grant(vault, "newsletter")
    give(vault, {"newsletter": {"email": EMAIL}})
    with vault.database.read() as connection:
        before = vault.data_keys.of_subject(connection, subject_id)
    say_no(vault, subject_id, "newsletter:birthday")
    with vault.database.read() as connection:
        assert vault.data_keys.of_subject(connection, subject_id) == before


def test_the_last_value_leaves_no_key(vault: Vault) -> None:
    """A key that seals nothing is not made."""
    subject_id = grant(vault, "newsletter")
    give(vault, {"newsletter": {"birthday": "1990"}})
    say_no(vault, subject_id, "newsletter:birthday")
    with vault.database.read() as connection:
        assert set(vault.data_keys.of_subject(connection, subject_id)) == {"service"}
    assert sealed(vault) == 0


def test_a_damaged_conversation_loses_the_whole_purpose(vault: Vault, subject_id: bytes, sql: Any) -> None:
    """Better too much than what was refused."""
    sql("UPDATE segments SET sealed = zeroblob(60) WHERE purpose = 'newsletter'")
    say_no(vault, subject_id, "newsletter:birthday")
    with vault.database.read() as connection:
        assert set(vault.data_keys.of_subject(connection, subject_id)) == {"service", "draw"}


def test_a_backup_does_not_bring_a_refused_item_back(vault: Vault, subject_id: bytes, tmp_path: Path) -> None:
    """The journal knows of it, and of nothing else of the purpose."""
    vault.checkpoint()
    backup = (tmp_path / "c.db").read_bytes()
    vault.database.transact(lambda connection: say_yes(vault, connection, subject_id))
    say_no(vault, subject_id, "newsletter:birthday")
    vault.close()
    for file in tmp_path.glob("c.db*"):
        file.unlink()
    (tmp_path / "c.db").write_bytes(backup)
    again = open_vault(settings_in(tmp_path), vault.clock)
    try:
        assert held(again)["newsletter"] == {"email": EMAIL}
        assert active(again) == {"draw", "newsletter"}
    finally:
        again.close()


def say_yes(vault: Vault, connection: Any, subject_id: bytes) -> None:
    """Agree to the birthday."""
    record_asked(vault, connection, subject_id, notice_of(vault.policy, "newsletter:birthday"), evidence(vault))
    record_answer(vault, connection, subject_id, "newsletter:birthday", granted=True, evidence=evidence(vault))


def test_an_optional_item_is_taken_back_alone(vault: Vault, subject_id: bytes) -> None:
    """The purpose goes on; what was never agreed to is passed over."""
    vault.database.transact(lambda connection: say_yes(vault, connection, subject_id))
    wanted = ["birthday", "postcode", "email"]
    done = vault.database.transact(
        lambda connection: withdraw_items(vault, connection, subject_id, wanted, evidence(vault))
    )
    assert done == ("birthday",)
    assert active(vault) == {"draw", "newsletter"}
    assert "birthday" not in held(vault)["newsletter"]
    assert ledger_events(vault, subject_id)[-1] == ("newsletter:birthday", "withdrawn")
