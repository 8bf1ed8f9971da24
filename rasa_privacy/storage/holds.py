"""SQL on legal holds: of whom nothing may be destroyed, by the name of the matter for which it is kept.

A silent hold, which may not be disclosed, has `~` before the matter in its row; no matter's name begins with that.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import from_micros, holds, to_micros

#: Stands before the matter of a silent hold.
SILENT: Final = "~"

_H: Final = holds.c
_ANY: Final = Query(select(_H.name).where(_H.subject_id == bindparam("subject")).limit(1))
_AMONG: Final = ManySelect(_H.subject_id, select(_H.subject_id).distinct().where)
_TOLD: Final = ManySelect(
    _H.subject_id, lambda wanted: select(_H.subject_id).distinct().where(wanted, _H.name.not_like(f"{SILENT}%"))
)
_BOTH: Final = _H.name.in_([bindparam("matter"), bindparam("silent")])
_ONE: Final = select(_H.name).where(_H.subject_id == bindparam("subject"), _BOTH)
_ALL: Final = select(holds).order_by(_H.added_at, _H.subject_id)
_NAMED: Final = select(_H.subject_id).where(_BOTH).order_by(_H.subject_id)
_INSERT: Final = insert(holds)
_DELETE: Final = delete(holds).where(_H.subject_id == bindparam("subject"), _BOTH)
_DELETE_ALL: Final = Query(delete(holds).where(_H.subject_id == bindparam("subject")))


@dataclass(frozen=True, slots=True)
class Hold:
    """One person kept for one matter.

    Attributes:
        subject_id: The person.
        name: The matter.
        added_at: Since when, aware and in UTC.
        added_by: Label of the operator.
        is_silent: Whether it may not be disclosed.
    """

    subject_id: bytes
    name: str
    added_at: datetime
    added_by: str
    is_silent: bool = False


def is_held(conn: Connection, subject_id: bytes) -> bool:
    """Return whether something of this person is to be kept. Within a change: of a person who is locked."""
    return _ANY.first(conn, subject=subject_id) is not None


def held_among(conn: Connection, subject_ids: Collection[bytes]) -> set[bytes]:
    """Return those of these people of whom something is to be kept."""
    return {row[0] for row in _AMONG.rows(conn, subject_ids)}


def told_among(conn: Connection, subject_ids: Collection[bytes]) -> set[bytes]:
    """Return those of these people who are held by something that is not silent."""
    return {row[0] for row in _TOLD.rows(conn, subject_ids)}


def put(conn: Connection, hold: Hold) -> bool:
    """Hold a person who is locked; return whether it is new. Whether it is silent is what is said last."""
    stored = f"{SILENT}{hold.name}" if hold.is_silent else hold.name
    there = conn.execute(_ONE, {"subject": hold.subject_id, **_forms(hold.name)}).scalars().all()
    if there == [stored]:
        return False
    remove(conn, hold.subject_id, hold.name)
    row = {"subject_id": hold.subject_id, "name": stored, "added_by": hold.added_by}
    conn.execute(_INSERT, {**row, "added_at": to_micros(hold.added_at)})
    return not there


def remove(conn: Connection, subject_id: bytes, name: str) -> bool:
    """Let go of a person who is locked; return whether they were held for this matter."""
    removed: int = conn.execute(_DELETE, {"subject": subject_id, **_forms(name)}).rowcount
    return removed > 0


def remove_all(conn: Connection, subject_id: bytes) -> None:
    """Let go of a person whose erasure is in the journal."""
    _DELETE_ALL.later(conn, subject=subject_id)


def named(conn: Connection, name: str) -> list[bytes]:
    """Return whom a matter holds."""
    return list(dict.fromkeys(conn.execute(_NAMED, _forms(name)).scalars()))


def every(conn: Connection) -> list[Hold]:
    """Return all holds, by matter."""
    return sorted((_hold(row) for row in conn.execute(_ALL)), key=lambda hold: hold.name)


def _hold(row: Any) -> Hold:
    is_silent, name = row.name.startswith(SILENT), row.name.removeprefix(SILENT)
    return Hold(row.subject_id, name, from_micros(row.added_at), row.added_by, is_silent)


def _forms(name: str) -> dict[str, str]:
    """Return how a matter stands in rows."""
    return {"matter": name, "silent": f"{SILENT}{name}"}
