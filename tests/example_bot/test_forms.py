"""The example bot's form validation, without a server. Loads the actions by their path, as the action server does."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

_ACTIONS = Path(__file__).parents[2] / "example_bot" / "actions"
_DOMAIN = {
    "forms": {
        "lead_form": {"required_slots": ["full_name", "email", "postcode"]},
        "newsletter_form": {"required_slots": ["email", "birthday"]},
    }
}


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "northwind_actions", _ACTIONS / "__init__.py", submodule_search_locations=[str(_ACTIONS)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    return package


campaign = _load().campaign


def _tracker(intent: str, requested: str, filled: dict[str, Any], *, after: tuple[str, ...] = ()) -> Tracker:
    """Return a tracker as a form's validation gets it: message, other actions, the form itself, the values to check."""
    events: list[dict[str, Any]] = [{"event": "action", "name": "action_listen"}, {"event": "user"}]
    events += [{"event": "action", "name": name} for name in (*after, "lead_form")]
    events += [{"event": "slot", "name": name, "value": value} for name, value in filled.items()]
    return Tracker(
        sender_id="somebody",
        slots={"requested_slot": requested, **filled},
        latest_message={"intent": {"name": intent}},
        events=events,
        paused=False,
        followup_action=None,
        active_loop={"name": "lead_form"},
        latest_action_name="lead_form",
    )


async def _validate(action: Any, tracker: Tracker) -> tuple[dict[str, Any], list[str]]:
    """Return the slots that validation sets, and the responses that it says."""
    dispatcher = CollectingDispatcher()
    events = await action.run(dispatcher, tracker, _DOMAIN)
    return {event["name"]: event["value"] for event in events}, [message["response"] for message in dispatcher.messages]


async def test_answer_without_a_value_is_named_and_the_slot_stays_empty() -> None:
    """The form does not reject, so that no other rule answers in its place."""
    tracker = _tracker("inform", "email", {})
    assert await _validate(campaign.ValidateLeadForm(), tracker) == ({"email": None}, ["utter_wrong_email"])


@pytest.mark.parametrize("intent", ["ask_opening_hours", "leave_form", "privacy_delete", ""])
async def test_form_stands_back_for_what_is_no_answer(intent: str) -> None:
    """A question, a wish, or an intent that the form does not know is left to the rules."""
    assert await _validate(campaign.ValidateLeadForm(), _tracker(intent, "email", {})) == ({}, [])


async def test_form_that_resumes_does_not_blame_the_answer_to_something_else() -> None:
    """A "yes" that another action has dealt with is not an unreadable email address."""
    tracker = _tracker("affirm", "email", {}, after=("action_something",))
    assert await _validate(campaign.ValidateLeadForm(), tracker) == ({}, [])


async def test_wrong_name_is_asked_for_again() -> None:
    """A refused value is cleared, and the user hears why."""
    tracker = _tracker("affirm", "full_name", {"full_name": "yes"})
    assert await _validate(campaign.ValidateLeadForm(), tracker) == ({"full_name": None}, ["utter_wrong_full_name"])


@pytest.mark.parametrize(
    ("intent", "text", "kept"),
    [
        ("skip", "skip", "n/a"),
        ("deny", "I have none", "n/a"),
        ("nlu_fallback", "rather not say", "n/a"),
        ("inform", "it's 10115", "10115"),
        ("skip", "10115", "10115"),
        ("inform", "n/a", "n/a"),
    ],
)
async def test_optional_question_takes_a_value_or_a_pass(intent: str, text: str, kept: str) -> None:
    """A value counts whatever the classifier says, and a pass leaves the marker."""
    tracker = _tracker(intent, "postcode", {"postcode": text})
    assert await _validate(campaign.ValidateLeadForm(), tracker) == ({"postcode": kept}, [])


async def test_cleared_slot_is_not_called_wrong() -> None:
    """A slot that something else emptied is asked for, without a word about it."""
    tracker = _tracker("enter_draw", "birthday", {"birthday": None})
    assert await _validate(campaign.ValidateNewsletterForm(), tracker) == ({"birthday": None}, [])


@pytest.mark.parametrize(
    ("action", "response"),
    [
        ("ActionSubmitEntry", "utter_entry_confirmed"),
        ("ActionBookFitting", "utter_fitting_confirmed"),
        ("ActionSubscribeNewsletter", "utter_newsletter_confirmed"),
    ],
)
async def test_end_of_a_form_confirms_with_a_reference_and_nothing_else(action: str, response: str) -> None:
    """The confirmation carries letters only, and no value of the person."""
    dispatcher = CollectingDispatcher()
    assert getattr(campaign, action)().run(dispatcher, _tracker("inform", "email", {"email": "a@b.example"}), {}) == []
    (message,) = dispatcher.messages
    assert message["response"] == response
    assert message["reference"].removeprefix("NW-").isalpha()
