"""What people do themselves in the chat is in the audit log, and no turn beside that writes there."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.actions.asking import AskConsent, RecordGrant, RecordLimits, RecordRefusal, TooYoung
from rasa_privacy.actions.base import Turn
from rasa_privacy.actions.consent import Stop, WithdrawConsent
from rasa_privacy.actions.data_rights import Erase, KeepData, PreviewErasure, ShowData
from rasa_privacy.actions.explaining import Explain
from rasa_privacy.actions.receipts import GiveReceipt
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import AuditError, StorageError
from rasa_privacy.policy.verbs import PERSON
from rasa_privacy.rights.holds import add as add_hold
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.suppression import suppressed
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, active, ask, evidence, give, grant, held

Sql = Callable[..., list[Any]]


def turn(vault: Vault, intent: str = "privacy_grant", pending: Pending | None = None, **fields: Any) -> Turn:
    """Return a turn of the one person."""
    return replace(Turn(SENDER, intent, (), pending, evidence(vault), {}), **fields)


def logged(vault: Vault) -> list[AuditRecord]:
    """Return the audit log, verified."""
    with vault.database.read() as connection:
        vault.audit.verify(connection)
        return [entry.record for entry in vault.audit.entries(connection)]


@pytest.fixture
def person(vault: Vault) -> bytes:
    """Return somebody who agreed to two purposes and gave values."""
    grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana Li", "email": "ana@x.example"}, "newsletter": {"birthday": "1991"}})
    with vault.database.read() as connection:
        found: bytes | None = vault.subjects.find(connection, SENDER)
    assert found is not None
    return found


def test_what_is_shown_was_recorded_before(vault: Vault, person: bytes) -> None:
    """Actor, person, names and numbers; no value."""
    ShowData().answer(vault, turn(vault))
    (act,) = logged(vault)
    assert (act.operator, act.verb, act.outcome, act.subject_id) == (PERSON, "view", "done", person)
    assert set(act.items) == {"full_name", "email", "birthday"}
    assert act.purposes == ("draw", "newsletter")
    assert act.counts["values"] == 3


def test_a_log_that_cannot_be_written_shows_nothing(vault: Vault, person: bytes, sql: Sql) -> None:
    """A full disk stops the access, and no request is answered either."""
    sql("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(StorageError):
        ShowData().answer(vault, turn(vault))
    with pytest.raises(StorageError):
        GiveReceipt().answer(vault, turn(vault))
    assert sql("SELECT count(*) FROM requests WHERE subject_id = ?", (person,)) == [(0,)]


def test_receipts_are_handed_over_on_record(vault: Vault, person: bytes) -> None:
    """One record for all of them."""
    assert len(GiveReceipt().answer(vault, turn(vault))) >= 2
    (act,) = logged(vault)
    assert (act.verb, act.purposes, act.subject_id) == ("export", ("draw", "newsletter"), person)
    assert act.counts == {"receipts": 2}


def test_a_deletion_leaves_its_counts(vault: Vault, person: bytes) -> None:
    """The record outlives the person, and nothing leads from it to them."""
    pending = Pending("erase")
    PreviewErasure().answer(vault, turn(vault, pending=pending))
    Erase().answer(vault, turn(vault, "privacy_confirm", pending))
    (act,) = logged(vault)
    assert (act.operator, act.verb, act.subject_id) == (PERSON, "erase", person)
    assert act.counts["events"] > 0
    assert act.counts["keys"] == 3


def test_a_deletion_that_a_hold_stops_is_a_refusal(vault: Vault, person: bytes) -> None:
    """That somebody could not be deleted is in the log."""
    permit = admit_local(vault, "retention", "ticket 4711")
    vault.database.transact(lambda connection: add_hold(vault, connection, SENDER, "matter-7", permit))
    PreviewErasure().answer(vault, turn(vault))
    act = logged(vault)[-1]
    assert (act.operator, act.verb, act.outcome, act.subject_id) == (PERSON, "erase", "refused", person)


def test_a_consent_that_is_taken_back_is_recorded(vault: Vault, person: bytes) -> None:
    """With the purpose, and the items that go with it."""
    WithdrawConsent().answer(vault, turn(vault, purposes=("newsletter",)))
    (act,) = logged(vault)
    assert (act.verb, act.purposes, act.items, act.subject_id) == ("consent", ("newsletter",), ("birthday",), person)


def test_an_opt_out_word_is_recorded_with_what_it_ends(vault: Vault, person: bytes) -> None:
    """One record of one act."""
    Stop().answer(vault, turn(vault))
    (act,) = logged(vault)
    assert (act.verb, act.purposes, act.subject_id) == ("suppress", ("draw", "newsletter"), person)


def test_an_opt_out_word_of_somebody_unknown_names_nobody(vault: Vault) -> None:
    """The sender id is in no record."""
    Stop().answer(vault, turn(vault))
    (act,) = logged(vault)
    assert (act.verb, act.subject_id) == ("suppress", None)


def test_do_not_sell_is_recorded_once(vault: Vault, person: bytes) -> None:
    """What changes nothing is no act."""
    for _ in range(2):
        Explain().answer(vault, turn(vault, "privacy_do_not_sell"))
    (act,) = logged(vault)
    assert (act.verb, act.subject_id) == ("restrict", person)


def test_a_no_that_destroys_is_recorded(vault: Vault, person: bytes) -> None:
    """A no to what was there, and an item that is left out; a no to nothing writes nothing."""
    ask(vault, "newsletter:birthday")
    RecordLimits().answer(
        vault,
        turn(
            vault,
            "privacy_limit",
            Pending("optional", None, ("newsletter",), items=("birthday",)),
            items=("birthday",),
        ),
    )
    ask(vault, "draw")
    RecordRefusal().answer(vault, turn(vault, "privacy_refuse", Pending("consent", None, ("draw",))))
    first, second = logged(vault)
    assert (first.verb, first.purposes, first.items) == ("consent", ("newsletter",), ("birthday",))
    assert (second.verb, second.purposes, second.subject_id) == ("consent", ("draw",), person)


def test_who_is_too_young_ends_on_record(vault: Vault, person: bytes) -> None:
    """What was agreed to ends, and that is in the log."""
    TooYoung().answer(vault, turn(vault))
    (act,) = logged(vault)
    assert (act.verb, act.purposes, act.subject_id) == ("consent", ("draw", "newsletter"), person)


def test_ordinary_turns_write_nothing(vault: Vault) -> None:
    """Asked, agreed, refused, explained, kept: the log stays empty, so that no turn waits for its end."""
    consent = Pending("consent", "lead_form", ("draw",))
    AskConsent().answer(vault, turn(vault, pending=consent))
    RecordGrant().answer(vault, turn(vault, pending=consent))
    AskConsent().answer(vault, turn(vault, pending=Pending("consent", None, ("fitting",))))
    RecordRefusal().answer(vault, turn(vault, "privacy_refuse", Pending("consent", None, ("fitting",))))
    Explain().answer(vault, turn(vault, "privacy_why"))
    KeepData().answer(vault, turn(vault, "privacy_cancel"))
    assert logged(vault) == []


@pytest.mark.usefixtures("person")
def test_a_forged_log_holds_up_nobody_who_wants_to_go(vault: Vault, sql: Sql) -> None:
    """What is taken away goes all the same, and nothing more is written behind the forged record."""
    ShowData().answer(vault, turn(vault))
    sql("UPDATE audit SET link = x'00'")
    WithdrawConsent().answer(vault, turn(vault, purposes=("newsletter",)))
    assert active(vault) == {"draw"}
    Stop().answer(vault, turn(vault))
    with vault.database.read() as connection:
        assert suppressed(vault, connection, SENDER)
    pending = Pending("erase")
    PreviewErasure().answer(vault, turn(vault, pending=pending))
    Erase().answer(vault, turn(vault, "privacy_confirm", pending))
    assert held(vault) == {}
    assert sql("SELECT count(*) FROM audit") == [(1,)]


@pytest.mark.usefixtures("person")
def test_a_forged_log_shows_nothing(vault: Vault, sql: Sql) -> None:
    """What would be seen needs a log that verifies."""
    ShowData().answer(vault, turn(vault))
    sql("UPDATE audit SET link = x'00'")
    with pytest.raises(AuditError):
        ShowData().answer(vault, turn(vault))
    with pytest.raises(AuditError):
        GiveReceipt().answer(vault, turn(vault))


def test_a_checkpoint_that_fails_takes_its_record_back(vault: Vault, person: bytes, sql: Sql) -> None:
    """A log that cannot be signed keeps the end that it had, and what is taken away goes."""
    vault.database.transact(lambda connection: vault.audit.append(connection, *[own_act(vault, "view", person)] * 999))
    sql("DELETE FROM meta WHERE name = 'audit_checkpoint_head'")
    vault.database.transact(lambda connection: note_taken(vault, connection, own_act(vault, "consent", person)))
    assert sql("SELECT count(*) FROM audit") == [(999,)]
    with vault.database.read() as connection:
        assert len(vault.audit.newest(connection, Wanted(operator=PERSON), 2000)) == 999


@pytest.mark.usefixtures("person")
def test_the_time_is_the_stores(vault: Vault) -> None:
    """Not that of a message, which a caller may choose."""
    late = replace(evidence(vault), at=vault.clock() + timedelta(days=1))
    ShowData().answer(vault, turn(vault, evidence=late))
    assert logged(vault)[0].at == vault.clock()
