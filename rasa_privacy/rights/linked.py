"""Rights of somebody with several conversations: what is done to one is done to all that a proof has found.

Who calls decides whether the links count: in the chat only while the proof does (`identity`), for staff always.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import HoldError
from rasa_privacy.rights.access import Holdings, holdings, merged
from rasa_privacy.rights.erasure import ErasureCertificate, erase
from rasa_privacy.rights.identity import reach, reached_senders
from rasa_privacy.rights.portability import Copy, copy_of
from rasa_privacy.storage import holds
from rasa_privacy.storage.kept import Kept, kept_by_law
from rasa_privacy.storage.vault import Vault


def holdings_linked(
    vault: Vault, connection: Any, sender_id: str, purposes: Sequence[str] | frozenset[str] | None = None
) -> Holdings:
    """Return what is held of a person in all linked conversations; see `access.holdings`."""
    found = (holdings(vault, connection, each, purposes) for each in reached_senders(vault, connection, sender_id))
    return merged(found)


def kept_linked(
    vault: Vault, connection: Any, sender_id: str, now: datetime, *, links: bool = True
) -> tuple[Kept, ...]:
    """Return what a legal obligation would keep if a person were erased, in all linked conversations or in this one."""
    subject_id = vault.subjects.find(connection, sender_id)
    people = [] if subject_id is None else reach(vault, connection, subject_id) if links else [subject_id]
    return tuple(one for each in people for one in kept_by_law(vault, connection, each, now))


def copies_linked(vault: Vault, sender_id: str, now: datetime) -> list[Copy]:
    """Return the copies of all linked conversations, that of the sender first; empty for nobody."""
    with vault.database.read() as connection:
        senders = reached_senders(vault, connection, sender_id)
    copies = (copy_of(vault, each, now) for each in senders)
    return [each for each in copies if each is not None]


def erase_linked(
    vault: Vault, sender_id: str, evidence: Evidence, actor: str | None = None
) -> ErasureCertificate | None:
    """Erase a person in all linked conversations, each verified and with a certificate of its own.

    The sender's own conversation goes last, since its links lead to the others: killed in between, the person asks
    again and the rest goes.

    Returns:
        The certificate of the sender's own conversation, with what was destroyed in all; None for nobody.

    Raises:
        HoldError: A legal hold keeps one of them; nothing was deleted.
        StorageError: As `erasure.erase`; what was erased before stays erased.
    """
    with vault.database.read() as connection:
        senders = reached_senders(vault, connection, sender_id)
        subject_id = vault.subjects.find(connection, sender_id)
        people = [] if subject_id is None else reach(vault, connection, subject_id)
        if holds.held_among(connection, people):
            raise HoldError("a legal hold keeps this person; release it first (`rasa-privacy hold release`)")
    done = [made for each in reversed(senders) if (made := erase(vault, each, evidence, actor)) is not None]
    if not done or subject_id is None:
        return None
    counts: Counter[str] = Counter()
    for each in done:
        counts.update(each.counts)
    kept = [one for each in done for one in each.kept]
    return replace(done[-1], counts=dict(counts), also=tuple(each.number for each in done[:-1]), kept=tuple(kept))
