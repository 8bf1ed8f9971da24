"""Durations of privacy.yml: months and years are the calendar's, and adding and taking away agree."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.policy.durations import Length


def at(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("begun", "length", "over"),
    [
        ("2026-11-29T19:00", "12 months", "2027-11-29T19:00"),
        ("2026-11-29T19:00", "6 years", "2032-11-29T19:00"),
        ("2026-11-29T19:00", "1 month", "2026-12-29T19:00"),
        ("2026-12-01T00:00", "3 months", "2027-03-01T00:00"),
        ("2026-01-31T12:00", "1 month", "2026-03-01T00:00"),
        ("2027-01-29T23:00", "1 month", "2027-03-01T00:00"),
        ("2028-02-29T01:00", "1 year", "2029-03-01T00:00"),
        ("2026-10-31T12:00", "2 months", "2026-12-31T12:00"),
        ("2026-11-29T19:00", "90 days", "2027-02-27T19:00"),
        ("2026-11-29T19:00", "2 weeks", "2026-12-13T19:00"),
        ("2026-11-29T19:00", "36 hours", "2026-12-01T07:00"),
        ("2026-11-29T19:00", "5 minutes", "2026-11-29T19:05"),
    ],
)
def test_a_month_is_that_of_the_calendar(begun: str, length: str, over: str) -> None:
    """Nothing is kept, and no consent holds, longer than people read; a month without that day ends with its last."""
    assert at(begun) + Length(length) == at(over)


_MOMENTS = st.timedeltas(timedelta(0), timedelta(days=5000)).map(lambda length: at("2020-01-01T00:00") + length)
_LENGTHS = st.builds("{} {}".format, st.integers(1, 30), st.sampled_from(["days", "weeks", "months", "years"]))


@given(begun=_MOMENTS, now=_MOMENTS, length=_LENGTHS)
def test_what_is_added_can_be_taken_away(begun: datetime, now: datetime, length: str) -> None:
    """The fold adds and the database compares with what was taken away: both find the same people."""
    assert (begun + Length(length) <= now) == (begun <= now - Length(length))


@given(now=_MOMENTS, length=_LENGTHS)
def test_the_edge_is_exact(now: datetime, length: str) -> None:
    """The last moment from which on it is over is over, and the next is not."""
    edge = now - Length(length)
    assert edge + Length(length) <= now < edge + timedelta(microseconds=1) + Length(length)


@given(begun=_MOMENTS, later=_MOMENTS, length=_LENGTHS)
def test_who_was_earlier_is_over_earlier(begun: datetime, later: datetime, length: str) -> None:
    """The order of people does not change at the end of a month."""
    first, second = sorted((begun, later))
    assert first + Length(length) <= second + Length(length)


def test_what_is_no_duration_is_refused() -> None:
    """As `duration_seconds` does; and what leads out of the calendar is no crash of another kind."""
    with pytest.raises(ValueError, match="is not a duration"):
        Length("soon")
    with pytest.raises(OverflowError, match="out of the calendar"):
        at("2026-11-29T19:00") + Length("9000 years")
