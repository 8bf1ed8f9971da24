"""`plan`: what a sweep would remove, in numbers and without removing anything."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rasa_privacy.storage.tables import from_micros
from rasa_privacy.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due.

    Attributes:
        purposes: People by purpose; `service` is the structure of conversations and their texts.
        people: Number of people of whom nothing would be left.
        next_at: When the next is due after that, aware and in UTC; None where nothing ever is.
    """

    purposes: dict[str, int]
    people: int
    next_at: datetime | None

    @property
    def keys(self) -> int:
        """Number of (person, purpose) pairs."""
        return sum(self.purposes.values())


def plan(vault: Vault, connection: Any, now: datetime) -> Plan:
    """Return what is due at `now`.

    Raises:
        StorageError: The database cannot be read.
    """
    next_at = vault.due_keys.next_after(connection, now)
    return Plan(
        vault.due_keys.by_purpose(connection, now),
        vault.due_keys.people(connection, now),
        None if next_at is None else from_micros(next_at),
    )
