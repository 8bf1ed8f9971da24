"""On which day the officer was reminded of requests last: one row of the table `meta`."""

from datetime import date
from typing import Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.storage.tables import meta

_NAME: Final = "requests_reminded"
_GET: Final = select(meta.c.value).where(meta.c.name == _NAME).with_for_update()
_PUT: Final = insert(meta).values(name=_NAME, value=bindparam("day"))
_SET: Final = update(meta).where(meta.c.name == _NAME).values(value=bindparam("day"))
_NO_DAY: Final = b""


def claim(conn: Connection, day: date) -> bool:
    """Note in this transaction that this day's reminder is sent; return whether nobody did before."""
    before, this = conn.execute(_GET).scalar(), _bytes(day)
    if before == this:
        return False
    conn.execute(_PUT if before is None else _SET, {"day": this})
    return True


def give_back(conn: Connection, day: date) -> None:
    """Take back that this day's reminder was sent."""
    if conn.execute(_GET).scalar() == _bytes(day):
        conn.execute(_SET, {"day": _NO_DAY})


def _bytes(day: date) -> bytes:
    return day.isoformat().encode("ascii")
