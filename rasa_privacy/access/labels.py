"""What the audit log calls who acts: operators by name, the machine's user as `os+name`, or either by pseudonym."""

import os
import re
from typing import Final

from rasa_privacy.storage.audit_record import MAX_LABEL
from rasa_privacy.storage.vault import Vault

#: Of whom nobody knows who they are.
UNKNOWN: Final = "unknown"

_DOMAIN: Final = "operator"
_PSEUDONYM_BYTES: Final = 6
_UNSUITABLE: Final = re.compile(r"[^A-Za-z0-9_.@-]")


def local_user() -> str:
    """Return the label of the operating system's user, from the process and not from a variable: `os+name`.

    No operator can be called so, since their names have no plus sign.
    """
    try:
        import pwd  # noqa: PLC0415 - not on Windows

        name = pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        name = str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", UNKNOWN)
    return f"os+{_UNSUITABLE.sub('_', name)}"[:MAX_LABEL]


def shown_label(vault: Vault, label: str) -> str:
    """Return how the audit log calls an operator: by label, or by a keyed hash of it where privacy.yml says so.

    Who has the store's keys can find the pseudonym of a label, and without them nobody finds the label.
    """
    if vault.policy.audit.operators == "name":
        return label
    return f"op-{vault.index.of(_DOMAIN, label)[:_PSEUDONYM_BYTES].hex()}"
