"""What is wrong has a defined outcome, and each errs on the side of no consent."""

import threading
from dataclasses import replace as with_parts
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.consent.double_opt_in import begin, confirm
from rasa_privacy.consent.ledger import record_answer, state_of
from rasa_privacy.errors import LedgerError, OptInError, PolicyError, PrivacyError
from rasa_privacy.policy.loader import parse_policy
from rasa_privacy.rights.audience import Tally, audience
from rasa_privacy.rights.withdrawal import held_by_consent, withdraw_all
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import (
    PRIVACY,
    SENDER,
    Clock,
    active,
    answer,
    ask,
    evidence,
    give,
    grant,
    held,
    ledger_events,
)


def members(vault: Vault) -> list[str]:
    """Return the newsletter's audience."""
    permit = admit_local(vault, "audience")
    return [each.sender_id for each in audience(vault, permit, "newsletter", None, vault.clock(), Tally())]


# A ledger that fails verification.


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE ledger_kinds SET event = 'granted' WHERE event = 'refused'",
        "UPDATE ledger_kinds SET purpose = 'draw' WHERE purpose = 'newsletter'",
        "UPDATE ledger SET at = at + 1 WHERE seq = 2",
        "UPDATE ledger_kinds SET notice_hash = zeroblob(32)",
        "UPDATE ledger SET mac = NULL",
        "UPDATE ledger SET link = zeroblob(32)",
        "UPDATE ledger SET kind = (SELECT min(kind) FROM ledger_kinds WHERE event = 'granted')",
        "UPDATE ledger_kinds SET kind = kind + 90",
        "DELETE FROM ledger_kinds",
        "UPDATE ledger SET subject_id = (SELECT subject_id FROM ledger WHERE seq = 4)",
        (
            "INSERT INTO ledger (seq, at, kind, subject_id, mac) SELECT seq + 100, at, "
            "(SELECT min(kind) FROM ledger_kinds WHERE event = 'granted'), subject_id, mac FROM ledger "
            "WHERE kind IN (SELECT kind FROM ledger_kinds WHERE event = 'refused')"
        ),
    ],
)
def test_a_ledger_edited_by_hand_is_believed_by_nobody(vault: Vault, sql: Any, forgery: str) -> None:
    """At each read and not only at the next start: there is an error, which every door takes for no consent."""
    grant(vault, "newsletter")
    ask(vault, "draw")
    answer(vault, "draw", granted=False)
    grant(vault, "fitting", sender="somebody else")
    sql(forgery)
    with pytest.raises(LedgerError, match="was changed or added"):
        active(vault)
    with pytest.raises(LedgerError), vault.database.read() as connection:
        vault.ledger.verify(connection)


@pytest.mark.parametrize("event", ["withdrawn", "asked"])
def test_a_record_taken_out_reopens_nothing(vault: Vault, sql: Any, event: str) -> None:
    """Whoever deletes the end of a consent from the ledger has deleted the consent."""
    grant(vault, "draw")
    vault.database.transact(lambda conn: withdraw_all(vault, conn, SENDER, evidence(vault)))
    ask(vault, "draw")
    grant(vault, "fitting", sender="somebody else")
    assert active(vault) == frozenset()
    kinds = "SELECT kind FROM ledger_kinds WHERE event = ? AND purpose = 'draw'"
    sql(f"DELETE FROM ledger WHERE kind IN ({kinds})", (event,))  # noqa: S608 - our own words
    with pytest.raises(LedgerError, match="missing"):
        active(vault)


def test_a_count_that_is_changed_with_it_is_noticed(vault: Vault, sql: Any) -> None:
    """It is under a keyed hash; without it there is no consent either."""
    grant(vault, "draw")
    for forgery in (
        "UPDATE subjects SET ledger_mac = zeroblob(32)",
        "UPDATE subjects SET ledger_mac = NULL",
        "INSERT INTO ledger_people SELECT subject_id, zeroblob(16) FROM subjects",
    ):
        sql(forgery)
        with pytest.raises(LedgerError, match="was changed"):
            active(vault)


# A clock that went back.


def test_a_yes_from_the_future_opens_nothing(vault: Vault, clock: Clock) -> None:
    """And a no from the future closes."""
    grant(vault, "draw", "newsletter")
    clock.now -= timedelta(hours=1)
    assert active(vault) == frozenset()
    assert members(vault) == []
    clock.now += timedelta(hours=1)
    assert active(vault) == {"draw", "newsletter"}
    clock.now += timedelta(hours=1)
    vault.database.transact(lambda conn: withdraw_all(vault, conn, SENDER, evidence(vault)))
    clock.now -= timedelta(hours=2)
    assert active(vault) == frozenset()


