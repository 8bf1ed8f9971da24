"""SQL on the contacts by which people are found: a keyed hash for each that a purpose holds.

A row goes with the value: with its item, with its purpose, with the conversation and with the person.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import known_contacts

_K: Final = known_contacts.c
_MINE: Final = _K.subject_id == bindparam("subject")
_OF_PURPOSE: Final = Query(select(_K.item, _K.contact_index).where(_MINE, _K.purpose == bindparam("name")))
_WHO: Final = (
    select(_K.subject_id)
    .where(_K.contact_index.in_(bindparam("several", expanding=True)))
    .distinct()
    .order_by(_K.subject_id)
    .limit(bindparam("most"))
)
_INSERT: Final = insert(known_contacts)
_DELETE: Final = Query(delete(known_contacts).where(_MINE, _K.purpose == bindparam("name")))
_DELETE_ALL: Final = Query(delete(known_contacts).where(_MINE))


class KnownContact(NamedTuple):
    """A contact that is held.

    Attributes:
        item: Of which item it is a value.
        contact_index: Its keyed hash.
    """

    item: str
    contact_index: bytes


def put(conn: Connection, subject_id: bytes, purpose: str, contacts: Collection[KnownContact]) -> int:
    """Add what a purpose holds of a person who is locked, and return how many are new; what is there already stays."""
    if not contacts:
        return 0
    new = set(contacts) - set(of_purpose(conn, subject_id, purpose))
    shared = {"subject_id": subject_id, "purpose": purpose}
    if new:
        conn.execute(_INSERT, [{**shared, **each._asdict()} for each in sorted(new)])
    return len(new)


def of_purpose(conn: Connection, subject_id: bytes, purpose: str) -> list[KnownContact]:
    """Return what a purpose holds of a person."""
    return [KnownContact(*row) for row in _OF_PURPOSE.rows(conn, subject=subject_id, name=purpose)]


def remove(conn: Connection, subject_id: bytes, purpose: str) -> None:
    """Delete what a purpose holds of a person."""
    _DELETE.change(conn, subject=subject_id, name=purpose)


def remove_all(conn: Connection, subject_id: bytes) -> None:
    """Delete what is held of a person."""
    _DELETE_ALL.later(conn, subject=subject_id)


def who(conn: Connection, indexes: Collection[bytes], most: int) -> list[bytes]:
    """Return up to so many people of whom one of these contacts is held."""
    return list(conn.execute(_WHO, {"several": list(indexes), "most": most}).scalars()) if indexes else []
