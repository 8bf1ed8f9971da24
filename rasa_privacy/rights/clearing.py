"""Emptying the database's log, so that "deleted" and "withdrawn" are true on the disk too."""

from typing import Final

from rasa_privacy.errors import StorageError
from rasa_privacy.storage.vault import Vault

#: Each waits a quarter of a second at most.
_ATTEMPTS: Final = 12


def empty_log(vault: Vault) -> None:
    """Empty the database's log, in which deleted rows and keys stand until then. Call it after the commit.

    Raises:
        StorageError: Somebody else keeps a transaction open, such as a backup. What was committed is committed.
    """
    if not any(vault.checkpoint() for _ in range(_ATTEMPTS)):
        raise StorageError(
            "deleted, but the database's log could not be emptied because it is being read; end what reads it, such as "
            "a backup, and try again"
        )
