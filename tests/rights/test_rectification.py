"""A value is put right wherever it is held; a contact must then be confirmed anew, and what is suppressed stays so."""

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.consent.double_opt_in import begin, confirm
from rasa_privacy.rights.audience import Tally, audience
from rasa_privacy.rights.rectification import CORRECTED, SOURCE, Right, holding, put_right, to_confirm
from rasa_privacy.rights.suppression import STOP, suppress_contacts, suppressed
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, ask, evidence, give, grant, held

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
OLD, NEW = "a@b.example", "ana@new.example"
VALUES = {"draw": {"full_name": "Ana Li", "email": OLD}, "newsletter": {"email": OLD, "birthday": "1990"}}


def correct(vault: Vault, subject_id: bytes, item: str, value: str) -> object:
    """Put a value right."""

    def work(connection: object) -> object:
        right = Right(item, value, holding(vault, connection, subject_id, item))
        return put_right(vault, connection, SENDER, subject_id, right, vault.clock())

    return vault.database.transact(work)


@each_kind
def test_every_purpose_has_the_right_value_and_none_the_wrong_one(vault: Vault) -> None:
    """Nothing else changes, and the event says where the value came from."""
    subject_id = grant(vault, "draw", "newsletter")
    give(vault, VALUES)
    assert correct(vault, subject_id, "email", NEW) == NEW
    assert held(vault) == {
        "draw": {"full_name": "Ana Li", "email": NEW},
        "newsletter": {"birthday": "1990", "email": NEW},
    }
    with vault.database.read() as connection:
        stored = vault.conversations.load(connection, SENDER, all_sessions=True)
    assert stored is not None
    assert OLD not in str(stored.values)
    assert stored.structure[-1]["metadata"] == {SOURCE: CORRECTED}


def test_no_more_is_kept_of_it_than_of_what_the_person_typed_first(vault: Vault) -> None:
    """`keep` cuts the right value too."""
    subject_id = grant(vault, "newsletter")
    give(vault, {"newsletter": {"birthday": "1990"}})
    assert correct(vault, subject_id, "birthday", "1 May 1991") == "1991"
    assert held(vault) == {"newsletter": {"birthday": "1991"}}


def test_a_changed_contact_is_in_no_audience_until_it_is_confirmed(vault: Vault) -> None:
    """The code that comes back counts for the new contact alone, and changes no consent."""
    confirming = msgspec.structs.replace(vault.policy.purposes["newsletter"], double_opt_in=True)
    policy = msgspec.structs.replace(vault.policy, purposes={**vault.policy.purposes, "newsletter": confirming})
    object.__setattr__(vault, "policy", policy)
    subject_id = ask(vault, "newsletter")
    give(vault, {"newsletter": {"email": OLD}})

    def code_to(contact: str) -> None:
        def work(connection: object) -> str:
            return begin(vault, connection, subject_id, "newsletter", contact, vault.clock())

        code = vault.database.transact(work)
        confirm(vault, subject_id, "newsletter", contact, code, evidence(vault))

    def reached() -> list[object]:
        permit = admit_local(vault, "audience")
        return [each.value for each in audience(vault, permit, "newsletter", "email", vault.clock(), Tally())]

    code_to(OLD)
    assert reached() == [OLD]
    correct(vault, subject_id, "email", NEW)
    assert reached() == []
    with vault.database.read() as connection:
        assert to_confirm(vault, connection, subject_id, "email", vault.clock()) == ("newsletter",)
        before = len(vault.ledger.of_subject(connection, subject_id))
    code_to(NEW)
    assert reached() == [NEW]
    with vault.database.read() as connection:
        assert len(vault.ledger.of_subject(connection, subject_id)) == before


def test_the_old_contact_stays_suppressed(vault: Vault) -> None:
    """Whoever gets that address next is not written to either."""
    subject_id = grant(vault, "newsletter")
    give(vault, {"newsletter": {"email": OLD}})
    vault.database.transact(lambda connection: suppress_contacts(vault, connection, [OLD], STOP, vault.clock()))
    correct(vault, subject_id, "email", NEW)
    with vault.database.read() as connection:
        assert suppressed(vault, connection, None, [OLD]) == STOP
        assert suppressed(vault, connection, None, [NEW]) is None
