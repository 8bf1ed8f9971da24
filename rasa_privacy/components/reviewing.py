"""Makes the review that is due (`retention: {review_every: ...}`) from within the server, beside the turns.

What the bot's actions and responses read is looked up in the folder in which the server runs. The log says that a
review waits, and the officer gets a mail where endpoints.yml has a `privacy_sender`; `status` and `check` go on saying
it.
"""

import logging
from pathlib import Path
from threading import Thread
from typing import Final

from rasa_privacy.components.reminding import configured_sender
from rasa_privacy.errors import PrivacyError
from rasa_privacy.policy.slot_readers import read_readers
from rasa_privacy.retention.review_duty import Made
from rasa_privacy.retention.review_schedule import review_when_due, waited_for
from rasa_privacy.rights.senders import hand_over
from rasa_privacy.storage.book_counts import LastCounted
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

_SUBJECT: Final = "Review of the personal data that is stored"
_TEXT: Final = """\
A review of what is stored was due, and is made: {number}. It counts by purpose and item, and names no person.

Look at it, and say that you did: rasa-privacy review show; rasa-privacy review acknowledge {number}
"""


def review_beside(vault: Vault, acknowledged: LastCounted) -> Thread | None:
    """Make the review that is due in a thread of its own; return the thread, or None where privacy.yml wants none.

    Args:
        vault: The open store.
        acknowledged: `acknowledgements()`, the same each time, so that the audit log is read once.
    """
    if vault.policy.retention.review_every is None:
        return None
    thread = Thread(target=_review, args=(vault, acknowledged), name="rasa-privacy-review", daemon=True)
    thread.start()
    return thread


def _review(vault: Vault, acknowledged: LastCounted) -> None:
    try:
        is_due = waited_for(vault, acknowledged) is not None
        made = review_when_due(vault, read_readers(Path.cwd())) if is_due else None
    except PrivacyError:
        if not vault.database.is_closed:
            logger.exception("Making the review that is due failed; it is tried again.")
        return
    if made is not None:
        logger.warning(
            "A review of what is stored was due and is made: %s. See it with 'rasa-privacy review show', and "
            "acknowledge it.",
            made.number,
        )
        _mail(vault, made)


def _mail(vault: Vault, made: Made) -> None:
    sender = configured_sender()
    if sender is None:
        return
    to = vault.policy.controller.officer or vault.policy.controller.contact
    try:
        hand_over(sender, to, _SUBJECT, _TEXT.format(number=made.number))
    except PrivacyError:
        logger.exception("No mail went to the officer about the review.")
