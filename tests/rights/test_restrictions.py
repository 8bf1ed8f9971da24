"""Restriction and objection: the data stays, and nothing may use it."""

from dataclasses import replace

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.errors import AccessError, RequestError
from rasa_privacy.rights import holds, staff_restriction
from rasa_privacy.rights.membership import members
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage import requests
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, active, evidence, give, grant, held

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
VALUES = {"draw": {"full_name": "Ana Li", "email": "a@b.example"}, "newsletter": {"email": "a@b.example"}}


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person with two consents and values."""
    found = grant(vault, "draw", "newsletter")
    give(vault, VALUES)
    return found


def restrict(vault: Vault, *purposes: str, lift: bool = False, objection: bool = False) -> tuple[str, ...]:
    """Restrict purposes, or lift that."""
    permit = admit_local(vault, "restrict")
    return staff_restriction.restrict(vault, SENDER, purposes, permit, lift=lift, objection=objection)


def kinds(vault: Vault, subject_id: bytes) -> list[tuple[str, str]]:
    """Return kind and state of each request of a person."""
    with vault.database.read() as conn:
        return sorted((each.kind, each.state) for each in requests.all_of(conn, subject_id))


@each_kind
def test_the_data_stays_and_nothing_may_use_it(vault: Vault, subject_id: bytes) -> None:
    """Neither the gate nor an audience has the purpose; the other one goes on; lifted, all is as before."""
    assert list(members(vault, "newsletter", vault.clock())) == [[subject_id]]
    assert restrict(vault, "newsletter") == ("newsletter",)
    assert restrict(vault, "newsletter") == ()
    assert active(vault) == {"draw"}
    assert held(vault) == VALUES
    assert list(members(vault, "newsletter", vault.clock())) == []
    assert restrict(vault, "newsletter", lift=True) == ("newsletter",)
    assert active(vault) == {"draw", "newsletter"}
    assert list(members(vault, "newsletter", vault.clock())) == [[subject_id]]
    assert kinds(vault, subject_id) == [("restriction", "done")] * 2
    with vault.database.read() as conn:
        vault.ledger.verify(conn)


def test_a_later_yes_of_the_person_lifts_it(vault: Vault, subject_id: bytes) -> None:
    """Whoever agrees to that very purpose afterwards wants it."""
    restrict(vault, "draw", "newsletter", objection=True)
    assert active(vault) == frozenset()
    grant(vault, "draw")
    assert active(vault) == {"draw"}
    assert kinds(vault, subject_id) == [("objection", "done")]


def test_a_purpose_with_another_basis_is_stopped_too(vault: Vault) -> None:
    """An objection is above all against legitimate interests (GDPR Art. 21(1))."""
    fitting = msgspec.structs.replace(vault.policy.purposes["fitting"], basis="legitimate_interests")
    purposes = {**vault.policy.purposes, "fitting": fitting}
    store = replace(vault, policy=msgspec.structs.replace(vault.policy, purposes=purposes))
    grant(store, "draw")
    assert active(store) == {"draw", "fitting"}
    restrict(store, "fitting", objection=True)
    assert active(store) == {"draw"}


def test_what_is_restricted_is_not_destroyed_as_uncovered(vault: Vault, subject_id: bytes) -> None:
    """Not by the withdrawal of another purpose, whose words do not claim it; not by the end of a legal hold."""
    restrict(vault, "draw")
    done = vault.database.transact(lambda conn: withdraw(vault, conn, subject_id, ["newsletter"], evidence(vault)))
    assert "email" not in done.items
    permit = admit_local(vault, "retention")
    vault.database.transact(lambda conn: holds.add(vault, conn, SENDER, "case-17", permit))
    vault.database.transact(lambda conn: holds.release(vault, conn, "case-17", permit))
    assert held(vault) == {"draw": VALUES["draw"]}


@pytest.mark.usefixtures("subject_id")
def test_do_not_sell_stops_what_shares(vault: Vault) -> None:
    """As the signal of a browser does; said twice it is no news; a yes afterwards counts."""
    shared = msgspec.structs.replace(vault.policy.purposes["newsletter"], recipients=("Mailer Ltd",))
    purposes = {**vault.policy.purposes, "newsletter": shared}
    store = replace(vault, policy=msgspec.structs.replace(vault.policy, purposes=purposes))
    grant(store, "newsletter")
    permit = admit_local(store, "restrict")
    assert staff_restriction.do_not_sell(store, SENDER, permit)
    assert not staff_restriction.do_not_sell(store, SENDER, permit)
    assert "newsletter" not in active(store)
    grant(store, "newsletter")
    assert "newsletter" in active(store)
    assert staff_restriction.do_not_sell(store, SENDER, permit)


@pytest.mark.usefixtures("subject_id")
def test_it_needs_its_permit_and_a_purpose(vault: Vault) -> None:
    """And a person."""
    with pytest.raises(AccessError):
        staff_restriction.restrict(vault, SENDER, ["draw"], admit_local(vault, "view"))
    with pytest.raises(AccessError):
        staff_restriction.do_not_sell(vault, SENDER, admit_local(vault, "view"))
    for purposes in ([], ["unknown"]):
        with pytest.raises(RequestError, match="name purposes"):
            restrict(vault, *purposes)
    with pytest.raises(RequestError, match="nothing is stored"):
        staff_restriction.restrict(vault, "nobody", ["draw"], admit_local(vault, "restrict"))
