"""Quiet hours: when a purpose writes to nobody, by the clock on the wall of its time zone.

Rules:

1. The beginning is quiet, the end is not: from 20:00 to 08:00, a message at 08:00 may go.
2. Hours over midnight are quiet on both sides of it; the same time twice means the whole day.
3. The wall clock decides, so an hour that comes twice in autumn is judged the same both times.

Pure: the moment is passed in.
"""

from datetime import datetime, time
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from rasa_privacy.errors import ConfigurationError


class Hours(Protocol):
    """What privacy.yml says of quiet hours."""

    @property
    def from_(self) -> str:
        """Beginning, `HH:MM`."""

    @property
    def to(self) -> str:
        """End, `HH:MM`."""

    @property
    def time_zone(self) -> str:
        """IANA name, for example `Europe/Berlin`."""


def is_quiet(hours: Hours | None, now: datetime) -> bool:
    """Return whether nothing may be sent now.

    Args:
        hours: The purpose's quiet hours, or None for none.
        now: The moment, aware.

    Raises:
        ConfigurationError: The time zone is not known here.
    """
    if hours is None:
        return False
    wall = now.astimezone(_zone(hours.time_zone)).time()
    begin, end = time.fromisoformat(hours.from_), time.fromisoformat(hours.to)
    if begin < end:
        return begin <= wall < end
    return wall >= begin or wall < end


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(
            f"privacy.yml: the time zone {name!r} is not known; use an IANA name such as Europe/Berlin"
        ) from None
