"""Erasure (GDPR Art. 17): everything of one person is destroyed, and a certificate says so.

Order, in one transaction: the ledger gets `withdrawn` for each consent, then `storage.erasures` writes the journal,
destroys the data keys, puts the tombstone and deletes the rows. After the commit the result is read back; only then
does the caller get a certificate. The ledger's records stay, under a random id that nothing connects to a person any
more (GDPR Art. 7(1): the controller must be able to show consent; Art. 17(3)(b) and (e)).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rasa_privacy.consent.ledger import Evidence, record_withdrawal
from rasa_privacy.errors import KeyDestroyedError, MalformedSegmentError, StorageError, TamperedSegmentError
from rasa_privacy.storage.vault import Vault

#: Each waits a quarter of a second at most.
_CLEARING_ATTEMPTS: Final = 12

#: Letters and digits that are not taken for one another when read out (Crockford's base 32).
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class ErasureCertificate:
    """Proof of one erasure, without the person.

    Attributes:
        number: `ER-` and three groups of four characters, random (60 bits).
        erased_at: When it was committed, aware and in UTC.
        counts: Number of destroyed `events` and data `keys`. Damaged conversations count no events.
    """

    number: str
    erased_at: datetime
    counts: dict[str, int]


def certificate_number(choice: Callable[[str], str] = secrets.choice) -> str:
    """Return a new random certificate number."""
    return "ER-" + "-".join("".join(choice(_ALPHABET) for _ in range(4)) for _ in range(3))


def erase(vault: Vault, sender_id: str, evidence: Evidence) -> ErasureCertificate | None:
    """Erase the person behind this sender id, and verify it by reading back.

    Returns:
        The certificate, or None where nothing is stored; erasing twice is not an error.

    Raises:
        StorageError: It could not be committed (nothing was deleted), or reading back found something.
    """
    number = certificate_number()
    with vault.database.write() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
        if subject_id is None:
            return None
        counts = {"events": _events(vault, connection, sender_id)}
        counts["keys"] = len(vault.data_keys.due_of(connection, subject_id))
        record_withdrawal(vault, connection, subject_id, vault.policy.purposes, evidence)
        vault.erasures.bury(connection, subject_id, erased_at=evidence.at, certificate=number, counts=counts)
    _clear(vault)
    _verify(vault, sender_id, subject_id)
    return ErasureCertificate(number, evidence.at, counts)


def _events(vault: Vault, connection: Any, sender_id: str) -> int:
    """Return the number of events; a conversation that cannot be read any more must still be erasable."""
    try:
        return vault.conversations.head(connection, sender_id)[1]
    except (MalformedSegmentError, TamperedSegmentError, KeyDestroyedError):
        return 0


def _clear(vault: Vault) -> None:
    """Empty the database's log, in which the erased rows stand until then.

    Raises:
        StorageError: Somebody else keeps a transaction open, such as a backup.
    """
    if not any(vault.database.checkpoint() for _ in range(_CLEARING_ATTEMPTS)):
        raise StorageError("erased, but the database's log could not be emptied because it is being read; try again")


def _verify(vault: Vault, sender_id: str, subject_id: bytes) -> None:
    """Read back what was erased."""
    with vault.database.read() as connection:
        left = vault.data_keys.due_of(connection, subject_id)
        found = vault.subjects.find(connection, sender_id)
        buried = vault.erasures.is_erased(connection, subject_id)
    if left or found == subject_id or not buried:
        raise StorageError("an erasure was committed but reading back still finds the person; run it again")
