"""Deleting an item, or what one purpose holds: what goes, what stays and why, verified, and nothing else touched."""

from dataclasses import replace

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.consent.ledger import record_answer, record_asked
from rasa_privacy.errors import HoldError, StorageError
from rasa_privacy.policy.purpose_model import Purpose
from rasa_privacy.rights import holds, part_deletion
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.part_deletion import Deleted
from rasa_privacy.rights.parts import Plan, Staying, plan
from rasa_privacy.rights.requests import open_request
from rasa_privacy.storage import requests
from rasa_privacy.storage.replay import replay
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.parts import delete_part
from tests.support.vaults import SENDER, Clock, active, evidence, give, grant, held, ledger_events, notice_of

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
VALUES = {
    "draw": {"full_name": "Ana Li", "email": "a@b.example"},
    "newsletter": {"email": "a@b.example"},
    "fitting": {"full_name": "Ana Li", "phone": "+49 170 5558172"},
}


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person with three consents and values, one of them given twice."""
    found = grant(vault, "draw", "newsletter", "fitting")
    give(vault, {"fitting": {"phone": "+49 170 5558000"}})
    give(vault, VALUES)
    return found


def planned(vault: Vault, subject_id: bytes, *, items: tuple[str, ...] = (), purposes: tuple[str, ...] = ()) -> Plan:
    """Return what a deletion would do."""
    with vault.database.read() as connection:
        return plan(vault, connection, subject_id, items, purposes, vault.clock())


def delete(vault: Vault, *, items: tuple[str, ...] = (), purposes: tuple[str, ...] = ()) -> Deleted | None:
    """Delete a part."""
    return delete_part(vault, SENDER, items, purposes, evidence(vault))


def with_law(vault: Vault) -> None:
    """Let the law demand that a name is kept."""
    by_law = Purpose(
        says={"en": "to keep the books"},
        basis="legal_obligation",
        because={"en": "tax law"},
        items={"full_name": "required"},
        retain="1 year",
    )
    policy = msgspec.structs.replace(vault.policy, purposes={**vault.policy.purposes, "books": by_law})
    object.__setattr__(vault, "policy", policy)


@each_kind
def test_an_item_goes_wherever_it_is_held(vault: Vault, subject_id: bytes) -> None:
    """Both values of it, with its old key; everything else stays, and so does the consent, since it is needed."""
    assert planned(vault, subject_id, items=("phone",)) == Plan({("fitting", "phone"): 2}, (), ())
    done = delete(vault, items=("phone",))
    assert done is not None
    assert done.items == ("phone",)
    assert done.certificate.counts == {"values": 2, "keys": 1}
    assert held(vault) == {**VALUES, "fitting": {"full_name": "Ana Li"}}
    assert active(vault) == {"draw", "newsletter", "fitting"}
    assert ledger_events(vault, subject_id)[-1] == ("fitting:phone", "withdrawn")
    assert delete(vault, items=("phone",)) is None


@each_kind
def test_a_purpose_goes_with_its_consent_and_leaves_what_another_holds(vault: Vault, subject_id: bytes) -> None:
    """The email address stays for the draw, which the plan says."""
    found = planned(vault, subject_id, purposes=("newsletter",))
    assert found == Plan({("newsletter", "email"): 1}, ("newsletter",), (Staying("email", "draw", "other"),))
    done = delete(vault, purposes=("newsletter",))
    assert done is not None
    assert done.items == ()
    assert held(vault) == {name: VALUES[name] for name in ("draw", "fitting")}
    assert active(vault) == {"draw", "fitting"}


def test_what_the_law_demands_stays(vault: Vault, subject_id: bytes) -> None:
    """And only that."""
    with_law(vault)
    give(vault, {"books": {"full_name": "Ana Li"}})
    found = planned(vault, subject_id, items=("full_name",))
    assert found.stays == (Staying("full_name", "books", "law"),)
    assert set(found.goes) == {("draw", "full_name"), ("fitting", "full_name")}
    done = delete(vault, items=("full_name",))
    assert done is not None
    assert done.items == ()
    assert held(vault)["books"] == {"full_name": "Ana Li"}
    assert "full_name" not in held(vault)["draw"]
    again = planned(vault, subject_id, items=("full_name",))
    assert again.is_empty
    assert again.stays == found.stays


def test_an_optional_item_takes_its_consent_along(vault: Vault, subject_id: bytes) -> None:
    """Or the bot would take it again without asking."""
    with vault.database.write() as connection:
        notice = replace(notice_of(vault.policy, "draw"), purpose="draw:postcode")
        record_asked(vault, connection, subject_id, notice, evidence(vault))
        record_answer(vault, connection, subject_id, "draw:postcode", granted=True, evidence=evidence(vault))
    give(vault, {"draw": {"postcode": "101"}})
    assert "draw:postcode" in active(vault)
    assert delete(vault, items=("postcode",)) is not None
    assert "draw:postcode" not in active(vault)
    assert "postcode" not in held(vault)["draw"]


def test_a_legal_hold_keeps_everything(vault: Vault, subject_id: bytes) -> None:
    """Nothing is deleted, and nothing is said to be."""
    permit = admit_local(vault, "retention")
    vault.database.transact(lambda connection: holds.add(vault, connection, SENDER, "case-17", permit))
    assert planned(vault, subject_id, items=("phone",)).is_held
    with pytest.raises(HoldError):
        delete(vault, items=("phone",))
    assert held(vault) == VALUES


def test_a_part_is_a_request_with_a_certificate(vault: Vault, subject_id: bytes) -> None:
    """Which says that it was a part, and does not say that the person is gone."""
    done = delete(vault, items=("phone",))
    assert done is not None
    with vault.database.read() as connection:
        (request,) = requests.all_of(connection, subject_id)
        assert not vault.erasures.is_erased(connection, subject_id)
    assert (request.kind, request.state, request.certificate) == ("item_erasure", "done", done.certificate.number)
    made = certificate(vault, done.certificate.number, vault.clock())
    assert made["request"] == request.number
    assert made["destroyed"]["values"] == 2
    (destroyed,) = made["destroyed"]["purposes"]
    assert (destroyed["purpose"], destroyed["items"], len(destroyed["data_key"])) == ("fitting", ["phone"], 64)
    assert "everything else" in made["stays"]
    assert subject_id.hex() not in str(made)


@pytest.mark.usefixtures("subject_id")
def test_what_is_given_afterwards_stays_through_a_replay(vault: Vault, clock: Clock) -> None:
    """The journal undoes no later word; the whole person can still be erased after a part."""
    delete(vault, items=("phone",))
    clock.advance(minutes=5)
    give(vault, {"fitting": {"phone": "+49 170 5558111"}})
    replay(vault, everything=True)
    assert held(vault)["fitting"]["phone"] == "+49 170 5558111"
    assert erase(vault, SENDER, evidence(vault)) is not None
    assert held(vault) == {}


@pytest.mark.usefixtures("subject_id")
def test_nothing_is_claimed_that_reading_back_denies(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that is still there is an error, not a certificate."""
    monkeypatch.setattr(part_deletion, "destroy_topic", lambda *_: True)
    with pytest.raises(StorageError, match="reading back"):
        delete(vault, items=("phone",))


