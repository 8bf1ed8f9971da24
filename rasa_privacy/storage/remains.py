"""What is left of somebody who was erased: every table is read, not only what an erasure is thought to have touched.

A table that a later release adds with a column `subject_id` is read as well, unless it is named here as one that stays.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from rasa_privacy.storage.tables import conversations, data_keys, metadata, segments, sessions

#: Tables that name erased people by their random id on purpose, and why is in docs/spec/certificate.md, section 4.
STAYING: Final = ("audit", "erasures", "ledger", "ledger_people", "requests")


def _counting(column: str, parameter: str) -> dict[str, Select]:
    """Return a query for each table with this column that counts the rows of these people or conversations."""
    return {
        str(name): select(func.count())
        .select_from(table)
        .where(table.c[column].in_(bindparam(parameter, expanding=True)))
        for name, table in sorted(metadata.tables.items())
        if column in table.c and name not in STAYING
    }


_OF_SUBJECT: Final = _counting("subject_id", "subjects")
_OF_CONVERSATION: Final = {
    str(table.name): select(func.count())
    .select_from(table)
    .where(table.c.conversation_ref.in_(bindparam("refs", expanding=True)))
    for table in (segments, sessions)
}
_REFS: Final = select(conversations.c.conversation_ref).where(conversations.c.subject_id == bindparam("subject"))

#: Every table that is read, by name.
EXAMINED: Final = tuple(sorted({*_OF_SUBJECT, *_OF_CONVERSATION}))


def conversation_refs(conn: Connection, subject_id: bytes) -> tuple[int, ...]:
    """Return the numbers of a subject's conversations, by which their segments and sessions are found afterwards."""
    return tuple(conn.execute(_REFS, {"subject": subject_id}).scalars())


def remains(conn: Connection, subject_id: bytes, refs: Sequence[int] = ()) -> dict[str, int]:
    """Return how many rows each table still has of somebody; empty for nobody.

    Args:
        conn: A connection to one database of the store.
        subject_id: Who was erased.
        refs: The numbers of their conversations, where they are known.
    """
    found = {name: conn.execute(query, {"subjects": [subject_id]}).scalar_one() for name, query in _OF_SUBJECT.items()}
    if refs:
        for name, query in _OF_CONVERSATION.items():
            found[name] = found.get(name, 0) + conn.execute(query, {"refs": list(refs)}).scalar_one()
    return {name: number for name, number in found.items() if number}


def key_remains(conn: Connection, subject_id: bytes) -> int:
    """Return how many data keys are left of somebody in the database of the keys."""
    number: int = conn.execute(_OF_SUBJECT[data_keys.name], {"subjects": [subject_id]}).scalar_one()
    return number
