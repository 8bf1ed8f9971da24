"""Which question a message answers: the one that is open, and none of an earlier session or of another button."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from rasa_privacy.dialogue.names import ASK, EXPLAIN, LISTEN, MORE, RESTRICT, UNSURE, WITHDRAW
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.minimize.own_values import OWN_ENTITY
from tests.support.vaults import SENDER, grant

pytestmark = pytest.mark.rasa

NEWSLETTER = Pending("consent", "lead_form", ("newsletter",))


@pytest.fixture
def tracker(store: Any, untouched: Any) -> Any:
    """Return a tracker of our store, which waits for a message."""
    made = store.init_tracker(SENDER)
    made.update(untouched.rasa_events.ActionExecuted(LISTEN))
    return made


@pytest.fixture
def decided(tracker: Any, untouched: Any) -> Callable[[], str | None]:
    """Return a function that has the policy predict, applies its events, and gives the action that it is sure of."""
    policy = untouched.consent_policy.ConsentPolicy({"priority": 7}, None, None, SimpleNamespace(is_finetuning=False))

    def predict() -> str | None:
        domain = untouched.domain()
        found = policy.predict_action_probabilities(tracker, domain)
        for event in found.events:
            tracker.update(event)
        return domain.action_names_or_texts[found.max_confidence_index] if found.max_confidence == 1.0 else None

    return predict


def asks(tracker: Any, untouched: Any, pending: Pending, action: str = ASK) -> None:
    """Have a question asked by one of our actions."""
    events = untouched.rasa_events
    for event in (events.SlotSet("privacy_pending", pending.to_slot()), events.ActionExecuted(action)):
        tracker.update(event)
    tracker.update(events.ActionExecuted(LISTEN))


def hears(tracker: Any, untouched: Any, intent: str, *named: str) -> None:
    """Have a message come."""
    entities = [{"entity": OWN_ENTITY, "value": each} for each in named]
    tracker.update(untouched.rasa_events.UserUttered("...", {"name": intent}, entities))


@pytest.mark.parametrize("intent", ["privacy_why", MORE, UNSURE])
@pytest.mark.parametrize("between", ["action_session_start", "utter_greet"])
def test_a_question_that_is_no_longer_open_does_not_come_back(
    tracker: Any, untouched: Any, decided: Callable[[], str | None], between: str, intent: str
) -> None:
    """Rasa carries the slot into a new session, and other turns leave it; a "yes" there is about something else."""
    events = untouched.rasa_events
    asks(tracker, untouched, NEWSLETTER)
    tracker.update(events.ActionExecuted(between))
    tracker.update(events.ActionExecuted(LISTEN))
    hears(tracker, untouched, intent)
    assert decided() == EXPLAIN
    tracker.update(events.ActionExecuted(EXPLAIN))
    tracker.update(events.SlotSet("privacy_result", EXPLAIN))
    assert decided() == LISTEN
    tracker.update(events.ActionExecuted(LISTEN))
    hears(tracker, untouched, "privacy_grant")
    assert decided() is None


def test_a_question_that_is_open_comes_back_after_an_explanation(
    tracker: Any, untouched: Any, decided: Callable[[], str | None]
) -> None:
    """It was interrupted by what it was asked about."""
    events = untouched.rasa_events
    asks(tracker, untouched, NEWSLETTER)
    hears(tracker, untouched, "privacy_why")
    assert decided() == EXPLAIN
    tracker.update(events.ActionExecuted(EXPLAIN))
    tracker.update(events.SlotSet("privacy_result", EXPLAIN))
    assert decided() == ASK
    assert Pending.from_slot(tracker.get_slot("privacy_pending")) == NEWSLETTER


@pytest.mark.parametrize("request_", ["privacy_withdraw", "privacy_restrict"])
@pytest.mark.parametrize("purpose", ["draw", "newsletter"])
def test_the_no_of_an_older_question_is_no_answer_to_which_one(
    tracker: Any, untouched: Any, decided: Callable[[], str | None], purpose: str, request_: str
) -> None:
    """It takes back the consent that it names, also the one that "which one?" lists first."""
    grant(untouched.runtime.current().vault, "draw", "newsletter")
    which = Pending("which", request_, ("draw", "newsletter"))
    asks(tracker, untouched, which, WITHDRAW if request_ == "privacy_withdraw" else RESTRICT)
    hears(tracker, untouched, "privacy_refuse", purpose)
    assert decided() == WITHDRAW
