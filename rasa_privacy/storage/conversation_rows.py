"""SQL on the rows of conversations and of their closed sessions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, literal_column, select, union_all, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE, Place, conversation_of
from rasa_privacy.storage.gathered import Gathered
from rasa_privacy.storage.joined import joined, parted
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.segment_rows import Rows
from rasa_privacy.storage.tables import conversations, data_keys, segments, sessions


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation as the table has it; nothing in it is verified yet.

    Attributes:
        ref: Row number.
        place: Subject and conversation id.
        sealed_sender: The sealed sender id.
        version: Number of changes; 0 for a conversation without events.
        session: Number of the current session's first event.
        manifest: The sealed head manifest.
    """

    ref: int
    place: Place
    sealed_sender: bytes = field(repr=False)
    version: int
    session: int
    manifest: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClosedSession:
    """A session that is over, as the table has it.

    Attributes:
        session: Number of its first event.
        version: Version of the conversation in which its manifest was last sealed.
        manifest: The sealed manifest.
    """

    session: int
    version: int
    manifest: bytes = field(repr=False)


class Current(NamedTuple):
    """A conversation with all that its current session needs, as the tables have it.

    Attributes:
        row: The conversation.
        keys: Purpose and wrapped key of each of the subject's keys.
        segments: Rows of the current session.
    """

    row: ConversationRow
    keys: list[tuple[str, bytes]]
    segments: Rows


class ToChange(NamedTuple):
    """A conversation with what a save needs, as the tables have it.

    Attributes:
        row: The conversation.
        keys: Purpose and wrapped key of each of the subject's keys.
        due: When those are due, in microseconds since 1970; None for no end.
        tails: Number and bytes of the current session's last row of each purpose.
    """

    row: ConversationRow
    keys: list[tuple[str, bytes]]
    due: dict[str, int | None]
    tails: dict[str, tuple[int, bytes]]


