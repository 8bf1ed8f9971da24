"""`admit`: the one place where permits are made."""

import os
import re
from typing import Final

from rasa_privacy.access.permit import Permit, issue
from rasa_privacy.access.reasons import checked_reason
from rasa_privacy.errors import AccessError
from rasa_privacy.policy.verbs import VERBS
from rasa_privacy.storage.audit_record import MAX_LABEL
from rasa_privacy.storage.vault import Vault

_OPERATOR_DOMAIN: Final = "operator"
_PSEUDONYM_BYTES: Final = 6
_UNSUITABLE: Final = re.compile(r"[^A-Za-z0-9_.@-]")


def admit_local(vault: Vault, verb: str, reason: str = "") -> Permit:
    """Permit what the operating system permits: the user of this machine, who has the database and its keys.

    Raises:
        AccessError: There is no such verb, or the reason holds personal data.
    """
    if verb not in VERBS:
        raise AccessError(f"there is no verb '{verb}'; the verbs are {', '.join(VERBS)}")
    return issue(
        operator=shown_label(vault, local_user()),
        role="",
        verb=verb,
        reason=checked_reason(reason),
        items=None,
        purposes=None,
        clear=True,
    )


def local_user() -> str:
    """Return the label of the operating system's user, from the process and not from a variable: `os+name`."""
    try:
        import pwd  # noqa: PLC0415 - not on Windows

        name = pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        name = str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "unknown")
    return f"os+{_UNSUITABLE.sub('_', name)}"[:MAX_LABEL]


def shown_label(vault: Vault, label: str) -> str:
    """Return how the audit log calls an operator: by label, or by a keyed hash of it where privacy.yml says so.

    Who has the store's keys can find the pseudonym of a label, and without them nobody finds the label.
    """
    if vault.policy.audit.operators == "name":
        return label
    return f"op-{vault.index.of(_OPERATOR_DOMAIN, label)[:_PSEUDONYM_BYTES].hex()}"
