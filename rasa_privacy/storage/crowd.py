"""Many people at once: who they are, their keys and conversations, and what is left of them. No more than a page.

`Subjects`, `DataKeys` and `remains` say the same of one person; a test compares them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import DataKey, open_sealed
from rasa_privacy.errors import DAMAGED, PrivacyError
from rasa_privacy.storage.conversation_rows import COLUMNS, ConversationRow, row_of
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.remains import OWNED
from rasa_privacy.storage.subjects import SENDER_DOMAIN
from rasa_privacy.storage.tables import conversations, data_keys, erasures, subjects, to_micros
from rasa_privacy.storage.value_counts import destroyed_counts

_C: Final = conversations.c
_K: Final = data_keys.c
_S: Final = subjects.c
_BY_SENDER: Final = ManySelect(_C.sender_index, select(_C.sender_index, _C.subject_id).where)
_CONVERSATIONS: Final = ManySelect(_C.subject_id, select(*COLUMNS, _C.sender_index).where)
_KEYS: Final = ManySelect(_K.subject_id, select(_K.subject_id, _K.purpose, _K.wrapped).where)
_LEFT: Final = {table.name: ManySelect(table.c.subject_id, select(table.c.subject_id).where) for table in OWNED}
_CERTIFIED: Final = ManySelect(erasures.c.subject_id, select(erasures.c.subject_id).where)
_BEFORE: Final = (
    select(_S.subject_id)
    .where(_S.created_at < bindparam("before"), _S.subject_id > bindparam("after"))
    .order_by(_S.subject_id)
    .limit(bindparam("most"))
)
_COUNT: Final = select(func.count()).select_from(subjects)
_AFTER: Final = (
    select(_S.subject_id).where(_S.subject_id > bindparam("after")).order_by(_S.subject_id).limit(bindparam("most"))
)


@dataclass(slots=True)
class Member:
    """One of many people, as the tables have them.

    Attributes:
        keys: Their data keys by purpose; None for one that cannot be opened.
        conversations: Their conversations, each with the blind index of its sender id.
        is_found_truly: Whether each conversation is found by its own sender id, as far as that can be told.
    """

    keys: dict[str, DataKey | None] = field(default_factory=dict)
    conversations: list[tuple[ConversationRow, bytes]] = field(default_factory=list)
    is_found_truly: bool = True

    @property
    def counts(self) -> dict[str, int]:
        """What erasing them destroys (`destroyed_counts`); values of conversations without counts are not read."""
        opened = {purpose: key for purpose, key in self.keys.items() if key is not None}
        return destroyed_counts([row for row, _ in self.conversations], opened, self.keys)

    @property
    def key_ids(self) -> dict[str, str]:
        """Ids of the data keys by purpose, as hexadecimal digits; empty for one that cannot be opened."""
        return {purpose: "" if key is None else key.key_id.hex() for purpose, key in self.keys.items()}


class Crowd:
    """Reads what is stored of many people.

    Args:
        index: Blind index of this database.
        data_keys: Keys of the subjects.
    """

    def __init__(self, index: BlindIndex, data_keys: DataKeys) -> None:
        self._index = index
        self._data_keys = data_keys

    def find(self, conn: Connection, sender_ids: Sequence[str]) -> dict[str, bytes]:
        """Return the subject id behind each of these sender ids that is known. `members` says whether it is true."""
        indexes = {self._index.to_find(SENDER_DOMAIN, sender_id): sender_id for sender_id in sender_ids}
        return {indexes[row[0]]: row[1] for row in _BY_SENDER.rows(conn, list(indexes))}

    def made_before(self, conn: Connection, before: datetime, after: bytes, most: int) -> list[bytes]:
        """Return a page of people who were first heard of before a time, in the order of their ids."""
        page = {"before": to_micros(before), "after": after, "most": most}
        return list(conn.execute(_BEFORE, page).scalars())

    def count(self, conn: Connection) -> int:
        """Return how many people there are."""
        number: int = conn.execute(_COUNT).scalar_one()
        return number

    def after(self, conn: Connection, after: bytes, most: int) -> list[bytes]:
        """Return a page of people in the order of their ids, beginning after one; after no bytes for the first."""
        return list(conn.execute(_AFTER, {"after": after, "most": most}).scalars())

    def by_purpose(self, conn: Connection, subject_ids: Collection[bytes]) -> dict[str, list[bytes]]:
        """Return those of these people of whom each purpose has a key. Opens none."""
        found: dict[str, list[bytes]] = {}
        with self._data_keys.reading(conn) as keys:
            for subject_id, purpose, _wrapped in _KEYS.rows(keys, subject_ids):
                found.setdefault(purpose, []).append(subject_id)
        return found

    def members(self, conn: Connection, subject_ids: Collection[bytes]) -> dict[bytes, Member]:
        """Return what is stored of each of these people."""
        found = {subject_id: Member() for subject_id in subject_ids}
        with self._data_keys.reading(conn) as keys:
            for subject_id, purpose, wrapped in _KEYS.rows(keys, subject_ids):
                found[subject_id].keys[purpose] = self._opened(subject_id, purpose, wrapped)
        for *columns, sender_index in _CONVERSATIONS.rows(conn, subject_ids):
            row = row_of(columns)
            member = found[row.place.subject_id]
            member.conversations.append((row, sender_index))
            member.is_found_truly &= self._is_own(row, sender_index, member.keys.get(SERVICE))
        return found

    def remains(self, conn: Connection, key_conn: Connection, subject_ids: Collection[bytes]) -> set[str]:
        """Return the tables that still name any of these people, and `erasures` where one has no certificate."""
        left = {name for name, query in _LEFT.items() if query.rows(conn, subject_ids)}
        if _LEFT[data_keys.name].rows(key_conn, subject_ids):
            left.add(str(data_keys.name))
        certified = {row[0] for row in _CERTIFIED.rows(conn, subject_ids)}
        return left if certified >= set(subject_ids) else {*left, str(erasures.name)}

    def _opened(self, subject_id: bytes, purpose: str, wrapped: bytes) -> DataKey | None:
        try:
            return self._data_keys.unwrap_all(subject_id, [(purpose, wrapped)])[purpose]
        except PrivacyError:
            return None

    def _is_own(self, row: ConversationRow, sender_index: bytes, key: DataKey | None) -> bool:
        try:
            name = None if key is None else open_sealed(key, row.sealed_sender, row.place.sender())
        except DAMAGED:
            name = None
        # Who is damaged, or half erased, must still be found to be erased.
        return name is None or self._index.to_find(SENDER_DOMAIN, name.decode("utf-8", "surrogatepass")) == sender_index
