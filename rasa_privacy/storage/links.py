"""SQL on links: of whom else a person has proven to be. A link leads one way, from who proved it to whom it found.

Each has a keyed hash, so that nobody comes to see another's data by writing into the table.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import links, to_micros

_DOMAIN: Final = "link of people"
_L: Final = links.c
_OF: Final = Query(
    select(_L.other_id, _L.linked_at, _L.mac).where(_L.subject_id == bindparam("subject")).order_by(_L.other_id)
)
_OF_MANY: Final = ManySelect(
    _L.subject_id,
    lambda wanted: select(_L.subject_id, _L.other_id, _L.linked_at, _L.mac).where(wanted).order_by(_L.other_id),
)
_FROM: Final = (
    select(_L.subject_id)
    .where(_L.subject_id > bindparam("last"))
    .distinct()
    .order_by(_L.subject_id)
    .limit(bindparam("most"))
)
_INSERT: Final = insert(links)
_DELETE_FROM: Final = Query(delete(links).where(_L.subject_id == bindparam("subject")))
_DELETE_TO: Final = Query(delete(links).where(_L.other_id == bindparam("subject")))
_DELETE: Final = delete(links).where(_L.subject_id == bindparam("subject"), _L.other_id == bindparam("other"))


def put(conn: Connection, index: BlindIndex, subject_id: bytes, other_id: bytes, at: datetime) -> None:
    """Lead from a person to another, in place of an earlier link; both are locked."""
    now = to_micros(at)
    conn.execute(_DELETE, {"subject": subject_id, "other": other_id})
    row = {"subject_id": subject_id, "other_id": other_id, "linked_at": now}
    conn.execute(_INSERT, {**row, "mac": _mac(index, subject_id, other_id, now)})


def of(conn: Connection, index: BlindIndex, subject_id: bytes) -> list[bytes]:
    """Return to whom the links of a person lead.

    Raises:
        TamperedSegmentError: A link was made or changed behind our back.
    """
    found = []
    for other_id, linked_at, mac in _OF.rows(conn, subject=subject_id):
        if mac != _mac(index, subject_id, other_id, linked_at):
            raise TamperedSegmentError("a link between people was made or changed by hand; delete its row")
        found.append(other_id)
    return found


def of_many(conn: Connection, index: BlindIndex, subject_ids: Collection[bytes]) -> dict[bytes, list[bytes] | None]:
    """Return to whom the links of each of these people lead who has any; None where one was changed behind our back."""
    found: dict[bytes, list[bytes] | None] = {}
    for subject_id, other_id, linked_at, mac in _OF_MANY.rows(conn, subject_ids):
        others = found.setdefault(subject_id, [])
        if mac != _mac(index, subject_id, other_id, linked_at):
            found[subject_id] = None
        elif others is not None:
            others.append(other_id)
    return found


def those_from(conn: Connection, after: bytes, most: int) -> list[bytes]:
    """Return a page of people from whom links lead, in the order of their ids; after no bytes for the first."""
    return list(conn.execute(_FROM, {"last": after, "most": most}).scalars())


def remove_all(conn: Connection, subject_id: bytes) -> None:
    """Delete the links that lead from a person or to them."""
    for statement in (_DELETE_FROM, _DELETE_TO):
        statement.later(conn, subject=subject_id)


def _mac(index: BlindIndex, subject_id: bytes, other_id: bytes, linked_at: int) -> bytes:
    return index.of_bytes(_DOMAIN, subject_id + other_id + f":{linked_at}".encode())
