"""`Length`: a duration of privacy.yml, to be added to a moment or taken from it. Months and years are the calendar's.

`12 months` after 29 November is 29 November. A month that ends where there is no such day (31 January and a month)
ends with the last day there is, at midnight. So whoever was earlier is over earlier, and for every moment `at` and
`now`, `at + length <= now` says the same as `at <= now - length`: what Python adds, SQL may take away.
"""

import re
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from typing import Final

#: `<number> <unit>`.
DURATION: Final = re.compile(r"^(\d{1,5}) (minute|hour|day|week|month|year)s?$")
_UNIT_SECONDS: Final = {
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 7 * 86_400,
    "month": 31 * 86_400,
    "year": 12 * 31 * 86_400,
}
_MONTHS: Final = {"month": 1, "year": 12}
_LEAST: Final = timedelta(microseconds=1)


def duration_seconds(text: str) -> int:
    """Return the length in seconds of a duration such as `90 days` or `1 hour`, to compare it with others.

    A month counts as the longest one, and a year as twelve; `Length` goes by the calendar.

    Raises:
        ValueError: The text is not `<number> <unit>`; `loader` turns this into a `PolicyError` with its place.
    """
    match = DURATION.match(text)
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a duration; write for example '90 days', '12 months' or '1 hour'")
    return int(match[1]) * _UNIT_SECONDS[match[2]]


@dataclass(frozen=True, slots=True)
class Length:
    """A duration such as `90 days` or `12 months`.

    Attributes:
        text: As privacy.yml says it.

    Raises:
        ValueError: The text is not `<number> <unit>`; `loader` has refused such a file before.
    """

    text: str

    def __post_init__(self) -> None:
        """Refuse what is no duration."""
        duration_seconds(self.text)

    def __radd__(self, at: datetime) -> datetime:
        """Return the moment at which a time that begins at `at` is over.

        Raises:
            OverflowError: That is after the year 9999.
        """
        months = self._months()
        if months is None:
            return at + timedelta(seconds=duration_seconds(self.text))
        moved, is_there = _moved(at, months)
        return moved if is_there else moved + _LEAST

    def __rsub__(self, now: datetime) -> datetime:
        """Return the last moment from which on a time is over by `now`.

        Raises:
            OverflowError: That is before the year 1.
        """
        months = self._months()
        if months is None:
            return now - timedelta(seconds=duration_seconds(self.text))
        return _moved(now, -months)[0]

    def _months(self) -> int | None:
        number, unit = self.text.split(" ")
        each = _MONTHS.get(unit.removesuffix("s"))
        return None if each is None else int(number) * each


def _moved(at: datetime, months: int) -> tuple[datetime, bool]:
    """Return the same day and time so many months away, and True; or that month's last moment, and False."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError("a duration of privacy.yml leads out of the calendar")
    first = at.replace(year=year, month=month + 1, day=1)
    moved = first + timedelta(days=at.day - 1)
    if moved.month == first.month:
        return moved, True
    return moved.replace(day=1, hour=0, minute=0, second=0, microsecond=0) - _LEAST, False
