"""Rows of the table `meta`: one value by name, which a transaction reads, locks and puts in the last one's place."""

from typing import Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.storage.tables import meta

_ROW: Final = meta.c.name == bindparam("row")
_GET: Final = select(meta.c.value).where(_ROW)
_LOCK: Final = _GET.with_for_update()
_SET: Final = update(meta).where(_ROW).values(value=bindparam("new"))
_PUT: Final = insert(meta)


def read(conn: Connection, name: str, *, lock: bool = False) -> bytes | None:
    """Return the value of a row, or None where there is none; `lock` keeps others from changing it until the end."""
    value: bytes | None = conn.execute(_LOCK if lock else _GET, {"row": name}).scalar()
    return value


def write(conn: Connection, name: str, value: bytes) -> None:
    """Put a value in the place of the row's last one.

    Raises:
        ContentionError: Another process wrote the first one; `Database.transact` tries again.
    """
    if conn.execute(_SET, {"row": name, "new": value}).rowcount == 0 and read(conn, name) is None:
        conn.execute(_PUT, {"name": name, "value": value})
