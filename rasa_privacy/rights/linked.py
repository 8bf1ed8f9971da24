"""Rights of somebody with several conversations: what is done to one is done to all that a proof has found.

Who calls decides whether the links count: in the chat only while the proof does (`identity`), for staff always. That
STOP keeps people from being written to is the one thing in the chat that follows a link whose proof counts no more:
nothing is lost by it, and a yes in the other conversation lifts it there.
"""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.policy.verbs import PERSON
from rasa_privacy.rights.access import Holdings, holdings, merged
from rasa_privacy.rights.disclosure import held_error
from rasa_privacy.rights.erasure import ErasureCertificate, erase_together
from rasa_privacy.rights.identity import is_proven, linked_others, proven_reach, reach, reached_senders, senders_of
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.part_deletion import Deleted, delete_parts
from rasa_privacy.rights.portability import Copy, copy_of
from rasa_privacy.rights.reach import on_file_or_none
from rasa_privacy.rights.suppression import STOP, stop_contacts, suppress
from rasa_privacy.rights.withdrawal import Withdrawal, withdraw, withdraw_all
from rasa_privacy.rights.withdrawal import merged as merged_withdrawals
from rasa_privacy.storage import holds
from rasa_privacy.storage.kept import Kept, kept_by_law
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stopped:
    """What STOP did.

    Attributes:
        items: Items of which this conversation holds nothing any more.
        is_held: Whether a legal hold keeps what was held by consent.
        is_told: Whether that may be said: one that keeps it is not silent.
        is_new: Whether it changed anything: somebody was not suppressed before, or a consent ended.
    """

    items: tuple[str, ...]
    is_held: bool
    is_told: bool
    is_new: bool


def holdings_linked(
    vault: Vault, connection: Any, sender_id: str, purposes: Sequence[str] | frozenset[str] | None = None
) -> Holdings:
    """Return what is held of a person in all linked conversations; see `access.holdings`."""
    found = (holdings(vault, connection, each, purposes) for each in reached_senders(vault, connection, sender_id))
    return merged(found)


def kept_linked(  # noqa: PLR0913 - whose, when, how far, and of what
    vault: Vault,
    connection: Any,
    sender_id: str,
    now: datetime,
    *,
    links: bool = True,
    purposes: Collection[str] | None = None,
) -> tuple[Kept, ...]:
    """Return what a legal obligation would keep if a person were erased, in all linked conversations or in this one.

    Of other purposes than these no key is opened; None for all.
    """
    subject_id = vault.subjects.find(connection, sender_id)
    people = [] if subject_id is None else reach(vault, connection, subject_id) if links else [subject_id]
    return tuple(one for each in people for one in kept_by_law(vault, connection, each, now, purposes))


def copies_linked(vault: Vault, sender_id: str, now: datetime, *, links: bool = True) -> list[Copy]:
    """Return the copies of all linked conversations or of this one, that of the sender first; empty for nobody."""
    with vault.database.read() as connection:
        senders = reached_senders(vault, connection, sender_id) if links else [sender_id]
    copies = (copy_of(vault, each, now) for each in senders)
    return [each for each in copies if each is not None]


def erase_linked(
    vault: Vault, sender_id: str, evidence: Evidence, actor: str | None = None, *, asked_by: str | None = None
) -> ErasureCertificate | None:
    """Erase a person in all linked conversations or in none, each verified and with a certificate of its own.

    Killed in between, the next start erases the rest.

    Returns:
        The certificate of the sender's own conversation, with what was destroyed in all; None for nobody.

    Raises:
        HoldError: A legal hold keeps one of them; nothing was deleted.
        StorageError: As `erasure.erase`.
    """
    with vault.database.read() as connection:
        senders = reached_senders(vault, connection, sender_id)
        subject_id = vault.subjects.find(connection, sender_id)
        people = [] if subject_id is None else reach(vault, connection, subject_id)
        if holds.held_among(connection, people):
            raise held_error(connection, people)
    done = erase_together(vault, senders[::-1], evidence, actor, asked_by=asked_by)
    if not done or subject_id is None:
        return None
    counts: Counter[str] = Counter()
    for each in done:
        counts.update(each.counts)
    kept = [one for each in done for one in each.kept]
    return replace(done[-1], counts=dict(counts), also=tuple(each.number for each in done[:-1]), kept=tuple(kept))


