"""Erasure (GDPR Art. 17): everything of one person is destroyed, and a certificate says so.

What a legal obligation keeps is sealed anew, apart from the person, until its time is over (`storage.kept`). Then, in
one transaction: the ledger gets `withdrawn` for each consent, the outbox what other systems are to be told, the journal
outside the database its entry; `storage.erasures` destroys the data keys, puts the tombstone and deletes the rows.
After the commit the log is emptied and the result is read back; only then does the caller get a certificate. If the
process dies in between, the next start completes the erasure (`storage.replay`), and so does asking again. The ledger's
records stay, under a random id that nothing connects to a person any more (GDPR Art. 7(1): the controller must be able
to show consent; Art. 17(3)(b) and (e)).
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from rasa_privacy.consent.ledger import Evidence, record_withdrawal
from rasa_privacy.errors import LedgerError, StorageError
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.disclosure import held_error
from rasa_privacy.rights.numbers import new_number
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.requests import open_request
from rasa_privacy.storage.journal_entry import Erased
from rasa_privacy.storage.kept import Kept, after_keeping, keep, kept_after, needs_keeping_first
from rasa_privacy.storage.outbox import tell_others
from rasa_privacy.storage.remains import key_remains, remains
from rasa_privacy.storage.value_counts import numbers_of
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

_Done: TypeAlias = tuple[Erased | None, Sequence[int]]


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
    number = certificate_number()
    found = None
    if needs_keeping_first(vault):
        with vault.database.read() as connection:
            found = vault.subjects.find(connection, sender_id)
    erased, refs = after_keeping(
        vault,
        [] if found is None else [found],
        evidence.at,
        lambda connection: _erase(vault, connection, sender_id, number, evidence, actor),
    )
    empty_log(vault)
    if erased is None:
        return None
    verify_erased(vault, erased.subject_id, refs)
    kept = kept_after(vault, [erased.subject_id], evidence.at)
    return ErasureCertificate(number, evidence.at, numbers_of(erased.counts), kept=kept.get(erased.subject_id, ()))


def _erase(  # noqa: PLR0913, PLR0917 - store, transaction, whose, under which number, how and by whom
    vault: Vault, connection: Any, sender_id: str, number: str, evidence: Evidence, actor: str | None
) -> _Done:
    """Erase within a transaction; return what the journal says of it, and the numbers of the conversations."""
    subject_id = vault.subjects.find_for_update(connection, sender_id)
    if subject_id is None:
        return None, ()
    found = vault.erasures.inventory(connection, subject_id)
    if found.is_held:
        raise held_error(connection, [subject_id])
    try:
        record_withdrawal(vault, connection, subject_id, vault.policy.purposes, evidence)
    except LedgerError:
        # Nobody stays because the ledger is damaged; without a subject its consent says nothing.
        logger.warning("An erasure goes on without a record in the consent ledger, which is damaged.")
    open_request(vault, connection, "erasure", subject_id, evidence.at, is_locked=True)  # which `bury` completes
    entry = Erased(subject_id, evidence.at, number, found.counts)
    keep(vault, connection, subject_id, evidence.at)
    # Before the journal: what fails here fails with nothing done, and not again at each start.
    tell_others(vault, connection, subject_id, number, evidence.at)
    if actor is not None:
        note_taken(vault, connection, own_act(vault, "erase", subject_id, counts=numbers_of(found.counts), actor=actor))
    vault.journal.write(connection, entry)
    vault.erasures.bury(connection, subject_id, erased_at=evidence.at, certificate=number, counts=found.counts)
    return entry, found.refs


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
