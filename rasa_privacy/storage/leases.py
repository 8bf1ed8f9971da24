"""A lease: what only one process at a time does, until it says that it is done or has been silent for too long.

The times are those of the processes' clocks. A lease that ends later than one could have been given is that of a clock
that was wrong, and counts as over.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.storage.tables import from_micros, leases, to_micros

_L: Final = leases.c
_MINE: Final = (_L.name == bindparam("lease")) & (_L.holder == bindparam("who"))
_GET: Final = select(_L.holder, _L.until).where(_L.name == bindparam("lease"))
_TAKE: Final = (
    update(leases)
    .where(
        _L.name == bindparam("lease"),
        or_(_L.holder == bindparam("who"), _L.until <= bindparam("now"), _L.until > bindparam("latest")),
    )
    .values(holder=bindparam("who"), until=bindparam("end"))
)
_GIVE_BACK: Final = delete(leases).where(_MINE)


def take(conn: Connection, name: str, holder: bytes, now: datetime, length: timedelta) -> bool:
    """Take a lease, or make one's own last longer; return whether it is ours.

    Args:
        conn: A connection of `Database.transact`.
        name: What it is about.
        holder: 16 random bytes of this process.
        now: Aware UTC time.
        length: Until when it lasts.

    Raises:
        ContentionError: Another process took it at this moment; `Database.transact` looks again.
    """
    end = to_micros(now + length)
    latest = to_micros(now + 2 * length)  # another clock may be ahead a little
    values = {"lease": name, "who": holder, "now": to_micros(now), "latest": latest, "end": end}
    if conn.execute(_TAKE, values).rowcount == 1:
        return True
    found = conn.execute(_GET, {"lease": name}).first()
    if found is None:
        conn.execute(insert(leases), {"name": name, "holder": holder, "until": end})
        return True
    # MariaDB counts a row that already was what it is made as not changed.
    return bool(found.holder == holder)


def give_back(conn: Connection, name: str, holder: bytes) -> None:
    """End one's own lease."""
    conn.execute(_GIVE_BACK, {"lease": name, "who": holder})


def held_until(conn: Connection, name: str) -> datetime | None:
    """Return until when somebody holds a lease, as its row says, or None where there is none."""
    found = conn.execute(_GET, {"lease": name}).first()
    return None if found is None else from_micros(found.until)
