"""Access (GDPR Art. 15): what is held of one person, read from the stored segments themselves.

It is read back through the same keys that the bot uses, so that it shows what really is there, not what should be.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal

from rasa_privacy.consent.state import IMPORTED
from rasa_privacy.rights.rectification import CORRECTED, SOURCE, STAFF
from rasa_privacy.storage.vault import Vault

Source = Literal["said", "corrected", "staff", "imported"]


@dataclass(frozen=True, slots=True)
class HeldValue:
    """One item as it is stored for one purpose.

    Attributes:
        item: The item's name in privacy.yml.
        value: The stored value, already cut to what `keep` allows.
        purpose: The purpose that holds it.
        expires: When it is deleted if the purpose is not used again; None for `until withdrawn`.
        source: How it came: `said` in the chat, `corrected` by the person, put there by `staff`, or `imported` with a
            consent that was collected elsewhere.
        at: When it came, aware and in UTC; None where the event has no time.
    """

    item: str
    value: object
    purpose: str
    expires: datetime | None
    source: Source = "said"
    at: datetime | None = None


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
    due, events = vault.data_keys.due_of(connection, stored.subject_id), stored.structure
    imported = imported_consents(vault, connection, stored.subject_id)
    for purpose, entries in stored.values.items():
        expires = due.get(purpose)
        for item, (seq, value) in _latest(entries).items():
            source, at = source_of(events[seq - stored.first_seq], imported.get(purpose))
            values.append(HeldValue(item, value, purpose, expires, source, at))
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


def imported_consents(vault: Vault, connection: Any, subject_id: bytes) -> dict[str, datetime]:
    """Return when each consent that was collected elsewhere was given."""
    records = vault.ledger.of_subject(connection, subject_id)
    return {each.purpose: each.at for each in records if each.event == "granted" and each.method == IMPORTED}


def source_of(event: Mapping[str, Any], imported: datetime | None) -> tuple[Source, datetime | None]:
    """Return how a value came by the event that holds it, and when."""
    seconds = event.get("timestamp")
    at = datetime.fromtimestamp(seconds, timezone.utc) if seconds else None
    marked = (event.get("metadata") or {}).get(SOURCE)
    if marked in (STAFF, CORRECTED):
        return marked, at
    return ("imported" if imported is not None and (at is None or at <= imported) else "said"), at


def _latest(entries: Iterable[list[Any]]) -> dict[str, tuple[int, object]]:
    """Return number and value of each item that was stored last."""
    latest: dict[str, tuple[int, object]] = {}
    for seq, _path, item, value in entries:
        if value is not None and seq >= latest.get(item, (-1, None))[0]:
            latest[item] = (seq, value)
    return latest
