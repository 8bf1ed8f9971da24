"""What a person said once and for all: restrictions, no sale and no sharing, a limit on sensitive data.

Each is a record of the consent ledger, where everything that asks for consent finds it, and an entry of the erasure
journal, so that a database that was restored from a backup does not forget it (ADR 22). A topic begins with a colon
where no purpose can have that name.
"""

from collections.abc import Iterable
from typing import Any

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.consent.limits import is_limited, record_limit
from rasa_privacy.consent.opt_out_signals import record_opt_out
from rasa_privacy.consent.restrictions import lifting_topic, record_restriction, restriction_topic
from rasa_privacy.policy.topics import LIMITED, SALE_OR_SHARING, UNLIMITED
from rasa_privacy.storage.journal_entry import Withdrawn
from rasa_privacy.storage.vault import Vault


def restrict(  # noqa: PLR0913 - store, transaction, whose, of what, and how it was said
    vault: Vault, connection: Any, subject_id: bytes, purposes: Iterable[str], evidence: Evidence, *, lift: bool
) -> tuple[str, ...]:
    """Restrict purposes, or lift that; return those for which it is new.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the subject is locked.
        subject_id: The person.
        purposes: Purposes of privacy.yml.
        evidence: How it was said.
        lift: Whether the restriction ends.

    Raises:
        JournalError: The journal could not be written; nothing was recorded.
    """
    changed = record_restriction(vault, connection, subject_id, purposes, evidence, lift=lift)
    topic = lifting_topic if lift else restriction_topic
    _note(vault, connection, subject_id, [topic(name) for name in changed], evidence)
    return changed


def do_not_sell(vault: Vault, connection: Any, subject_id: bytes, evidence: Evidence) -> bool:
    """Record that nothing is to be sold or shared; return whether it is new."""
    new = record_opt_out(vault, connection, subject_id, evidence.method, evidence.channel, evidence.at)
    _note(vault, connection, subject_id, [SALE_OR_SHARING] if new else [], evidence)
    return new


def limit(vault: Vault, connection: Any, subject_id: bytes, evidence: Evidence) -> bool:
    """Record that sensitive data is used for what it is needed for alone; return whether it is new."""
    new = record_limit(vault, connection, subject_id, evidence, lift=False)
    _note(vault, connection, subject_id, [LIMITED] if new else [], evidence)
    return new


def lift_limit(vault: Vault, connection: Any, subject_id: bytes, evidence: Evidence) -> bool:
    """End that limit; return whether there was one."""
    if not is_limited(vault.ledger.of_subject(connection, subject_id), evidence.at):
        return False
    record_limit(vault, connection, subject_id, evidence, lift=True)
    _note(vault, connection, subject_id, [UNLIMITED], evidence)
    return True


def _note(vault: Vault, connection: Any, subject_id: bytes, topics: Iterable[str], evidence: Evidence) -> None:
    vault.journal.write(connection, *(Withdrawn(subject_id, evidence.at, topic) for topic in topics))