def test_a_code_from_the_future_has_ended(vault: Vault, clock: Clock) -> None:
    """A clock that went back does not make it last for longer."""
    subject_id = ask(vault, "newsletter")
    code = vault.database.transact(
        lambda conn: begin(vault, conn, subject_id, "newsletter", "ana@example.com", vault.clock())
    )
    clock.now -= timedelta(hours=1)
    with pytest.raises(OptInError, match="has ended"):
        confirm(vault, subject_id, "newsletter", "ana@example.com", code, evidence(vault))
    with pytest.raises(OptInError, match="less than a minute ago"):
        vault.database.transact(
            lambda conn: begin(vault, conn, subject_id, "newsletter", "ana@example.com", vault.clock())
        )


# A purpose that privacy.yml has no more.


@pytest.fixture
def without_newsletter(vault: Vault) -> Vault:
    """Return the store after the newsletter was taken out of privacy.yml, while somebody had agreed to it."""
    grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"email": "ana@x.example"}, "newsletter": {"email": "ana@x.example", "birthday": "1990"}})
    rest = {name: each for name, each in vault.policy.purposes.items() if name != "newsletter"}
    return with_parts(vault, policy=msgspec.structs.replace(vault.policy, purposes=rest))


def test_the_consent_to_a_removed_purpose_opens_nothing(without_newsletter: Vault) -> None:
    """What else was agreed to stands; nobody can be asked or export an audience."""
    vault = without_newsletter
    assert active(vault) == {"draw"}
    with pytest.raises(PrivacyError, match="no purpose 'newsletter'"):
        members(vault)


def test_data_of_a_removed_purpose_goes_with_a_withdrawal(without_newsletter: Vault) -> None:
    """It is known as held by consent, so it is deleted with the rest."""
    vault = without_newsletter
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        assert subject_id is not None
        assert "newsletter" in held_by_consent(vault, connection, subject_id)
    vault.database.transact(lambda conn: withdraw_all(vault, conn, SENDER, evidence(vault)))
    assert held(vault) == {}


def test_a_removed_purpose_that_comes_back_stands_where_it_stood(without_newsletter: Vault, vault: Vault) -> None:
    """Its terms are the same, so the old yes is to the same notice; with other terms it would be asked again."""
    assert "newsletter" not in active(without_newsletter)
    assert "newsletter" in active(vault)
    other = msgspec.structs.replace(vault.policy.purposes["newsletter"], says={"en": "to sell you tents"})
    changed = with_parts(
        vault,
        policy=msgspec.structs.replace(vault.policy, purposes={**vault.policy.purposes, "newsletter": other}),
    )
    assert "newsletter" not in active(changed)


# A notice without a translation.


def test_a_notice_without_a_translation_does_not_load() -> None:
    """In a language in which the purpose says nothing, nobody could be informed."""
    two = PRIVACY.replace("version: 1", "version: 1\nlanguages: [en, de]")
    with pytest.raises(PolicyError, match="misses 'says' in 'de'"):
        parse_policy(two, "privacy.yml")


# Two answers at once, and somebody who flips.


@pytest.mark.parametrize("first", [True, False])
def test_two_answers_at_once_are_one_answer(vault: Vault, first: bool) -> None:  # noqa: FBT001 - which one is the case
    """Whichever the database takes first; the other finds no open question."""
    subject_id = ask(vault, "draw")
    start, errors = threading.Barrier(2), []

    def say(*, granted: bool) -> None:
        def work(connection: Any) -> None:
            vault.subjects.lock(connection, subject_id)
            record_answer(vault, connection, subject_id, "draw", granted=granted, evidence=evidence(vault))

        start.wait()
        try:
            vault.database.transact(work)
        except LedgerError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=say, kwargs={"granted": each}) for each in (first, not first)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 1
    assert "was not asked about" in errors[0]
    events = [event for _, event in ledger_events(vault, subject_id)]
    assert events in (["asked", "granted"], ["asked", "refused"])
    assert active(vault) == (frozenset({"draw"}) if events[-1] == "granted" else frozenset())


def test_somebody_who_flips_ten_times_has_the_last_word(vault: Vault) -> None:
    """Each flip is on record, and the ledger still verifies."""
    for number in range(10):
        ask(vault, "draw")
        answer(vault, "draw", granted=number % 2 == 0)
    assert active(vault) == frozenset()
    with vault.database.read() as connection:
        vault.ledger.verify(connection)
        subject_id = vault.subjects.find(connection, SENDER)
        assert state_of(vault, connection, subject_id, vault.clock()).purposes["draw"].status == "refused"
