"""Withdrawal (GDPR Art. 7(3)): consent ends and what only it allowed is destroyed, in one transaction.

A value that another active purpose also holds stays under that purpose's key; nothing is copied here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rasa_privacy.consent.ledger import Evidence, record_withdrawal, state_of
from rasa_privacy.storage.vault import SERVICE, Vault


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal did.

    Attributes:
        purposes: Purposes whose consent ended.
        items: Items whose values are now held by no purpose.
    """

    purposes: tuple[str, ...]
    items: tuple[str, ...]


def withdraw(
    vault: Vault, connection: Any, subject_id: bytes, purposes: Iterable[str], evidence: Evidence
) -> Withdrawal:
    """End these consents and destroy the keys and values that only they allowed.

    Args:
        vault: The open store.
        connection: An open write transaction; the withdrawal is true once it is committed.
        subject_id: The person.
        purposes: Purposes to withdraw from; those without consent are passed over.
        evidence: How it was said.
    """
    wanted = frozenset(purposes)
    ended = record_withdrawal(
        vault, connection, subject_id, [name for name in vault.policy.purposes if name in wanted], evidence
    )
    # Data of a consent that ended by itself, or of a purpose that privacy.yml has no more, goes with it.
    destroy(vault, connection, subject_id, {*ended, *(wanted & held_by_consent(vault, connection, subject_id))})
    still = state_of(vault, connection, subject_id, evidence.at).active
    gone = dict.fromkeys(
        item
        for purpose in ended
        for item in vault.policy.purposes[purpose].items
        if not still.intersection(vault.policy.purposes_using(item))
    )
    return Withdrawal(ended, tuple(gone))


def destroy(vault: Vault, connection: Any, subject_id: bytes, purposes: Iterable[str]) -> None:
    """Destroy the keys and values of these purposes."""
    for purpose in purposes:
        vault.conversations.drop_purpose(connection, subject_id, purpose)
        vault.data_keys.destroy(connection, subject_id, purpose)


def held_by_consent(vault: Vault, connection: Any, subject_id: bytes) -> frozenset[str]:
    """Return the purposes that hold data of this person and that no other lawful basis than consent covers."""
    declared = vault.policy.purposes
    keys = vault.data_keys.due_of(connection, subject_id)
    return frozenset(
        name for name in keys if name != SERVICE and (name not in declared or declared[name].basis == "consent")
    )
