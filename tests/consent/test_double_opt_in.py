"""Double opt-in: the consent counts only after the code came back from the contact on file."""

from typing import Any

import pytest

from rasa_privacy.consent.double_opt_in import DIGITS, MAX_ATTEMPTS, begin, confirm
from rasa_privacy.errors import LedgerError, OptInError
from rasa_privacy.policy.contacts import contact_item
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, Clock, active, ask, evidence, grant, ledger_events

pytestmark = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)

ANA = "ana@example.com"


def begun(vault: Vault, subject_id: bytes, contact: str = ANA, **named: Any) -> str:
    """Make a code."""
    return vault.database.transact(
        lambda connection: begin(vault, connection, subject_id, "newsletter", contact, vault.clock(), **named)
    )


def give_back(vault: Vault, subject_id: bytes, code: str, contact: str = ANA) -> None:
    """Answer with a code."""
    confirm(vault, subject_id, "newsletter", contact, code, evidence(vault))


def other(code: str) -> str:
    """Return a code that is not this one."""
    return f"{(int(code) + 1) % 10**DIGITS:0{DIGITS}d}"


def test_the_consent_counts_after_the_code_and_not_before(vault: Vault) -> None:
    """Until then the ledger says `asked`; afterwards `granted`, and the code is used up."""
    subject_id = ask(vault, "newsletter")
    code = begun(vault, subject_id)
    assert len(code) == DIGITS
    assert active(vault) == frozenset()
    give_back(vault, subject_id, f" {code[:3]} {code[3:]} ", contact="ANA@example.com")
    assert active(vault) == {"newsletter"}
    assert ledger_events(vault, subject_id) == [("newsletter", "asked"), ("newsletter", "granted")]
    with vault.database.read() as connection:
        assert vault.ledger.of_subject(connection, subject_id)[-1].method == "code"
    with pytest.raises(OptInError, match="no code waits"):
        give_back(vault, subject_id, code)


def test_a_mailbox_gets_three_mails_however_its_address_is_written(vault: Vault, clock: Clock) -> None:
    """Dots, a +tag and case make no other mailbox of it; another name does."""
    subject_id = ask(vault, "newsletter")
    for contact in ("victim@example.com", "victim+1@example.com", "v.ictim+2@Example.com"):
        begun(vault, subject_id, contact)
        clock.advance(minutes=2)
    for contact in ("victim@example.com", "victim+3@example.com", "v.i.c.tim@example.com", "VICTIM@EXAMPLE.COM"):
        with pytest.raises(OptInError, match="within an hour"):
            begun(vault, subject_id, contact)
    begun(vault, subject_id, "victor@example.com")


def test_leading_zeros_are_part_of_the_code(vault: Vault) -> None:
    """Small numbers have six digits too."""
    subject_id = ask(vault, "newsletter")
    assert begun(vault, subject_id, below=lambda _: 7) == "000007"
    with pytest.raises(OptInError, match="wrong"):
        give_back(vault, subject_id, "7")
    give_back(vault, subject_id, "000007")
    assert active(vault) == {"newsletter"}


def test_five_wrong_answers_end_it_for_the_right_one_too(vault: Vault, clock: Clock) -> None:
    """Wrong answers count although they are errors, and asking for another code does not begin the count anew."""
    subject_id = ask(vault, "newsletter")
    code = begun(vault, subject_id)
    for _ in range(MAX_ATTEMPTS - 1):
        with pytest.raises(OptInError, match="wrong"):
            give_back(vault, subject_id, other(code))
    clock.advance(minutes=2)
    code = begun(vault, subject_id)
    with pytest.raises(OptInError, match="wrong"):
        give_back(vault, subject_id, other(code))
    with pytest.raises(OptInError, match="too many"):
        give_back(vault, subject_id, code)
    with pytest.raises(OptInError, match="too many"):
        begun(vault, subject_id)
    assert active(vault) == frozenset()
    clock.advance(minutes=15)
    give_back(vault, subject_id, begun(vault, subject_id))
    assert active(vault) == {"newsletter"}


def test_a_code_ends_after_fifteen_minutes(vault: Vault, clock: Clock) -> None:
    """At the last second it counts no more."""
    subject_id = ask(vault, "newsletter")
    code = begun(vault, subject_id)
    clock.advance(minutes=15)
    with pytest.raises(OptInError, match="has ended"):
        give_back(vault, subject_id, code)


def test_two_mails_are_a_minute_apart(vault: Vault, clock: Clock) -> None:
    """Nobody's mailbox can be filled by asking again, and only the last code counts."""
    subject_id = ask(vault, "newsletter")
    first = begun(vault, subject_id, below=lambda _: 1)
    with pytest.raises(OptInError, match="less than a minute"):
        begun(vault, subject_id)
    clock.advance(minutes=1)
    begun(vault, subject_id, below=lambda _: 2)
    with pytest.raises(OptInError, match="wrong"):
        give_back(vault, subject_id, first)


def test_a_code_is_for_one_person_purpose_and_contact(vault: Vault) -> None:
    """Who changes the address on file after the mail went out cannot confirm the new one; nor can another person."""
    subject_id = ask(vault, "newsletter")
    code = begun(vault, subject_id)
    with pytest.raises(OptInError, match="wrong"):
        give_back(vault, subject_id, code, contact="victim@example.com")
    stranger = ask(vault, "newsletter", "somebody else")
    with pytest.raises(OptInError, match="no code waits"):
        give_back(vault, stranger, code)
    with pytest.raises(OptInError, match="no code waits"):
        confirm(vault, subject_id, "draw", ANA, code, evidence(vault))


def test_a_stop_ends_the_code_that_waits(vault: Vault) -> None:
    """The mail may still be read, but it opens nothing any more."""
    subject_id = ask(vault, "newsletter")
    code = begun(vault, subject_id)
    vault.database.transact(
        lambda connection: withdraw(vault, connection, subject_id, vault.policy.purposes, evidence(vault))
    )
    with pytest.raises(OptInError, match="no code waits"):
        give_back(vault, subject_id, code)
    assert active(vault) == frozenset()


def test_without_a_question_a_right_code_is_no_consent(vault: Vault) -> None:
    """The ledger's rules hold: what was not asked cannot be answered."""
    subject_id = grant(vault, "draw")
    code = begun(vault, subject_id)
    with pytest.raises(LedgerError, match="was not asked"):
        give_back(vault, subject_id, code)


def test_the_database_holds_no_code_and_no_contact(vault: Vault, sql: Any) -> None:
    """32 bytes that differ for each person; nothing of it is left after an erasure."""
    subject_id = ask(vault, "newsletter")
    begun(vault, subject_id, below=lambda _: 123456)
    begun(vault, ask(vault, "newsletter", "somebody else"), below=lambda _: 123456)
    hashes = [bytes(row[0]) for row in sql("SELECT code_hash FROM opt_in_codes")]
    assert len(set(hashes)) == 2
    sealed = [bytes(row[0]) for row in sql("SELECT contact FROM opt_in_codes")]
    assert not any(b"ana" in each or b"example" in each for each in sealed)
    assert {len(each) for each in hashes} == {32}
    erase(vault, SENDER, evidence(vault))
    assert len(sql("SELECT code_hash FROM opt_in_codes")) == 1


def test_an_email_address_goes_before_a_phone_number(vault: Vault) -> None:
    """A purpose without either has nowhere to send a code."""
    assert [contact_item(vault.policy, name) for name in ("draw", "newsletter", "fitting")] == [
        "email",
        "email",
        "phone",
    ]
