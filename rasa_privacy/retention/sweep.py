"""The sweep: destroys what is due. Runs when the store opens and at most once an hour while it saves.

Where a purpose is due, its key and segments go; where the conversation itself is due (`service`) and no other purpose
holds anything, the whole person goes, as in an erasure.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.errors import KeyDestroyedError, MalformedSegmentError, TamperedSegmentError
from rasa_privacy.retention.due import SERVICE
from rasa_privacy.rights.erasure import certificate_number
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: Least time between two sweeps of one process.
EVERY: Final = timedelta(hours=1)
_BATCH: Final = 200


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
    """Destroy everything that is due at `now`, in short transactions of 200."""
    purposes = people = 0
    while True:
        with vault.database.write() as connection:
            due = vault.data_keys.due(connection, now, _BATCH)
            for subject_id, purpose in due:
                removed = _remove(vault, connection, subject_id, purpose, now)
                purposes += removed.purposes
                people += removed.people
        if len(due) < _BATCH:
            break
    if purposes:
        vault.database.checkpoint()
    return SweepResult(purposes, people)


def _remove(vault: Vault, connection: Any, subject_id: bytes, purpose: str, now: datetime) -> SweepResult:
    """Remove one purpose of one person, or put it off; return what was removed."""
    if vault.erasures.is_erased(connection, subject_id):
        return SweepResult(0, 0)
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


def _drop(vault: Vault, connection: Any, subject_id: bytes, purpose: str) -> None:
    """Delete the purpose's segments; of a damaged conversation its key goes all the same, which is what counts."""
    try:
        vault.conversations.drop_purpose(connection, subject_id, purpose)
    except (MalformedSegmentError, TamperedSegmentError, KeyDestroyedError):
        logger.warning(
            "A conversation with data that is due is damaged; its key is destroyed, its rows stay unreadable."
        )
