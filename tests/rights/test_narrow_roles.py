"""What a narrow role is refused, and what it could try out, leaves a record and says nothing of what is beyond it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import yaml

from rasa_privacy.access.permit import issue
from rasa_privacy.errors import AccessError, RequestError
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.operations import HandOver
from rasa_privacy.rights import staff_access, staff_erasure, staff_rectification, staff_restriction
from rasa_privacy.rights.bulk_erasure import erase_listed
from rasa_privacy.rights.bulk_run import Bulk
from rasa_privacy.rights.handover import offer_by_staff
from rasa_privacy.rights.staff_consents import consents_of, end_consents
from rasa_privacy.rights.staff_deletion import erase_part, plan_part
from rasa_privacy.storage.vault import Vault
from tests.support.operators import records
from tests.support.vaults import BY_LAW, SENDER, give, grant, note_unwrapped, privacy_text


@pytest.fixture
def vault(vault: Vault) -> Vault:
    """Return a store with a person whose data lies under three purposes, one of them by law."""
    declared = msgspec.convert(yaml.safe_load(privacy_text() + BY_LAW), Policy)
    made = replace(vault, policy=msgspec.structs.replace(declared, handover=HandOver(url="https://b.example")))
    grant(made, "draw", "fitting")
    values = {"draw": {"email": "ana@x.example"}, "fitting": {"full_name": "Ana Li"}, "books": {"full_name": "Ana Li"}}
    give(made, values)
    return made


def permit(verb: str, *, clear: bool = True) -> Any:
    """Return a permit of somebody who reaches the draw and its address alone."""
    reach = {"items": frozenset({"email", "full_name"}), "purposes": frozenset({"draw"})}
    return issue(operator="eva", role="support", verb=verb, reason="a letter", clear=clear, **reach)


REFUSED: dict[str, Callable[[Vault], object]] = {
    "rectify": lambda vault: staff_rectification.rectify(vault, SENDER, "full_name", "Eve", permit("rectify")),
    "restrict": lambda vault: staff_restriction.restrict(
        vault, SENDER, list(vault.policy.purposes), permit("restrict")
    ),
    "export": lambda vault: staff_access.hand_out(vault, SENDER, permit("export")),
    "link": lambda vault: offer_by_staff(vault, SENDER, permit("export")),
    "erase": lambda vault: staff_erasure.erase_person(vault, SENDER, permit("erase")),
    "consent": lambda vault: end_consents(vault, SENDER, list(vault.policy.purposes), permit("consent")),
    "view": lambda vault: staff_access.show(vault, SENDER, permit("view", clear=False), clear=True),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_role_is_refused_is_in_the_audit_log(vault: Vault, what: str) -> None:
    """Also where it is the person's data that decides, and not the role alone; it is written before it is said."""
    before = len(records(vault))
    with pytest.raises(AccessError):
        REFUSED[what](vault)
    (noted,) = records(vault)[before:]
    assert (noted.operator, noted.role, noted.outcome) == ("eva", "support", "refused")
    assert noted.verb == ("export" if what == "link" else what)


def test_a_refusal_names_no_purpose_that_the_role_does_not_reach(vault: Vault) -> None:
    """For what somebody has given their data is not for everybody to know."""
    for what in ("rectify", "erase"):
        with pytest.raises(AccessError) as refused:
            REFUSED[what](vault)
        assert not any(name in str(refused.value) for name in ("fitting", "books"))


def test_finding_somebody_opens_no_key_beyond_the_role(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of what the law keeps either, of which the role would only be shown the names."""
    opened = note_unwrapped(monkeypatch)
    with vault.database.read() as connection:
        vault.data_keys.forget([vault.subjects.find(connection, SENDER) or b""])
    found = staff_access.find(vault, SENDER, permit("view"))
    assert found is not None
    assert found.kept == ()
    assert not {"fitting", "books"} & {*opened}


UNKNOWN: dict[str, Callable[[Vault], object]] = {
    "find": lambda vault: staff_access.find(vault, "nobody", permit("view")),
    "show": lambda vault: staff_access.show(vault, "nobody", permit("view")),
    "erase": lambda vault: staff_erasure.erase_person(vault, "nobody", permit("erase")),
    "rectify": lambda vault: staff_rectification.rectify(vault, "nobody", "email", "x@y.example", permit("rectify")),
    "restrict": lambda vault: staff_restriction.restrict(vault, "nobody", ["draw"], permit("restrict")),
    "preview of a part": lambda vault: plan_part(vault, "nobody", ["email"], [], permit("view")),
    "part": lambda vault: erase_part(vault, "nobody", ["email"], [], permit("erase"), channel="api"),
    "consents": lambda vault: consents_of(vault, "nobody", permit("view")),
    "revoke": lambda vault: end_consents(vault, "nobody", ["draw"], permit("consent")),
    "no sale": lambda vault: staff_restriction.do_not_sell(vault, "nobody", permit("restrict")),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_trying_out_who_is_known_leaves_a_record(vault: Vault, what: str) -> None:
    """Whether a number writes to the bot is something about who has it."""
    before = len(records(vault))
    with suppress(RequestError):
        assert not UNKNOWN[what](vault)
    (noted,) = records(vault)[before:]
    assert (noted.operator, noted.counts) == ("eva", {"unknown": 1})
    assert noted.subject_id is None


@pytest.mark.parametrize("is_preview", [True, False])
def test_trying_out_a_list_leaves_a_record(vault: Vault, *, is_preview: bool) -> None:
    """A preview of an erasure too, and the lines of a list of whom nobody is known or is beyond the role."""
    before = len(records(vault))
    erase_listed(Bulk(vault, permit("erase"), is_preview=is_preview), [SENDER, "nobody"])
    (noted,) = records(vault)[before:]
    assert (noted.operator, noted.verb, noted.counts) == ("eva", "erase", {"looked_at": 2})
