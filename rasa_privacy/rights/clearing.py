"""Emptying the database's log, so that "deleted" and "withdrawn" are true on the disk too."""

import time
from typing import Final

from rasa_privacy.errors import StorageError
from rasa_privacy.storage.vault import Vault

#: How long a reader may stand in the way. Another who empties the log needs milliseconds; SQLite does not wait for it.
_PATIENCE_SECONDS: Final = 3.0
_PAUSE_SECONDS: Final = 0.01


def empty_log(vault: Vault) -> None:
    """Empty the database's log, in which deleted rows and keys stand until then. Call it after the commit.

    Raises:
        StorageError: Somebody else keeps a transaction open, such as a backup. What was committed is committed.
    """
    given_up = time.monotonic() + _PATIENCE_SECONDS
    while not vault.checkpoint():
        if time.monotonic() > given_up:
            raise StorageError(
                "deleted, but the database's log could not be emptied because it is being read; end what reads it, "
                "such as a backup, and try again"
            )
        time.sleep(_PAUSE_SECONDS)
