"""What is left of somebody who was erased: every table is read, not only what an erasure is thought to have touched.

A table that a later release adds with a column `subject_id` is read as well, unless it is named here as one that stays.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Table, bindparam, func, literal_column, select, union_all

from rasa_privacy.storage.database import Database
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import data_keys, erasures, metadata, segments, sessions

#: Tables that name erased people by their random id on purpose, and why is in docs/spec/certificate.md, section 4.
STAYING: Final = ("audit", "erasures", "ledger", "ledger_people", "requests")
#: Stands for the certificate that somebody who was erased must have.
NO_CERTIFICATE: Final = "no certificate"


def _counting(table: Table, column: str, parameter: str) -> Any:
    """Return the part that counts the rows of somebody, or of a conversation, in a table."""
    return (
        select(literal_column(f"'{table.name}'"), func.count())
        .select_from(table)
        .where(table.c[column] == bindparam(parameter))
    )


#: Every table that names people and must not name somebody who was erased.
OWNED: Final = [
    table for name, table in sorted(metadata.tables.items()) if "subject_id" in table.c and name not in STAYING
]
_OF_CONVERSATION: Final = [_counting(table, "conversation_ref", "ref") for table in (segments, sessions)]
#: One statement, so that it sees one state of the database and takes one way to a server.
_LEFT: Final = Query(
    union_all(
        *(_counting(table, "subject_id", "subject") for table in OWNED),
        *_OF_CONVERSATION,
        _counting(erasures, "subject_id", "subject"),
    )
)
_ELSEWHERE: Final = Query(union_all(*_OF_CONVERSATION))
_KEYS: Final = Query(_counting(data_keys, "subject_id", "subject"))

#: Every table that is read, by name.
EXAMINED: Final = tuple(sorted({str(table.name) for table in (*OWNED, segments, sessions)}))


def remains(database: Database, subject_id: bytes, refs: Sequence[int] = ()) -> set[str]:
    """Return the tables that still have rows of somebody, and `no certificate` where there is none.

    Args:
        database: A database of the store.
        subject_id: Who was erased.
        refs: The numbers of their conversations, where they are known.
    """
    first, *others = refs or (None,)
    left = {name for name, number in database.ask(_LEFT, subject=subject_id, ref=first) if number}
    for ref in others:
        left |= {name for name, number in database.ask(_ELSEWHERE, ref=ref) if number}
    return left - {erasures.name} if erasures.name in left else {*left, NO_CERTIFICATE}


def key_remains(database: Database, subject_id: bytes) -> set[str]:
    """Return the table of data keys where the database of the keys still has one of somebody."""
    return {name for name, number in database.ask(_KEYS, subject=subject_id) if number}
