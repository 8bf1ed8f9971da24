"""`Lease`: what one process holds of the store while it does what only one at a time does."""

import os
from datetime import timedelta
from typing import Final

from rasa_privacy.errors import RetentionError
from rasa_privacy.storage import leases
from rasa_privacy.storage.vault import Vault

#: A lease lasts so long from when it was made longer last.
LEASE_LENGTH: Final = timedelta(minutes=5)
_RENEW_AFTER: Final = timedelta(minutes=1)
_HOLDER_BYTES: Final = 16


class Lease:
    """One process's hold, which whoever dies with it loses after `LEASE_LENGTH`.

    Args:
        vault: The open store.
        name: What it is about.
    """

    def __init__(self, vault: Vault, name: str) -> None:
        self._vault = vault
        self._name = name
        self._holder = os.urandom(_HOLDER_BYTES)
        self._renewed = vault.clock()

    def take(self) -> bool:
        """Take it, or make it last longer; return whether it is ours."""
        now = self._renewed = self._vault.clock()
        return self._vault.database.transact(
            lambda connection: leases.take(connection, self._name, self._holder, now, LEASE_LENGTH)
        )

    def go_on(self, other: str) -> None:
        """Make it last longer where that is due.

        Args:
            other: What another process does that has it now, for the message.

        Raises:
            RetentionError: Another process has it.
        """
        if abs(self._vault.clock() - self._renewed) >= _RENEW_AFTER and not self.take():
            raise RetentionError(f"retention: the lease went to another process, which {other}")

    def give_back(self) -> None:
        """End it, where the store is still open."""
        if not self._vault.database.is_closed:
            self._vault.database.transact(lambda connection: leases.give_back(connection, self._name, self._holder))
