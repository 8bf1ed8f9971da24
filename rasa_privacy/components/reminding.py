"""Reminds the officer of requests that are due, from within the server, once a day and beside the turns.

The mail goes out through `privacy_sender` of endpoints.yml. Where there is none, the log says how many are overdue;
`rasa-privacy requests due` names them to a scheduler.
"""

import logging
from threading import Thread

from rasa_privacy.errors import ConfigurationError, PrivacyError
from rasa_privacy.policy.counted import counted
from rasa_privacy.policy.settings import endpoints_path
from rasa_privacy.rights.reminders import due, remind
from rasa_privacy.rights.senders import Sender, open_sender
from rasa_privacy.rights.webhooks import deliver_quietly
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)


def remind_beside(vault: Vault) -> Thread:
    """Remind in a thread of its own, so that a mail server that is slow holds up nobody's turn; return the thread."""
    thread = Thread(target=_remind, args=(vault,), name="rasa-privacy-reminder", daemon=True)
    thread.start()
    return thread


def _remind(vault: Vault) -> None:
    now = vault.clock()
    deliver_quietly(vault)
    try:
        with vault.database.read() as connection:
            found = due(connection, now)
        overdue = sum(each.is_overdue for each in found)
        if overdue:
            logger.error("Overdue: %s of people; see 'rasa-privacy requests due'.", counted(overdue, "request"))
        sender = configured_sender() if found else None
        if sender is not None:
            remind(vault, sender, now)
    except PrivacyError:
        logger.exception("Reminding of requests that are due failed; it is tried again in an hour.")


def configured_sender() -> Sender | None:
    """Return the sender, or None where none is configured."""
    try:
        return open_sender(endpoints_path())
    except ConfigurationError:
        return None
