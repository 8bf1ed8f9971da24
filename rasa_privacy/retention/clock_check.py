"""A sweep destroys by the clock, so a clock that is wrong must not sweep.

Rules:

1. Where the database has a server, this process's time must be the server's within ten minutes.
2. Where the time is years behind the last sweep's or ahead of it, somebody must say that the clock is right. A clock
   that is set back by less does no harm: then less is due.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.errors import RetentionError
from rasa_privacy.storage.clocks import last_done, note_done, server_time

#: The row that holds the time of the last sweep.
SWEPT: Final = "retention_swept"
#: How far this process's clock and that of the database's server may be apart.
APART: Final = timedelta(minutes=10)
#: A longer jump since the last sweep is no pause but a wrong clock: batteries run out, and years begin at 1970.
JUMP: Final = timedelta(days=400)


def check_clock(connection: Any, now: datetime, *, clock: datetime, trusted: bool = False) -> None:
    """Refuse to sweep by a clock that cannot be right, and note the time of this sweep.

    Args:
        connection: A connection of `Database.transact`.
        now: By which time is swept.
        clock: What this process's clock says.
        trusted: Whether somebody has looked at the clock.

    Raises:
        RetentionError: The clock cannot be right; nothing was removed.
    """
    server = server_time(connection)
    if server is not None and abs(server - clock) > APART and not trusted:
        raise RetentionError(
            "retention: the clock of this computer and that of the database's server are more than 10 minutes apart, "
            "so nothing is removed; set the wrong one, or say --clock-is-right"
        )
    before = last_done(connection, SWEPT)
    if before is not None and abs(now - before) > JUMP and not trusted:
        raise RetentionError(
            f"retention: the last sweep was on {before:%Y-%m-%d} and this computer says {now:%Y-%m-%d}, so nothing is "
            "removed; see that the clock is right and run 'rasa-privacy retention run --clock-is-right'"
        )
    note_done(connection, SWEPT, now)
