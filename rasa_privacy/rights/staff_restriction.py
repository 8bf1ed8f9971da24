"""Stopping the use of one person's data while it stays, by staff under a permit, in all linked conversations.

Restriction and objection (GDPR Art. 18 and 21) are of purposes; no sale and no sharing, and the limit on sensitive data
(CCPA), are of the person.
"""

from collections.abc import Callable, Collection
from typing import Any

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import answering, record
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import RequestError
from rasa_privacy.rights.clocks import Kind
from rasa_privacy.rights.identity import linked_others
from rasa_privacy.rights.requests import answered
from rasa_privacy.rights.staff import COMMAND_LINE, staff_evidence, there
from rasa_privacy.rights.standing import do_not_sell as record_no_sale
from rasa_privacy.rights.standing import lift_limit, limit
from rasa_privacy.rights.standing import restrict as restrict_purposes
from rasa_privacy.storage.vault import Vault


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
        subject_id, evidence = there(vault, connection, sender_id), staff_evidence(vault, channel)
        changed = restrict_purposes(vault, connection, subject_id, purposes, evidence, lift=lift)
        for other_id in linked_others(vault, connection, subject_id):
            more = restrict_purposes(vault, connection, other_id, purposes, evidence, lift=lift)
            changed = tuple(dict.fromkeys([*changed, *more]))
        if not lift:
            answered(vault, connection, "objection" if objection else "restriction", subject_id, evidence.at)
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
        subject_id, evidence = there(vault, connection, sender_id), staff_evidence(vault, channel)
        people = (subject_id, *linked_others(vault, connection, subject_id))
        changed = [say(vault, connection, each, evidence) for each in people]
        if kind is not None:
            answered(vault, connection, kind, subject_id, evidence.at)
        record(vault, connection, permit, subject_id=subject_id)
        return any(changed)

    with answering(vault, permit):
        return vault.database.transact(work)