def withdraw_linked(
    vault: Vault, connection: Any, subject_id: bytes, purposes: Collection[str], evidence: Evidence
) -> Withdrawal:
    """End consents of a person who is locked in all linked conversations, for staff, as `withdrawal.withdraw` does."""
    people = (subject_id, *linked_others(vault, connection, subject_id))
    return merged_withdrawals(withdraw(vault, connection, each, purposes, evidence) for each in people)


def stop_linked(vault: Vault, connection: Any, sender_id: str, evidence: Evidence) -> Stopped:
    """Do what the opt-out word does: every consent ends, and nobody writes to the sender again, known or not.

    Linked conversations are suppressed too, and the contacts that are on file. Consents of linked ones end, with what
    only they allowed, while the proof counts: that destroys something, and who sits at the screen much later may be
    somebody else.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        sender_id: Rasa's conversation key.
        evidence: How it was said.
    """
    is_new = suppress(vault, connection, sender_id, STOP, evidence.at)
    subject_id = vault.subjects.find_for_update(connection, sender_id)
    if subject_id is not None:  # before the consents go, and the contacts with them
        stop_contacts(vault, connection, on_file_or_none(vault, connection, subject_id), evidence.at)
    done = withdraw_all(vault, connection, sender_id, evidence)
    is_new = is_new or bool(done.purposes)
    held = [subject_id] if subject_id is not None and holds.is_held(connection, subject_id) else []
    is_held, is_told = bool(held), bool(holds.told_among(connection, held))
    note_taken(vault, connection, own_act(vault, "suppress", subject_id, purposes=done.purposes, items=done.items))
    if subject_id is None:
        return Stopped(done.items, is_held, is_told, is_new)
    try:
        others = linked_others(vault, connection, subject_id)
    except TamperedSegmentError:  # nobody is kept from opting out by that
        logger.exception("STOP does not reach linked conversations, since a link was changed.")
        others = []
    proven = is_proven(vault, connection, subject_id, evidence.at)
    for other_id in others:
        senders = vault.senders.ids_of(connection, other_id)
        if not senders:
            logger.warning("STOP does not reach a linked conversation, which is damaged.")
        for each in senders:
            is_new |= suppress(vault, connection, each, STOP, evidence.at)
        stop_contacts(vault, connection, on_file_or_none(vault, connection, other_id), evidence.at)
        ended = Withdrawal((), ())
        for each in senders if proven else ():
            ended = merged_withdrawals((ended, withdraw_all(vault, connection, each, evidence)))
        is_new = is_new or bool(ended.purposes)
        note_taken(vault, connection, own_act(vault, "suppress", other_id, purposes=ended.purposes, items=ended.items))
    return Stopped(done.items, is_held, is_told, is_new)


def delete_part_linked(  # noqa: PLR0913 - store, whose, of what, how it was said, and by whom
    vault: Vault,
    sender_id: str,
    items: Collection[str],
    purposes: Collection[str],
    evidence: Evidence,
    *,
    by_staff: str | None = None,
) -> tuple[Deleted | None, tuple[Deleted, ...]]:
    """Delete items and purposes of a person who writes, in all conversations that a proof has found and counts for.

    All of it goes or nothing: killed in between, the next start deletes the rest. Each is verified and has a
    certificate of its own. Staff (`by_staff`, their name) reach linked conversations always, and record what they do
    by themselves.

    Returns:
        What was done here, and what in each conversation that held something of it, this one last.

    Raises:
        HoldError: A legal hold keeps one of them; nothing was deleted.
        StorageError: As `part_deletion.delete_parts`, or a name is damaged.
    """
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
        people: list[bytes] = []
        if subject_id is not None and by_staff is not None:
            people = reach(vault, connection, subject_id)
        elif subject_id is not None:
            people = proven_reach(vault, connection, subject_id, evidence.at)
        others = [senders_of(vault, connection, each)[0] for each in people[1:]]
    actor = PERSON if by_staff is None else None
    senders = [*others, sender_id]
    done = delete_parts(vault, senders, items, purposes, evidence, actor=actor, asked_by=by_staff)
    return done[-1], tuple(filter(None, done))
