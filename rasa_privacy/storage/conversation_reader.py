"""Reading the sessions of a conversation, once its head is verified."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from rasa_privacy.crypto.sealing import DataKey
from rasa_privacy.errors import ConversationConflictError, TamperedSegmentError
from rasa_privacy.storage.conversation_head import closed_manifest, verify_closed
from rasa_privacy.storage.conversation_rows import ClosedSession, ConversationRow, closed_sessions
from rasa_privacy.storage.manifest import Head
from rasa_privacy.storage.segment_rows import Rows, rows_of_conversation, rows_of_session
from rasa_privacy.storage.session import Session

Keys = Mapping[str, DataKey]


def open_last(row: ConversationRow, head: Head, keys: Keys, rows: Rows) -> dict[str, list[Any]]:
    """Return the entries of the current session by purpose; `rows` are those of the session that the head names.

    Raises:
        TamperedSegmentError: What is stored is not what was written.
        MalformedSegmentError: What is stored does not follow the format.
    """
    return Session(row.ref, row.place, head.session, keys).open_all(head.purposes, rows)


def verified_closed(conn: Connection, row: ConversationRow, head: Head) -> list[ClosedSession]:
    """Return the closed sessions, the oldest first.

    Raises:
        TamperedSegmentError: One is missing, foreign, exchanged or changed.
    """
    closed = closed_sessions(conn, row.ref)
    verify_closed(row, head, closed)
    return closed


def open_every(conn: Connection, row: ConversationRow, head: Head, keys: Keys) -> dict[str, list[Any]]:
    """Return the entries of all sessions by purpose, in order.

    Raises:
        TamperedSegmentError: What is stored is not what was written.
        MalformedSegmentError: What is stored does not follow the format.
    """
    closed = verified_closed(conn, row, head)
    listed = {each.session: closed_manifest(row, keys, each) for each in closed}
    listed[head.session] = head.purposes
    rows = rows_of_conversation(conn, row.ref)
    if rows.keys() - listed.keys():
        raise TamperedSegmentError(f"conversation {row.ref}: the table holds segments of a session that is not there")
    entries: dict[str, list[Any]] = {}
    for first, purposes in listed.items():
        for purpose, opened in Session(row.ref, row.place, first, keys).open_all(purposes, rows.get(first, {})).items():
            entries.setdefault(purpose, []).extend(opened)
    return entries


def open_some(  # noqa: PLR0913, PLR0917 - whose, opened by what, and which part
    conn: Connection, row: ConversationRow, head: Head, keys: Keys, first_seq: int, at_least: int
) -> dict[str, list[Any]]:
    """Return the entries by purpose of whole sessions from one on, until there are so many events or no more sessions.

    Raises:
        ConversationConflictError: No session begins at `first_seq`: the conversation was emptied meanwhile.
        TamperedSegmentError: What is stored is not what was written.
        MalformedSegmentError: What is stored does not follow the format.
    """
    closed = {each.session: each for each in verified_closed(conn, row, head)}
    firsts = [first for first in (*closed, head.session) if first >= first_seq]
    if not firsts or firsts[0] != first_seq:
        raise ConversationConflictError("a conversation changed while it was read; begin anew")
    entries: dict[str, list[Any]] = {}
    for first in firsts:
        if first - first_seq >= at_least:
            break
        listed = head.purposes if first == head.session else closed_manifest(row, keys, closed[first])
        opened = Session(row.ref, row.place, first, keys).open_all(listed, rows_of_session(conn, row.ref, first))
        for purpose, found in opened.items():
            entries.setdefault(purpose, []).extend(found)
    return entries
