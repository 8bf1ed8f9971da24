"""Removing one purpose of one person who stays, in the transaction of a sweep."""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.errors import ContentionError, PrivacyError, TamperedSegmentError, UnreachableError
from rasa_privacy.retention.due import SERVICE
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: How long the structure of a conversation waits when values of other purposes hang on it.
_WAITS: Final = timedelta(days=1)


def remove_purpose(vault: Vault, connection: Any, subject_id: bytes, purpose: str, now: datetime) -> int:
    """Remove one purpose of a person who is locked; return how many were removed, 0 where it was put off.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        subject_id: The person.
        purpose: A purpose that is due.
        now: Aware UTC time.

    Raises:
        PrivacyError: Rows are damaged in a way that even the key cannot be destroyed.
    """
    if purpose == SERVICE:
        # The values of other purposes hang on the conversation's structure: it goes when the last of them goes.
        vault.data_keys.touch(connection, subject_id, SERVICE, now + _WAITS)
        return 0
    _drop(vault, connection, subject_id, purpose)
    if not vault.data_keys.destroy(connection, subject_id, purpose):
        raise TamperedSegmentError("a key that is due cannot be found by its purpose, which is no valid text")
    return 1


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
