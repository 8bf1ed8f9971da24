"""Quiet hours, by the clock on the wall."""

from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.consent.quiet_hours import is_quiet
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.purpose_model import QuietHours

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
CLOCKS = st.times().map(lambda each: f"{each.hour:02}:{each.minute:02}")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001 - the strategy adds the zone


def hours(begin: str, end: str, zone: str = "UTC") -> QuietHours:
    """Return quiet hours."""
    return QuietHours(from_=begin, to=end, time_zone=zone)


def utc(day: str, clock: str) -> datetime:
    """Return a moment."""
    return datetime.fromisoformat(f"{day}T{clock}+00:00")


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("19:59", False), ("20:00", True), ("23:59", True), ("00:00", True), ("07:59", True), ("08:00", False)],
)
def test_hours_over_midnight_are_quiet_on_both_sides(clock: str, *, quiet: bool) -> None:
    """The beginning belongs to them, the end does not."""
    assert is_quiet(hours("20:00", "08:00"), utc("2026-11-23", clock)) is quiet


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        (utc("2026-03-29", "00:59"), True),  # 01:59 in Berlin, a minute before the clock goes on to 03:00
        (utc("2026-03-29", "01:00"), False),  # 03:00
        (utc("2026-10-25", "00:30"), True),  # 02:30, the first time
        (utc("2026-10-25", "01:30"), True),  # 02:30, the second time
        (utc("2026-10-25", "02:00"), False),  # 03:00
    ],
)
def test_the_wall_clock_decides_when_the_clocks_change(moment: datetime, *, quiet: bool) -> None:
    """An hour that does not exist is over at once; one that comes twice is quiet twice."""
    assert is_quiet(hours("01:00", "03:00", "Europe/Berlin"), moment) is quiet


def test_no_quiet_hours_are_never_quiet() -> None:
    """A purpose without them sends at any time."""
    assert not is_quiet(None, utc("2026-11-23", "03:00"))


@given(CLOCKS, CLOCKS, st.sampled_from(ZONES), MOMENTS)
def test_hours_and_their_opposite_share_no_moment(begin: str, end: str, zone: str, now: datetime) -> None:
    """Each moment is in the hours or in those from their end to their beginning, and the same time twice is a day."""
    within, without = is_quiet(hours(begin, end, zone), now), is_quiet(hours(end, begin, zone), now)
    assert (within and without) if begin == end else (within is not without)


@given(CLOCKS, CLOCKS, st.sampled_from(ZONES), MOMENTS)
def test_counting_minutes_from_the_beginning_says_the_same(begin: str, end: str, zone: str, now: datetime) -> None:
    """Quiet is who is fewer minutes after the beginning than the end is, on a dial of 24 hours."""
    wall = now.astimezone(ZoneInfo(zone))
    first, last = (time.fromisoformat(each) for each in (begin, end))
    length = (last.hour * 60 + last.minute - first.hour * 60 - first.minute) % 1440 or 1440
    since = (wall.hour * 60 + wall.minute - first.hour * 60 - first.minute) % 1440
    assert is_quiet(hours(begin, end, zone), now) is (since < length)


@given(CLOCKS, CLOCKS, MOMENTS, st.integers(-14, 14))
def test_the_zone_of_the_moment_does_not_matter(begin: str, end: str, now: datetime, offset: int) -> None:
    """The same moment told by another clock is judged the same."""
    chosen = hours(begin, end, "Europe/Berlin")
    assert is_quiet(chosen, now) is is_quiet(chosen, now.astimezone(timezone(timedelta(hours=offset))))


@pytest.mark.parametrize("wrong", [("8:00", "20:00", "UTC"), ("24:00", "08:00", "UTC"), ("20:00", "08:00", "Mars")])
def test_wrong_hours_cannot_be_made(wrong: tuple[str, str, str]) -> None:
    """Times have two digits each, and the time zone is known."""
    with pytest.raises(ValueError, match="is no ti"):
        hours(*wrong)


def test_a_zone_that_got_lost_is_our_error() -> None:
    """A machine without the zone's rules refuses instead of guessing."""
    with pytest.raises(ConfigurationError, match="not known"):
        is_quiet(_Lost(), utc("2026-11-23", "03:00"))


class _Lost:
    """Hours in a zone that nobody knows."""

    from_, to, time_zone = "20:00", "08:00", "Nowhere/Here"
