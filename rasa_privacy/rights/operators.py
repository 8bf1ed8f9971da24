"""What staff do with one person's data, under a permit: look, hand out a copy, correct, erase.

Each function asks for the permit first, and is in the audit log before anything is returned or with what it changes. An
operator sees the items and purposes of their role, masked unless they asked for the clear with a reason; a copy for the
person is whole or not made at all, and nobody is erased whose data is beyond the role.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import answering, record, record_now, record_unknown
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import AccessError, RequestError, UnknownSenderError
from rasa_privacy.minimize.transforms import keep_part
from rasa_privacy.rights.access import Holdings
from rasa_privacy.rights.clocks import Kind
from rasa_privacy.rights.disclosure import held_error, seen_among
from rasa_privacy.rights.erasure import ErasureCertificate
from rasa_privacy.rights.handover import require_whole
from rasa_privacy.rights.identity import linked_others, reach
from rasa_privacy.rights.linked import copies_linked, erase_linked, holdings_linked, kept_linked
from rasa_privacy.rights.portability import Copy
from rasa_privacy.rights.rectification import STAFF, Right, places_of, put_right
from rasa_privacy.rights.requests import answered
from rasa_privacy.rights.standing import do_not_sell as record_no_sale
from rasa_privacy.rights.standing import lift_limit, limit
from rasa_privacy.rights.standing import restrict as restrict_purposes
from rasa_privacy.storage import holds, requests
from rasa_privacy.storage.kept import Kept
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import SERVICE, Vault

#: `channel` in the ledger of what is done with the command line.
COMMAND_LINE: Final = "command line"


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


def rectify(vault: Vault, sender_id: str, item: str, value: str, permit: Permit) -> tuple[str, ...]:
    """Put the right value in place of what every purpose holds of an item, and destroy the wrong one.

    Linked conversations that hold the item are corrected with it. Each gets the value as a slot, so that the bot goes
    on with it. The value is cut to what `keep` allows.

    Returns:
        The purposes that hold it.

    Raises:
        AccessError: The permit is for something else, or does not reach the item or a purpose that holds it.
        RequestError: The item is not declared, has no slot, nothing is held of it, or a legal hold keeps it as it is.
    """
    permit.require("rectify")
    declared = vault.policy.items.get(item)
    if declared is None or declared.slot is None:
        raise RequestError("privacy.yml has no item of this name with a slot; a value elsewhere cannot be corrected")
    with answering(vault, permit):
        permit.require_item(item)
        return vault.database.transact(lambda connection: _rectify(vault, connection, sender_id, item, value, permit))


def _rectify(  # noqa: PLR0913, PLR0917 - store, transaction, whose, what, and under what
    vault: Vault, connection: Any, sender_id: str, item: str, value: str, permit: Permit
) -> tuple[str, ...]:
    now = vault.clock()
    subject_id = _there(vault, connection, sender_id)
    people = (subject_id, *linked_others(vault, connection, subject_id))
    using = vault.policy.purposes_using(item)
    named = {name for who in people for name, _ in vault.data_keys.wrapped_of(connection, who)}
    if not all(map(permit.covers_purpose, named.intersection(using))):  # before any key is opened
        raise AccessError("an item is corrected wherever it is held; this role does not reach every purpose of it")
    places = places_of(vault, connection, people, item)
    purposes = tuple(dict.fromkeys(name for place in places for name in place.purposes))
    if not purposes:
        raise RequestError("nothing is held of this item, so there is nothing to correct")
    if holds.held_among(connection, people):
        raise RequestError(f"what is stored stays as it is: {held_error(connection, people)}")
    for place in places:
        right = Right(item, value, place.purposes, STAFF)
        put_right(vault, connection, place.sender_id, place.subject_id, right, now)
    answered(vault, connection, "rectification", subject_id, now, actor=permit.operator)
    record(vault, connection, permit, subject_id=subject_id, purposes=purposes, items=[item])
    return purposes


def restrict(  # noqa: PLR0913 - whose, of what, and under what
    vault: Vault,
    sender_id: str,
    purposes: Collection[str],
    permit: Permit,
    *,
    lift: bool = False,
    objection: bool = False,
    channel: str = COMMAND_LINE,
) -> tuple[str, ...]:
    """Stop the use of a person's data for purposes while it stays, or let it go on; return what changed.

    Args:
        vault: The open store.
        sender_id: Rasa's conversation key.
        purposes: Purposes of privacy.yml.
        permit: A permit to restrict.
        lift: Whether the restriction ends.
        objection: Whether the person objected (GDPR Art. 21) and did not ask for restriction (Art. 18).
        channel: By which way it came, for the ledger.

    Raises:
        AccessError: The permit is for something else, or does not reach a purpose.
        RequestError: A purpose is not declared, or nothing is stored of this sender.
    """
    permit.require("restrict")
    with answering(vault, permit):
        for name in purposes:
            permit.require_purpose(name)
    unknown = [name for name in purposes if name not in vault.policy.purposes]
    if unknown or not purposes:
        raise RequestError(f"name purposes of privacy.yml: {', '.join(vault.policy.purposes)}")

    def work(connection: Any) -> tuple[str, ...]:
        subject_id, now = _there(vault, connection, sender_id), vault.clock()
        evidence = Evidence("outside", channel, vault.policy.languages[0], now)
        changed = restrict_purposes(vault, connection, subject_id, purposes, evidence, lift=lift)
        for other_id in linked_others(vault, connection, subject_id):
            more = restrict_purposes(vault, connection, other_id, purposes, evidence, lift=lift)
            changed = tuple(dict.fromkeys([*changed, *more]))
        if not lift:
            answered(vault, connection, "objection" if objection else "restriction", subject_id, now)
        record(vault, connection, permit, subject_id=subject_id, purposes=purposes)
        return changed

    with answering(vault, permit):
        return vault.database.transact(work)


def do_not_sell(vault: Vault, sender_id: str, permit: Permit, *, channel: str = COMMAND_LINE) -> bool:
    """Record that a person does not want their data sold or shared; return whether it is new.

    Raises:
        AccessError: The permit is for something else.
        RequestError: Nothing is stored of this sender.
    """
    return _once_and_for_all(vault, sender_id, permit, record_no_sale, "do_not_sell", channel)


def limit_sensitive(
    vault: Vault, sender_id: str, permit: Permit, *, lift: bool = False, channel: str = COMMAND_LINE
) -> bool:
    """Record that a person limits the use of sensitive data, or the end of that; return whether it is new.

    Raises:
        AccessError: The permit is for something else.
        RequestError: Nothing is stored of this sender.
    """
    kind: Kind | None = None if lift else "limit_sensitive"
    return _once_and_for_all(vault, sender_id, permit, lift_limit if lift else limit, kind, channel)


def _once_and_for_all(  # noqa: PLR0913, PLR0917 - whose, under what, and what is recorded
    vault: Vault,
    sender_id: str,
    permit: Permit,
    say: Callable[[Vault, Any, bytes, Evidence], bool],
    kind: Kind | None,
    channel: str,
) -> bool:
    """Record in each linked conversation what holds until the person says otherwise, and that it was answered."""
    permit.require("restrict")

    def work(connection: Any) -> bool:
        subject_id, now = _there(vault, connection, sender_id), vault.clock()
        evidence = Evidence("outside", channel, vault.policy.languages[0], now)
        people = (subject_id, *linked_others(vault, connection, subject_id))
        changed = [say(vault, connection, each, evidence) for each in people]
        if kind is not None:
            answered(vault, connection, kind, subject_id, now)
        record(vault, connection, permit, subject_id=subject_id)
        return any(changed)

    with answering(vault, permit):
        return vault.database.transact(work)


def _there(vault: Vault, connection: Any, sender_id: str) -> bytes:
    """Return the subject behind a sender id, locked."""
    found = vault.subjects.find_for_update(connection, sender_id)
    if found is None:
        raise UnknownSenderError("nothing is stored of this sender")
    return found


def erase_person(
    vault: Vault, sender_id: str, permit: Permit, *, channel: str = COMMAND_LINE
) -> ErasureCertificate | None:
    """Erase a person, verified; None for nobody. That it begins is in the audit log before, that it is done after.

    Raises:
        AccessError: The permit is for something else, or does not reach every purpose that holds data.
        HoldError: A legal hold keeps the person; nothing was deleted.
        StorageError: As `erasure.erase`.
    """
    permit.require("erase")
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
        people = [] if subject_id is None else reach(vault, connection, subject_id)
        held = [name for each in people for name in vault.data_keys.due_of(connection, each)]
    if subject_id is None:
        record_unknown(vault, permit)
        return None
    with answering(vault, permit):
        if not all(permit.covers_purpose(name) for name in held if name != SERVICE):
            raise AccessError(
                "a person is erased whole or not at all; this role does not reach every purpose that holds data"
            )
    record_now(vault, permit, subject_id=subject_id, outcome="begun")
    evidence = Evidence("outside", channel, vault.policy.languages[0], vault.clock())
    done = erase_linked(vault, sender_id, evidence, asked_by=permit.operator)
    record_now(vault, permit, subject_id=subject_id, counts={} if done is None else done.counts)
    return done
