"""SQL on the rows of sealed segments. What they mean is `session.py`'s and `compaction.py`'s affair."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import BigInteger, Integer, bindparam, delete, func, insert, literal_column, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import MAX_NUMBER, segments

#: Rows of a session are numbered upwards, and none gets near this by itself: behind a greater number there is no room.
_MOST: Final = MAX_NUMBER // 2
#: Sealed rows by purpose, in the order of the table.
Rows = Mapping[str, Sequence[bytes]]

_COLUMNS: Final = segments.c
_IN_CONVERSATION: Final = _COLUMNS.conversation_ref == bindparam("ref")
_IN_SESSION: Final = _COLUMNS.session == bindparam("first")
_OF_PURPOSE: Final = _COLUMNS.purpose == bindparam("name")
_OF_SESSION: Final = Query(
    select(_COLUMNS.purpose, _COLUMNS.sealed).where(_IN_CONVERSATION, _IN_SESSION).order_by(_COLUMNS.number)
)
_OF_ALL: Final = (
    select(_COLUMNS.session, _COLUMNS.purpose, _COLUMNS.sealed)
    .where(_IN_CONVERSATION)
    .order_by(_COLUMNS.session, _COLUMNS.number)
)
_TAIL: Final = Query(
    select(_COLUMNS.number, _COLUMNS.sealed)
    .where(_IN_CONVERSATION, _IN_SESSION, _OF_PURPOSE)
    .order_by(_COLUMNS.number.desc())
    .limit(bindparam("most"))
)
_NEWEST: Final = (
    select(_COLUMNS.purpose, _COLUMNS.sealed)
    .where(_IN_CONVERSATION)
    .order_by(_COLUMNS.session.desc(), _COLUMNS.number.desc())
    .limit(bindparam("most"))
)
_CROWDED: Final = Query(
    select(_COLUMNS.session)
    .where(_IN_CONVERSATION, _COLUMNS.number > literal_column(str(_MOST)))
    .limit(bindparam("most"))
)
_SESSIONS_OF_PURPOSE: Final = select(_COLUMNS.session).where(_IN_CONVERSATION, _OF_PURPOSE).distinct()
#: The number is found as the row is written: two who write at once are told apart by it, and one of them fails.
_INSERT: Final = Query(
    insert(segments).from_select(
        ["conversation_ref", "session", "number", "purpose", "sealed"],
        select(
            bindparam("ref", type_=BigInteger),
            bindparam("first", type_=Integer),
            func.coalesce(func.max(_COLUMNS.number), literal_column("0")) + literal_column("1"),
            bindparam("name", type_=_COLUMNS.purpose.type),
            bindparam("bytes", type_=_COLUMNS.sealed.type),
        ).where(_IN_CONVERSATION, _IN_SESSION),
    )
)
_ROW: Final = (_IN_CONVERSATION, _IN_SESSION, _COLUMNS.number == bindparam("row"))
_UPDATE: Final = Query(update(segments).where(*_ROW).values(sealed=bindparam("bytes")))
_DELETE: Final = Query(delete(segments).where(*_ROW))
_DELETE_PURPOSE: Final = delete(segments).where(_IN_CONVERSATION, _OF_PURPOSE)


def rows_of_session(conn: Connection, ref: int, session: int) -> Rows:
    """Return the rows of one session."""
    rows: dict[str, list[bytes]] = defaultdict(list)
    for purpose, sealed in _OF_SESSION.rows(conn, ref=ref, first=session):
        rows[purpose].append(sealed)
    return rows


def rows_of_conversation(conn: Connection, ref: int) -> dict[int, Rows]:
    """Return the rows of a conversation by session."""
    rows: dict[int, dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for session, purpose, sealed in conn.execute(_OF_ALL, {"ref": ref}):
        rows[session][purpose].append(sealed)
    return dict(rows)


def tail(conn: Connection, ref: int, session: int, purpose: str, most: int) -> list[tuple[int, bytes]]:
    """Return number and bytes of the last rows of a session and purpose, in the order of the table."""
    rows = _TAIL.rows(conn, ref=ref, first=session, name=purpose, most=most)
    return [(number, sealed) for number, sealed in rows][::-1]


def newest(conn: Connection, ref: int, most: int) -> list[tuple[str, bytes]]:
    """Return purpose and bytes of the last rows of a conversation, the newest first."""
    return [(purpose, sealed) for purpose, sealed in conn.execute(_NEWEST, {"ref": ref, "most": most})]


def sessions_of_purpose(conn: Connection, ref: int, purpose: str) -> set[int]:
    """Return the sessions of a conversation that have rows of a purpose."""
    return set(conn.execute(_SESSIONS_OF_PURPOSE, {"ref": ref, "name": purpose}).scalars())


def has_room(conn: Connection, ref: int) -> bool:
    """Say whether each session of a conversation can go on; a number that somebody changed may leave it no room."""
    return _CROWDED.first(conn, ref=ref, most=1) is None


def insert_row(conn: Connection, ref: int, session: int, purpose: str, sealed: bytes) -> None:
    """Add a row after all others of the session."""
    _INSERT.later(conn, ref=ref, first=session, name=purpose, bytes=sealed)


def update_row(conn: Connection, ref: int, session: int, number: int, sealed: bytes) -> None:
    """Put other bytes into a row, which keeps its place."""
    _UPDATE.later(conn, ref=ref, first=session, row=number, bytes=sealed)


def delete_rows(conn: Connection, ref: int, session: int, numbers: Iterable[int]) -> None:
    """Delete rows of a session by number."""
    for number in numbers:
        _DELETE.later(conn, ref=ref, first=session, row=number)


def delete_purpose(conn: Connection, ref: int, purpose: str) -> int:
    """Delete all rows of a purpose from a conversation and return their number."""
    deleted: int = conn.execute(_DELETE_PURPOSE, {"ref": ref, "name": purpose}).rowcount
    return deleted
