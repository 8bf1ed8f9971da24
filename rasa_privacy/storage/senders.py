"""`Senders`: which sender ids have a conversation, and the sealed bytes of one, for who goes through what is stored.

A sender id that cannot be opened is passed over; `check --database` names its row.
"""

from collections.abc import Iterator
from contextlib import suppress

from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import open_sealed
from rasa_privacy.errors import DAMAGED, KeyProviderError
from rasa_privacy.storage import conversation_rows as table
from rasa_privacy.storage.conversation_rows import ConversationRow
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.segment_rows import newest
from rasa_privacy.storage.subjects import SENDER_DOMAIN


class Senders:
    """Sender ids in the database.

    Args:
        index: Blind index of this database.
        data_keys: Keys of the subjects.
    """

    def __init__(self, index: BlindIndex, data_keys: DataKeys) -> None:
        self._index = index
        self._data_keys = data_keys

    def ids(self, conn: Connection) -> Iterator[str]:
        """Yield the sender ids of all conversations that have events, within the connection's transaction.

        What the law keeps of people who were erased is nobody's conversation, and passed over.
        """
        for columns in table.all_stored(conn):
            with suppress(*DAMAGED):
                row = table.row_of(columns)
                own = table.kept_name(row.place.subject_id)
                yield from (name for name in self._opened(conn, row) if name != own)

    def page(self, conn: Connection, after: int, most: int) -> tuple[list[str], int | None]:
        """Return the sender ids of a page of what is stored, and what to go on behind.

        What the law keeps of people who were erased is among them.

        Args:
            conn: A connection that reads.
            after: 0, or what the last page returned.
            most: Conversations of a page.
        """
        rows = table.stored_page(conn, after, most)
        found: list[str] = []
        for columns in rows:
            with suppress(*DAMAGED):
                found += self._opened(conn, table.row_of(columns))
        return found, rows[-1].conversation_ref if len(rows) == most else None

    def ids_of(self, conn: Connection, subject_id: bytes) -> list[str]:
        """Return the sender ids of one person."""
        found: list[str] = []
        for row in table.by_subject(conn, subject_id):
            with suppress(*DAMAGED, KeyProviderError):
                found += self._opened(conn, row)
        return found

    def newest_sealed(self, conn: Connection, sender_id: str, limit: int) -> list[tuple[str, bytes]]:
        """Return purpose and sealed bytes of the newest segments, to show what is really stored."""
        row = table.by_sender(conn, self._index.to_find(SENDER_DOMAIN, sender_id))
        return [] if row is None else newest(conn, row.ref, limit)

    def _opened(self, conn: Connection, row: ConversationRow) -> list[str]:
        key = self._data_keys.get(conn, row.place.subject_id, SERVICE)
        if key is None:
            return []
        return [open_sealed(key, row.sealed_sender, row.place.sender()).decode("utf-8", "surrogatepass")]