@pytest.mark.usefixtures("subject_id")
def test_a_kill_in_between_ends_the_request_with_a_certificate(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the next start, and no earlier; then the request is done, and asking again finds nothing more."""
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
    assert subject_id is not None
    vault.database.transact(lambda conn: open_request(vault, conn, "item_erasure", subject_id, vault.clock()))
    with monkeypatch.context() as patch:
        patch.setattr(part_deletion, "withdraw", _die)
        with pytest.raises(KeyboardInterrupt):
            delete(vault, items=("phone",), purposes=("newsletter",))
    with vault.database.read() as connection:
        assert vault.erasures.since(connection, None) == []
    replay(vault)
    with vault.database.read() as connection:
        (erasure,) = vault.erasures.since(connection, None)
        (request,) = requests.all_of(connection, subject_id)
    assert (request.state, request.certificate) == ("done", erasure.certificate)
    found = certificate(vault, erasure.certificate, vault.clock())
    assert found["request"] == request.number
    values = {each["purpose"]: each["values"] for each in found["destroyed"]["purposes"]}
    assert values == {"newsletter": {"email": 1}, "fitting": {"phone": 2}}
    assert set(held(vault)) == set(VALUES) - {"newsletter"}
    assert "phone" not in held(vault)["fitting"]
    assert delete(vault, items=("phone",)) is None


def _die(*_: object) -> None:
    raise KeyboardInterrupt
