"""Withdrawal (GDPR Art. 7(3)): consent ends and what only it allowed is destroyed, in one transaction.

The same goes for an optional item of a purpose, whose consent may end alone.

A value that another active purpose also holds stays under that purpose's key; nothing is copied here. The journal
outside the database gets an entry first, so that a restored backup does not bring the consent back. After the commit
the caller empties the log (`rights.clearing`), and only then says that it is done.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rasa_privacy.consent.double_opt_in import end_code
from rasa_privacy.consent.ledger import Evidence, record_withdrawal, state_of
from rasa_privacy.policy.topics import choice, choices, covering
from rasa_privacy.storage import holds
from rasa_privacy.storage.erasures import destroy_purpose, destroy_topic
from rasa_privacy.storage.journal_entry import Withdrawn
from rasa_privacy.storage.outbox import tell_of
from rasa_privacy.storage.vault import SERVICE, Vault


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a no to optional items did.

    Attributes:
        destroyed: Whether something was held of them and could be destroyed.
        items: Those of the items that no purpose covers any more, whose slots are to be emptied.
    """

    destroyed: bool
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal did.

    Attributes:
        purposes: Purposes whose consent ended.
        items: Items whose values are now held by no purpose; none where a legal hold keeps them. Their slots are
            emptied.
        removed: Those of them of which there may have been a value: what was left out is not said to be deleted.
    """

    purposes: tuple[str, ...]
    items: tuple[str, ...]
    removed: tuple[str, ...] = field(default=(), compare=False)


def withdraw(
    vault: Vault, connection: Any, subject_id: bytes, purposes: Iterable[str], evidence: Evidence
) -> Withdrawal:
    """End these consents and destroy the keys and values that only they allowed.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the subject is locked; the withdrawal is true once it
            is committed, and on the disk once the log is emptied.
        subject_id: The person.
        purposes: Purposes to withdraw from; those without consent are passed over.
        evidence: How it was said.
    """
    wanted = frozenset(purposes)
    before = _could_be_held(vault, connection, subject_id, evidence.at)
    ended = record_withdrawal(
        vault, connection, subject_id, [name for name in vault.policy.purposes if name in wanted], evidence
    )
    for purpose in wanted:
        end_code(connection, subject_id, purpose, evidence.at)  # one that still waits must not open it again
    # Data of a consent that ended by itself, or of a purpose that privacy.yml has no more, goes with it.
    held = held_by_consent(vault, connection, subject_id)
    _destroy(vault, connection, subject_id, sorted({*ended, *(wanted & held)}), evidence.at)
    still = _kept(vault, connection, subject_id, evidence.at)
    gone = dict.fromkeys(
        item
        for purpose in ended
        for item in vault.policy.purposes[purpose].items
        if not covering(vault.policy, item, still)
    )
    items = () if holds.is_held(connection, subject_id) else tuple(gone)
    done = Withdrawal(ended, items, tuple(item for item in items if item in before))
    concerned = sorted({*ended, *(wanted & held)})
    if concerned:
        tell_of(vault, connection, subject_id, "withdrawal", evidence.at, purposes=concerned, items=done.items)
    return done


def merged(done: Iterable[Withdrawal]) -> Withdrawal:
    """Return what withdrawals in several conversations of one person did."""
    every = tuple(done)
    purposes = dict.fromkeys(name for each in every for name in each.purposes)
    items = dict.fromkeys(item for each in every for item in each.items)
    removed = dict.fromkeys(item for each in every for item in each.removed)
    return Withdrawal(tuple(purposes), tuple(items), tuple(removed))


def withdraw_all(vault: Vault, connection: Any, sender_id: str, evidence: Evidence) -> Withdrawal:
    """End every consent of a person, known or not, and destroy what only they allowed, as `withdraw` does."""
    subject_id = vault.subjects.find_for_update(connection, sender_id)
    if subject_id is None:
        return Withdrawal((), ())
    everything = {*vault.policy.purposes, *vault.data_keys.due_of(connection, subject_id)}
    return withdraw(vault, connection, subject_id, everything, evidence)


def destroy(vault: Vault, connection: Any, subject_id: bytes, purposes: Iterable[str], at: datetime) -> tuple[str, ...]:
    """Destroy the keys and values that there are of these purposes; a restored backup does not bring them back.

    Returns:
        The purposes of which something was destroyed.

    Raises:
        JournalError: The journal could not be written; nothing was destroyed.
    """
    there = vault.data_keys.due_of(connection, subject_id)
    held = tuple(purpose for purpose in purposes if purpose in there)
    done = held if _destroy(vault, connection, subject_id, held, at) else ()
    if done:
        tell_of(vault, connection, subject_id, "withdrawal", at, purposes=done)
    return done


def destroy_items(  # noqa: PLR0913, PLR0917 - store, transaction, whose, of what, which and when
    vault: Vault, connection: Any, subject_id: bytes, purpose: str, items: Iterable[str], at: datetime
) -> LeftOut:
    """Destroy what a purpose holds of optional items that were said no to, after the no was recorded.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the subject is locked.
        subject_id: The person.
        purpose: The purpose.
        items: The items.
        at: The moment of the no, as the ledger has it.

    Raises:
        JournalError: The journal could not be written; nothing was destroyed.
    """
    gone = tuple(items)
    there = purpose in vault.data_keys.due_of(connection, subject_id) and not holds.is_held(connection, subject_id)
    if there:
        topics = [choice(purpose, item) for item in gone]
        vault.journal.write(connection, *(Withdrawn(subject_id, at, topic) for topic in topics))
        for topic in topics:
            destroy_topic(vault.parts, vault.data_keys, connection, subject_id, topic, at)
        tell_of(vault, connection, subject_id, "withdrawal", at, purposes=[purpose], items=gone)
    still = _kept(vault, connection, subject_id, at)
    return LeftOut(there, tuple(item for item in gone if not covering(vault.policy, item, still)))


def withdraw_items(
    vault: Vault, connection: Any, subject_id: bytes, items: Iterable[str], evidence: Evidence
) -> tuple[str, ...]:
    """Take back the consent to optional items wherever it was given, and destroy what was held by it.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the subject is locked.
        subject_id: The person.
        items: Items of privacy.yml; those without such a consent are passed over.
        evidence: How it was said.

    Returns:
        The items that were taken back.
    """
    wanted = frozenset(items)
    ended: dict[str, None] = {}
    for purpose, item in choices(vault.policy):
        if item in wanted and record_withdrawal(vault, connection, subject_id, [choice(purpose, item)], evidence):
            destroy_items(vault, connection, subject_id, purpose, [item], evidence.at)
            ended[item] = None
    return tuple(ended)


def held_by_consent(vault: Vault, connection: Any, subject_id: bytes) -> frozenset[str]:
    """Return the purposes that hold data of this person and that no other lawful basis than consent covers."""
    declared = vault.policy.purposes
    keys = vault.data_keys.due_of(connection, subject_id)
    return frozenset(
        name for name in keys if name != SERVICE and (name not in declared or declared[name].basis == "consent")
    )


def _could_be_held(vault: Vault, connection: Any, subject_id: bytes, at: datetime) -> frozenset[str]:
    """Return the items of which there may be a value, without opening any: what purposes that hold data may keep."""
    kept, declared = _kept(vault, connection, subject_id, at), vault.policy.purposes
    holding = [name for name in vault.data_keys.due_of(connection, subject_id) if name in declared]
    return frozenset(
        item
        for name in holding
        for item in declared[name].items
        # Of a consent that has ended the answers about optional items count no more, and their values may be there.
        if name not in kept or item not in declared[name].choices or choice(name, item) in kept
    )


def _kept(vault: Vault, connection: Any, subject_id: bytes, at: datetime) -> frozenset[str]:
    """Return what may keep data now: what is active, and what is restricted, which may not use it."""
    state = state_of(vault, connection, subject_id, at)
    return state.active | state.restricted


def _destroy(vault: Vault, connection: Any, subject_id: bytes, purposes: Sequence[str], at: datetime) -> bool:
    if holds.is_held(connection, subject_id):
        return False  # what was held by a consent that ended stays, unused, until the hold is released
    vault.journal.write(connection, *(Withdrawn(subject_id, at, purpose) for purpose in purposes))
    for purpose in purposes:
        destroy_purpose(vault.parts, vault.data_keys, connection, subject_id, purpose)
    return True
