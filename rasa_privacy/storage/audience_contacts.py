"""What is stored of many people for one purpose: sender ids and values, read by the page and opened one by one.

A statement for each of them takes longer than all the rest. Of a conversation the manifests are opened, and of the
segments those of the purpose alone: its structure and what other purposes hold is neither read nor opened.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, exists, literal_column, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import DataKey, open_sealed
from rasa_privacy.errors import DAMAGED, TamperedSegmentError
from rasa_privacy.storage.audience_quick import Quick, quick
from rasa_privacy.storage.audience_rows import StoredContact
from rasa_privacy.storage.conversation_head import closed_manifest, service_key, verified_head, verify_closed
from rasa_privacy.storage.conversation_rows import COLUMNS, ClosedSession, ConversationRow, row_of
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.manifest import Purposes
from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.session import Session
from rasa_privacy.storage.tables import conversations, data_keys, segments, sessions, suppressions

_K: Final = data_keys.c
_C: Final = conversations.c
_S: Final = sessions.c
_G: Final = segments.c
_STRUCTURE: Final = data_keys.alias("structure")
_OWN: Final = data_keys.alias("own")
_KEYS: Final = ManySelect(_K.subject_id, select(_K.subject_id, _K.purpose, _K.wrapped).where)
_SEVERAL: Final = exists().where(_S.conversation_ref == _C.conversation_ref)
_SUPPRESSED_TOO: Final = conversations.outerjoin(suppressions, suppressions.c.contact_index == _C.sender_index)
_KEYS_TOO: Final = _SUPPRESSED_TOO.outerjoin(
    _STRUCTURE, (_STRUCTURE.c.subject_id == _C.subject_id) & (_STRUCTURE.c.purpose == literal_column(f"'{SERVICE}'"))
).outerjoin(_OWN, (_OWN.c.subject_id == _C.subject_id) & (_OWN.c.purpose == bindparam("name")))


def _conversations(source: Any, *keys: Any) -> ManySelect:
    columns = (*COLUMNS, suppressions.c.contact_index, _SEVERAL, *keys)
    return ManySelect(
        _C.subject_id,
        lambda wanted: select(*columns).select_from(source).where(wanted).order_by(_C.conversation_ref),
    )


_WITHOUT_KEYS: Final = _conversations(_SUPPRESSED_TOO)
_WITH_KEYS: Final = _conversations(_KEYS_TOO, _STRUCTURE.c.wrapped, _OWN.c.wrapped)
_SESSIONS: Final = ManySelect(
    _S.conversation_ref,
    lambda wanted: select(_S.conversation_ref, _S.session, _S.version, _S.manifest).where(wanted).order_by(_S.session),
)
_SEGMENTS: Final = ManySelect(
    _G.conversation_ref,
    lambda wanted: (
        select(_G.conversation_ref, _G.session, _G.sealed)
        .where(wanted, _G.purpose == bindparam("name"))
        .order_by(_G.number)
    ),
)
#: Places in a row of a conversation.
_REF, _SUBJECT, _VERSION, _SUPPRESSED, _CLOSED, _STRUCTURE_KEY, _OWN_KEY = 0, 1, 4, 7, 8, 9, 10
_NONE: Final[Mapping[int, Sequence[bytes]]] = {}


class _Rows(NamedTuple):
    """Rows of a page of people, as the tables have them.

    Attributes:
        purpose: The purpose.
        conversations: What `row_of` reads, then the suppression of the sender or None, whether there are closed
            sessions, and the person's wrapped keys of structure and of the purpose, or None; the oldest first.
        closed: Conversation, session, version and manifest of closed sessions, the oldest first.
        sealed: Conversation, session and bytes of segments of the purpose, in the order of the table.
    """

    purpose: str
    conversations: Sequence[Sequence[Any]]
    closed: Sequence[Any]
    sealed: Sequence[Any]


@dataclass(frozen=True, slots=True)
class _Page:
    """The same of some people, to be opened one by one.

    Attributes:
        purpose: The purpose.
        keys: Purpose and wrapped key by person.
        conversations: By person what `row_of` reads, the oldest first; nothing says yet that it can be read.
        closed: Closed sessions by conversation, the oldest first.
        sealed: Segments of the purpose by conversation and session, in the order of the table.
    """

    purpose: str
    keys: Mapping[bytes, Sequence[tuple[str, bytes]]]
    conversations: Mapping[bytes, Sequence[Sequence[Any]]]
    closed: Mapping[int, Sequence[ClosedSession]]
    sealed: Mapping[int, Mapping[int, Sequence[bytes]]]


def contacts_of_many(
    conn: Connection, keys: DataKeys, subject_ids: Collection[bytes], purpose: str
) -> dict[bytes, list[StoredContact] | None]:
    """Return the conversations of each of these people with the values that a purpose holds.

    Args:
        conn: A connection that reads.
        keys: Where their keys are.
        subject_ids: Whose; some thousands at most.
        purpose: The purpose.

    Returns:
        By person; None for one whose data cannot be opened.

    Raises:
        KeyProviderError: The key of an epoch that the database knows cannot be had.
        StorageError: The database cannot be read.
    """
    return _opened(_read(conn, keys, subject_ids, purpose), keys, subject_ids)


def contacts_of_reachable(
    conn: Connection, keys: DataKeys, subject_ids: Collection[bytes], purpose: str
) -> dict[bytes, list[StoredContact] | None]:
    """Return the same of those of them who have a conversation, and none of whose senders is suppressed."""
    rows = _read(conn, keys, subject_ids, purpose)
    there = {row[_SUBJECT] for row in rows.conversations}
    there -= {row[_SUBJECT] for row in rows.conversations if row[_SUPPRESSED] is not None}
    return _opened(rows, keys, [who for who in subject_ids if who in there])


def _opened(rows: _Rows, keys: DataKeys, subject_ids: Collection[bytes]) -> dict[bytes, list[StoredContact] | None]:
    found = _quickly(rows, quick(keys, SERVICE, rows.purpose), subject_ids)
    left = {who for who, stored in found.items() if stored is None}
    if left:
        page, unwrap = _page(rows, left), keys.unwrapping()
        found.update((who, _open(page, unwrap, who)) for who in subject_ids if who in left)
    return found


def _read(conn: Connection, data: DataKeys, subject_ids: Collection[bytes], purpose: str) -> _Rows:
    found: Sequence[Sequence[Any]]
    if data.apart:
        with data.reading(conn) as keys:
            wrapped = {(who, name): each for who, name, each in _KEYS.rows(keys, subject_ids)}
        rows = _WITHOUT_KEYS.rows(conn, subject_ids)
        found = [(*row, wrapped.get((row[_SUBJECT], SERVICE)), wrapped.get((row[_SUBJECT], purpose))) for row in rows]
    else:
        found = _WITH_KEYS.rows(conn, subject_ids, name=purpose)
    closed = _SESSIONS.rows(conn, [row[_REF] for row in found if row[_CLOSED] and row[_VERSION]])
    refs = [row[_REF] for row in found if row[_VERSION]]
    return _Rows(purpose, found, closed, _SEGMENTS.rows(conn, refs, name=purpose))


def _quickly(rows: _Rows, open_one: Quick, subject_ids: Collection[bytes]) -> dict[bytes, list[StoredContact] | None]:
    """Return what is stored of those people whose rows are as most people's are; None for others."""
    several = {row[0] for row in rows.closed}
    segments = {row[0]: row for row in rows.sealed}
    if len(segments) != len(rows.sealed):
        several.update(ref for ref, count in Counter(row[0] for row in rows.sealed).items() if count > 1)
    found: dict[bytes, list[StoredContact] | None] = dict.fromkeys(subject_ids)
    seen, segment_of = set(), segments.get
    for row in rows.conversations:
        ref, who = row[_REF], row[_SUBJECT]
        if who not in found:
            continue
        if who in seen:
            found[who] = None
        elif ref not in several:
            stored = open_one(row, segment_of(ref))
            found[who] = None if stored is None else [stored]
        seen.add(who)
    return found


