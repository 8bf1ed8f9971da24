"""SQL on legal holds: of whom nothing may be destroyed, by the name of the matter for which it is kept."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import from_micros, holds, to_micros

_H: Final = holds.c
_ANY: Final = Query(select(_H.name).where(_H.subject_id == bindparam("subject")).limit(1))
_AMONG: Final = ManySelect(_H.subject_id, select(_H.subject_id).distinct().where)
_ONE: Final = select(_H.name).where(_H.subject_id == bindparam("subject"), _H.name == bindparam("matter"))
_ALL: Final = select(holds).order_by(_H.name, _H.added_at, _H.subject_id)
_NAMED: Final = select(_H.subject_id).where(_H.name == bindparam("matter")).order_by(_H.subject_id)
_INSERT: Final = insert(holds)
_DELETE: Final = delete(holds).where(_H.subject_id == bindparam("subject"), _H.name == bindparam("matter"))
_DELETE_ALL: Final = Query(delete(holds).where(_H.subject_id == bindparam("subject")))


@dataclass(frozen=True, slots=True)
class Hold:
    """One person kept for one matter.

    Attributes:
        subject_id: The person.
        name: The matter.
        added_at: Since when, aware and in UTC.
        added_by: Label of the operator.
    """

    subject_id: bytes
    name: str
    added_at: datetime
    added_by: str


def is_held(conn: Connection, subject_id: bytes) -> bool:
    """Return whether something of this person is to be kept. Within a change: of a person who is locked."""
    return _ANY.first(conn, subject=subject_id) is not None


def held_among(conn: Connection, subject_ids: Collection[bytes]) -> set[bytes]:
    """Return those of these people of whom something is to be kept."""
    return {row[0] for row in _AMONG.rows(conn, subject_ids)}


def put(conn: Connection, hold: Hold) -> bool:
    """Hold a person who is locked; return whether it is new."""
    if conn.execute(_ONE, {"subject": hold.subject_id, "matter": hold.name}).first() is not None:
        return False
    row = {"subject_id": hold.subject_id, "name": hold.name, "added_by": hold.added_by}
    conn.execute(_INSERT, {**row, "added_at": to_micros(hold.added_at)})
    return True


def remove(conn: Connection, subject_id: bytes, name: str) -> bool:
    """Let go of a person who is locked; return whether they were held for this matter."""
    removed: int = conn.execute(_DELETE, {"subject": subject_id, "matter": name}).rowcount
    return removed > 0


def remove_all(conn: Connection, subject_id: bytes) -> None:
    """Let go of a person whose erasure is in the journal."""
    _DELETE_ALL.later(conn, subject=subject_id)


def named(conn: Connection, name: str) -> list[bytes]:
    """Return whom a matter holds."""
    return list(conn.execute(_NAMED, {"matter": name}).scalars())


def every(conn: Connection) -> list[Hold]:
    """Return all holds, by matter."""
    rows = conn.execute(_ALL)
    return [Hold(row.subject_id, row.name, from_micros(row.added_at), row.added_by) for row in rows]
