"""Looking at one person's data, and handing out a copy of it, by staff under a permit.

An operator sees the items and purposes of their role, masked unless they asked for the clear with a reason; a copy for
the person is whole or not made at all. All is in the audit log before it is returned, also that nobody is known.
"""

from dataclasses import dataclass, replace
from typing import Any

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import answering, record, record_now, record_unknown
from rasa_privacy.minimize.transforms import keep_part
from rasa_privacy.rights.access import Holdings
from rasa_privacy.rights.disclosure import seen_among
from rasa_privacy.rights.handover import require_whole
from rasa_privacy.rights.identity import reach
from rasa_privacy.rights.linked import copies_linked, holdings_linked, kept_linked
from rasa_privacy.rights.portability import Copy
from rasa_privacy.rights.requests import answered
from rasa_privacy.storage import requests
from rasa_privacy.storage.kept import Kept
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import SERVICE, Vault


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a person without opening a value, in all linked conversations.

    Attributes:
        subject_id: The random id.
        purposes: Purposes that hold data.
        requests: Requests that wait for an answer.
        is_held: Whether there is a legal hold, as far as the role may know of it.
        kept: What a legal obligation would keep if they were erased, as far as the role goes.
        linked: How many other people are linked, who are seen, copied and erased with this one.
    """

    subject_id: bytes
    purposes: tuple[str, ...]
    requests: tuple[Request, ...]
    is_held: bool
    linked: int
    kept: tuple[Kept, ...] = ()


def find(vault: Vault, sender_id: str, permit: Permit) -> Found | None:
    """Return what is known of the person behind a sender id, or None for nobody.

    Raises:
        AccessError: The permit is for something else.
    """
    permit.require("view")
    found = _found(vault, sender_id, permit)
    if found is None:
        record_unknown(vault, permit)
        return None
    record_now(vault, permit, subject_id=found.subject_id, purposes=found.purposes)
    return found


def _found(vault: Vault, sender_id: str, permit: Permit) -> Found | None:
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
        if subject_id is None:
            return None
        people = reach(vault, connection, subject_id)
        purposes = {name for each in people for name in vault.data_keys.due_of(connection, each)} - {SERVICE}
        kept = kept_linked(vault, connection, sender_id, vault.clock(), purposes=permit.purposes)
        return Found(
            subject_id,
            tuple(sorted(filter(permit.covers_purpose, purposes))),
            tuple(request for each in people for request in requests.open_of(connection, each)),
            seen_among(vault, connection, people, permit),
            len(people) - 1,
            kept,
        )


def show(vault: Vault, sender_id: str, permit: Permit, *, clear: bool = False) -> Holdings | None:
    """Return what is held of a person as far as the permit goes, masked unless asked for clear; None for nobody.

    Raises:
        AccessError: The permit is for something else, or does not show values in the clear.
        TamperedSegmentError: What is stored is not what was written.
    """
    permit.require("view")
    if clear:
        with answering(vault, permit):
            permit.require_clear()
    held = None
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
        if subject_id is not None:
            held = holdings_linked(vault, connection, sender_id, permit.purposes)
    if held is None:
        record_unknown(vault, permit)
        return None
    seen = [each for each in held.values if permit.covers_purpose(each.purpose) and permit.covers_item(each.item)]
    shown = seen if clear else [replace(each, value=keep_part(each.value, "masked")) for each in seen]
    counts = {name: number for name, number in held.stored_values.items() if permit.covers_purpose(name)}
    record_now(
        vault,
        permit,
        subject_id=subject_id,
        purposes=dict.fromkeys(each.purpose for each in seen),
        items=dict.fromkeys(each.item for each in seen),
        counts={"values": len(seen)},
    )
    return Holdings(tuple(shown), counts, held.events)


def hand_out(vault: Vault, sender_id: str, permit: Permit) -> list[Copy]:
    """Return the whole copy for a person, one for each linked conversation, and record it; none for nobody.

    Raises:
        AccessError: The permit is for something else, or does not reach everything in the clear.
        TamperedSegmentError: What is stored is not what was written.
    """
    with answering(vault, permit):
        require_whole(permit)
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
    made = [] if subject_id is None else copies_linked(vault, sender_id, vault.clock())
    if not made:
        record_unknown(vault, permit)
        return made

    def note(connection: Any) -> None:
        answered(vault, connection, "portability", subject_id, vault.clock(), actor=permit.operator)
        counts = {
            "values": sum(len(each.facts["data"]) for each in made),
            "events": sum(each.event_count for each in made),
        }
        record(vault, connection, permit, subject_id=subject_id, counts=counts)

    vault.database.transact(note)
    return made
