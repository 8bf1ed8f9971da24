"""What people do themselves, in the audit log: they look at their data, take a copy, correct, delete, take back.

Rules:

1. Acts of rights alone, each in the transaction that does it: an ordinary turn writes nothing here. What somebody
   agreed to or refused is in the consent ledger.
2. The actor is `PERSON`, whom no operator can be called; the person is the random id, and neither sender id nor value
   is in a record.
3. Where the log does not verify, nothing is shown or handed out. What a person takes away is not held up by that: it
   goes, and the server's log says that the record is missing.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rasa_privacy.errors import AuditError
from rasa_privacy.policy.verbs import PERSON
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

_NOTHING: Final[Mapping[str, int]] = {}


def own_act(  # noqa: PLR0913 - the fields of a record
    vault: Vault,
    verb: str,
    subject_id: bytes | None,
    *,
    purposes: Iterable[str] = (),
    items: Iterable[str] = (),
    counts: Mapping[str, int] = _NOTHING,
    outcome: str = "done",
    actor: str = PERSON,
) -> AuditRecord:
    """Return the record of one act.

    Args:
        vault: The open store.
        verb: What was done, a word of `policy.verbs.VERBS`.
        subject_id: The person; None for somebody of whom nothing is stored.
        purposes: Names of the purposes concerned, each once.
        items: Names of the items concerned; never values.
        counts: How many of what.
        outcome: `done` or `refused`.
        actor: Who, where it is not the person in the chat.
    """
    return AuditRecord(
        at=vault.clock(),
        operator=actor,
        verb=verb,
        outcome=outcome,
        subject_id=subject_id,
        purposes=tuple(dict.fromkeys(purposes)),
        items=tuple(dict.fromkeys(items)),
        counts=dict(counts),
    )


def note_seen(vault: Vault, connection: Any, act: AuditRecord) -> None:
    """Record what is about to be shown or handed out, in a transaction that is committed before.

    Raises:
        AuditError: The log does not verify; show nothing.
        StorageError: It cannot be written; show nothing.
    """
    vault.audit.append(connection, act)


def note_taken(vault: Vault, connection: Any, *acts: AuditRecord) -> None:
    """Record what a person takes away, in the transaction that does it; a log that does not verify stops nobody.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        with connection.begin_nested():
            vault.audit.append(connection, *acts)
    except AuditError:
        logger.exception("What a person took away is not in the audit log, which does not verify.")
