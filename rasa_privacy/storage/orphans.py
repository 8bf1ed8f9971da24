"""Rows that hang on a person or a conversation that is not there: no statement of ours leaves any.

SQLite and MariaDB hold that by foreign keys. On PostgreSQL the lock on the person does (ADR 23), and here is looked.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Column, func, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.tables import (
    conversations,
    handovers,
    known_contacts,
    links,
    segments,
    sessions,
    subjects,
)

_SUBJECT: Final = subjects.c.subject_id
_CONVERSATION: Final = conversations.c.conversation_ref
#: What hangs on what.
_OWNED: Final[tuple[tuple[Column, Column], ...]] = (
    (segments.c.conversation_ref, _CONVERSATION),
    (sessions.c.conversation_ref, _CONVERSATION),
    (conversations.c.subject_id, _SUBJECT),
    (links.c.subject_id, _SUBJECT),
    (links.c.other_id, _SUBJECT),
    (known_contacts.c.subject_id, _SUBJECT),
    (handovers.c.subject_id, _SUBJECT),
)


def orphans(conn: Connection) -> Iterator[tuple[str, str, int]]:
    """Yield of each table in which there are such rows its name, what is not there, and how many rows.

    Args:
        conn: A connection that reads.
    """
    for column, owner in _OWNED:
        joined = column.table.outerjoin(owner.table, owner == column)
        number: int = conn.execute(select(func.count()).select_from(joined).where(owner.is_(None))).scalar_one()
        if number:
            yield column.table.name, owner.table.name[:-1], number
