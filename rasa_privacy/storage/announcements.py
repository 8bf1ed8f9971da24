"""Which erasures the event broker was told of: one row of the table `meta`.

It holds the time of the latest one that was announced. Erasures of the hour before that count as new again, since the
transaction of an erasure may end after that of a later one; who announces remembers them meanwhile.
"""

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.errors import StorageError
from rasa_privacy.storage.erasures import Erasure, Erasures
from rasa_privacy.storage.journal import ErasureJournal
from rasa_privacy.storage.tables import from_micros, meta, to_micros

#: Longer than any transaction of an erasure.
_OVERLAP: Final = timedelta(hours=1)
_NAME: Final = "erasures_announced"
_PREFIX: Final = b"RPA\x01"
_ROW: Final = struct.Struct(">4sQ")
_GET: Final = select(meta.c.value).where(meta.c.name == _NAME)
_DROP: Final = delete(meta).where(meta.c.name == _NAME)
_PUT: Final = insert(meta).values(name=_NAME, value=bindparam("until"))


@dataclass(frozen=True, slots=True)
class News:
    """What is to be announced.

    Attributes:
        position: Number of the last entry of the erasure journal; changes with each erasure.
        erasures: The erasures that are new, the oldest first.
    """

    position: int
    erasures: tuple[Erasure, ...]


def position(conn: Connection, journal: ErasureJournal) -> int:
    """Return the number of the journal's last entry, as the database knows it."""
    return journal.marks(conn).known.number


def news(conn: Connection, journal: ErasureJournal, erasures: Erasures) -> News:
    """Return what is to be announced.

    Raises:
        StorageError: The row of the last announcement does not follow its format.
    """
    until = _until(conn.execute(_GET).scalar())
    # The number is read first: what is erased in between is in the list, and is looked for again.
    number = position(conn, journal)
    return News(number, tuple(erasures.since(conn, None if until is None else until - _OVERLAP)))


def announced(conn: Connection, found: News) -> None:
    """Note in this transaction that everything in `found` was announced."""
    conn.execute(_DROP)
    conn.execute(_PUT, {"until": _ROW.pack(_PREFIX, to_micros(found.erasures[-1].erased_at))})


def _until(value: bytes | None) -> datetime | None:
    if value is None:
        return None
    if len(value) == _ROW.size:
        prefix, micros = _ROW.unpack(value)
        if prefix == _PREFIX:
            return from_micros(micros)
    raise StorageError(
        "the row 'erasures_announced' of the table 'meta' does not follow version 1 of its format; delete the row, and "
        "every erasure is announced again"
    )
