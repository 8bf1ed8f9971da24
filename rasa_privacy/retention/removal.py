"""Removing one purpose of one person who stays, in the transaction of a sweep.

Of `service` the texts go at their time; the structure stays for as long as values of other purposes hang on it.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.errors import ContentionError, PrivacyError, TamperedSegmentError, UnreachableError
from rasa_privacy.minimize.event_texts import without_texts
from rasa_privacy.retention.due import SERVICE
from rasa_privacy.storage import opt_in_codes
from rasa_privacy.storage.outbox import tell_of
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: How long the structure of a conversation waits when values of other purposes hang on it.
_WAITS: Final = timedelta(days=1)


def remove_purpose(vault: Vault, connection: Any, subject_id: bytes, purpose: str, now: datetime) -> int:
    """Remove one purpose of a person who is locked; return how many were removed, 0 where it was put off.

    A key that lies apart stays: gone before its rows are, it would leave what a new key of the purpose does not open.
    Destroy it after the commit (`destroy_dropped`); until then it is due, and found again.

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
        gone = _take_out_texts(vault, connection, subject_id, now)
        vault.data_keys.touch(connection, subject_id, SERVICE, now + _WAITS)
        return int(gone)
    is_dropped = _drop(vault, connection, subject_id, purpose)
    if not vault.data_keys.apart and not vault.data_keys.destroy(connection, subject_id, purpose):
        raise TamperedSegmentError("a key that is due cannot be found by its purpose, which is no valid text")
    # A key that lies apart is due until it is destroyed: who finds it without rows comes second, and tells nobody.
    if is_dropped or not vault.data_keys.apart:
        tell_of(vault, connection, subject_id, "retention", now, purposes=[purpose])
    return 1


def destroy_dropped(vault: Vault, connection: Any, pairs: Collection[tuple[bytes, str]], now: datetime) -> None:
    """Destroy the keys, which lie apart, of purposes that were removed; not of whom a turn holds, or has used since.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        pairs: Person and purpose of each.
        now: What was due then; aware and in UTC.
    """
    free = vault.expiry.lock_free(connection, {who for who, _ in pairs})
    due = {who: vault.data_keys.due_of(connection, who) for who in free}
    for who, purpose in pairs:
        at = due.get(who, {}).get(purpose)
        if at is not None and at <= now:
            vault.data_keys.destroy(connection, who, purpose)


def _take_out_texts(vault: Vault, connection: Any, subject_id: bytes, now: datetime) -> bool:
    """Take the texts out of the person's conversations and say whether there were any; a damaged one stays as it is."""
    if opt_in_codes.live(connection, subject_id, now):  # its contact is sealed under the key that would go
        return False
    try:
        with connection.begin_nested():
            return vault.parts.take_out_texts(connection, subject_id, without_texts, now)
    except (ContentionError, UnreachableError):
        raise
    except PrivacyError:
        logger.warning("A conversation with texts that are due is damaged; they stay until its person is removed.")
        return False


def _drop(vault: Vault, connection: Any, subject_id: bytes, purpose: str) -> bool:
    """Delete the purpose's segments and say whether there may have been any.

    Of a damaged conversation its key goes all the same, which is what counts.
    """
    try:
        return vault.parts.drop_purpose(connection, subject_id, purpose) > 0
    except (ContentionError, UnreachableError):
        raise
    except PrivacyError:
        logger.warning(
            "A conversation with data that is due is damaged; its key is destroyed, its rows stay unreadable."
        )
        return True
