"""Erasure (GDPR Art. 17): everything of one person is destroyed, and a certificate says so.

What a legal obligation keeps is sealed anew, apart from the person, until its time is over (`storage.kept`). Then, in
one transaction: the ledger gets `withdrawn` for each consent, the outbox what other systems are to be told, the journal
outside the database its entry; `storage.erasures` destroys the data keys, puts the tombstone and deletes the rows.
After the commit the log is emptied and the result is read back; only then does the caller get a certificate. If the
process dies in between, the next start completes the erasure (`storage.replay`), and so does asking again. The ledger's
records stay, under a random id that nothing connects to a person any more (GDPR Art. 7(1): the controller must be able
to show consent; Art. 17(3)(b) and (e)).

Several conversations of one person go together: all of them are in the journal before the first is touched, so that a
kill leaves all or none.
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rasa_privacy.consent.ledger import Evidence, record_withdrawal
from rasa_privacy.errors import LedgerError, StorageError
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.disclosure import held_error
from rasa_privacy.rights.numbers import new_number
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.requests import PERSON, open_request
from rasa_privacy.storage.journal_entry import Erased
from rasa_privacy.storage.kept import Kept, after_keeping, keep, kept_after, needs_keeping_first
from rasa_privacy.storage.outbox import tell_others
from rasa_privacy.storage.remains import key_remains, remains
from rasa_privacy.storage.value_counts import numbers_of
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be erased.

    Attributes:
        sender_ids: Sender ids of one person.
        numbers: Of certificates, as many; a transaction that is tried again has the same.
        evidence: How it was said.
        actor: Who does it, for the audit log; None where the caller records it.
        asked_by: The member of staff who opens the request; None for the person.
    """

    sender_ids: Sequence[str]
    numbers: Sequence[str]
    evidence: Evidence
    actor: str | None
    asked_by: str | None


@dataclass(frozen=True, slots=True)
class ErasureCertificate:
    """Proof of one erasure, without the person.

    Attributes:
        number: `ER-` and three groups of four characters, random (60 bits).
        erased_at: When it was committed, aware and in UTC.
        counts: Number of destroyed `events` and data `keys`; of a part `values` and `keys`. A damaged conversation
            counts no events.
        kept: What a legal obligation keeps, until its time is over (`storage.kept`).
        also: Numbers of the certificates of linked conversations that were erased with it (`linked.erase_linked`).
    """

    number: str
    erased_at: datetime
    counts: dict[str, int]
    also: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()


