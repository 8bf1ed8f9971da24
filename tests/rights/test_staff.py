"""What staff may do with one person's data: as far as the permit goes, recorded, and quickly."""

from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.permit import issue
from rasa_privacy.errors import AccessError, KeyDestroyedError
from rasa_privacy.rights import staff_access, staff_erasure, staff_rectification
from rasa_privacy.rights.requests import open_request
from rasa_privacy.rights.staff_deletion import erase_part
from rasa_privacy.storage import requests
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, give, grant, held, note_unwrapped

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person whose values two purposes hold."""
    found = grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana Li", "email": "ana@example.com"}, "newsletter": {"birthday": "1990"}})
    return found


def permit(verb: str, items: Any = None, purposes: Any = None, *, clear: bool = True) -> Any:
    """Return a permit of an operator with a role."""
    return issue(
        operator="eva", role="support", verb=verb, reason="a letter", items=items, purposes=purposes, clear=clear
    )


@pytest.mark.usefixtures("subject_id")
def test_a_role_sees_its_items_and_purposes_alone(vault: Vault) -> None:
    """The key of another purpose is not even used: a damaged one does not matter."""
    with vault.database.write() as conn:
        conn.exec_driver_sql("UPDATE data_keys SET wrapped = x'00' WHERE purpose = 'newsletter'")
    seen = staff_access.show(vault, SENDER, permit("view", frozenset({"email"}), frozenset({"draw"})))
    assert seen is not None
    ((email,), counts) = seen.values, seen.stored_values
    assert (email.item, email.purpose) == ("email", "draw")
    assert email.value != "ana@example.com"
    assert counts == {"draw": 2}


@pytest.mark.usefixtures("subject_id")
@pytest.mark.parametrize(
    "action", [staff_access.find, staff_access.show, staff_access.hand_out, staff_erasure.erase_person]
)
def test_a_permit_for_something_else_opens_nothing(vault: Vault, action: Any) -> None:
    """Nor does one that does not show the clear, or reaches a part, make a copy."""
    with pytest.raises(AccessError):
        action(vault, SENDER, permit("report"))
    with pytest.raises(AccessError):
        staff_access.show(vault, SENDER, permit("view", clear=False), clear=True)
    with pytest.raises(AccessError):
        staff_access.hand_out(vault, SENDER, permit("export", clear=False))
    with pytest.raises(AccessError, match="a whole copy or none"):
        staff_access.hand_out(vault, SENDER, permit("export", frozenset({"email"})))
    with pytest.raises(AccessError):
        staff_rectification.rectify(vault, SENDER, "email", "x@y.example", permit("rectify", frozenset({"phone"})))
    with pytest.raises(AccessError):
        staff_rectification.rectify(
            vault, SENDER, "email", "x@y.example", permit("rectify", None, frozenset({"newsletter"}))
        )
    assert held(vault)["draw"]["email"] == "ana@example.com"


@each_kind
def test_a_correction_that_the_role_does_not_reach_opens_nothing(
    vault: Vault, subject_id: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which purposes may hold the item is told by the names of the person's keys."""
    opened = note_unwrapped(monkeypatch)
    vault.data_keys.forget([subject_id])
    with pytest.raises(AccessError, match="does not reach every purpose of it"):
        staff_rectification.rectify(
            vault, SENDER, "email", "x@y.example", permit("rectify", None, frozenset({"newsletter"}))
        )
    assert opened == []
    staff_rectification.rectify(vault, SENDER, "email", "x@y.example", permit("rectify"))
    assert "draw" in opened


@each_kind
@pytest.mark.usefixtures("subject_id")
def test_a_correction_cuts_to_what_may_be_kept(vault: Vault) -> None:
    """Of a birthday the year alone is kept, and the old one is gone."""
    assert staff_rectification.rectify(vault, SENDER, "birthday", "1991-05-06", permit("rectify")) == ("newsletter",)
    assert held(vault)["newsletter"] == {"birthday": "1991"}


@pytest.mark.usefixtures("subject_id")
def test_what_cannot_be_recorded_is_not_shown(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit log comes first; an erasure without its record does not begin."""

    def fail(*_: object, **__: object) -> None:
        raise KeyDestroyedError("no audit log today")

    monkeypatch.setattr(type(vault.audit), "append", fail)
    for action in (staff_access.find, staff_access.show):
        with pytest.raises(KeyDestroyedError):
            action(vault, SENDER, permit("view"))
    with pytest.raises(KeyDestroyedError):
        staff_access.hand_out(vault, SENDER, permit("export"))
    with pytest.raises(KeyDestroyedError):
        staff_erasure.erase_person(vault, SENDER, permit("erase"))
    assert held(vault)["draw"]["email"] == "ana@example.com"


def test_nobody_is_nobody(vault: Vault) -> None:
    """No error, and nothing made."""
    assert staff_access.find(vault, "nobody", admit_local(vault, "view")) is None
    assert staff_access.show(vault, "nobody", admit_local(vault, "view")) is None
    assert staff_access.hand_out(vault, "nobody", admit_local(vault, "export")) == []
    assert staff_erasure.erase_person(vault, "nobody", admit_local(vault, "erase")) is None


@each_kind
@pytest.mark.usefixtures("subject_id")
def test_nobody_is_erased_whose_data_is_beyond_the_role(vault: Vault) -> None:
    """An erasure takes every purpose, so a role for one of two erases nobody who has both."""
    for purposes in (frozenset({"newsletter"}), frozenset({"draw"}), frozenset[str]()):
        with pytest.raises(AccessError, match="erased whole or not at all"):
            staff_erasure.erase_person(vault, SENDER, permit("erase", None, purposes))
    assert held(vault)["draw"]["email"] == "ana@example.com"
    assert (
        staff_erasure.erase_person(vault, SENDER, permit("erase", None, frozenset({"draw", "newsletter"}))) is not None
    )


@pytest.mark.usefixtures("subject_id")
def test_what_staff_do_unasked_is_not_said_to_come_from_the_person(vault: Vault) -> None:
    """A request that their deed opens was received by them; one that the person had made stays the person's."""

    def received() -> list[tuple[str, str]]:
        with vault.database.read() as conn:
            every = list(requests.iterate(conn))
            return sorted((each.kind, requests.steps_of(conn, each.number)[0].actor) for each in every)

    staff_rectification.rectify(vault, SENDER, "email", "x@y.example", permit("rectify"))
    staff_access.hand_out(vault, SENDER, permit("export"))
    for _ in range(2):  # the second time there is nothing of it
        erase_part(vault, SENDER, ["email"], [], permit("erase"), channel="api")
    with vault.database.write() as conn:
        open_request(vault, conn, "item_erasure", vault.subjects.find(conn, SENDER), vault.clock())
    erase_part(vault, SENDER, ["full_name"], [], permit("erase"), channel="api")
    staff_erasure.erase_person(vault, SENDER, permit("erase"))
    parts = [("item_erasure", "eva"), ("item_erasure", "eva"), ("item_erasure", "person")]
    assert received() == [("erasure", "eva"), *parts, ("portability", "eva"), ("rectification", "eva")]
