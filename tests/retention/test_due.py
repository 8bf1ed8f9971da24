"""When data is due."""

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
import pytest

from rasa_privacy.policy.model import Policy
from rasa_privacy.retention.due import due_at, moves, touched
from rasa_privacy.storage.tables import to_micros
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


def with_rule(retain: str) -> Policy:
    """Return the policy of these tests with another rule for the fitting."""
    declared = policy()
    fitting = msgspec.structs.replace(declared.purposes["fitting"], retain=retain)
    return msgspec.structs.replace(declared, purposes={**declared.purposes, "fitting": fitting})


def test_a_rule_counts_from_what_was_done() -> None:
    """Once the form is done its data is due at once; before, no later than messages."""
    rule = with_rule("until fitting_form")
    assert due_at(rule, "fitting", ("fitting",), START, {"fitting_form"}) == START
    assert due_at(rule, "fitting", ("fitting",), START, {"lead_form"}) == START + timedelta(days=30)


def test_consent_that_ends_by_itself_ends_a_longer_rule() -> None:
    """The draw's consent lasts 12 months, whatever the rule says."""
    declared = policy()
    draw = msgspec.structs.replace(declared.purposes["draw"], retain="6 years after 31 December")
    longer = msgspec.structs.replace(declared, purposes={**declared.purposes, "draw": draw})
    assert due_at(longer, "draw", ("draw",), START) == START + timedelta(days=365)


@pytest.mark.parametrize(
    ("used", "done", "carried", "expected"),
    [
        (("fitting",), (), False, ["service", "fitting"]),
        (("fitting", "draw"), (), True, ["service", "draw"]),
        ((), ("fitting_form",), False, ["service", "fitting"]),
        (("fitting",), ("fitting_form",), True, ["service", "fitting"]),
        ((), (), False, ["service"]),
    ],
)
def test_what_a_save_sets_anew(
    used: Collection[str], done: Collection[str], carried: object, expected: list[str]
) -> None:
    """A new session does not move what counts from an event; the event does, also without a value."""
    rule = with_rule("10 days after fitting_form")
    assert list(touched(rule, used, done, carried=bool(carried))) == expected


_DAY = START + timedelta(days=1)
_MONTH = START + timedelta(days=30)


@pytest.mark.parametrize(
    ("stored", "due", "expected"),
    [
        (_MONTH, _MONTH, False),
        (_MONTH - timedelta(hours=1), _MONTH, False),
        (_MONTH - timedelta(minutes=61), _MONTH, True),
        (_MONTH + timedelta(seconds=1), _MONTH, True),
        (_DAY - timedelta(minutes=14), _DAY, False),
        (_DAY - timedelta(minutes=15), _DAY, True),
        (START, START, False),
        (START - timedelta(microseconds=1), START, True),
        (None, _MONTH, True),
        (_MONTH, None, True),
        (None, None, False),
    ],
)
def test_a_use_that_moves_the_time_by_little_writes_nothing(
    stored: datetime | None, due: datetime | None, expected: object
) -> None:
    """Data may go an hour and a hundredth of its time early at most, and never late."""
    assert moves(None if stored is None else to_micros(stored), due, START) is expected


def test_a_time_that_is_none_is_written_anew() -> None:
    """What somebody wrote into the table by hand does not stay."""
    assert moves(2**62, _MONTH, START)