_C: Final = conversations.c
_S: Final = sessions.c
#: What `row_of` reads.
COLUMNS: Final = (
    _C.conversation_ref,
    _C.subject_id,
    _C.conversation_id,
    _C.sealed_sender,
    _C.version,
    _C.session,
    _C.manifest,
)
_SELECT: Final = select(*COLUMNS)
_BY_SENDER: Final = Query(_SELECT.where(_C.sender_index == bindparam("sender")))
# One query for the conversation and the subject's keys, since each query costs more than what it does.
_WITH_KEYS: Final = Query(
    _SELECT.add_columns(data_keys.c.purpose, data_keys.c.wrapped)
    .select_from(conversations.outerjoin(data_keys, data_keys.c.subject_id == _C.subject_id))
    .where(_C.sender_index == bindparam("sender"))
)
_K: Final = data_keys.c
_G: Final = segments.c
_SENT_BY: Final = _C.sender_index == bindparam("sender")
_HEAD, _KEY, _SEGMENT = range(3)
_HEAD_PART: Final = select(
    literal_column(str(_HEAD)),
    _C.conversation_ref,
    joined(_C.version, _C.session, _C.subject_id, _C.conversation_id, _C.sealed_sender),
    _C.manifest,
).where(_SENT_BY)
#: Where the columns of a key begin in what is read, and how many there are.
_KEY_AT, _KEYS = 7, 2
_READ: Final = Gathered(
    _C.conversation_ref,
    _C.version,
    _C.session,
    _C.subject_id,
    _C.conversation_id,
    _C.sealed_sender,
    func.coalesce(_C.manifest, literal_column("''")),
    _K.purpose,
    _K.wrapped,
    _G.number,
    _G.purpose,
    _G.sealed,
    parts=(_KEY_AT, _KEY_AT + _KEYS),
)
# One statement for all that reading the current session needs: it sees one state of the database without a transaction,
# and each way to a server costs more than what it brings. One row for each key, of which that of the service key is
# there once for each segment, so that a server opens three tables once and no segment comes twice.
CURRENT: Final = Query(
    select(_READ)
    .select_from(
        conversations.outerjoin(data_keys, _K.subject_id == _C.subject_id).outerjoin(
            segments,
            (_G.conversation_ref == _C.conversation_ref)
            & (_G.session == _C.session)
            & (_K.purpose == literal_column(f"'{SERVICE}'")),
        )
    )
    .where(_SENT_BY)
)
# What a save needs: of each purpose the last row of the current session alone, which what is new is added to. Found by
# a join, since MariaDB would look for a list of numbers in the whole table.
_ENDS: Final = (
    select(_G.conversation_ref, _G.session, func.max(_G.number).label("number"))
    .select_from(
        conversations.join(segments, (_G.conversation_ref == _C.conversation_ref) & (_G.session == _C.session))
    )
    .where(_SENT_BY)
    .group_by(_G.conversation_ref, _G.session, _G.purpose)
    .subquery("ends")
)
_TO_CHANGE: Final = Query(
    union_all(
        _HEAD_PART,
        select(literal_column(str(_KEY)), _K.due_at, _K.purpose, _K.wrapped)
        .select_from(conversations.join(data_keys, _K.subject_id == _C.subject_id))
        .where(_SENT_BY),
        select(literal_column(str(_SEGMENT)), _G.number, _G.purpose, _G.sealed).select_from(
            _ENDS.join(
                segments,
                (_G.conversation_ref == _ENDS.c.conversation_ref)
                & (_G.session == _ENDS.c.session)
                & (_G.number == _ENDS.c.number),
            )
        ),
    )
)
_BY_SUBJECT: Final = Query(_SELECT.where(_C.subject_id == bindparam("subject")).order_by(_C.conversation_ref))
_STORED: Final = _SELECT.where(_C.version > 0).order_by(_C.conversation_ref)
_STORED_PAGE: Final = (
    _SELECT.where(_C.version > 0, _C.conversation_ref > bindparam("after"))
    .order_by(_C.conversation_ref)
    .limit(bindparam("most"))
)
_EXISTS: Final = select(_C.conversation_ref).where(_C.sender_index == bindparam("sender"), _C.version > 0)
_WITH_TEXTS: Final = Query(
    select(_C.conversation_ref).where(
        _C.subject_id == bindparam("subject"), _C.version > 0, (_C.textless.is_(None)) | (_C.textless != _C.version)
    )
)
_COUNT: Final = select(func.count()).select_from(conversations).where(_C.version > 0)
_UPDATE: Final = Query(
    update(conversations)
    .where(_C.conversation_ref == bindparam("ref"), _C.version == bindparam("expected"))
    .values(version=bindparam("new"), session=bindparam("first"), manifest=bindparam("sealed"))
)
_CLOSED: Final = (
    select(_S.session, _S.version, _S.manifest).where(_S.conversation_ref == bindparam("ref")).order_by(_S.session)
)
_CLOSE: Final = insert(sessions)
_RESEAL: Final = (
    update(sessions)
    .where(_S.conversation_ref == bindparam("ref"), _S.session == bindparam("first"))
    .values(version=bindparam("new"), manifest=bindparam("sealed"))
)
_REFS: Final = select(_C.conversation_ref).where(_C.subject_id == bindparam("subject"))
_DELETE_SEGMENTS: Final = Query(delete(segments).where(segments.c.conversation_ref.in_(_REFS.scalar_subquery())))
_DELETE_SESSIONS: Final = Query(delete(sessions).where(_S.conversation_ref.in_(_REFS.scalar_subquery())))
_DELETE: Final = Query(delete(conversations).where(_C.subject_id == bindparam("subject")))


def by_sender(conn: Connection, sender_index: bytes) -> ConversationRow | None:
    """Return the conversation of a sender, or None."""
    row = _BY_SENDER.first(conn, sender=sender_index)
    return None if row is None else row_of(row)


def with_keys(conn: Connection, sender_index: bytes) -> tuple[ConversationRow, list[tuple[str, bytes]]] | None:
    """Return the conversation of a sender, and purpose and wrapped key of each of the subject's keys; or None."""
    rows = _WITH_KEYS.rows(conn, sender=sender_index)
    if not rows:
        return None
    keys = [(row[-2], row[-1]) for row in rows if row[-2] is not None]
    return row_of(rows[0][:-2]), keys


def current(rows: Sequence[Sequence[Any]]) -> Current | None:
    """Return what the rows of `CURRENT` say, or None where there is no such sender.

    Raises:
        TamperedSegmentError: A column holds something else than it was written with.
    """
    if not rows:
        return None
    first, *others = rows
    found = _READ.parted(first)
    ref, version, session, subject_id, conversation_id, sealed_sender, manifest = found[:_KEY_AT]
    place = conversation_of(subject_id, conversation_id)
    row = ConversationRow(ref, place, sealed_sender, version, session, manifest or None)
    rest = [found[_KEY_AT:], *(_READ.parted(other, _KEY_AT) for other in others)]
    keys = {each[0]: each[1] for each in rest if each}
    by_purpose: dict[str, list[bytes]] = defaultdict(list)
    for _, _, _, purpose, sealed in sorted((each for each in rest if len(each) > _KEYS), key=itemgetter(_KEYS)):
        by_purpose[purpose].append(sealed)
    return Current(row, list(keys.items()), by_purpose)


