"""The bot's own policies do not notice the privacy turns, so what the gate interrupted goes on."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from rasa_privacy.minimize.own_values import OWN_ENTITY
from tests.support.vaults import SENDER

pytestmark = pytest.mark.rasa

ASK, GRANT, EXPLAIN = "action_privacy_ask_consent", "action_privacy_record_grant", "action_privacy_explain"


@pytest.fixture
def made(untouched: Any) -> Callable[[str], list[Any]]:
    """Return a function that makes events: `>intent`, `action`, `"text"`, and `slot=value`."""
    events = untouched.rasa_events

    def one(word: str) -> Any:
        if word.startswith(">"):
            return events.UserUttered(word, {"name": word[1:], "confidence": 1.0})
        if word.startswith('"'):
            return events.BotUttered(word)
        name, sign, value = word.partition("=")
        return events.SlotSet(name, value) if sign else events.ActionExecuted(name)

    return lambda script: [one(word) for word in script.split()]


def script(events: Iterable[Any]) -> str:
    """Return events as they were written."""
    words = []
    for event in events:
        data = event.as_dict()
        if data["event"] == "user":
            words.append(">" + data["parse_data"]["intent"]["name"])
        elif data["event"] == "bot":
            words.append(data["text"])
        elif data["event"] == "slot":
            words.append(f"{data['name']}={data['value']}")
        else:
            words.append(data["name"])
    return " ".join(words)


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (
            f'action_listen >greet {ASK} "q" action_listen >privacy_grant {GRANT} "ok" utter_greet "Hi"',
            'action_listen >greet utter_greet "Hi"',
        ),
        (
            (
                f'action_listen >greet {ASK} action_listen >privacy_why {EXPLAIN} "w" {ASK} action_listen '
                ">privacy_grant favourite_activity=hiking utter_greet"
            ),
            "action_listen >greet favourite_activity=hiking utter_greet",
        ),
        (
            f"action_listen >greet utter_greet action_listen >privacy_why {EXPLAIN} action_listen >enter_draw",
            "action_listen >greet utter_greet action_listen >enter_draw",
        ),
        (
            (
                f"action_listen >enter_draw {ASK} action_listen >privacy_refuse action_privacy_record_refusal "
                "action_listen >greet"
            ),
            "action_listen >enter_draw action_listen >greet",
        ),
        ("action_listen >greet utter_greet", "action_listen >greet utter_greet"),
    ],
)
def test_privacy_turns_are_left_out(untouched: Any, made: Any, said: str, seen: str) -> None:
    """Questions, answers and what we said; values stay, and each message still follows a listening."""
    assert script(untouched.unnoticed.without_ours(made(said))) == seen


def tracker_of(store: Any, events: Iterable[Any]) -> Any:
    """Return a tracker of our store with these events."""
    tracker = store.init_tracker(SENDER)
    for event in events:
        tracker.update(event)
    return tracker


def test_the_policies_get_another_tracker_and_ours_the_real_one(untouched: Any, store: Any, made: Any) -> None:
    """Slots and the running form are those of now."""
    told = f"action_listen >greet {ASK} action_listen >privacy_grant {GRANT} favourite_activity=hiking utter_greet"
    tracker = tracker_of(store, made(told))
    tracker.update(untouched.rasa_events.ActiveLoop("lead_form"))
    seen = untouched.unnoticed.seen_by_policies(tracker)
    assert seen is not tracker
    assert seen.latest_message.intent_name == "greet"
    assert seen.latest_action_name == "utter_greet"
    assert seen.get_slot("favourite_activity") == "hiking"
    assert seen.active_loop_name == "lead_form"
    assert untouched.unnoticed.real(seen) is tracker
    assert untouched.unnoticed.real(tracker) is tracker
    assert len(tracker.events) == len(made(told)) + 1


@pytest.mark.parametrize(
    "said",
    [
        f"action_listen >greet utter_greet action_listen >privacy_why {EXPLAIN}",
        "action_listen >greet utter_greet action_listen >privacy_grant",
        f"action_listen >greet {ASK} action_listen >privacy_grant {GRANT}",
        "action_listen >greet utter_greet",
    ],
)
def test_an_answer_to_us_is_never_taken_for_the_wish_before_it(
    untouched: Any, store: Any, made: Any, said: str
) -> None:
    """While the person speaks with us, nothing is left out: a stale yes must not run an old action again."""
    tracker = tracker_of(store, made(said))
    assert untouched.unnoticed.seen_by_policies(tracker) is tracker


def test_a_form_that_has_run_for_long_still_runs_in_what_the_policies_see(
    untouched: Any, store: Any, made: Any
) -> None:
    """Its rules hold for each message of it, however many came before; so do slots that were set before."""
    events = untouched.rasa_events
    tracker = tracker_of(store, made("action_listen >enter_draw lead_form favourite_activity=hiking"))
    for event in (events.ActiveLoop("lead_form"), events.SlotSet("requested_slot", "email")):
        tracker.update(event)
    for event in made(f"action_listen >privacy_why {EXPLAIN} lead_form requested_slot=email " * 40):
        tracker.update(event)
    asked = "action_listen >greet utter_greet lead_form requested_slot=email "
    for event in made(f"{asked} action_listen >privacy_why {EXPLAIN} lead_form action_listen >leave_form"):
        tracker.update(event)
    seen = untouched.unnoticed.seen_by_policies(tracker)
    assert seen is not tracker
    assert len(seen.events) < len(tracker.events)
    loops = [(each.active_loop_name, each.get_slot("favourite_activity")) for each in before_each_action(seen)]
    assert set(loops) == {("lead_form", "hiking")}


def before_each_action(tracker: Any) -> list[Any]:
    """Return the states that rules are compared with: before each action, and now."""
    return [each[0] if isinstance(each, tuple) else each for each in tracker.generate_all_prior_trackers()]


def test_only_the_latest_events_are_looked_at(untouched: Any, store: Any, made: Any) -> None:
    """From a message of the person on, so that long conversations cost no more."""
    turn = f"action_listen >greet {ASK} action_listen >privacy_grant {GRANT} utter_greet "
    tracker = tracker_of(store, made(turn * 200))
    seen = untouched.unnoticed.seen_by_policies(tracker)
    assert 20 < len(seen.events) <= 100
    assert script(seen.events).startswith(">greet utter_greet")


@pytest.mark.parametrize("failed", [False, True])
def test_a_wish_for_a_human_is_the_bots_own_to_its_policies(
    untouched: Any, store: Any, made: Any, *, failed: bool
) -> None:
    """Where privacy.yml names an intent for it, so that the rule which hands over runs after our record."""
    did = f"{EXPLAIN} utter_privacy_unavailable" if failed else f"{EXPLAIN} privacy_result={EXPLAIN}"
    tracker = tracker_of(store, made(f"action_listen >greet utter_greet action_listen >privacy_human {did}"))
    assert untouched.unnoticed.seen_by_policies(tracker) is tracker
    assert not untouched.privacy_turn.turn_view(tracker).bot_answers_too
    mapped = msgspec.structs.replace(store._vault.policy, requests={"human": ("talk_to_human", "call_me")})
    object.__setattr__(untouched.runtime.current().vault, "policy", mapped)
    seen = untouched.unnoticed.seen_by_policies(tracker)
    assert seen.latest_message.intent_name == "talk_to_human"
    assert seen.latest_action_name == "action_listen"
    assert tracker.latest_message.intent_name == "privacy_human"
    view = untouched.privacy_turn.turn_view(tracker)
    assert (view.intent, view.bot_answers_too, view.wants_human) == ("privacy_human", True, True)
    for event in made("utter_talk_to_human"):
        tracker.update(event)
    shown = script(untouched.unnoticed.seen_by_policies(tracker).events).replace(f" privacy_result={EXPLAIN}", "")
    assert shown.removesuffix(" utter_talk_to_human").endswith("utter_greet action_listen >talk_to_human")


def test_what_nobody_typed_and_what_is_two_requests_hand_over_nobody(untouched: Any, store: Any) -> None:
    """A trigger asks for no human; and of two requests the other one is answered after the record."""
    events, own = untouched.rasa_events, untouched.own_intents
    mapped = msgspec.structs.replace(store._vault.policy, requests={"human": ("talk_to_human",)})
    wish = {"name": "privacy_human", "confidence": 1.0}
    both = [{"entity": OWN_ENTITY, "value": "also:privacy_delete"}]
    assert own.handing_over(mapped, events.UserUttered("a human for my data", wish)) == "talk_to_human"
    assert own.handing_over(mapped, events.UserUttered("a human, and delete my data", wish, both)) is None
    assert own.handing_over(mapped, events.UserUttered.create_external("privacy_human")) is None
    assert own.handing_over(store._vault.policy, events.UserUttered("a human for my data", wish)) is None
    assert own.handing_over(mapped, events.UserUttered("delete my data", {"name": "privacy_delete"})) is None
