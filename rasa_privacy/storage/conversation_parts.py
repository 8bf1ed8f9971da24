"""`ConversationParts`: destroys a part of what conversations hold, and leaves the rest readable.

What is sealed anew gets a new data key and the old one is destroyed, so that a backup's segments do not open any more
either. A key that lies apart would be gone before the new rows are there, so it goes on to seal them, unless the
journal knows of it and finishes what fails then. Each such change raises the version of the conversation, as a save
does.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.errors import StorageError
from rasa_privacy.storage import conversation_rows as table
from rasa_privacy.storage import known_contacts
from rasa_privacy.storage.conversation_appending import add_keys, append_to
from rasa_privacy.storage.conversation_head import verified_head
from rasa_privacy.storage.conversation_reader import open_every
from rasa_privacy.storage.conversation_rewriting import Change, Rewriting
from rasa_privacy.storage.conversation_writer import ConversationWriter
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.event_rows import from_schema_0001, unpack
from rasa_privacy.storage.subjects import SENDER_DOMAIN


class ConversationParts:
    """Parts of the conversations in the database.

    Args:
        index: Blind index of this database.
        data_keys: Keys of the subjects.
        random_bytes: Source of randomness, as `os.urandom`.
    """

    def __init__(self, index: BlindIndex, data_keys: DataKeys, random_bytes: Callable[[int], bytes]) -> None:
        self._index = index
        self._data_keys = data_keys
        self._random_bytes = random_bytes

    def drop_purpose(self, conn: Connection, subject_id: bytes, purpose: str) -> int:
        """Delete the values of one purpose from all conversations of a subject.

        Destroy the data key in the same transaction (`DataKeys.destroy`). Changes the version of each conversation that
        held such values.

        Returns:
            The number of segments that were deleted.

        Raises:
            StorageError: The purpose is `service`, without which nothing can be read; erase the subject instead.
        """
        if purpose == SERVICE:
            raise StorageError("purpose 'service' owns the structure of conversations; erase the subject instead")
        known_contacts.remove(conn, subject_id, purpose)
        keys = self._data_keys.of_subject(conn, subject_id)
        deleted = 0
        for row in table.by_subject(conn, subject_id):
            if row.version == 0:
                continue
            writer = ConversationWriter(conn, row, keys, self._random_bytes)
            dropped = writer.drop(purpose)
            if dropped:
                writer.finish()
            deleted += dropped
        return deleted

    def drop_item(  # noqa: PLR0913 - transaction, whose, of what, when, and how
        self,
        conn: Connection,
        subject_id: bytes,
        purpose: str,
        item: str,
        now: datetime,
        *,
        is_journalled: bool = False,
    ) -> bool:
        """Destroy the values that one purpose holds of one item, in all conversations of a subject that is locked.

        What the purpose holds of other items is sealed anew under a new data key, and the old key is destroyed, so that
        a backup's segments do not open any more either.

        Args:
            conn: A connection of `Database.transact`.
            subject_id: Whom.
            purpose: The purpose.
            item: The item.
            now: Aware UTC time, for the new key.
            is_journalled: Whether the erasure journal has it.

        Returns:
            Whether there was such a value.

        Raises:
            TamperedSegmentError: What is stored is not what was written.
            MalformedSegmentError: What is stored does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        entries = {ref: held.get(purpose, []) for ref, held in self._open_all(conn, subject_id).items()}
        if not any(entry[2] == item for held in entries.values() for entry in held):
            if self._data_keys.get(conn, subject_id, purpose) is None:
                # Rows of a restored backup may be there whose key, which lies apart, is gone; nothing can join them.
                self.drop_purpose(conn, subject_id, purpose)
            return False
        rest = {ref: [entry for entry in held if entry[2] != item] for ref, held in entries.items()}
        stays = self._data_keys.apart and not is_journalled
        self._seal_anew(conn, subject_id, purpose, rest, now, key_stays=stays)
        return True

    def drop_since(self, conn: Connection, sender_id: str, purpose: str, first: int, now: datetime) -> bool:
        """Destroy the values that one purpose holds of a conversation's events from a number on, as `drop_item` does.

        Raises:
            TamperedSegmentError: What is stored is not what was written.
            MalformedSegmentError: What is stored does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        row = table.by_sender(conn, self._index.to_find(SENDER_DOMAIN, sender_id))
        if row is None:
            return False
        opened = self._open_all(conn, row.place.subject_id)
        entries = {ref: held.get(purpose, []) for ref, held in opened.items()}
        early = [entry for entry in entries.get(row.ref, ()) if entry[0] < first]
        if len(early) == len(entries.get(row.ref, ())):
            return False
        late = {entry[2] for entry in entries[row.ref] if entry[0] >= first}
        self._seal_anew(conn, row.place.subject_id, purpose, {**entries, row.ref: early}, now)
        # Which of an item's contacts goes is not to be told from their hashes; none finds the person then.
        contacts = known_contacts.of_purpose(conn, row.place.subject_id, purpose)
        known_contacts.remove(conn, row.place.subject_id, purpose)
        left = [each for each in contacts if each.item not in late]
        known_contacts.put(conn, row.place.subject_id, purpose, left)
        return True

    def drop_late(  # noqa: PLR0913, PLR0917 - transaction, whose, of what, and until when
        self,
        conn: Connection,
        subject_id: bytes,
        purposes: Iterable[str],
        item: str,
        limit: datetime,
        now: datetime,
    ) -> tuple[bool, datetime | None]:
        """Destroy the values of one item that were given until `limit`, as `drop_item` does.

        Returns:
            Whether there was such a value, and when the oldest that is left was given; None where none is left.

        Raises:
            TamperedSegmentError: What is stored is not what was written.
            MalformedSegmentError: What is stored does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        opened = self._open_all(conn, subject_id)
        times = {ref: _times(held.get(SERVICE, [])) for ref, held in opened.items()}
        given = [
            (times[ref][entry[0]], ref, purpose, entry)
            for ref, held in opened.items()
            for purpose in purposes
            for entry in held.get(purpose, [])
            if entry[2] == item
        ]
        late = {(ref, purpose, id(entry)) for at, ref, purpose, entry in given if at <= limit.timestamp()}
        for purpose in dict.fromkeys(name for _, name, _ in late):
            rest = {
                ref: [entry for entry in held.get(purpose, []) if (ref, purpose, id(entry)) not in late]
                for ref, held in opened.items()
            }
            self._seal_anew(conn, subject_id, purpose, rest, now)
        left = min((at for at, *_ in given if at > limit.timestamp()), default=None)
        return bool(late), None if left is None else datetime.fromtimestamp(left, tz=timezone.utc)

    def rewrite(self, conn: Connection, subject_id: bytes, change: Change, now: datetime) -> bool:
        """Write the structure of a person's conversations anew, under a new data key; the values stay as they are.

        A one-time code that waits has its contact under the old key: end it first.

        Args:
            conn: A connection of `Database.transact`.
            subject_id: Whom; locked.
            change: Makes the new structure of the old one, event for event.
            now: Aware UTC time, for the new key.

        Returns:
            Whether anything was changed.

        Raises:
            TamperedSegmentError: What is stored is not what was written.
            MalformedSegmentError: What is stored does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        return Rewriting(conn, self._data_keys, self._random_bytes).rewrite(subject_id, change, now, mark=False)

    def take_out_texts(self, conn: Connection, subject_id: bytes, change: Change, now: datetime) -> bool:
        """Write the structure of a person's conversations anew, without texts and under a new data key.

        Not where nothing was stored since that was done before.

        Args:
            conn: A connection of `Database.transact`.
            subject_id: Whom; locked.
            change: Takes the texts out of a structure, event for event.
            now: Aware UTC time, for the new key.

        Returns:
            Whether there were texts.

        Raises:
            TamperedSegmentError: What is stored is not what was written.
            MalformedSegmentError: What is stored does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        if not table.may_hold_texts(conn, subject_id):
            return False
        return Rewriting(conn, self._data_keys, self._random_bytes).rewrite(subject_id, change, now)

    def _open_all(self, conn: Connection, subject_id: bytes) -> dict[int, dict[str, list[Any]]]:
        """Return all rows and entries of a subject by conversation and purpose."""
        keys = self._data_keys.of_subject(conn, subject_id)
        rows = [row for row in table.by_subject(conn, subject_id) if row.version != 0]
        return {row.ref: open_every(conn, row, verified_head(row, keys), keys) for row in rows}

    def _seal_anew(  # noqa: PLR0913 - transaction, whose, of what, what stays, when, and how
        self,
        conn: Connection,
        subject_id: bytes,
        purpose: str,
        rest: Mapping[int, list[Any]],
        now: datetime,
        *,
        key_stays: bool | None = None,
    ) -> None:
        """Put these entries, by conversation, in place of all that a purpose holds: under a new key, due as the old.

        Where it is not said whether the old key stays, one that lies apart does as long as there is something to seal.
        """
        due_at = self._data_keys.due_of(conn, subject_id).get(purpose)
        contacts = known_contacts.of_purpose(conn, subject_id, purpose)
        self.drop_purpose(conn, subject_id, purpose)
        items = {entry[2] for held in rest.values() for entry in held}
        known_contacts.put(conn, subject_id, purpose, [each for each in contacts if each.item in items])
        if not (self._data_keys.apart and items if key_stays is None else key_stays):
            self._data_keys.destroy(conn, subject_id, purpose)
        keys = self._data_keys.of_subject(conn, subject_id)
        for row in table.by_subject(conn, subject_id):
            if rest.get(row.ref):
                add_keys(conn, self._data_keys, row, keys, (purpose,), now)
                append_to(conn, row, keys, self._random_bytes, [], {purpose: rest[row.ref]}, [])
        if purpose in keys:
            self._data_keys.touch(conn, subject_id, purpose, due_at)


def _times(rows: list[Any]) -> list[float]:
    """Return when each event of a conversation happened, in seconds since 1970."""
    return [float(event["timestamp"] or 0.0) for event in unpack(from_schema_0001(rows))]
