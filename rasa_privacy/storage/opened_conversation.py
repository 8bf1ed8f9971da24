"""A conversation as it was read: `StoredConversation` to be looked at, and `Opened` to be changed."""

from dataclasses import dataclass, field
from typing import Any, Final

from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import DataKey
from rasa_privacy.storage.conversation_head import keyless
from rasa_privacy.storage.conversation_rows import ConversationRow
from rasa_privacy.storage.event_rows import Row, from_schema_0001, unpack
from rasa_privacy.storage.manifest import Head

#: The `expected_version` of a conversation that has no events yet.
NOT_STORED: Final = 0


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation, or its last session.

    Attributes:
        conversation_id: 16 bytes.
        subject_id: 16 random bytes.
        version: What `append` expects next.
        first_seq: Number of the event of the first structure entry.
        event_count: Events in all sessions.
        rows: One row per event from `first_seq` on (`event_rows`).
        values: Value entries by purpose, for each purpose whose data key still exists.
        keyless: Purposes of which there are values and no key; none where not all keys were opened.
    """

    conversation_id: bytes
    subject_id: bytes
    version: int
    first_seq: int
    event_count: int
    rows: list[Row] = field(repr=False)
    values: dict[str, list[Any]] = field(repr=False)
    keyless: frozenset[str] = frozenset()

    @property
    def structure(self) -> list[Any]:
        """One entry per event from `first_seq` on, as it was appended.

        Raises:
            MalformedSegmentError: A row does not follow the format.
        """
        return unpack(self.rows)


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation's row and keys, as a transaction that has locked the person found them.

    Attributes:
        version: What `append` expects; NOT_STORED where there are no events.
        row: The row, or None.
        head: Its verified head manifest, which `append` changes; None where there is no row.
        keys: The person's data keys by purpose.
        due: When those are due, as the table has it; empty where keys have a database of their own.
        tails: Number and bytes of the current session's last row of each purpose; empty as `due` is.
    """

    version: int
    row: ConversationRow | None = field(repr=False)
    head: Head | None = field(repr=False)
    keys: dict[str, DataKey] = field(repr=False)
    due: dict[str, int | None]
    tails: dict[str, tuple[int, bytes]] = field(repr=False)

    @property
    def event_count(self) -> int:
        """Events in all sessions, which is the number of the next event."""
        return 0 if self.head is None else self.head.event_count

    @property
    def keyless(self) -> frozenset[str]:
        """Purposes of which there are values and no key."""
        return frozenset() if self.head is None else keyless(self.head, self.keys)


def stored(
    row: ConversationRow, head: Head, first_seq: int, values: dict[str, list[Any]], cut: frozenset[str] = frozenset()
) -> StoredConversation:
    """Return a conversation from its row, its verified head and what was opened of it.

    Args:
        row: The conversation's row.
        head: Its head manifest.
        first_seq: Number of the event of the first structure entry.
        values: Entries by purpose, with those of `service`.
        cut: Purposes of which there are values and no key.
    """
    return StoredConversation(
        conversation_id=row.place.conversation_id,
        subject_id=row.place.subject_id,
        version=row.version,
        first_seq=first_seq,
        event_count=head.event_count,
        rows=from_schema_0001(values.pop(SERVICE, [])),
        values=values,
        keyless=cut,
    )