def to_change(conn: Connection, sender_index: bytes) -> ToChange | None:
    """Return the conversation of a sender with what a save needs, or None. A column of another type cannot verify."""
    parts = _parts(_TO_CHANGE.rows(conn, sender=sender_index))
    if parts is None:
        return None
    keys = [(purpose, wrapped) for _, purpose, wrapped in parts.keys]
    due = {purpose: due_at for due_at, purpose, _ in parts.keys}
    return ToChange(parts.row, keys, due, {purpose: (number, sealed) for number, purpose, sealed in parts.segments})


class _Parts(NamedTuple):
    row: ConversationRow
    keys: list[tuple[Any, str, bytes]]
    segments: list[tuple[Any, str, bytes]]


def _parts(rows: Iterable[Sequence[Any]]) -> _Parts | None:
    row = None
    found: dict[int, list[tuple[Any, str, bytes]]] = {_KEY: [], _SEGMENT: []}
    for kind, number, purpose, content in rows:
        if kind == _HEAD:
            version, session, subject_id, conversation_id, sealed_sender = parted(purpose, 2, 3)
            row = ConversationRow(
                number, conversation_of(subject_id, conversation_id), sealed_sender, version, session, content
            )
        else:
            found[kind].append((number, purpose, content))
    return None if row is None else _Parts(row, found[_KEY], found[_SEGMENT])


def by_subject(conn: Connection, subject_id: bytes) -> list[ConversationRow]:
    """Return all conversations of a subject, the oldest first."""
    return [row_of(row) for row in _BY_SUBJECT.rows(conn, subject=subject_id)]


def all_stored(conn: Connection) -> Iterator[Any]:
    """Yield COLUMNS of all conversations that have events, the oldest first; `row_of` says which are damaged."""
    return iter(conn.execute(_STORED))


def stored_page(conn: Connection, after: int, most: int) -> Sequence[Any]:
    """Return a page of the same, behind one; 0 for the first page."""
    rows: Sequence[Any] = conn.execute(_STORED_PAGE, {"after": after, "most": most}).all()
    return rows


def may_hold_texts(conn: Connection, subject_id: bytes) -> bool:
    """Say whether a conversation of a person was changed since its texts were taken out, or never had that done."""
    return _WITH_TEXTS.first(conn, subject=subject_id) is not None


def exists(conn: Connection, sender_index: bytes) -> bool:
    """Say whether a sender has events."""
    return conn.execute(_EXISTS, {"sender": sender_index}).first() is not None


def count(conn: Connection) -> int:
    """Return the number of conversations that have events."""
    number: int = conn.execute(_COUNT).scalar_one()
    return number


def update_head(conn: Connection, old: ConversationRow, session: int, sealed: bytes) -> bool:
    """Write the next version's head; return False where another writer was first, or let the transaction fail there."""
    return _UPDATE.claim(conn, ref=old.ref, expected=old.version, new=old.version + 1, first=session, sealed=sealed)


def closed_sessions(conn: Connection, ref: int) -> list[ClosedSession]:
    """Return the closed sessions of a conversation, the oldest first."""
    return [ClosedSession(*row) for row in conn.execute(_CLOSED, {"ref": ref})]


def close_session(conn: Connection, ref: int, closed: ClosedSession) -> None:
    """Add a closed session."""
    row = {"conversation_ref": ref, "session": closed.session, "version": closed.version, "manifest": closed.manifest}
    conn.execute(_CLOSE, row)


def reseal_session(conn: Connection, ref: int, closed: ClosedSession) -> None:
    """Put a new manifest into a closed session's row."""
    values = {"ref": ref, "first": closed.session, "new": closed.version, "sealed": closed.manifest}
    conn.execute(_RESEAL, values)


def kept_name(subject_id: bytes) -> str:
    """Return the name of the conversation that holds what the law keeps of somebody who was erased (`storage.kept`)."""
    return f"kept-{subject_id.hex()}"


def delete_of_subject(conn: Connection, subject_id: bytes) -> None:
    """Delete all conversations of a subject with their sessions and segments."""
    for statement in (_DELETE_SEGMENTS, _DELETE_SESSIONS, _DELETE):
        statement.later(conn, subject=subject_id)


def row_of(row: Any) -> ConversationRow:
    """Return the conversation in a row of COLUMNS.

    Raises:
        IdentityError: The id of its person cannot be one.
    """
    ref, subject_id, conversation_id, sealed_sender, version, session, manifest = row
    return ConversationRow(ref, conversation_of(subject_id, conversation_id), sealed_sender, version, session, manifest)
