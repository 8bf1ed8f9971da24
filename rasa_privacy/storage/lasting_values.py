"""SQL on values that last for some time: who has one of which item, and when the oldest of them was given.

A row is a hint of when to look, and no proof that there is a value: whoever looks opens the conversation. Names of
items are readable here, as names of purposes are beside keys.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.engine import Connection

from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.query import Query, inserting
from rasa_privacy.storage.tables import lasting_values, to_micros

_L: Final = lasting_values.c
_OF_ONE: Final = (_L.subject_id == bindparam("subject"), _L.item == bindparam("name"))
_FIND: Final = Query(select(_L.given_at).where(*_OF_ONE))
_INSERT: Final = inserting(lasting_values)
_INSERT_MANY: Final = insert(lasting_values)
_NOTED: Final = ManySelect(
    _L.subject_id, lambda wanted: select(_L.subject_id).where(wanted, _L.item == bindparam("name"))
)
_MOVE: Final = update(lasting_values).where(*_OF_ONE).values(given_at=bindparam("given"))
_DELETE: Final = delete(lasting_values).where(*_OF_ONE)
_DELETE_ALL: Final = Query(delete(lasting_values).where(_L.subject_id == bindparam("subject")))
_ORDER: Final = (_L.given_at, _L.subject_id)
_OVER: Final = (_L.item == bindparam("name"), _L.given_at <= bindparam("limit"))
_FIRST: Final = select(*_ORDER).where(*_OVER).order_by(*_ORDER).limit(bindparam("most"))
_NEXT: Final = _FIRST.where(
    # The first condition says nothing new; it is what lets MariaDB begin within the index.
    _L.given_at >= bindparam("at"),
    tuple_(*_ORDER) > tuple_(bindparam("at"), bindparam("subject")),
)
_COUNT: Final = select(func.count()).select_from(lasting_values).where(*_OVER)
_NEXT_GIVEN: Final = select(func.min(_L.given_at)).where(_L.item == bindparam("name"), _L.given_at > bindparam("limit"))


class Given(NamedTuple):
    """A person who may have a value that is over.

    Attributes:
        at: When the oldest was given, in microseconds since 1970.
        subject_id: The person.
    """

    at: int
    subject_id: bytes


def note(conn: Connection, subject_id: bytes, items: Collection[str], at: datetime) -> None:
    """Note that a person, who is locked, has values of these items from now on; an older note stays as it is."""
    for item in items:
        if _FIND.first(conn, subject=subject_id, name=item) is None:
            _INSERT.later(conn, subject_id=subject_id, item=item, given_at=to_micros(at))


def note_missing(conn: Connection, subject_ids: Collection[bytes], item: str, at: datetime) -> None:
    """Note the same time of one item for those of these people, who are locked, of whom nothing is noted."""
    noted = {row[0] for row in _NOTED.rows(conn, subject_ids, name=item)}
    rows = [{"subject_id": who, "item": item, "given_at": to_micros(at)} for who in subject_ids if who not in noted]
    if rows:
        conn.execute(_INSERT_MANY, rows)


def move(conn: Connection, subject_id: bytes, item: str, at: datetime | None) -> None:
    """Say when the oldest value was given that a person, who is locked, still has; None for none."""
    if at is None:
        conn.execute(_DELETE, {"subject": subject_id, "name": item})
    else:
        conn.execute(_MOVE, {"subject": subject_id, "name": item, "given": to_micros(at)})


def remove_all(conn: Connection, subject_id: bytes) -> None:
    """Forget a person whose erasure is in the journal."""
    _DELETE_ALL.later(conn, subject=subject_id)


def page(conn: Connection, item: str, limit: datetime, most: int, after: Given | None = None) -> list[Given]:
    """Return up to `most` people whose oldest value was given until `limit`, the oldest first, behind `after`."""
    values = {"name": item, "limit": to_micros(limit), "most": most}
    if after is not None:
        values |= {"at": after.at, "subject": after.subject_id}
    return [Given(*row) for row in conn.execute(_FIRST if after is None else _NEXT, values)]


def count(conn: Connection, item: str, limit: datetime) -> int:
    """Return how many people have an oldest value that was given until `limit`."""
    return int(conn.execute(_COUNT, {"name": item, "limit": to_micros(limit)}).scalar_one())


def next_given(conn: Connection, item: str, limit: datetime) -> int | None:
    """Return when the first value after `limit` was given, in microseconds since 1970; None where there is none."""
    found: int | None = conn.execute(_NEXT_GIVEN, {"name": item, "limit": to_micros(limit)}).scalar()
    return found
