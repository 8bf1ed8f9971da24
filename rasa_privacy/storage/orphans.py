"""Rows that hang on a person or a conversation that is not there: no statement of ours leaves any.

SQLite and MariaDB hold that by foreign keys. On PostgreSQL the lock on the person does (ADR 23), and here is looked.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.tables import metadata

#: What hangs on what.
_OWNED: Final = [
    (key.parent, key.column)
    for _, table in sorted(metadata.tables.items())
    for key in sorted(table.foreign_keys, key=lambda key: key.parent.name)
]


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