def _page(rows: _Rows, people: Collection[bytes]) -> _Page:
    """Return the rows of some people, as they are opened one by one."""
    wrapped: dict[bytes, list[tuple[str, bytes]]] = {}
    found: dict[bytes, list[Sequence[Any]]] = defaultdict(list)
    for raw in rows.conversations:
        who = raw[_SUBJECT]
        if who in people:
            found[who].append(raw[:_SUPPRESSED])
            keys = (SERVICE, raw[_STRUCTURE_KEY]), (rows.purpose, raw[_OWN_KEY])
            wrapped[who] = [(name, each) for name, each in keys if each is not None]
    closed: dict[int, list[ClosedSession]] = defaultdict(list)
    for ref, *session in rows.closed:
        closed[ref].append(ClosedSession(*session))
    sealed: dict[int, dict[int, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for ref, first, each in rows.sealed:
        sealed[ref][first].append(each)
    return _Page(rows.purpose, wrapped, found, closed, sealed)


def _open(page: _Page, unwrap: Callable[[bytes, str, bytes], DataKey], subject_id: bytes) -> list[StoredContact] | None:
    try:
        keys = {name: unwrap(subject_id, name, wrapped) for name, wrapped in page.keys.get(subject_id, ())}
        return [_contact(page, row_of(row), keys) for row in page.conversations.get(subject_id, ())]
    except DAMAGED:
        return None


def _contact(page: _Page, row: ConversationRow, keys: Mapping[str, DataKey]) -> StoredContact:
    name = open_sealed(service_key(row, keys), row.sealed_sender, row.place.sender())
    return StoredContact(name.decode("utf-8", "surrogatepass"), _entries(page, row, keys) if row.version else [])


def _entries(page: _Page, row: ConversationRow, keys: Mapping[str, DataKey]) -> list[Any]:
    """Return the entries of the purpose in all sessions, in order."""
    head, closed = verified_head(row, keys), page.closed.get(row.ref, ())
    verify_closed(row, head, closed)
    listed = {each.session: closed_manifest(row, keys, each) for each in closed}
    listed[head.session] = head.purposes
    there = page.sealed.get(row.ref, _NONE)
    if there.keys() - listed.keys():
        raise TamperedSegmentError(f"conversation {row.ref}: the table holds segments of a session that is not there")
    entries: list[Any] = []
    for first, purposes in listed.items():
        if first in there or page.purpose in purposes:
            entries += _of_session(page, Session(row.ref, row.place, first, keys), purposes, there.get(first))
    return entries


def _of_session(page: _Page, session: Session, purposes: Purposes, rows: Sequence[bytes] | None) -> list[Any]:
    purpose = page.purpose
    if purpose not in purposes:
        return session.open_all({}, {} if rows is None else {purpose: rows}).get(purpose, [])
    return session.open(purpose, purposes[purpose], rows or ()) if purpose in session.keys else []
