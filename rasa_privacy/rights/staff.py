"""What the acts of staff on one person's data share: about whom, and by which way it came.

Each act asks for the permit first, and is in the audit log before anything is returned or with what it changes. They
are `staff_access`, `staff_consents`, `staff_deletion`, `staff_erasure`, `staff_rectification` and `staff_restriction`.
"""

from typing import Any, Final

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import UnknownSenderError
from rasa_privacy.storage.vault import Vault

#: `channel` in the ledger of what is done with the command line.
COMMAND_LINE: Final = "command line"


def staff_evidence(vault: Vault, channel: str) -> Evidence:
    """Return the evidence of what a member of staff does now, by this way, in the bot's own language."""
    return Evidence("outside", channel, vault.policy.languages[0], vault.clock())


def there(vault: Vault, connection: Any, sender_id: str) -> bytes:
    """Return the subject behind a sender id, locked.

    Raises:
        UnknownSenderError: Nothing is stored of this sender.
    """
    found = vault.subjects.find_for_update(connection, sender_id)
    if found is None:
        raise UnknownSenderError("nothing is stored of this sender")
    return found
