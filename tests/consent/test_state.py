"""The consent state as a fold: Hypothesis against a model, and the rules one by one."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.consent.state import ConsentState, fold
from rasa_privacy.policy.model import Controller, Policy
from rasa_privacy.policy.purpose_model import Purpose

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
NOTICE = b"n" * 32
OLD_NOTICE = b"o" * 32
EVENTS = ("asked", "granted", "refused", "withdrawn", "expired", "superseded")


@dataclass(frozen=True)
class Row:
    """A ledger record as the fold sees it."""

    event: str
    purpose: str = "draw"
    minutes: int = 0
    notice_hash: bytes = NOTICE
    method: str = "words"

    @property
    def at(self) -> datetime:
        """When it was recorded."""
        return START + timedelta(minutes=self.minutes)


def policy(consent_lasts: str | None = None) -> Policy:
    """Return a policy with one consent purpose and one other."""
    draw = Purpose(says={"en": "to draw"}, basis="consent", retain="90 days", consent_lasts=consent_lasts)
    bills = Purpose(says={"en": "to bill"}, basis="contract", because={"en": "you bought"}, retain="90 days")
    controller = Controller(name="N", contact="c", policy_url="u")
    return Policy(version=1, controller=controller, purposes={"draw": draw, "bills": bills})


def state(*rows: Row, after: timedelta = timedelta(days=1), lasts: str | None = None) -> ConsentState:
    """Return the state some time after the start, while only NOTICE is current."""
    return fold(rows, policy(lasts), START + after, lambda _purpose, digest: digest == NOTICE)


@given(st.lists(st.sampled_from(EVENTS), max_size=12))
def test_only_an_unbroken_grant_is_active(events: list[str]) -> None:
    """Consent is active exactly when the last record that is an answer is a grant."""
    rows = [Row(event, minutes=index) for index, event in enumerate(events)]
    answers = [event for event in events if event != "asked"]
    assert ("draw" in state(*rows).active) == bool(answers and answers[-1] == "granted")


@given(st.lists(st.sampled_from(EVENTS), max_size=8), st.lists(st.sampled_from(EVENTS), max_size=8))
def test_purposes_do_not_touch_each_other(mine: list[str], others: list[str]) -> None:
    """What happens to another purpose changes nothing here."""
    alone = state(*(Row(event) for event in mine)).purposes["draw"]
    mixed = state(*(Row(event) for event in mine), *(Row(event, purpose="gone") for event in others))
    assert mixed.purposes["draw"] == alone


def test_another_lawful_basis_is_active_without_a_record() -> None:
    """A contract needs no consent."""
    assert state().active == {"bills"}


def test_being_asked_is_no_answer() -> None:
    """A question alone opens nothing and closes nothing."""
    assert state(Row("asked")).purposes["draw"].status == "asked"
    assert "draw" in state(Row("granted"), Row("asked")).active
    assert state(Row("refused"), Row("asked")).purposes["draw"].status == "refused"
    assert state(Row("granted"), Row("expired"), Row("asked")).purposes["draw"].status == "asked"


def test_grant_ends_when_its_time_is_over() -> None:
    """`consent_lasts` counts from the grant, and its last moment is already over."""
    assert "draw" in state(Row("granted"), after=timedelta(days=7, seconds=-1), lasts="1 week").active
    ended = state(Row("granted"), after=timedelta(days=7), lasts="1 week")
    assert ended.purposes["draw"].status == "expired"
    assert "draw" not in ended.active


def test_grant_to_other_terms_does_not_count() -> None:
    """Who agreed to an older promise has not agreed to this one."""
    assert state(Row("granted", notice_hash=OLD_NOTICE)).purposes["draw"].status == "superseded"


def test_an_age_confirmed_in_the_future_is_not_confirmed() -> None:
    """A clock that went back has the age asked anew; the difference of two servers' clocks does not."""
    rows = (Row("granted", purpose="minimum_age:13"), Row("granted", purpose="minimum_age:16", minutes=60))
    assert state(*rows, after=timedelta(minutes=54, seconds=59)).confirmed_age == 13
    assert state(*rows, after=timedelta(minutes=55)).confirmed_age == 16
    assert state(*rows, after=timedelta(days=-400)).confirmed_age == 0


def test_grant_from_the_future_opens_nothing() -> None:
    """A clock that went back errs on the side of no consent; a withdrawal counts all the same."""
    assert "draw" not in state(Row("granted", minutes=60), after=timedelta(0)).active
    withdrawn = state(Row("granted"), Row("withdrawn", minutes=60), after=timedelta(0))
    assert withdrawn.purposes["draw"].status == "withdrawn"


def test_unknown_event_is_no_yes() -> None:
    """A record of a later release never opens anything."""
    assert "draw" not in state(Row("granted"), Row("something_new")).active


@pytest.mark.parametrize("names", [("draw",), ("draw", "bills"), ()])
def test_missing_names_what_is_not_active(names: tuple[str, ...]) -> None:
    """Only inactive purposes are missing, in the order given."""
    assert state().missing(names) == tuple(name for name in names if name == "draw")
