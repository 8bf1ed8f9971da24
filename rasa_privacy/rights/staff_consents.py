"""What staff do with one person's consents, under a permit: see where each purpose stands, and end them.

Each function asks for the permit first, and is in the audit log with what it does, also where nobody is known.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import answering, record, record_now, record_unknown
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.state import PurposeState
from rasa_privacy.errors import UnknownSenderError
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.linked import withdraw_linked
from rasa_privacy.rights.staff import COMMAND_LINE, staff_evidence
from rasa_privacy.rights.withdrawal import Withdrawal
from rasa_privacy.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person allows, as far as the role goes.

    Attributes:
        purposes: Where each purpose stands.
        active: Those that may be used now.
    """

    purposes: dict[str, PurposeState]
    active: frozenset[str]


def consents_of(vault: Vault, sender_id: str, permit: Permit) -> Standing | None:
    """Return where the consents of a person stand; None for nobody.

    Raises:
        AccessError: The permit is for something else.
    """
    permit.require("view")
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
        state = None if subject_id is None else state_of(vault, connection, subject_id, vault.clock())
    if state is None:
        record_unknown(vault, permit)
        return None
    shown = {name: each for name, each in state.purposes.items() if permit.covers_purpose(name)}
    record_now(vault, permit, subject_id=subject_id, purposes=shown)
    return Standing(shown, state.active.intersection(shown))


def end_consents(
    vault: Vault, sender_id: str, purposes: Collection[str], permit: Permit, *, channel: str = COMMAND_LINE
) -> Withdrawal:
    """End consents of a person, in linked conversations too, and destroy what only they allowed.

    Args:
        vault: The open store.
        sender_id: Rasa's conversation key.
        purposes: Purposes of privacy.yml.
        permit: A permit for `consent`.
        channel: By which way it came, for the ledger.

    Raises:
        AccessError: The permit is for something else, or does not reach a purpose.
        UnknownSenderError: Nothing is stored of this sender.
    """
    permit.require("consent")

    def end(connection: Any) -> Withdrawal:
        subject_id = vault.subjects.find_for_update(connection, sender_id)
        if subject_id is None:
            raise UnknownSenderError("nothing is stored of this sender (any more), so there is nothing to end")
        ended = withdraw_linked(vault, connection, subject_id, purposes, staff_evidence(vault, channel))
        record(vault, connection, permit, subject_id=subject_id, purposes=ended.purposes, items=ended.items)
        return ended

    with answering(vault, permit):
        for name in purposes:
            permit.require_purpose(name)
        done = vault.database.transact(end)
    empty_log(vault)
    return done
