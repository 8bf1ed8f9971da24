"""`Subjects`: who chats. A random id inside, a blind index to find it, the sender id only sealed.

Who changes anything of a person locks the subject first. Then its conversations, keys and ledger cannot change under
the transaction, on any database; on SQLite the write lock has seen to that already.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.identity import ID_BYTES, SERVICE, Place
from rasa_privacy.crypto.sealing import seal
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.tables import conversations, subjects, to_micros

#: Domain of the blind index of sender ids.
SENDER_DOMAIN: Final = "sender id"
_FIND: Final = select(conversations.c.subject_id).where(conversations.c.sender_index == bindparam("sender"))
_LOCK: Final = select(subjects.c.subject_id).where(subjects.c.subject_id == bindparam("subject")).with_for_update()
_FIND_AND_LOCK: Final = (
    select(subjects.c.subject_id)
    .join(conversations, conversations.c.subject_id == subjects.c.subject_id)
    .where(conversations.c.sender_index == bindparam("sender"))
    .with_for_update(of=subjects)
)
_INSERT_SUBJECT: Final = insert(subjects)
_INSERT_CONVERSATION: Final = insert(conversations)


class Subjects:
    """Subjects in the database.

    Args:
        index: Blind index of this database.
        data_keys: Where a new subject's `service` key is made.
        random_bytes: Source of randomness, as `os.urandom`.
    """

    def __init__(self, index: BlindIndex, data_keys: DataKeys, random_bytes: Callable[[int], bytes]) -> None:
        self._index = index
        self._data_keys = data_keys
        self._random_bytes = random_bytes

    def find(self, conn: Connection, sender_id: str) -> bytes | None:
        """Return the 16-byte subject id behind a sender id, or None for someone new (or erased)."""
        subject_id: bytes | None = conn.execute(_FIND, {"sender": self._index.of(SENDER_DOMAIN, sender_id)}).scalar()
        return subject_id

    def lock(self, conn: Connection, subject_id: bytes) -> bool:
        """Keep other transactions from changing anything of this subject until this one ends; False if it is gone."""
        return conn.execute(_LOCK, {"subject": subject_id}).first() is not None

    def find_for_update(self, conn: Connection, sender_id: str) -> bytes | None:
        """Return the subject id as `find` does, and lock the subject. One that was erased meanwhile is not found."""
        found: bytes | None = conn.execute(
            _FIND_AND_LOCK, {"sender": self._index.of(SENDER_DOMAIN, sender_id)}
        ).scalar()
        return found

    def find_or_create(self, conn: Connection, sender_id: str, now: datetime) -> bytes:
        """Return the subject id, locked, making subject and empty conversation where there are none.

        Args:
            conn: A connection of `Database.transact`.
            sender_id: Rasa's conversation key.
            now: Aware UTC time.

        Raises:
            ContentionError: Another transaction made or erased the same subject; `Database.transact` looks again.
        """
        found = self.find_for_update(conn, sender_id)
        return found if found is not None else self._create(conn, sender_id, now)

    def _create(self, conn: Connection, sender_id: str, now: datetime) -> bytes:
        place = Place(self._random_bytes(ID_BYTES), self._random_bytes(ID_BYTES))
        conn.execute(_INSERT_SUBJECT, {"subject_id": place.subject_id, "created_at": to_micros(now)})
        key = self._data_keys.get_or_create(conn, place.subject_id, SERVICE, now)
        name = sender_id.encode("utf-8", "surrogatepass")
        row = {
            "conversation_id": place.conversation_id,
            "subject_id": place.subject_id,
            "sender_index": self._index.of(SENDER_DOMAIN, sender_id),
            "sealed_sender": seal(key, name, place.sender(), self._random_bytes(NONCE_BYTES)),
            "version": 0,
            "session": 0,
            "manifest": None,
        }
        conn.execute(_INSERT_CONVERSATION, row)
        return place.subject_id
