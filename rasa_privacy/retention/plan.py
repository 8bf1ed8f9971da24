"""`plan`: what a sweep would remove, in numbers and without removing anything."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rasa_privacy.retention import lasting
from rasa_privacy.storage.tables import from_micros
from rasa_privacy.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due.

    Attributes:
        purposes: People by purpose; `service` is the structure of conversations and their texts.
        people: Number of people of whom nothing would be left.
        next_at: When the next is due after that, aware and in UTC; None where nothing ever is.
        items: People by item that lasts for some time, of whom values are over.
    """

    purposes: dict[str, int]
    people: int
    next_at: datetime | None
    items: dict[str, int] = field(default_factory=dict)

    @property
    def keys(self) -> int:
        """Number of (person, purpose) pairs."""
        return sum(self.purposes.values())

    @property
    def number(self) -> int:
        """Number of all that is due: (person, purpose) pairs, and (person, item) pairs."""
        return self.keys + sum(self.items.values())


def plan(vault: Vault, connection: Any, now: datetime) -> Plan:
    """Return what is due at `now`.

    Raises:
        StorageError: The database cannot be read.
    """
    key_at, item_at = vault.due_keys.next_after(connection, now), lasting.next_over(vault, connection, now)
    nexts = [each for each in (None if key_at is None else from_micros(key_at), item_at) if each is not None]
    return Plan(
        vault.due_keys.by_purpose(connection, now),
        vault.due_keys.people(connection, now),
        min(nexts, default=None),
        lasting.over(vault, connection, now),
    )
