"""`DataKeys`: the key of each subject and purpose, wrapped by the key-encryption key of an epoch.

Rules:

1. Rows are read from the database each time, so that an erasure by another process is obeyed at once; only the
   unwrapping is remembered, for some keys and some time.
2. Deleting a row destroys the key: secure_delete overwrites it, and `Database.checkpoint` clears the log.
3. Keys may have a database of their own (`keys.url`). What is done there is a transaction of its own, committed when
   the method returns: a key is there before what it seals, and gone before the rows that it sealed. In a sweep, which
   no journal knows of, it goes after them, and is due until then.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.bot_dictionary import BotDictionaries
from rasa_privacy.crypto.derive import KEY_BYTES
from rasa_privacy.crypto.key_ring import EPOCH_BYTES, KeyEncryptionKey, epoch_of
from rasa_privacy.crypto.sealing import DataKey
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import KeyDestroyedError, PrivacyError, TamperedSegmentError
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.epochs import Epochs
from rasa_privacy.storage.query import Query, inserting
from rasa_privacy.storage.tables import data_keys, from_micros, subjects, to_micros

#: A key that nothing is stored under (`touch`) goes after this time: of a person who was asked and never came back, or
#: of a transaction that was rolled back where keys have a database of their own.
UNUSED: Final = timedelta(hours=24)
_CACHED_KEYS: Final = 4096
#: So long an unwrapped key is remembered; afterwards it is unwrapped again, which takes microseconds.
_CACHED_SECONDS: Final = 60
_COLUMNS: Final = data_keys.c
_OF_ONE: Final = (_COLUMNS.subject_id == bindparam("subject"), _COLUMNS.purpose == bindparam("name"))
_OF_SUBJECT: Final = Query(
    select(_COLUMNS.purpose, _COLUMNS.wrapped).where(_COLUMNS.subject_id == bindparam("subject"))
)
_ONE: Final = Query(select(_COLUMNS.wrapped).where(*_OF_ONE))
_DUE_OF: Final = Query(select(_COLUMNS.purpose, _COLUMNS.due_at).where(_COLUMNS.subject_id == bindparam("subject")))
_SUBJECT: Final = Query(select(subjects.c.created_at).where(subjects.c.subject_id == bindparam("subject")))
_INSERT: Final = inserting(data_keys)
_DELETE: Final = Query(delete(data_keys).where(*_OF_ONE))
_DELETE_ALL: Final = Query(delete(data_keys).where(_COLUMNS.subject_id == bindparam("subject")))
_TOUCH: Final = Query(update(data_keys).where(*_OF_ONE).values(due_at=bindparam("due")))


class DataKeys:
    """Data keys in the database.

    Args:
        epochs: The keys that wrap them.
        random_bytes: Source of randomness, as `os.urandom`.
        own: The database of the keys, where that is not the one of the connections that the methods are given.
        monotonic: Clock of the cache, in seconds.
        dictionaries: What segments are compressed with.
    """

    def __init__(
        self,
        epochs: Epochs,
        random_bytes: Callable[[int], bytes],
        own: Database | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        dictionaries: BotDictionaries | None = None,
    ) -> None:
        self._epochs = epochs
        self._random_bytes = random_bytes
        self._own = own
        self._monotonic = monotonic
        self._dictionaries = dictionaries
        self._cache: OrderedDict[bytes, tuple[bytes, str, DataKey, float]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def dictionaries(self) -> BotDictionaries | None:
        """What segments under these keys are compressed with."""
        return self._dictionaries

    @property
    def apart(self) -> bool:
        """Whether the keys lie in a database of their own, so that no query can join them to conversations."""
        return self._own is not None

    def get(self, conn: Connection, subject_id: bytes, purpose: str) -> DataKey | None:
        """Return the key, or None where there is none (never made, or destroyed).

        Raises:
            TamperedSegmentError: The stored key was changed or moved.
        """
        with self.reading(conn) as keys:
            wrapped = _ONE.scalar(keys, subject=subject_id, name=purpose)
        return None if wrapped is None else self._unwrap(wrapped, subject_id, purpose)

    def of_subject(
        self, conn: Connection, subject_id: bytes, purposes: Collection[str] | None = None
    ) -> dict[str, DataKey]:
        """Return the keys of a subject by purpose: all, or those of these purposes; no other is unwrapped.

        Raises:
            TamperedSegmentError: A stored key was changed or moved.
        """
        rows = self.wrapped_of(conn, subject_id)
        return self.unwrap_all(subject_id, (row for row in rows if purposes is None or row[0] in purposes))

    def wrapped_of(self, conn: Connection, subject_id: bytes) -> Sequence[tuple[str, bytes]]:
        """Return purpose and wrapped key of each of a subject's keys. Opens none, so a damaged one is listed too."""
        with self.reading(conn) as keys:
            return _OF_SUBJECT.rows(keys, subject=subject_id)

    def unwrap_all(self, subject_id: bytes, rows: Iterable[tuple[str, bytes]]) -> dict[str, DataKey]:
        """Return the keys in rows of purpose and wrapped key that were read in this transaction.

        Raises:
            TamperedSegmentError: A stored key was changed or moved.
        """
        return {purpose: self._unwrap(wrapped, subject_id, purpose) for purpose, wrapped in rows}

    def unwrapping(self) -> Callable[[bytes, str, bytes], DataKey]:
        """Return what unwraps the keys of many people: by subject id, purpose and wrapped key, read just now.

        It remembers none of them, since whoever goes through everybody would drive out the keys that are used again.
        It raises what `unwrap_all` does.
        """
        known: dict[int, KeyEncryptionKey] = {}
        kek_of, dictionaries = known.get, self._dictionaries

        def unwrap(subject_id: bytes, purpose: str, wrapped: bytes) -> DataKey:
            epoch = epoch_of(wrapped)
            kek = kek_of(epoch)
            if kek is None:
                kek = known[epoch] = self._epochs.kek(epoch)
            return DataKey(kek.unwrap(wrapped, subject_id, purpose), dictionaries)

        return unwrap

    def secrets_of(self, purpose: str) -> Callable[[bytes, bytes], bytes]:
        """Return what unwraps the keys of many people for one purpose: by wrapped key, read just now, and subject id.

        It is `unwrapping` for those who need no `DataKey`.
        """
        known: dict[bytes, Callable[[bytes, bytes], bytes]] = {}

        def unwrap(wrapped: bytes, subject_id: bytes) -> bytes:
            start = wrapped[:EPOCH_BYTES]
            found = known.get(start)
            if found is None:
                found = known[start] = self._epochs.kek(epoch_of(wrapped)).unwrapping(purpose)
            return found(wrapped, subject_id)

        return unwrap

    def get_or_create(self, conn: Connection, subject_id: bytes, purpose: str, now: datetime) -> DataKey:
        """Return the key, making it where there is none.

        Raises:
            KeyDestroyedError: The subject is not there (any more).
            TamperedSegmentError: The stored key was changed or moved.
        """
        found = self.get(conn, subject_id, purpose)
        if found is not None:
            return found
        if _SUBJECT.first(conn, subject=subject_id) is None:
            raise KeyDestroyedError("this subject was erased, so no new key is made; find or create the subject again")
        if self._own is not None:
            return self._own.transact(lambda keys: self._create(keys, subject_id, purpose, now))
        return self._create(conn, subject_id, purpose, now)

    def create(self, conn: Connection, owner_id: bytes, purpose: str, now: datetime, due_at: datetime) -> DataKey:
        """Make the key of something that is no subject, under its own random id; it is destroyed when it is due."""
        if self._own is not None:
            made = self._own.transact(lambda keys: self._create(keys, owner_id, purpose, now))
        else:
            made = self._create(conn, owner_id, purpose, now)
        self.touch(conn, owner_id, purpose, due_at)
        return made

    def _create(self, keys: Connection, subject_id: bytes, purpose: str, now: datetime) -> DataKey:
        # Asked again: in a database of their own another process may have made the key since.
        wrapped = _ONE.scalar(keys, subject=subject_id, name=purpose) if self.apart else None
        if wrapped is not None:
            return self._unwrap(wrapped, subject_id, purpose)
        kek = self._epochs.active(keys)
        secret = self._random_bytes(KEY_BYTES)
        row = {
            "subject_id": subject_id,
            "purpose": purpose,
            "epoch": kek.epoch,
            "wrapped": kek.wrap(secret, subject_id, purpose, self._random_bytes(NONCE_BYTES)),
            "due_at": to_micros(now + UNUSED),
        }
        _INSERT.later(keys, **row)
        return DataKey(secret, self._dictionaries)

    def destroy(self, conn: Connection, subject_id: bytes, purpose: str) -> bool:
        """Destroy one key; what it sealed cannot be read again once the transaction is committed.

        Drop the purpose from the conversations in the same transaction (`ConversationParts.drop_purpose`).

        Returns:
            Whether there was a key.
        """
        with self.writing(conn) as keys:
            self._forget(_ONE.scalar(keys, subject=subject_id, name=purpose))
            deleted = _DELETE.change(keys, subject=subject_id, name=purpose)
        return deleted > 0

    def destroy_all(
        self, conn: Connection, subject_id: bytes, found: Sequence[tuple[str, bytes]] = ()
    ) -> dict[str, bytes]:
        """Destroy all keys of a subject, readable or not.

        Args:
            conn: A connection of `Database.transact`.
            subject_id: Whose.
            found: Purpose and wrapped key of each, where the transaction has read them; otherwise they are read.

        Returns:
            Their key ids (commitments) by purpose, for the certificate; empty for a key that could not be unwrapped.
        """
        key_ids = {}
        with self.writing(conn) as keys:
            for purpose, wrapped in found or _OF_SUBJECT.rows(keys, subject=subject_id):
                name = purpose if type(purpose) is str else "?"
                key_ids[name] = b""
                try:
                    key_ids[name] = self._unwrap(wrapped, subject_id, purpose).key_id
                except PrivacyError:
                    continue  # a damaged key must not keep a person from being erased
                self._forget(wrapped)
            _DELETE_ALL.later(keys, subject=subject_id)
        return key_ids

    def touch(self, conn: Connection, subject_id: bytes, purpose: str, due_at: datetime | None) -> None:
        """Set when the key is due to be destroyed; None for no end."""
        due = None if due_at is None else to_micros(due_at)
        with self.writing(conn) as keys:
            _TOUCH.later(keys, subject=subject_id, name=purpose, due=due)

    def due_of(self, conn: Connection, subject_id: bytes) -> dict[str, datetime | None]:
        """Return when each of a subject's keys is due, by purpose. Opens no key, so a damaged one is listed too."""
        with self.reading(conn) as keys:
            rows = _DUE_OF.rows(keys, subject=subject_id)
        return {purpose: None if due is None else from_micros(due) for purpose, due in rows}

    def reading(self, conn: Connection) -> AbstractContextManager[Connection]:
        """Return the connection that reads keys."""
        return nullcontext(conn) if self._own is None else self._own.read()

    @contextmanager
    def writing(self, conn: Connection) -> Iterator[Connection]:
        """Yield the connection that changes keys; one to their own database is committed and cleared at the end."""
        if self._own is None:
            yield conn
            return
        with self._own.write() as keys:
            yield keys

    def _unwrap(self, wrapped: bytes, subject_id: bytes, purpose: str) -> DataKey:
        if type(purpose) is not str:  # which SQLite allows
            raise TamperedSegmentError("data key: its purpose is no text; restore the row, or erase the person")
        now = self._monotonic()
        with self._lock:
            hit = self._cache.get(wrapped)
            if hit is not None and hit[:2] == (subject_id, purpose) and now < hit[3]:
                self._cache.move_to_end(wrapped)
                return hit[2]
        secret = self._epochs.kek(epoch_of(wrapped)).unwrap(wrapped, subject_id, purpose)
        key = DataKey(secret, self._dictionaries)
        with self._lock:
            self._cache[wrapped] = (subject_id, purpose, key, now + _CACHED_SECONDS)
            self._cache.move_to_end(wrapped)
            if len(self._cache) > _CACHED_KEYS:
                self._cache.popitem(last=False)
        return key

    def expire(self) -> None:
        """Let go of the unwrapped keys that are remembered long enough, whoever destroyed them meanwhile."""
        now = self._monotonic()
        with self._lock:
            for wrapped in [wrapped for wrapped, hit in self._cache.items() if now >= hit[3]]:
                del self._cache[wrapped]

    def forget_ended_epochs(self) -> None:
        """Let go of key-encryption keys that another process destroyed (`Epochs.forget_ended`).

        Raises:
            StorageError: The database cannot be read.
        """
        self._epochs.forget_ended()

    def forget(self, subject_ids: Collection[bytes]) -> None:
        """Let go of the unwrapped keys of these people, whose rows are deleted."""
        with self._lock:
            gone = [wrapped for wrapped, hit in self._cache.items() if hit[0] in subject_ids]
            for wrapped in gone:
                del self._cache[wrapped]

    def _forget(self, wrapped: bytes | None) -> None:
        with self._lock:
            self._cache.pop(wrapped or b"", None)
