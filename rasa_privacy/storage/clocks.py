"""What time it is by the database's server, and when something was done last by ours: against a clock that is wrong."""

import struct
from datetime import datetime, timezone
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import Connection

from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage import meta_rows
from rasa_privacy.storage.tables import from_micros, to_micros

_NOW: Final = {"postgresql": text("SELECT clock_timestamp()"), "mysql": text("SELECT UTC_TIMESTAMP(6)")}
_MICROS: Final = struct.Struct(">q")


def server_time(conn: Connection) -> datetime | None:
    """Return the time of the database's server, aware and in UTC; None where the database is a file of this host."""
    statement = _NOW.get(conn.dialect.name)
    if statement is None:
        return None
    found: datetime = conn.execute(statement).scalar_one()
    return found.replace(tzinfo=timezone.utc) if found.tzinfo is None else found.astimezone(timezone.utc)


def last_done(conn: Connection, what: str) -> datetime | None:
    """Return when something was done last, or None for never.

    Raises:
        TamperedSegmentError: What stands there is no time.
    """
    value = meta_rows.read(conn, what)
    if value is None:
        return None
    if len(value) != _MICROS.size:
        raise TamperedSegmentError(f"the row '{what}' of the table 'meta' holds no time; delete the row")
    return from_micros(_MICROS.unpack(value)[0])


def note_done(conn: Connection, what: str, at: datetime) -> None:
    """Note when something was done.

    Raises:
        ContentionError: Another process notes it for the first time too; `Database.transact` tries again.
    """
    meta_rows.write(conn, what, _MICROS.pack(to_micros(at)))
