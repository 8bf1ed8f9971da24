"""The sweep: destroys what is due. Runs when the store opens and at most once an hour while it saves.

Where a purpose is due, its key and segments go; where the conversation itself is due (`service`) and no other purpose
holds anything, the whole person goes, as in an erasure. At its end the consent ledger gets a signed checkpoint.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.consent.double_opt_in import forget_over
from rasa_privacy.errors import ContentionError, LedgerError, PrivacyError, UnreachableError
from rasa_privacy.retention.due import SERVICE
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.erasure import certificate_number
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: Least time between two sweeps of one process.
EVERY: Final = timedelta(hours=1)
#: Small, since nobody else can change what belongs to these people until it is committed.
_BATCH: Final = 50


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What one sweep removed.

    Attributes:
        purposes: Number of (person, purpose) pairs whose data was destroyed.
        people: Number of people of whom nothing is left.
    """

    purposes: int
    people: int


def sweep(vault: Vault, now: datetime) -> SweepResult:
    """Destroy everything that is due at `now`, in short transactions.

    Several processes may sweep at once; each finds what the others have left.
    """
    purposes = people = 0
    damaged: set[tuple[bytes, str]] = set()
    more = True
    while more:
        removed, more = vault.database.transact(lambda connection: _sweep_batch(vault, connection, now, damaged))
        purposes += removed.purposes
        people += removed.people
    vault.database.transact(lambda connection: forget_over(connection, now))
    if damaged:
        logger.error(
            "%d purposes of people are due and could not be removed, since rows are damaged; `rasa-privacy check "
            "--database` names them.",
            len(damaged),
        )
    if purposes:
        empty_log(vault)
    _sign_ledger(vault)
    return SweepResult(purposes, people)


def _sign_ledger(vault: Vault) -> None:
    """Sign the ledger where it grew. One that does not verify is logged; what is due goes all the same."""
    try:
        vault.database.transact(vault.ledger.checkpoint)
    except LedgerError:
        logger.exception("The consent ledger got no checkpoint; 'rasa-privacy consent verify' says what is wrong.")


def _sweep_batch(
    vault: Vault, connection: Any, now: datetime, damaged: set[tuple[bytes, str]]
) -> tuple[SweepResult, bool]:
    """Remove what is due first; return what was removed, and whether there may be more. Damage is noted and left."""
    purposes = people = 0
    most = _BATCH + len(damaged)
    due = vault.data_keys.due(connection, now, most)
    # Each process locks in the same order, so that two of them do not wait for each other; `service` comes last.
    for subject_id, purpose in sorted(set(due) - damaged, key=lambda each: (each[0], each[1] == SERVICE)):
        try:
            with connection.begin_nested():
                removed = _remove(vault, connection, subject_id, purpose, now)
        except (ContentionError, UnreachableError):
            raise
        except PrivacyError:
            damaged.add((subject_id, purpose))
            continue
        purposes += removed.purposes
        people += removed.people
    return SweepResult(purposes, people), len(due) == most


def _remove(vault: Vault, connection: Any, subject_id: bytes, purpose: str, now: datetime) -> SweepResult:
    """Remove one purpose of one person, or put it off; return what was removed."""
    is_there = vault.subjects.lock(connection, subject_id)
    if not _is_still_due(vault, connection, subject_id, purpose, now):
        return SweepResult(0, 0)
    if not is_there:  # a key that an interrupted erasure left, where keys lie in a database of their own
        vault.data_keys.destroy(connection, subject_id, purpose)
        return SweepResult(1, 0)
    if purpose != SERVICE:
        _drop(vault, connection, subject_id, purpose)
        vault.data_keys.destroy(connection, subject_id, purpose)
        return SweepResult(1, 0)
    if set(vault.data_keys.due_of(connection, subject_id)) - {SERVICE}:
        # The values of other purposes hang on the conversation's structure: it goes when the last of them goes.
        vault.data_keys.touch(connection, subject_id, SERVICE, now + timedelta(days=1))
        return SweepResult(0, 0)
    vault.erasures.bury(connection, subject_id, erased_at=now, certificate=certificate_number(), counts={})
    return SweepResult(1, 1)


def _is_still_due(vault: Vault, connection: Any, subject_id: bytes, purpose: str, now: datetime) -> bool:
    """Say whether nobody used or destroyed the key while this process waited for the lock."""
    due = vault.data_keys.due_of(connection, subject_id).get(purpose)
    return due is not None and due <= now


def _drop(vault: Vault, connection: Any, subject_id: bytes, purpose: str) -> None:
    """Delete the purpose's segments; of a damaged conversation its key goes all the same, which is what counts."""
    try:
        vault.conversations.drop_purpose(connection, subject_id, purpose)
    except (ContentionError, UnreachableError):
        raise
    except PrivacyError:
        logger.warning(
            "A conversation with data that is due is damaged; its key is destroyed, its rows stay unreadable."
        )
