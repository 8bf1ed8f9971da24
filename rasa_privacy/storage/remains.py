"""What is left of somebody who was erased: every table is read, not only what an erasure is thought to have touched.

A table that a later release adds with a column `subject_id` is read as well, unless it is named here as one that stays.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Table, bindparam, func, literal_column, select, union_all
from sqlalchemy.engine import Connection

from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import data_keys, metadata, segments, sessions

#: Tables that name erased people by their random id on purpose, and why is in docs/spec/certificate.md, section 4.
STAYING: Final = ("audit", "erasures", "ledger", "ledger_people", "requests")


def _counting(tables: Iterable[Table], column: str, parameter: str) -> Query:
    """Return one query that counts the rows of somebody, or of a conversation, in each of these tables."""
    return Query(
        union_all(
            *(
                select(literal_column(f"'{table.name}'"), func.count())
                .select_from(table)
                .where(table.c[column] == bindparam(parameter))
                for table in tables
            )
        )
    )


#: Every table that names people and must not name somebody who was erased.
OWNED: Final = [
    table for name, table in sorted(metadata.tables.items()) if "subject_id" in table.c and name not in STAYING
]
_OF_SUBJECT: Final = _counting(OWNED, "subject_id", "subject")
_OF_CONVERSATION: Final = _counting((segments, sessions), "conversation_ref", "ref")
_KEYS: Final = _counting((data_keys,), "subject_id", "subject")

#: Every table that is read, by name.
EXAMINED: Final = tuple(sorted({str(table.name) for table in (*OWNED, segments, sessions)}))


def remains(conn: Connection, subject_id: bytes, refs: Sequence[int] = ()) -> dict[str, int]:
    """Return how many rows each table still has of somebody; empty for nobody.

    Args:
        conn: A connection to one database of the store.
        subject_id: Who was erased.
        refs: The numbers of their conversations, where they are known.
    """
    found = Counter(dict(_OF_SUBJECT.rows(conn, subject=subject_id)))
    for ref in refs:
        found.update(dict(_OF_CONVERSATION.rows(conn, ref=ref)))
    return {name: number for name, number in found.items() if number}


def key_remains(conn: Connection, subject_id: bytes) -> int:
    """Return how many data keys are left of somebody in the database of the keys."""
    [(_, number)] = _KEYS.rows(conn, subject=subject_id)
    return int(number)