def certificate_number(random_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """Return a new random certificate number."""
    return new_number("ER", random_bytes)


def erase(vault: Vault, sender_id: str, evidence: Evidence, actor: str | None = None) -> ErasureCertificate | None:
    """Erase the person behind this sender id, and verify it by reading back.

    Args:
        vault: The open store.
        sender_id: Rasa's conversation key.
        evidence: How it was said.
        actor: Who does it, for the audit log; None where the caller records it.

    Returns:
        The certificate, or None where nothing is stored; erasing twice is not an error.

    Raises:
        StorageError: It could not be committed, the log could not be emptied, or reading back found something.
        JournalError: The journal could not be written; nothing was deleted.
        HoldError: A legal hold keeps the person; nothing was deleted.
    """
    return next(iter(erase_together(vault, [sender_id], evidence, actor)), None)


def erase_together(
    vault: Vault,
    sender_ids: Sequence[str],
    evidence: Evidence,
    actor: str | None = None,
    *,
    asked_by: str | None = None,
) -> list[ErasureCertificate]:
    """Erase all conversations of one person or none, each with a certificate, in the order of their sender ids.

    Args:
        vault: The open store.
        sender_ids: Rasa's conversation keys; of whom nothing is stored there is no certificate.
        evidence: How it was said.
        actor: Who does it, for the audit log; None where the caller records it.
        asked_by: The member of staff who opens the request, for its history; None for the person.

    Raises:
        StorageError: As `erase`.
        JournalError: As `erase`.
        HoldError: A legal hold keeps one of them; nothing was deleted.
    """
    order = _Order(sender_ids, [certificate_number() for _ in sender_ids], evidence, actor, asked_by)
    known: set[bytes] = set()
    if needs_keeping_first(vault):
        with vault.database.read() as connection:
            known = {found for each in sender_ids if (found := vault.subjects.find(connection, each)) is not None}
    done = after_keeping(vault, known, evidence.at, lambda connection: _erase(vault, connection, order))
    empty_log(vault)
    for entry, refs in done:
        verify_erased(vault, entry.subject_id, refs)
    kept = kept_after(vault, [entry.subject_id for entry, _ in done], evidence.at)
    return [
        ErasureCertificate(
            entry.certificate, evidence.at, numbers_of(entry.counts), kept=kept.get(entry.subject_id, ())
        )
        for entry, _ in done
    ]


def _erase(vault: Vault, connection: Any, order: _Order) -> list[tuple[Erased, Sequence[int]]]:
    """Erase within a transaction; return what the journal says of each, and the numbers of their conversations."""
    people = [each for each in locked_people(vault, connection, order.sender_ids) if each is not None]
    found = {subject_id: vault.erasures.inventory(connection, subject_id) for subject_id in people}
    if any(each.is_held for each in found.values()):
        raise held_error(connection, people)
    for subject_id in people:
        _end(vault, connection, subject_id, order)
    numbers = dict(zip(people, order.numbers, strict=False))
    entries = [Erased(each, order.evidence.at, numbers[each], found[each].counts) for each in people]
    for entry in entries:
        _prepare(vault, connection, entry, order)
    vault.journal.write(connection, *entries)
    for entry in entries:
        vault.erasures.bury(connection, entry.subject_id, entry.at, entry.certificate, entry.counts)
    return [(entry, found[entry.subject_id].refs) for entry in entries]


def locked_people(vault: Vault, connection: Any, sender_ids: Sequence[str]) -> list[bytes | None]:
    """Return who is behind each of these sender ids, locked in the order of their own ids, as others lock them.

    None for nobody, and for who stands behind an earlier one.
    """
    if len(sender_ids) > 1:
        for subject_id in sorted(filter(None, (vault.subjects.find(connection, each) for each in sender_ids))):
            vault.subjects.lock(connection, subject_id)
    found = [vault.subjects.find_for_update(connection, each) for each in sender_ids]
    return [None if each in found[:number] else each for number, each in enumerate(found)]


def _end(vault: Vault, connection: Any, subject_id: bytes, order: _Order) -> None:
    """Record that the consents of somebody end who is about to be erased."""
    try:
        record_withdrawal(vault, connection, subject_id, vault.policy.purposes, order.evidence)
    except LedgerError:
        # Nobody stays because the ledger is damaged; without a subject its consent says nothing.
        logger.warning("An erasure goes on without a record in the consent ledger, which is damaged.")


def _prepare(vault: Vault, connection: Any, entry: Erased, order: _Order) -> None:
    """Note all that an erasure leaves behind. What fails here fails with nothing done, and not again at each start."""
    who = order.asked_by or PERSON
    open_request(vault, connection, "erasure", entry.subject_id, entry.at, who, is_locked=True)  # `bury` completes it
    keep(vault, connection, entry.subject_id, entry.at)
    tell_others(vault, connection, entry.subject_id, entry.certificate, entry.at)
    if order.actor is not None:
        counts = numbers_of(entry.counts)
        note_taken(vault, connection, own_act(vault, "erase", entry.subject_id, counts=counts, actor=order.actor))


def verify_erased(vault: Vault, subject_id: bytes, refs: Sequence[int] = ()) -> None:
    """Read back through every table of every database of the store.

    Args:
        vault: The open store.
        subject_id: Who was erased.
        refs: The numbers of their conversations, where they are known.

    Raises:
        StorageError: Something is still there; the message names the tables and nobody.
    """
    left = remains(vault.database, subject_id, refs)
    if vault.data_keys.apart:  # otherwise they are among them
        left |= key_remains(vault.key_database, subject_id)
    if left:
        where = ", ".join(sorted(left))
        raise StorageError(f"an erasure was committed but reading back still finds the person ({where}); run it again")
