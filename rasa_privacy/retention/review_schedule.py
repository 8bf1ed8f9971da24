"""Reviews by a server: when one is due, one server of many makes it, beside its turns, once.

The lease `review` keeps two from working at it, and `review_duty.keep` from keeping two. After each page of
conversations it rests as a sweep beside turns does. Whoever died at it is followed when the lease is over.
"""

import time
from datetime import datetime
from typing import Final

from rasa_privacy.access.admission import admit_server
from rasa_privacy.policy.slot_readers import Readers
from rasa_privacy.retention.lease import Lease
from rasa_privacy.retention.review import make_review
from rasa_privacy.retention.review_duty import Made, is_waiting, keep, kept, overdue_by_rows, overdue_since
from rasa_privacy.retention.sweep import GENTLY
from rasa_privacy.storage.book_counts import LastCounted
from rasa_privacy.storage.vault import Vault

LEASE: Final = "review"
#: Conversations of a page beside turns; a turn that comes meanwhile waits for no more.
_PAGE: Final = 10


def review_when_due(vault: Vault, readers: Readers, rest: float = GENTLY) -> Made | None:
    """Make the review that is due, unless it was made, or another process is at it.

    Args:
        vault: The open store.
        readers: What the bot's actions and responses read.
        rest: How long to rest after each page, as a multiple of how long it took.

    Returns:
        The review, or None where none was to be made here.

    Raises:
        AuditError: The audit log does not verify.
        StorageError: The database cannot be read or written.
    """
    due = waited_for(vault)
    lease = Lease(vault, LEASE)
    if due is None or not lease.take():
        return None
    try:
        permit = admit_server("a review is due", "report")
        made = make_review(vault, permit, readers, _Pace(lease, rest).after, _PAGE)
        return keep(vault, permit, made, due=due)
    finally:
        lease.give_back()


def waited_for(vault: Vault, acknowledged: LastCounted | None = None) -> datetime | None:
    """Return since when a review is due that nobody has made yet, or None.

    Args:
        vault: The open store.
        acknowledged: `acknowledgements()` of whoever asks again and again.
    """
    now = vault.clock()
    with vault.database.read() as connection:
        # The rows are asked first: verifying a long log each hour would be dear, also while a review waits.
        due = overdue_by_rows(vault.policy, connection, now, acknowledged)
        return None if due is None or is_waiting(kept(connection), due) else overdue_since(vault, connection, now)


class _Pace:
    """Rests between pages, and keeps the lease."""

    def __init__(self, lease: Lease, rest: float) -> None:
        self._lease, self._rest = lease, rest
        self._began = time.monotonic()

    def after(self, _number: int) -> None:
        """Rest after a page.

        Raises:
            RetentionError: Another process has the lease.
        """
        time.sleep(self._rest * (time.monotonic() - self._began))
        self._lease.go_on("makes this review")
        self._began = time.monotonic()
