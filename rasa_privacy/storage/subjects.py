"""`Subjects`: who chats. A random id inside, a blind index to find it, the sender id only sealed.

Who changes anything of a person locks the subject first. Then its conversations, keys and ledger cannot change under
the transaction, on any database; on SQLite the write lock has seen to that already. A person whose row somebody deleted
by hand gets it back with the first lock: else nothing could be saved or erased of somebody who can still be read.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.identity import ID_BYTES, SERVICE, Place, conversation_of
from rasa_privacy.crypto.sealing import DataKey, is_under, open_sealed, seal
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import KeyProviderError, MalformedSegmentError, TamperedSegmentError
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.query import Query, inserting
from rasa_privacy.storage.tables import conversations, subjects, to_micros

logger = logging.getLogger(__name__)

#: Domain of the blind index of sender ids.
SENDER_DOMAIN: Final = "sender id"
_FIND: Final = Query(
    select(conversations.c.subject_id, conversations.c.conversation_id, conversations.c.sealed_sender).where(
        conversations.c.sender_index == bindparam("sender")
    )
)
_LOCK: Final = Query(
    select(subjects.c.subject_id).where(subjects.c.subject_id == bindparam("subject")).with_for_update()
)
_FIND_AND_LOCK: Final = Query(
    select(subjects.c.subject_id, conversations.c.conversation_id, conversations.c.sealed_sender)
    .join(conversations, conversations.c.subject_id == subjects.c.subject_id)
    .where(conversations.c.sender_index == bindparam("sender"))
    .with_for_update(of=subjects)
)
_NOT_ITS_OWN: Final = "a conversation is found by a sender id that is not its own; restore the database from its backup"
#: What is stored for the id of a conversation that is its subject's.
_OF_SUBJECT: Final = b""
#: When somebody came whose row was lost.
_UNKNOWN: Final = 0
#: Rows whose sender was compared, so that a turn pays for it once; about 300 bytes each.
_REMEMBERED: Final = 4096
_INSERT_SUBJECT: Final = inserting(subjects)
_INSERT_CONVERSATION: Final = inserting(conversations, counter="conversation_ref")


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
        self._verified: set[tuple[Place, bytes, bytes]] = set()

    def find(self, conn: Connection, sender_id: str) -> bytes | None:
        """Return the 16-byte subject id behind a sender id, or None for someone new (or erased).

        Raises:
            TamperedSegmentError: The row that is found by this sender id is another's.
        """
        return self._found(conn, _FIND, sender_id)

    def lock(self, conn: Connection, subject_id: bytes) -> bool:
        """Keep other transactions from changing anything of this subject until this one ends; False if it is gone."""
        return _LOCK.first(conn, subject=subject_id) is not None

    def lock_first(self, conn: Connection, subject_id: bytes) -> None:
        """Do as `lock` with the next statement of the transaction, which sees what is there once the lock is held.

        Nobody is told whether the subject is still there; who was erased has no conversation any more.
        """
        _LOCK.lock(conn, subject=subject_id)

    def find_for_update(self, conn: Connection, sender_id: str) -> bytes | None:
        """Return the subject id as `find` does, and lock the subject. One that was erased meanwhile is not found.

        Raises:
            TamperedSegmentError: As `find`.
            ContentionError: Another transaction gave the subject its row back; `Database.transact` looks again.
        """
        locked = self._found(conn, _FIND_AND_LOCK, sender_id)
        if locked is not None:
            return locked
        found = self._found(conn, _FIND, sender_id)
        if found is None or self.lock(conn, found):
            return found
        # Whoever erases a person deletes the conversation with the row, so one that is still there has lost its row.
        found = self._found(conn, _FIND, sender_id)
        if found is not None:
            logger.warning("The row of a person was missing in the table 'subjects', and is there again.")
            _INSERT_SUBJECT.later(conn, subject_id=found, created_at=_UNKNOWN, ledger_mac=None)
        return found

    def _found(self, conn: Connection, statement: Query, sender_id: str) -> bytes | None:
        sender_index = self._index.to_find(SENDER_DOMAIN, sender_id)
        row = statement.first(conn, sender=sender_index)
        if row is None:
            return None
        subject_id, conversation_id, sealed = row
        place = conversation_of(subject_id, conversation_id)
        if not self._is_verified(place, sealed, sender_index):
            self._verify_found(conn, place, sealed, sender_index)
        found: bytes = subject_id
        return found

    def _verify_found(self, conn: Connection, place: Place, sealed: bytes, sender_index: bytes) -> None:
        # Who is damaged, or half erased, must still be found to be erased; reading the conversation says the rest.
        try:
            key = self._data_keys.get(conn, place.subject_id, SERVICE)
            is_foreign = key is not None and not is_under(key, sealed)
            name = None if key is None or is_foreign else open_sealed(key, sealed, place.sender())
        except (KeyProviderError, MalformedSegmentError, TamperedSegmentError):
            return
        if is_foreign:
            raise TamperedSegmentError(_NOT_ITS_OWN)
        if name is not None:
            self._compare(place, sealed, sender_index, name)

    def verify(self, place: Place, sealed: bytes, sender_index: bytes, key: DataKey) -> None:
        """See that a conversation's row is found by its own sender id.

        Raises:
            TamperedSegmentError: Somebody gave it the index of another, or exchanged the sealed name.
            MalformedSegmentError: The sealed name does not follow the format.
        """
        if self._is_verified(place, sealed, sender_index):
            return
        self._compare(place, sealed, sender_index, open_sealed(key, sealed, place.sender()))

    def _compare(self, place: Place, sealed: bytes, sender_index: bytes, name: bytes) -> None:
        if self._index.to_find(SENDER_DOMAIN, name.decode("utf-8", "surrogatepass")) != sender_index:
            raise TamperedSegmentError(_NOT_ITS_OWN)
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified.add((place, sealed, sender_index))

    def _is_verified(self, place: Place, sealed: bytes, sender_index: bytes) -> bool:
        return (place, sealed, sender_index) in self._verified

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

    def create(self, conn: Connection, sender_id: str, subject_id: bytes, now: datetime) -> None:
        """Make a subject of this id with an empty conversation; neither may be there.

        Raises:
            ContentionError: One of them is there; `Database.transact` looks again.
        """
        self._create(conn, sender_id, now, subject_id)

    def _create(self, conn: Connection, sender_id: str, now: datetime, subject_id: bytes | None = None) -> bytes:
        place = conversation_of(subject_id or self._random_bytes(ID_BYTES), _OF_SUBJECT)
        _INSERT_SUBJECT.later(conn, subject_id=place.subject_id, created_at=to_micros(now), ledger_mac=None)
        key = self._data_keys.get_or_create(conn, place.subject_id, SERVICE, now)
        name = sender_id.encode("utf-8", "surrogatepass")
        row = {
            "conversation_id": _OF_SUBJECT,
            "subject_id": place.subject_id,
            "sender_index": self._index.to_find(SENDER_DOMAIN, sender_id),
            "sealed_sender": seal(key, name, place.sender(), self._random_bytes(NONCE_BYTES)),
            "version": 0,
            "session": 0,
            "manifest": None,
            "textless": 0,
        }
        _INSERT_CONVERSATION.later(conn, **row)
        return place.subject_id
