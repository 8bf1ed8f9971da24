"""When data is due."""

from collections.abc import Collection
from datetime import timedelta

import pytest

from rasa_privacy.retention.due import due_at
from tests.support.vaults import START, policy


@pytest.mark.parametrize(
    ("purpose", "active", "days"),
    [("draw", ("draw",), 90), ("fitting", (), 10), ("service", ("newsletter",), 30), ("service", (), 1)],
)
def test_data_is_due_a_period_after_its_last_use(purpose: str, active: Collection[str], days: int) -> None:
    """Values follow their purpose, the conversation follows `messages.retain`, and without consent it goes in a day."""
    assert due_at(policy(), purpose, active, START) == START + timedelta(days=days)


def test_until_withdrawn_has_no_end() -> None:
    """Such data goes with the consent."""
    assert due_at(policy(), "newsletter", ("newsletter",), START) is None
