"""`DueKeys`: which data keys are due to be destroyed, page by page and in numbers.

Pages go forward in one order, so that what another process works on, or what cannot be removed, is passed over. No key
is opened here.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.many import ManyDelete, ManySelect
from rasa_privacy.storage.tables import data_keys, to_micros

_K: Final = data_keys.c
_ORDER: Final = (_K.due_at, _K.subject_id, _K.purpose)
_IS_DUE: Final = _K.due_at <= bindparam("now")
_FIRST: Final = select(*_ORDER).where(_IS_DUE).order_by(*_ORDER).limit(bindparam("most"))
_NEXT: Final = _FIRST.where(
    # The first condition says nothing new; it is what lets MariaDB begin within the index.
    _K.due_at >= bindparam("at"),
    tuple_(*_ORDER) > tuple_(bindparam("at"), bindparam("subject"), bindparam("name")),
)
_OF: Final = ManySelect(_K.subject_id, select(_K.subject_id, _K.purpose, _K.due_at).where)
_DELETE: Final = ManyDelete(_K.subject_id)
_COUNT: Final = select(func.count()).select_from(data_keys).where(_IS_DUE)
_HELD: Final = select(_K.purpose, func.count()).group_by(_K.purpose).order_by(_K.purpose)
_BY_PURPOSE: Final = select(_K.purpose, func.count()).where(_IS_DUE).group_by(_K.purpose).order_by(_K.purpose)
_HOLDERS: Final = (
    select(_K.subject_id)
    .distinct()
    .where(_K.purpose != SERVICE, _K.subject_id > bindparam("after"))
    .order_by(_K.subject_id)
    .limit(bindparam("most"))
)
_OTHER: Final = data_keys.alias("other")
_PEOPLE: Final = (
    select(func.count())
    .select_from(data_keys)
    .where(
        _IS_DUE,
        _K.purpose == SERVICE,
        ~select(_OTHER.c.purpose)
        .where(
            _OTHER.c.subject_id == _K.subject_id,
            (_OTHER.c.due_at.is_(None)) | (_OTHER.c.due_at > bindparam("now")),
        )
        .exists(),
    )
)
_NEXT_DUE: Final = select(func.min(_K.due_at)).where(_K.due_at > bindparam("now"))


class Due(NamedTuple):
    """A key that is due, and its place in the order of pages.

    Attributes:
        at: When it was due, in microseconds since 1970.
        subject_id: Whose it is.
        purpose: Of which purpose.
    """

    at: int
    subject_id: bytes
    purpose: str


class DueKeys:
    """Data keys by when they are due.

    Args:
        data_keys: Where the keys are.
    """

    def __init__(self, data_keys: DataKeys) -> None:
        self._data_keys = data_keys

    @property
    def apart(self) -> bool:
        """Whether the keys lie in a database of their own, in transactions of its own."""
        return self._data_keys.apart

    def page(self, conn: Connection, now: datetime, most: int, after: Due | None = None) -> list[Due]:
        """Return up to `most` keys that are due, in their order, from behind `after` on."""
        values: dict[str, Any] = {"now": to_micros(now), "most": most}
        if after is not None:
            values |= {"at": after.at, "subject": after.subject_id, "name": after.purpose}
        with self._data_keys.reading(conn) as keys:
            return [Due(*row) for row in keys.execute(_FIRST if after is None else _NEXT, values)]

    def of(self, conn: Connection, subject_ids: Sequence[bytes]) -> dict[bytes, dict[str, int | None]]:
        """Return for each of these people when each of their keys is due, in microseconds, by purpose."""
        found: dict[bytes, dict[str, int | None]] = {subject_id: {} for subject_id in subject_ids}
        if subject_ids:
            with self._data_keys.reading(conn) as keys:
                for subject_id, purpose, due in _OF.rows(keys, subject_ids):
                    found[subject_id][purpose] = due
        return found

    def destroy_all(self, conn: Connection, subject_ids: Collection[bytes]) -> int:
        """Destroy all keys of these people and return how many there were."""
        if not subject_ids:
            return 0
        self._data_keys.forget(subject_ids)
        with self._data_keys.writing(conn) as keys:
            return _DELETE.run(keys, subject_ids)

    def count(self, conn: Connection, now: datetime) -> int:
        """Return how many keys are due."""
        return self._number(conn, _COUNT, now) or 0

    def by_purpose(self, conn: Connection, now: datetime) -> dict[str, int]:
        """Return how many keys of each purpose are due."""
        with self._data_keys.reading(conn) as keys:
            return {row[0]: row[1] for row in keys.execute(_BY_PURPOSE, {"now": to_micros(now)})}

    def held_by_purpose(self, conn: Connection) -> dict[str, int]:
        """Return how many people have a key of each purpose, due or not."""
        with self._data_keys.reading(conn) as keys:
            return {row[0]: row[1] for row in keys.execute(_HELD)}

    def holders(self, conn: Connection, most: int, after: bytes) -> list[bytes]:
        """Return up to `most` people with a key of a purpose besides `service`, in their order, from behind one on."""
        with self._data_keys.reading(conn) as keys:
            return [row[0] for row in keys.execute(_HOLDERS, {"after": after, "most": most})]

    def people(self, conn: Connection, now: datetime) -> int:
        """Return how many people have no key that is not due, so that nothing of them will be left."""
        return self._number(conn, _PEOPLE, now) or 0

    def next_after(self, conn: Connection, now: datetime) -> int | None:
        """Return when the next key is due, in microseconds since 1970; None where none ever is."""
        return self._number(conn, _NEXT_DUE, now)

    def _number(self, conn: Connection, statement: Any, now: datetime) -> int | None:
        with self._data_keys.reading(conn) as keys:
            number: int | None = keys.execute(statement, {"now": to_micros(now)}).scalar()
        return number
