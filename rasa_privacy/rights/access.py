"""Access (GDPR Art. 15): what is held of one person, read from the stored segments themselves.

It is read back through the same keys that the bot uses, so that it shows what really is there, not what should be.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rasa_privacy.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class HeldValue:
    """One item as it is stored for one purpose.

    Attributes:
        item: The item's name in privacy.yml.
        value: The stored value, already cut to what `keep` allows.
        purpose: The purpose that holds it.
        expires: When it is deleted if the purpose is not used again; None for `until withdrawn`.
    """

    item: str
    value: object
    purpose: str
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything that is held of one person.

    Attributes:
        values: The latest value of each item, for each purpose that holds it.
        stored_values: Number of stored personal values by purpose, older ones and entities included.
        events: Number of stored conversation events.
    """

    values: tuple[HeldValue, ...]
    stored_values: dict[str, int]
    events: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is stored."""
        return not self.values and not self.stored_values and not self.events


def holdings(vault: Vault, connection: Any, sender_id: str, purposes: Collection[str] | None = None) -> Holdings:
    """Return what is held of the person behind this sender id.

    Args:
        vault: The open store.
        connection: An open read or write transaction.
        sender_id: Rasa's conversation key.
        purposes: The purposes whose values are opened; of no other a key is used. None for all.
    """
    stored = vault.conversations.load(connection, sender_id, all_sessions=True, purposes=purposes)
    if stored is None:
        return Holdings((), {}, 0)
    values: list[HeldValue] = []
    due = vault.data_keys.due_of(connection, stored.subject_id)
    for purpose, entries in stored.values.items():
        expires = due.get(purpose)
        latest = _latest(entries)
        values.extend(HeldValue(item, value, purpose, expires) for item, value in latest.items())
    counts = {purpose: len(entries) for purpose, entries in stored.values.items() if entries}
    return Holdings(tuple(values), counts, stored.event_count)


def merged(found: Iterable[Holdings]) -> Holdings:
    """Return what is held in several conversations of one person."""
    values: list[HeldValue] = []
    counts: Counter[str] = Counter()
    events = 0
    for each in found:
        values += each.values
        counts.update(each.stored_values)
        events += each.events
    return Holdings(tuple(values), dict(counts), events)


def _latest(entries: Iterable[list[Any]]) -> dict[str, object]:
    """Return the value of each item that was stored last."""
    latest: dict[str, tuple[int, object]] = {}
    for seq, _path, item, value in entries:
        if value is not None and seq >= latest.get(item, (-1, None))[0]:
            latest[item] = (seq, value)
    return {item: value for item, (_seq, value) in latest.items()}
