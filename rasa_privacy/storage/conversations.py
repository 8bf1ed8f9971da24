"""`Conversations`: the events of each conversation, sealed and checked against a manifest.

Rules:

1. Events are numbered from 0. A save adds one segment per purpose that has content; `service` owns the structure.
2. Each change raises the version by one and names the version it started from; who comes second gets a conflict, reads
   again, and appends. Dropping a purpose is a change too (`conversation_parts.py`).
3. Reading the last session costs the same whatever came before it.
4. Nothing is returned that was not verified against the manifest. Not found out: that a conversation was deleted as a
   whole, or put back as a whole to an older state.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import DataKey
from rasa_privacy.errors import ConversationConflictError
from rasa_privacy.storage import conversation_rows as table
from rasa_privacy.storage import known_contacts
from rasa_privacy.storage.conversation_appending import add_keys, append_to
from rasa_privacy.storage.conversation_clearing import clear
from rasa_privacy.storage.conversation_head import keyless, verified_head
from rasa_privacy.storage.conversation_reader import open_every, open_last, open_some
from rasa_privacy.storage.conversation_rows import ConversationRow
from rasa_privacy.storage.conversation_writer import ConversationWriter
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.opened_conversation import NOT_STORED, Opened, StoredConversation, stored
from rasa_privacy.storage.segment_rows import rows_of_session, sessions_of_purpose
from rasa_privacy.storage.subjects import SENDER_DOMAIN, Subjects

logger = logging.getLogger(__name__)


class Conversations:
    """Conversations in the database.

    Args:
        index: Blind index of this database.
        data_keys: Keys of the subjects.
        subjects: Where a new sender's subject is made.
        random_bytes: Source of randomness, as `os.urandom`.
    """

    def __init__(
        self, index: BlindIndex, data_keys: DataKeys, subjects: Subjects, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._index = index
        self._data_keys = data_keys
        self._subjects = subjects
        self._random_bytes = random_bytes

    def load(
        self,
        conn: Connection,
        sender_id: str,
        *,
        all_sessions: bool = False,
        purposes: Collection[str] | None = None,
    ) -> StoredConversation | None:
        """Return the last session (or all) of a conversation, or None where there are no events.

        Args:
            conn: A connection that reads.
            sender_id: Rasa's conversation key.
            all_sessions: Whether older sessions are opened too.
            purposes: The purposes whose values are opened; of no other the data key is unwrapped. None for all.

        Raises:
            TamperedSegmentError: What is stored is not what was written.
            MalformedSegmentError: What is stored does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        row, keys = self._row_and_keys(conn, sender_id, purposes)
        if row is None or _is_empty(row):
            return None
        head = verified_head(row, keys)
        cut = keyless(head, keys) if purposes is None else frozenset[str]()
        if all_sessions:
            return stored(row, head, 0, open_every(conn, row, head, keys), cut)
        rows = rows_of_session(conn, row.ref, head.session)
        return stored(row, head, head.session, open_last(row, head, keys, rows), cut)

    def load_some(self, conn: Connection, sender_id: str, first_seq: int, at_least: int) -> StoredConversation | None:
        """Return whole sessions from the one that begins at an event on, as `load` does, until there are enough events.

        Args:
            conn: A connection that reads.
            sender_id: Rasa's conversation key.
            first_seq: 0, or the number of the event after the last that was read.
            at_least: Number of events that are enough. One session is always read as a whole.

        Raises:
            ConversationConflictError: No session begins there: the conversation was emptied meanwhile.
            TamperedSegmentError: What is stored is not what was written.
            MalformedSegmentError: What is stored does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        row, keys = self._row_and_keys(conn, sender_id)
        if row is None or _is_empty(row):
            return None
        head = verified_head(row, keys)
        return stored(row, head, first_seq, open_some(conn, row, head, keys, first_seq, at_least))

    def load_last(self, database: Database, sender_id: str) -> StoredConversation | None:
        """Return the last session of a conversation as `load` does, in one statement and outside of a transaction.

        Raises:
            StorageError: The database cannot be read.
            TamperedSegmentError: What is stored is not what was written.
            MalformedSegmentError: What is stored does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        if self._data_keys.apart:
            with database.read() as conn:
                return self.load(conn, sender_id)
        sender_index = self._index.to_find(SENDER_DOMAIN, sender_id)
        found = table.current(database.ask(table.CURRENT, sender=sender_index))
        if found is None or _is_empty(found.row):
            return None
        row = found.row
        keys = self._data_keys.unwrap_all(row.place.subject_id, found.keys)
        self._verify_sender(row, keys, sender_index)
        head = verified_head(row, keys)
        return stored(row, head, head.session, open_last(row, head, keys, found.segments), keyless(head, keys))

    def append(  # noqa: PLR0913, PLR0917 - the fields of one save; a record of them would only be unpacked again
        self,
        conn: Connection,
        sender_id: str,
        expected_version: int,
        structure: Sequence[Any],
        values: Mapping[str, Sequence[Any]],
        session_starts: Sequence[int],
        now: datetime,
        opened: Opened | None = None,
    ) -> int:
        """Add events, or values of events that are there.

        Args:
            conn: A connection of `Database.write`.
            sender_id: Rasa's conversation key.
            expected_version: The version that was read, or NOT_STORED.
            structure: One entry per new event.
            values: Value entries by purpose; the first element of each is its event's number. A purpose without a data
                key gets one.
            session_starts: Offsets within `structure` where a session begins, rising.
            now: Aware UTC time, for subjects and keys that are made.
            opened: What `open_head` found in the same transaction; without it that is read again.

        Returns:
            The new version.

        Raises:
            ConversationConflictError: The conversation has another version (or was erased).
            StorageError: An entry cannot be stored or names an event that is not there.
            TamperedSegmentError: What is stored is not what was written.
        """
        row, opened = self._row_to_change(conn, sender_id, expected_version, now, opened)
        values = {purpose: entries for purpose, entries in values.items() if entries}
        if self._data_keys.apart and self._drop_keyless(conn, row, opened, values):
            opened = self.open_head(conn, sender_id)
            row = opened.row or row
        add_keys(conn, self._data_keys, row, opened.keys, values, now)
        return append_to(
            conn, row, opened.keys, self._random_bytes, structure, values, session_starts, opened.tails, opened.head
        )

    def head(self, conn: Connection, sender_id: str) -> tuple[int, int]:
        """Return version and event count, which is the number of the next event; twice 0 where there are no events.

        Raises:
            TamperedSegmentError: The head manifest does not verify.
            MalformedSegmentError: The head manifest does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        opened = self.open_head(conn, sender_id)
        return opened.version, opened.event_count

    def open_head(self, conn: Connection, sender_id: str) -> Opened:
        """Return what `append` needs to know of a conversation whose person this transaction has locked.

        Raises:
            TamperedSegmentError: The head manifest does not verify.
            MalformedSegmentError: The head manifest does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        if self._data_keys.apart:
            row, keys = self._row_and_keys(conn, sender_id)
            due, tails = dict[str, int | None](), dict[str, tuple[int, bytes]]()
        else:
            row, keys, due, tails = self._to_change(conn, self._index.to_find(SENDER_DOMAIN, sender_id))
        if row is None:
            return Opened(NOT_STORED, None, None, {}, {}, {})
        return Opened(row.version, row, verified_head(row, keys), keys, due, tails)

    def _to_change(
        self, conn: Connection, sender_index: bytes
    ) -> tuple[ConversationRow | None, dict[str, DataKey], dict[str, int | None], dict[str, tuple[int, bytes]]]:
        found = table.to_change(conn, sender_index)
        if found is None:
            return None, {}, {}, {}
        keys = self._data_keys.unwrap_all(found.row.place.subject_id, found.keys)
        self._verify_sender(found.row, keys, sender_index)
        return found.row, keys, found.due, found.tails

    def clear(self, conn: Connection, sender_id: str) -> None:
        """Delete all events of a conversation; the person, the keys and the consent stay.

        Raises:
            ConversationConflictError: Another writer was first.
            TamperedSegmentError: The head manifest does not verify.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        row, keys = self._row_and_keys(conn, sender_id)
        if row is not None and row.version != NOT_STORED:
            known_contacts.remove_all(conn, row.place.subject_id)
            clear(conn, row, keys, self._random_bytes)

    def count(self, conn: Connection) -> int:
        """Return the number of conversations that have events."""
        return table.count(conn)

    def exists(self, conn: Connection, sender_id: str) -> bool:
        """Say whether a sender has events."""
        return table.exists(conn, self._index.to_find(SENDER_DOMAIN, sender_id))

    def _row_and_keys(
        self, conn: Connection, sender_id: str, purposes: Collection[str] | None = None
    ) -> tuple[ConversationRow | None, dict[str, DataKey]]:
        opened = None if purposes is None else {SERVICE, *purposes}
        sender_index = self._index.to_find(SENDER_DOMAIN, sender_id)
        if self._data_keys.apart:
            row = table.by_sender(conn, sender_index)
            keys = self._data_keys.of_subject(conn, row.place.subject_id, opened) if row is not None else {}
        else:
            row, found = table.with_keys(conn, sender_index) or (None, [])
            wrapped = [each for each in found if opened is None or each[0] in opened]
            keys = self._data_keys.unwrap_all(row.place.subject_id, wrapped) if row is not None else {}
        if row is not None:
            self._verify_sender(row, keys, sender_index)
        return row, keys

    def _verify_sender(self, row: ConversationRow, keys: Mapping[str, DataKey], sender_index: bytes) -> None:
        if SERVICE in keys:
            self._subjects.verify(row.place, row.sealed_sender, sender_index, keys[SERVICE])

    def _row_to_change(
        self, conn: Connection, sender_id: str, expected_version: int, now: datetime, opened: Opened | None
    ) -> tuple[ConversationRow, Opened]:
        opened = opened or self.open_head(conn, sender_id)
        if opened.row is None and expected_version == NOT_STORED:
            self._subjects.find_or_create(conn, sender_id, now)
            opened = self.open_head(conn, sender_id)
        if opened.row is None or opened.version != expected_version:
            found = "none" if opened.row is None else f"version {opened.version}"
            raise ConversationConflictError(
                f"append expects version {expected_version} and finds {found}: another writer was first, or the "
                "subject was erased; read and append again"
            )
        return opened.row, opened

    def _drop_keyless(self, conn: Connection, row: ConversationRow, opened: Opened, purposes: Collection[str]) -> bool:
        """Delete the rows of purposes without a key, which nothing opens and a new key would contradict.

        A transaction that broke off, or a restored backup, left them. Only where keys lie apart can there be any.
        """
        lost = [name for name in purposes if name not in opened.keys and sessions_of_purpose(conn, row.ref, name)]
        if lost:
            writer = ConversationWriter(conn, row, opened.keys, self._random_bytes)
            for name in lost:
                logger.warning(
                    "Conversation %d: what the purpose '%s' held has no key and makes way for new values. If the "
                    "database of the keys was put back from a backup, put its newest one back.",
                    row.ref,
                    name,
                )
                known_contacts.remove(conn, row.place.subject_id, name)
                writer.drop(name)
            writer.finish()
        return bool(lost)


def _is_empty(row: ConversationRow) -> bool:
    return row.version == NOT_STORED and row.manifest is None
