"""Permits and what is recorded under them."""

import ast
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

import rasa_privacy
from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.labels import local_user, shown_label
from rasa_privacy.access.permit import Permit
from rasa_privacy.access.reasons import checked_reason
from rasa_privacy.access.recording import record, record_now, recording
from rasa_privacy.errors import AccessError, AuditError, StorageError
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.operations import Audit
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault


def records(vault: Vault) -> list[AuditRecord]:
    """Return the log."""
    with vault.database.read() as connection:
        return [entry.record for entry in vault.audit.entries(connection)]


def test_a_permit_is_made_by_admission_alone() -> None:
    """Making one by hand, or changing one, raises; so does one for something else."""
    with pytest.raises(AccessError, match=r"is made by rasa_privacy\.access\.admission"):
        Permit("ana", "dpo", "view", "", None, None, clear=True, seal=object())


def test_nothing_else_imports_the_maker_of_permits() -> None:
    """`issue` is named in the package by admission and by its own module only."""
    users = set()
    for path in Path(rasa_privacy.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom) and node.module == "rasa_privacy.access.permit":
                users |= {path.name for name in names if name in {"issue", "_SEAL"}}
    assert users == {"admission.py"}


def test_a_permit_is_for_one_verb(vault: Vault) -> None:
    """A permit to view is none to erase."""
    permit = admit_local(vault, "view")
    permit.require("view")
    with pytest.raises(AccessError, match="is to view and not to erase"):
        permit.require("erase")
    with pytest.raises(AccessError, match="no verb 'peek'; the verbs are view, "):
        admit_local(vault, "peek")


def test_who_has_the_machine_is_recorded_by_name_or_pseudonym(vault: Vault) -> None:
    """As privacy.yml says; the pseudonym is stable, and another store's is another."""
    assert shown_label(vault, local_user()) == local_user()
    assert local_user().startswith("os+")
    hidden = replace(vault, policy=_with(vault, "pseudonym"))
    record_now(hidden, admit_local(hidden, "view"))
    assert records(vault)[0].operator == shown_label(hidden, local_user())
    assert records(vault)[0].operator.startswith("op-")
    assert local_user()[3:] not in records(vault)[0].operator


def _with(vault: Vault, operators: str) -> Policy:
    return msgspec.structs.replace(vault.policy, audit=Audit(operators=operators))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("asked by ana@x.example", "an email address"),
        ("call +49 170 5558172 back", "a phone number"),
        ("one\ntwo", "one line"),
        ("x" * 256, "at most 255"),
    ],
)
def test_a_reason_holds_no_personal_data(vault: Vault, text: str, why: str) -> None:
    """What detectors find is refused, and the message does not repeat it."""
    with pytest.raises(AccessError, match=why) as caught:
        admit_local(vault, "view", text)
    assert "ana" not in str(caught.value)
    assert "5558172" not in str(caught.value)


def test_a_ticket_is_a_reason() -> None:
    """Numbers of tickets and requests are no phone numbers."""
    assert checked_reason("  request REQ-2026-0042, ticket 48213377 ") == "request REQ-2026-0042, ticket 48213377"


def test_what_is_done_is_recorded_with_the_permit(vault: Vault) -> None:
    """Operator, reason, names and counts."""
    permit = admit_local(vault, "view", "ticket 17")
    record_now(vault, permit, subject_id=b"s" * 16, purposes=["draw"], items=["email"], counts={"values": 1})
    expected = AuditRecord(
        vault.clock(), local_user(), "view", "done", "", b"s" * 16, "ticket 17", ("draw",), ("email",), {"values": 1}
    )
    assert records(vault) == [expected]


def test_a_change_and_its_record_are_one(vault: Vault) -> None:
    """Where the record fails, the change is rolled back."""
    permit = admit_local(vault, "suppress")

    def change(connection: object) -> None:
        vault.subjects.find_or_create(connection, "somebody", vault.clock())
        record(vault, connection, permit, counts={"not a count": 1})

    with pytest.raises(AuditError):
        vault.database.transact(change)
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, "somebody") is None


def test_something_long_is_recorded_around(vault: Vault) -> None:
    """Before it begins, and with its counts when it is done or has failed."""
    permit = admit_local(vault, "keys")
    with recording(vault, permit) as counts:
        assert [each.outcome for each in records(vault)] == ["begun"]
        counts["wrapped_keys"] = 3
    with pytest.raises(StorageError), recording(vault, permit) as counts:
        counts["wrapped_keys"] = 1
        raise StorageError("in the middle")
    found = [(each.outcome, dict(each.counts)) for each in records(vault)]
    assert found == [("begun", {}), ("done", {"wrapped_keys": 3}), ("begun", {}), ("failed", {"wrapped_keys": 1})]


def test_something_long_does_not_begin_unrecorded(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the log cannot be written, nothing within is run."""

    def full(*_: object) -> int:
        raise StorageError("c.db: the disk is full; free some space")

    monkeypatch.setattr(type(vault.audit), "append", full)
    with pytest.raises(StorageError, match="disk is full"), recording(vault, admit_local(vault, "keys")):
        pytest.fail("it was begun")
