"""Staff delete a part of what is held of a person: an item, or what a purpose holds; as far as their role reaches."""

from typing import Any

import pytest

from rasa_privacy.access.permit import issue
from rasa_privacy.errors import AccessError, HoldError, RequestError
from rasa_privacy.rights import holds as holding
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.requests import open_request
from rasa_privacy.rights.staff_deletion import erase_part, plan_part
from rasa_privacy.storage import requests
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.operators import records
from tests.support.vaults import SENDER, active, give, grant, held, link

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
#: A preview, and the deletion after it, as the audit log has them.
ACTS = (("view", "done"), ("erase", "begun"), ("erase", "done"))
VALUES = {"draw": {"full_name": "Ana Li", "email": "a@b.example"}, "newsletter": {"email": "a@b.example"}}


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person with values for two purposes."""
    found = grant(vault, "draw", "newsletter")
    give(vault, VALUES)
    return found


def permit(verb: str = "erase", items: Any = None, purposes: Any = None) -> Any:
    """Return a permit of an operator with a role."""
    return issue(operator="eva", role="dpo", verb=verb, reason="a letter", items=items, purposes=purposes, clear=False)


def delete(vault: Vault, items: Any = (), purposes: Any = (), by: Any = None) -> Any:
    """Delete a part."""
    return erase_part(vault, SENDER, items, purposes, by or permit(), channel="command line")


@each_kind
def test_an_item_goes_wherever_it_is_held(vault: Vault, subject_id: bytes) -> None:
    """Counted before, verified, with a certificate; the request ends, and the log names who did it."""
    wish = vault.database.transact(lambda conn: open_request(vault, conn, "item_erasure", subject_id, vault.clock()))
    plan = plan_part(vault, SENDER, ["email"], [], permit("view"))
    assert plan is not None
    assert plan.goes == {("draw", "email"): 1, ("newsletter", "email"): 1}
    assert held(vault) == VALUES
    (done,) = delete(vault, ["email"])
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}
    assert certificate(vault, done.certificate.number, vault.clock())["certificate"] == done.certificate.number
    with vault.database.read() as conn:
        found = requests.find(conn, wish.number)
    assert found is not None
    assert (found.state, found.certificate) == ("done", done.certificate.number)
    acts = [(each.operator, each.verb, each.outcome, each.items) for each in records(vault)]
    assert acts == [("eva", verb, outcome, ("email",)) for verb, outcome in ACTS]


@each_kind
def test_what_a_purpose_holds_goes_with_its_consent(vault: Vault, subject_id: bytes) -> None:
    """The other purpose keeps its own."""
    assert subject_id
    (done,) = delete(vault, purposes=["draw"])
    assert done.plan.ends == ("draw",)
    assert held(vault) == {"newsletter": {"email": "a@b.example"}}
    assert active(vault) == {"newsletter"}


@pytest.mark.usefixtures("subject_id")
def test_linked_conversations_are_reached(vault: Vault) -> None:
    """As everything that staff do."""
    grant(vault, "draw", sender="web-7")
    give(vault, {"draw": {"email": "a@b.example"}}, sender="web-7")
    link(vault, SENDER, "web-7")
    assert len(delete(vault, ["email"])) == 2
    assert held(vault, "web-7") == {}


@pytest.mark.usefixtures("subject_id")
@pytest.mark.parametrize(
    ("items", "purposes", "by"),
    [
        (["email"], [], permit("view")),
        (["email"], [], permit(items=frozenset({"full_name"}))),
        (["email"], [], permit(purposes=frozenset({"draw"}))),
        ([], ["draw"], permit(purposes=frozenset({"newsletter"}))),
        ([], ["draw"], permit(items=frozenset({"full_name"}))),
    ],
)
def test_a_role_deletes_what_it_reaches(vault: Vault, items: Any, purposes: Any, by: Any) -> None:
    """All of what is named, or nothing."""
    with pytest.raises(AccessError):
        delete(vault, items, purposes, by)
    assert held(vault) == VALUES
    assert [each.outcome for each in records(vault)] == (["refused"] if by.verb == "erase" else [])


@pytest.mark.usefixtures("subject_id")
@pytest.mark.parametrize(("items", "purposes"), [([], []), (["mail"], []), (["email"], ["drow"])])
def test_what_is_not_declared_is_refused(vault: Vault, items: Any, purposes: Any) -> None:
    """A misspelt name would delete nothing and look as if it had."""
    with pytest.raises(RequestError, match="name items of"):
        delete(vault, items, purposes)


@pytest.mark.usefixtures("subject_id")
def test_a_hold_keeps_the_part(vault: Vault) -> None:
    """And the log says that it was begun and never that it was done."""
    vault.database.transact(lambda conn: holding.add(vault, conn, SENDER, "case-17", permit("retention")))
    with pytest.raises(HoldError):
        delete(vault, ["email"])
    assert held(vault) == VALUES
    assert [each.outcome for each in records(vault) if each.verb == "erase"] == ["begun"]


def test_nobody_and_nothing_are_no_error(vault: Vault, subject_id: bytes) -> None:
    """Deleting twice neither."""
    assert subject_id
    assert erase_part(vault, "nobody", ["email"], [], permit(), channel="api") is None
    assert len(delete(vault, ["email"])) == 1
    assert delete(vault, ["email"]) == ()


@pytest.mark.parametrize("verb", ["view", "erase"])
def test_no_consent_beyond_the_role_ends_or_is_told(vault: Vault, verb: str) -> None:
    """Where nothing is held for a purpose its consent is there all the same."""
    grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    by = permit(verb, purposes=frozenset({"draw"}))
    with pytest.raises(AccessError, match="newsletter"):
        if verb == "view":
            plan_part(vault, SENDER, [], ["newsletter"], by)
        else:
            delete(vault, [], ["draw", "newsletter"], by)
    assert active(vault) == {"draw", "newsletter"}
    assert [each.outcome for each in records(vault)] == ["refused"]


@pytest.mark.usefixtures("subject_id")
def test_a_narrow_role_is_not_told_for_what_else_something_is_held(vault: Vault) -> None:
    """Neither by what stays, nor by the words of a refusal."""
    narrow = frozenset({"draw"})
    plan = plan_part(vault, SENDER, [], ["draw"], permit("view", purposes=narrow))
    assert plan is not None
    assert plan.stays == ()
    with pytest.raises(AccessError) as refused:
        plan_part(vault, SENDER, ["email"], [], permit("view", purposes=narrow))
    assert "newsletter" not in str(refused.value)
    (done,) = delete(vault, [], ["draw"], permit(purposes=narrow))
    assert done.plan.stays == ()
    assert held(vault) == {"newsletter": {"email": "a@b.example"}}
