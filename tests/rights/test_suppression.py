"""Suppression: who must not be written to again, in whatever way it is written."""

from typing import Any

import pytest

from rasa_privacy.errors import ContactError
from rasa_privacy.rights import suppression
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.suppression import (
    IMPORTED,
    OPERATOR,
    STOP,
    lift_after_grant,
    remove_contacts,
    remove_sender,
    suppress,
    suppress_contacts,
    suppressed,
    suppressed_among,
)
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, evidence, grant

pytestmark = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


def do(vault: Vault, work: Any, *arguments: Any) -> Any:
    """Run a function that changes something."""
    return vault.database.transact(lambda connection: work(vault, connection, *arguments))


def why(vault: Vault, sender: str | None, *contacts: str) -> str | None:
    """Return why somebody is suppressed."""
    with vault.database.read() as connection:
        return suppressed(vault, connection, sender, contacts)


def test_a_contact_is_found_however_it_is_written(vault: Vault) -> None:
    """Case and spaces of an address, and the ways to dial a number, make no difference; others are not found."""
    contacts = ["Ana@Example.COM", "+49 170 555-8172"]
    assert do(vault, suppress_contacts, contacts, IMPORTED, vault.clock()) == 2
    assert do(vault, suppress_contacts, contacts, IMPORTED, vault.clock()) == 0
    for same in (" ana@example.com", "0170 5558172", "0049 (170) 5558172", "+491705558172"):
        assert why(vault, None, same) == IMPORTED
    for other in ("anna@example.com", "+491705558173", "Ana", ""):
        assert why(vault, None, other) is None


def test_a_sender_id_may_be_the_contact(vault: Vault) -> None:
    """Whoever is suppressed by number is suppressed as a sender of a messenger, and the other way round."""
    do(vault, suppress_contacts, ["+49 170 5558172"], OPERATOR, vault.clock())
    assert why(vault, "whatsapp:+491705558172") == why(vault, "491705558172") == OPERATOR
    assert why(vault, "491705558173") is None
    do(vault, suppress, "whatsapp:+491709999999", STOP, vault.clock())
    assert why(vault, None, "0170 9999999") == STOP


def test_nothing_readable_is_stored(vault: Vault, sql: Any) -> None:
    """The table holds 15 bytes, a word and a time."""
    do(vault, suppress_contacts, ["ana@example.com"], OPERATOR, vault.clock())
    ((index, reason, _at),) = sql("SELECT contact_index, reason, at FROM suppressions")
    assert (len(index), reason) == (15, OPERATOR)
    assert b"ana" not in index


def test_what_is_no_contact_is_refused_as_a_whole(vault: Vault) -> None:
    """The message does not repeat it, and nothing of the same list is written."""
    with pytest.raises(ContactError) as raised:
        do(vault, suppress_contacts, ["ana@example.com", "Ana Lindqvist"], OPERATOR, vault.clock())
    assert "Ana" not in str(raised.value)
    assert why(vault, None, "ana@example.com") is None


def test_a_new_yes_to_marketing_lifts_only_the_own_stop(vault: Vault) -> None:
    """A yes to something else lifts nothing; what an operator added stays, also where a STOP had come first."""
    do(vault, suppress, SENDER, STOP, vault.clock())
    assert not do(vault, lift_after_grant, SENDER, "draw")
    assert why(vault, SENDER) == STOP
    assert do(vault, lift_after_grant, SENDER, "newsletter")
    assert why(vault, SENDER) is None
    do(vault, suppress, SENDER, STOP, vault.clock())
    do(vault, suppress, SENDER, OPERATOR, vault.clock())
    assert not do(vault, lift_after_grant, SENDER, "newsletter")
    do(vault, suppress, SENDER, STOP, vault.clock())
    assert why(vault, SENDER) == OPERATOR
    assert do(vault, remove_sender, SENDER)
    assert why(vault, SENDER) is None


def test_of_several_reasons_the_one_that_lasts_is_said(vault: Vault) -> None:
    """A STOP on one form of the number does not hide what an operator noted of another, whichever is found first."""
    one, other = "whatsapp:+491709999999", "+49 170 5558172"
    do(vault, suppress, one, STOP, vault.clock())
    do(vault, suppress_contacts, [other], OPERATOR, vault.clock())
    assert why(vault, one) == STOP
    assert why(vault, one, other) == OPERATOR
    assert why(vault, "whatsapp:+491705558172", "+49 170 9999999") == OPERATOR
    assert why(vault, None, "ana@example.com") is None


def test_an_operator_can_lift_a_contact(vault: Vault) -> None:
    """The count says how many there were."""
    do(vault, suppress_contacts, ["ana@example.com"], OPERATOR, vault.clock())
    assert do(vault, remove_contacts, ["ANA@example.com", "bob@example.com"]) == 1
    assert why(vault, None, "ana@example.com") is None


def test_an_erasure_keeps_the_suppression(vault: Vault) -> None:
    """Erasing a person must not make them reachable again."""
    grant(vault, "newsletter")
    do(vault, suppress, SENDER, STOP, vault.clock())
    assert erase(vault, SENDER, evidence(vault)) is not None
    assert why(vault, SENDER) == STOP


def test_who_is_suppressed_among_many_is_found_in_either_way(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """All suppressions are read where there are few, else those that are asked for; both say who, and since when."""
    people = {bytes((number,)) * 16: ([f"person {number}"], [f"p{number}@example.com"]) for number in range(6)}
    people[b"x" * 16] = ["491705558172"], ["Ana", "P2@example.com"]

    def found(few: int) -> Any:
        monkeypatch.setattr(suppression, "_FEW", few)
        with vault.database.read() as connection:
            return suppressed_among(vault, connection, people)

    assert found(0) == found(9) == {}
    do(vault, suppress_contacts, ["p2@example.com"], STOP, vault.clock())
    do(vault, suppress_contacts, ["p3@example.com", "other@example.com"], OPERATOR, vault.clock())
    do(vault, suppress, "person 4", STOP, vault.clock())
    expected = dict.fromkeys((b"\x03" * 16, b"\x04" * 16)) | dict.fromkeys((b"\x02" * 16, b"x" * 16), vault.clock())
    assert found(0) == found(9) == expected
    do(vault, suppress_contacts, ["+491705558172"], OPERATOR, vault.clock())
    assert found(0) == found(9) == {**expected, b"x" * 16: None}
