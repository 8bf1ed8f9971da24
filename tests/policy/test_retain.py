"""What `retain:` may say, and when data is due by it."""

from datetime import datetime, timedelta, timezone

import pytest

from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.retain import parse_retain

USED = datetime(2026, 3, 5, 12, tzinfo=timezone.utc)
MONTH = timedelta(days=30)
MESSAGES = Length("30 days")


@pytest.mark.parametrize(
    ("text", "done", "due"),
    [
        ("90 days", False, USED + timedelta(days=90)),
        ("12 months", False, USED.replace(year=2027)),
        ("until withdrawn", False, None),
        ("until lead_form", False, USED + MONTH),
        ("until lead_form", True, USED),
        ("30 days after action_submit", False, USED + timedelta(days=30)),
        ("30 days after action_submit", True, USED + timedelta(days=30)),
        ("6 years after 31 December", False, datetime(2033, 1, 1, tzinfo=timezone.utc)),
        ("10 days after 31 December", False, datetime(2027, 1, 11, tzinfo=timezone.utc)),
    ],
)
def test_each_rule_is_counted(text: str, done: object, due: datetime | None) -> None:
    """From the last use, the event, or the end of the year."""
    assert parse_retain(text).due_at(USED, is_done=bool(done), at_most=MESSAGES) == due


@pytest.mark.parametrize(
    "text",
    ["", "until", "until two words", "90", "0 days", "90 days before x", "90 days after", "6 years after 31 June"],
)
def test_anything_else_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="write "):
        parse_retain(text)
