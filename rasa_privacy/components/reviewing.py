"""Makes the review that is due (`retention: {review_every: ...}`) from within the server, beside the turns.

What the bot's actions and responses read is looked up in the folder in which the server runs.
"""

import logging
from pathlib import Path
from threading import Thread

from rasa_privacy.errors import PrivacyError
from rasa_privacy.policy.slot_readers import read_readers
from rasa_privacy.retention.review_schedule import review_when_due, waited_for
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)


def review_beside(vault: Vault) -> Thread | None:
    """Make the review that is due in a thread of its own; return the thread, or None where privacy.yml wants none."""
    if vault.policy.retention.review_every is None:
        return None
    thread = Thread(target=_review, args=(vault,), name="rasa-privacy-review", daemon=True)
    thread.start()
    return thread


def _review(vault: Vault) -> None:
    try:
        made = review_when_due(vault, read_readers(Path.cwd())) if waited_for(vault) is not None else None
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
