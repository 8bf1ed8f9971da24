"""Deleting a part of what is held of a person, by staff: an item wherever it is held, or what a purpose holds.

As the person does it in the chat (`part_deletion`), in all linked conversations, verified and with a certificate each.
Every purpose of which something goes must be within the role's reach, with all its items where it goes as a whole; what
stays elsewhere is said as far as the role reaches.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import answering, record_now, record_unknown
from rasa_privacy.errors import AccessError, RequestError
from rasa_privacy.rights.identity import reach
from rasa_privacy.rights.linked import delete_part_linked
from rasa_privacy.rights.part_deletion import Deleted
from rasa_privacy.rights.parts import Plan, merged, plan
from rasa_privacy.rights.staff import staff_evidence
from rasa_privacy.storage.vault import Vault


def plan_part(
    vault: Vault, sender_id: str, items: Collection[str], purposes: Collection[str], permit: Permit
) -> Plan | None:
    """Return what deleting a part would do, in all linked conversations; None for nobody.

    Args:
        vault: The open store.
        sender_id: Rasa's conversation key.
        items: Items of privacy.yml.
        purposes: Purposes of privacy.yml.
        permit: A permit to view.

    Raises:
        AccessError: The permit is for something else, or does not reach what would go.
        RequestError: What is named is not declared, or nothing is named.
    """
    permit.require("view")
    found = _planned(vault, sender_id, items, purposes, permit)
    if found is None:
        return None
    subject_id, planned = found
    concerned, gone = _concerned(planned)
    counts = {"parts": len(planned.goes)}
    record_now(vault, permit, subject_id=subject_id, purposes=concerned, items=gone, counts=counts)
    return _within_reach(planned, permit)


def erase_part(  # noqa: PLR0913 - whose, of what, under what and by which way
    vault: Vault,
    sender_id: str,
    items: Collection[str],
    purposes: Collection[str],
    permit: Permit,
    *,
    channel: str,
) -> tuple[Deleted, ...] | None:
    """Delete a part in all linked conversations, that of the sender last; None for nobody, empty where nothing went.

    That it begins is in the audit log before, that it is done after.

    Raises:
        AccessError: As `plan_part`.
        RequestError: As `plan_part`.
        HoldError: A legal hold keeps the person; nothing was deleted.
        StorageError: As `part_deletion.delete_parts`.
    """
    permit.require("erase")
    found = _planned(vault, sender_id, items, purposes, permit)
    if found is None:
        return None
    subject_id, planned = found
    concerned, gone = _concerned(planned)
    record_now(vault, permit, subject_id=subject_id, purposes=concerned, items=gone, outcome="begun")
    _, done = delete_part_linked(
        vault, sender_id, items, purposes, staff_evidence(vault, channel), by_staff=permit.operator
    )
    counts = {"values": sum(each.certificate.counts.get("values", 0) for each in done)}
    record_now(vault, permit, subject_id=subject_id, purposes=concerned, items=gone, counts=counts)
    return tuple(replace(each, plan=_within_reach(each.plan, permit)) for each in done)


def _concerned(planned: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the purposes and the items of which something goes."""
    purposes = dict.fromkeys(purpose for purpose, _ in planned.goes)
    return tuple(purposes), tuple(dict.fromkeys(item for _, item in planned.goes))


def _planned(
    vault: Vault, sender_id: str, items: Collection[str], purposes: Collection[str], permit: Permit
) -> tuple[bytes, Plan] | None:
    """Return who it is and what goes; a refusal, or that it is nobody, is on record before it is said."""
    _require_declared(vault, items, purposes)
    with answering(vault, permit), vault.database.read() as connection:
        found = _plan(vault, connection, sender_id, items, purposes, permit)
    if found is None:
        record_unknown(vault, permit)
    return found


def _plan(  # noqa: PLR0913, PLR0917 - store, transaction, whose, of what, under what
    vault: Vault,
    connection: Any,
    sender_id: str,
    items: Collection[str],
    purposes: Collection[str],
    permit: Permit,
) -> tuple[bytes, Plan] | None:
    named = vault.policy.purposes
    for purpose in purposes:
        permit.require_purpose(purpose)
    for item in (*items, *(item for purpose in purposes for item in named[purpose].items)):
        permit.require_item(item)
    subject_id = vault.subjects.find(connection, sender_id)
    if subject_id is None:
        return None
    people = reach(vault, connection, subject_id)
    keys = {name for who in people for name, _ in vault.data_keys.wrapped_of(connection, who)}
    using = {name for item in items for name in vault.policy.purposes_using(item)}
    if not all(map(permit.covers_purpose, keys & using)):  # by the names of keys, before any of them is opened
        raise AccessError("an item is deleted wherever it is held; this role does not reach every purpose of it")
    return subject_id, merged(plan(vault, connection, each, items, purposes, vault.clock()) for each in people)


def _within_reach(planned: Plan, permit: Permit) -> Plan:
    """Return a plan without what stays for purposes that the role does not reach."""
    return replace(planned, stays=tuple(each for each in planned.stays if permit.covers_purpose(each.purpose)))


def _require_declared(vault: Vault, items: Collection[str], purposes: Collection[str]) -> None:
    policy = vault.policy
    if {*items} <= policy.items.keys() and {*purposes} <= policy.purposes.keys() and (items or purposes):
        return
    raise RequestError(
        f"name items of privacy.yml ({', '.join(policy.items)}), or purposes of it ({', '.join(policy.purposes)})"
    )
