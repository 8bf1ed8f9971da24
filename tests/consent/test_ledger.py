"""The rules of the ledger: an answer needs its question, and the question must still stand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from rasa_privacy.consent.ledger import record_withdrawal, state_of
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage.notices import Notices
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import Clock, active, answer, ask, evidence, grant, ledger_events, notice_of


def with_other_terms(vault: Vault, purpose: str = "draw") -> Vault:
    """Return the store under a privacy.yml in which the purpose has one more recipient."""
    declared = msgspec.structs.replace(vault.policy.purposes[purpose], recipients=("Printing House",))
    changed = msgspec.structs.replace(vault.policy, purposes={**vault.policy.purposes, purpose: declared})
    return replace(vault, policy=changed)


def test_answer_that_was_asked_for_is_recorded_with_its_notice(vault: Vault) -> None:
    """The ledger names the notice that was shown, and the notice can be read back word for word."""
    subject_id = grant(vault, "draw")
    notice = notice_of(vault.policy, "draw")
    with vault.database.read() as connection:
        asked, granted = vault.ledger.of_subject(connection, subject_id)
        stored = vault.notices.get(connection, granted.notice_hash)
    assert (asked.event, granted.event) == ("asked", "granted")
    assert asked.notice_hash == granted.notice_hash == notice.hash
    assert stored is not None
    assert (stored.notice_id, stored.version, stored.text) == ("draw", notice.version, notice.text)
    assert (granted.method, granted.channel, granted.language, granted.at) == ("button", "rest", "en", vault.clock())
    assert active(vault) == {"draw"}


@pytest.mark.parametrize("granted", [True, False])
def test_answer_without_a_question_is_refused(vault: Vault, *, granted: bool) -> None:
    """Neither a yes nor a no counts that answers nothing; another purpose's question does not help."""
    subject_id = ask(vault, "newsletter")
    with pytest.raises(LedgerError, match="'draw' was not asked about"):
        answer(vault, "draw", granted=granted)
    assert ledger_events(vault, subject_id) == [("newsletter", "asked")]


@pytest.mark.parametrize("first", [True, False])
def test_one_question_has_one_answer(vault: Vault, *, first: bool) -> None:
    """After an answer the purpose must be asked about again before it can be granted."""
    ask(vault, "draw")
    answer(vault, "draw", granted=first)
    with pytest.raises(LedgerError, match="ask again"):
        answer(vault, "draw", granted=True)


def test_yes_after_a_withdrawal_needs_a_new_question(vault: Vault) -> None:
    """STOP between question and yes closes the question."""
    subject_id = grant(vault, "draw")
    ask(vault, "draw")
    with vault.database.write() as connection:
        record_withdrawal(vault, connection, subject_id, ["draw"], evidence(vault))
    with pytest.raises(LedgerError, match="ask again"):
        answer(vault, "draw", granted=True)


def test_grant_to_terms_that_changed_since_is_refused(vault: Vault) -> None:
    """Who read the old promise cannot agree to the new one; a no is recorded all the same."""
    ask(vault, "draw")
    changed = with_other_terms(vault)
    with pytest.raises(LedgerError, match="changed after it was shown"):
        answer(changed, "draw", granted=True)
    assert active(changed) == frozenset()
    answer(changed, "draw", granted=False)


def test_grant_does_not_count_under_other_terms(vault: Vault) -> None:
    """A consent that was given before the terms changed is superseded, and holds again where they change back."""
    grant(vault, "draw", "newsletter")
    assert active(with_other_terms(vault)) == {"newsletter"}
    assert active(vault) == {"draw", "newsletter"}


def test_a_yes_that_ended_is_on_record_before_it_is_asked_for_anew(vault: Vault, clock: Clock) -> None:
    """Whether its time was over or its terms changed; it does not come back where they change back."""
    subject_id = grant(vault, "draw", "newsletter")
    clock.advance(days=365)
    ask(vault, "draw")
    ask(vault, "newsletter")
    assert ledger_events(vault, subject_id)[4:] == [("draw", "expired"), ("draw", "asked"), ("newsletter", "asked")]
    answer(vault, "draw", granted=True)
    changed = with_other_terms(vault)
    ask(changed, "draw")
    ask(changed, "draw")
    assert ledger_events(vault, subject_id)[8:] == [("draw", "superseded"), ("draw", "asked"), ("draw", "asked")]
    assert active(vault) == {"newsletter"}


def test_grant_whose_notice_is_missing_does_not_count(vault: Vault, sql: Callable[..., list[Any]]) -> None:
    """Without the text nobody can show what was agreed to; a process that has read it goes on until its end."""
    subject_id = grant(vault, "draw")
    sql("DELETE FROM notices")
    assert active(replace(vault, notices=Notices())) == frozenset()
    assert ledger_events(vault, subject_id)[-1] == ("draw", "granted")


def test_nobody_yet_has_no_consent(vault: Vault) -> None:
    """Before there is a person there is nothing but other lawful bases."""
    with vault.database.read() as connection:
        state = state_of(vault, connection, None, vault.clock())
    assert state.active == frozenset()
    assert {purpose.status for purpose in state.purposes.values()} == {"unknown"}


def test_people_do_not_answer_for_each_other(vault: Vault) -> None:
    """One person's yes opens nothing for the next."""
    grant(vault, "draw")
    ask(vault, "draw", sender="ben")
    assert active(vault, "ben") == frozenset()


def test_consent_ends_by_itself(vault: Vault, clock: Clock) -> None:
    """`consent_lasts` is counted by the calendar."""
    grant(vault, "draw", "newsletter")
    clock.advance(days=365)
    assert active(vault) == {"newsletter"}


def test_only_granted_purposes_are_withdrawn(vault: Vault) -> None:
    """The names that come back are those whose consent ended."""
    subject_id = grant(vault, "draw")
    ask(vault, "fitting")
    with vault.database.write() as connection:
        names = record_withdrawal(vault, connection, subject_id, vault.policy.purposes, evidence(vault))
    assert names == ("draw",)
