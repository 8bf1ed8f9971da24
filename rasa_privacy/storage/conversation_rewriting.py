"""Writing the structure of a person's conversations anew, under a new data key.

What is sealed under the old key, in a backup too, does not open any more once that key is destroyed. Where keys have a
database of their own the key stays: it would be gone before the rows that it sealed were written anew.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import DataKey, open_sealed, seal
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.storage import conversation_rows as table
from rasa_privacy.storage.batch import assign_values, parts_of
from rasa_privacy.storage.conversation_clearing import clear
from rasa_privacy.storage.conversation_head import service_key, verified_head
from rasa_privacy.storage.conversation_reader import open_every, verified_closed
from rasa_privacy.storage.conversation_rows import ConversationRow
from rasa_privacy.storage.conversation_writer import ConversationWriter
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.event_rows import from_schema_0001, unpack
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import conversations

#: Makes the new structure of the old one, event for event.
Change = Callable[[Sequence[Any]], list[Any]]

_C: Final = conversations.c
_SEAL: Final = Query(
    update(conversations).where(_C.conversation_ref == bindparam("ref")).values(sealed_sender=bindparam("sealed"))
)
_MARK: Final = Query(
    update(conversations).where(_C.conversation_ref == bindparam("ref")).values(textless=bindparam("version"))
)


class Rewriting:
    """Changes the structure of all conversations of one person, whom the transaction has locked.

    Args:
        conn: A connection of `Database.transact`.
        data_keys: Keys of the subjects.
        random_bytes: Source of randomness, as `os.urandom`.
    """

    def __init__(self, conn: Connection, data_keys: DataKeys, random_bytes: Callable[[int], bytes]) -> None:
        self._conn = conn
        self._data_keys = data_keys
        self._random_bytes = random_bytes

    def rewrite(self, subject_id: bytes, change: Change, now: datetime, *, mark: bool = True) -> bool:
        """Write what `change` makes of the structures, and say whether anything was changed.

        Args:
            subject_id: Whom.
            change: Makes the new structure of the old one.
            now: Aware UTC time, for the new key.
            mark: Whether the conversations are marked as without texts.

        Raises:
            TamperedSegmentError: What is stored is not what was written.
            MalformedSegmentError: What is stored does not follow the format.
            KeyDestroyedError: The subject was erased and its rows are still there.
        """
        old = self._data_keys.of_subject(self._conn, subject_id)
        rows = table.by_subject(self._conn, subject_id)
        found = {row.ref: self._open(row, old) for row in rows if row.manifest is not None}
        made = {ref: change(structure) for ref, (structure, _, _) in found.items()}
        changed = any(made[ref] != structure for ref, (structure, _, _) in found.items())
        if changed:
            new = self._with_new_key(subject_id, old, now)
            for row in rows:
                sealed = self._sealed_sender(row, old, new)
                if row.ref in found:
                    _, values, starts = found[row.ref]
                    clear(self._conn, row, old, self._random_bytes, service_key(row, new))
                    self._write(row, new, made[row.ref], values, starts)
                _SEAL.change(self._conn, ref=row.ref, sealed=sealed)
        for row in table.by_subject(self._conn, subject_id) if mark else ():
            _MARK.change(self._conn, ref=row.ref, version=row.version)
        return changed

    def _open(
        self, row: ConversationRow, keys: Mapping[str, DataKey]
    ) -> tuple[list[Any], dict[str, list[Any]], list[int]]:
        """Return structure, values by purpose, and where sessions begin."""
        head = verified_head(row, keys)
        values = open_every(self._conn, row, head, keys)
        structure = unpack(from_schema_0001(values.pop(SERVICE, [])))
        starts = [closed.session for closed in verified_closed(self._conn, row, head)]
        return structure, values, sorted({*starts, head.session} - {0, len(structure)})

    def _with_new_key(self, subject_id: bytes, old: Mapping[str, DataKey], now: datetime) -> dict[str, DataKey]:
        if self._data_keys.apart:
            return dict(old)
        due = self._data_keys.due_of(self._conn, subject_id).get(SERVICE)
        self._data_keys.destroy(self._conn, subject_id, SERVICE)
        key = self._data_keys.get_or_create(self._conn, subject_id, SERVICE, now)
        self._data_keys.touch(self._conn, subject_id, SERVICE, due)
        return {**old, SERVICE: key}

    def _sealed_sender(self, row: ConversationRow, old: Mapping[str, DataKey], new: Mapping[str, DataKey]) -> bytes:
        name = open_sealed(service_key(row, old), row.sealed_sender, row.place.sender())
        return seal(service_key(row, new), name, row.place.sender(), self._random_bytes(NONCE_BYTES))

    def _write(
        self,
        row: ConversationRow,
        keys: Mapping[str, DataKey],
        structure: Sequence[Any],
        values: Mapping[str, Sequence[Any]],
        starts: Sequence[int],
    ) -> None:
        """Write a whole conversation into its row, which was cleared and so is a version further."""
        cleared = next(each for each in table.by_subject(self._conn, row.place.subject_id) if each.ref == row.ref)
        writer = ConversationWriter(self._conn, cleared, keys, self._random_bytes)
        parts = parts_of(0, 0, structure, starts)
        writer.append(assign_values(parts, [], values, len(structure)))
        writer.finish()
