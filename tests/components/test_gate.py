"""The gate: no guarded action is predicted without consent, and none at all without our store."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from rasa_privacy.dialogue.names import ASK, CLOSED
from rasa_privacy.errors import ModelMismatchError
from rasa_privacy.rights.linked import stop_linked
from rasa_privacy.rights.suppression import lift_after_grant
from rasa_privacy.rights.withdrawal import withdraw
from tests.support.vaults import SENDER, evidence, grant

pytestmark = pytest.mark.rasa


@pytest.fixture
def predict(untouched: Any) -> Callable[..., tuple[str, list[Any]]]:
    """Return a function that gives the action and slot events that come out when some policy wins with an action."""

    def run(tracker: Any, action: str, *, no_user: bool = False) -> tuple[str, list[Any]]:
        domain = untouched.domain()
        prediction = untouched.rasa_api.PolicyPrediction.for_action_name(domain, action, "policy_0_Any")
        prediction.is_no_user_prediction = no_user
        combined = untouched.gate.ConsentGate().combine_predictions([prediction], tracker, domain)
        # Rasa's ensemble adds an event of its own to each prediction that answers a message.
        slots = [event for event in combined.events if isinstance(event, untouched.rasa_api.SlotSet)]
        return domain.action_names_or_texts[combined.max_confidence_index], slots

    return run


@pytest.fixture
def tracker(store: Any, untouched: Any) -> Any:
    """Return a tracker of our store after a message."""
    made = store.init_tracker(SENDER)
    made.update(untouched.rasa_events.ActionExecuted("action_listen"))
    made.update(untouched.rasa_events.UserUttered("enter me, I am ana@x.example", {"name": "enter_draw"}))
    return made


@pytest.mark.parametrize("no_user", [True, False])
@pytest.mark.parametrize("action", ["lead_form", "action_submit"])
def test_guarded_action_becomes_the_question(predict: Any, tracker: Any, action: str, *, no_user: bool) -> None:
    """The action is remembered with its purpose, and that something was dropped."""
    chosen, events = predict(tracker, action, no_user=no_user)
    assert chosen == ASK
    assert [(event.key, event.value) for event in events] == [
        ("privacy_pending", {"kind": "consent", "action": action, "purposes": ["draw"], "dropped": True})
    ]


def test_consent_lets_the_action_run(predict: Any, tracker: Any, store: Any) -> None:
    """With the draw's consent the gate is not noticed."""
    grant(store._vault, "newsletter")
    assert predict(tracker, "lead_form")[0] == ASK
    grant(store._vault, "draw")
    assert predict(tracker, "lead_form") == ("lead_form", [])


def test_who_said_stop_is_asked_for_no_consent_by_itself(
    predict: Any, tracker: Any, store: Any, untouched: Any, sql: Any
) -> None:
    """Neither at the next message nor beside another purpose; what they want is still asked about."""
    vault = untouched.runtime.current().vault
    draw = msgspec.structs.replace(vault.policy.purposes["draw"], also_ask=("newsletter",))
    purposes = {**vault.policy.purposes, "draw": draw}
    asking = msgspec.structs.replace(vault.policy, purposes=purposes, ask="first_message")
    object.__setattr__(vault, "policy", asking)
    assert predict(tracker, "utter_greet")[0] == ASK
    assert untouched.privacy_turn.turn_view(tracker).due == {"draw", "newsletter", "fitting"}
    vault.database.transact(lambda connection: stop_linked(vault, connection, SENDER, evidence(vault)))
    assert predict(tracker, "utter_greet") == ("utter_greet", [])
    assert untouched.privacy_turn.turn_view(tracker).due == frozenset()
    assert predict(tracker, "lead_form")[0] == ASK
    grant(store._vault, "newsletter")
    vault.database.transact(lambda connection: lift_after_grant(vault, connection, SENDER, "newsletter"))
    assert predict(tracker, "utter_greet")[0] == ASK
    sql("ALTER TABLE suppressions RENAME TO away")
    assert untouched.privacy_turn.turn_view(tracker).due == frozenset()


@pytest.mark.parametrize("action", ["utter_greet", "action_hours", "action_listen"])
def test_unguarded_action_runs_without_consent(predict: Any, tracker: Any, action: str) -> None:
    """Whoever refuses can still ask ordinary questions."""
    assert predict(tracker, action) == (action, [])


def test_unreadable_ledger_closes_the_gate(predict: Any, tracker: Any, sql: Any) -> None:
    """Where the ledger cannot be read nobody has consented."""
    sql("DROP TABLE conversations")
    assert predict(tracker, "lead_form")[0] == CLOSED


@pytest.mark.parametrize(
    ("action", "chosen"),
    [
        ("lead_form", CLOSED),
        ("action_hours", CLOSED),
        ("action_default_fallback", CLOSED),
        ("utter_greet", "utter_greet"),
        ("action_listen", "action_listen"),
    ],
)
async def test_tracker_of_another_store_finds_the_gate_closed(
    predict: Any, untouched: Any, action: str, chosen: str
) -> None:
    """With the stock store nobody knows what is guarded: the bot may speak, and runs nothing."""
    foreign = await untouched.InMemoryTrackerStore(untouched.domain()).get_or_create_tracker(SENDER)
    assert predict(foreign, action)[0] == chosen


async def test_closed_gate_says_so_once(predict: Any, untouched: Any) -> None:
    """After the message the bot listens."""
    foreign = await untouched.InMemoryTrackerStore(untouched.domain()).get_or_create_tracker(SENDER)
    foreign.update(untouched.rasa_events.ActionExecuted(CLOSED))
    assert predict(foreign, "lead_form")[0] == "action_listen"


def test_copied_tracker_finds_the_gate_closed(predict: Any, tracker: Any) -> None:
    """A tracker whose origin is not known counts as nobody's."""
    assert predict(tracker.copy(), "lead_form")[0] == CLOSED


def test_slots_without_consent_are_cleared_before_the_action(store: Any, tracker: Any, untouched: Any) -> None:
    """Values that reached slots past the NLU graph are taken out again; plain ones stay."""
    events = untouched.rasa_events
    for name, value in (("full_name", "Ana Li"), ("birthday", "3 May 1990"), ("favourite_activity", "hiking")):
        tracker.update(events.SlotSet(name, value))
    tracker.update(events.ActionExecuted("action_hours"))
    grant(store._vault, "newsletter", "newsletter:birthday")
    corrections = {event.key: event.value for event in untouched.privacy_turn.slot_corrections(tracker)}
    assert corrections == {"full_name": None, "birthday": "1990"}


async def test_foreign_tracker_loses_every_personal_slot(untouched: Any, store: Any) -> None:
    """What did not come from our store is not collected, whoever had agreed to it."""
    grant(store._vault, "draw")
    foreign = await untouched.InMemoryTrackerStore(untouched.domain()).get_or_create_tracker(SENDER)
    foreign.update(untouched.rasa_events.SlotSet("full_name", "Ana Li"))
    assert [(event.key, event.value) for event in untouched.privacy_turn.slot_corrections(foreign)] == [
        ("full_name", None)
    ]


def node(uses: type) -> SimpleNamespace:
    """Return a node of a model's graph."""
    return SimpleNamespace(uses=uses)


def test_model_without_gate_or_minimizer_is_not_loaded(untouched: Any) -> None:
    """Both must be in the graph; the gate where the ensemble stands."""
    stock = node(untouched.rasa_api.DefaultPolicyPredictionEnsemble.__mro__[1])
    gate, minimizer = node(untouched.gate.ConsentGate), node(untouched.minimizer.DataMinimizer)
    untouched.gate.require(SimpleNamespace(nodes={"select_prediction": gate, "run_minimizer": minimizer}))
    for nodes in (
        {},
        {"select_prediction": gate},
        {"select_prediction": stock, "run_minimizer": minimizer},
        {"elsewhere": gate, "run_minimizer": minimizer},
    ):
        with pytest.raises(ModelMismatchError, match="train again"):
            untouched.gate.require(SimpleNamespace(nodes=nodes))


def test_importing_the_package_puts_the_gate_into_the_recipe(untouched: Any) -> None:
    """Every model that is trained from then on has the gate."""
    untouched.gate.install()
    assert untouched.rasa_api.default_recipe_module.DefaultPolicyPredictionEnsemble is untouched.gate.ConsentGate


def test_nothing_is_shrugged_at_after_a_resumed_action(store: Any, tracker: Any, untouched: Any) -> None:
    """To the bot's policies our yes is an unknown message; what was wanted has been done, so the bot listens."""
    events = untouched.rasa_events
    for name in ("action_privacy_record_grant", "action_hours"):
        tracker.update(events.ActionExecuted(name))
    grant(store._vault, "draw")
    turns, view = untouched.privacy_turn.turns_of(tracker), untouched.privacy_turn.turn_view(tracker)
    assert turns.gate("action_default_fallback", view).action == "action_listen"
    assert turns.gate("action_hours", view) is None
    tracker.update(events.UserUttered("hm", {"name": "greet"}))
    assert turns.gate("action_default_fallback", untouched.privacy_turn.turn_view(tracker)) is None


@pytest.mark.parametrize(
    ("topic", "pending", "intent"),
    [
        ("draw", None, "privacy_withdraw"),
        ("draw", {"kind": "consent", "action": "newsletter_form", "purposes": ["newsletter"]}, "privacy_withdraw"),
        ("draw", {"kind": "consent", "action": "lead_form", "purposes": ["draw"]}, "privacy_refuse"),
        ("newsletter", None, "privacy_refuse"),
        ("newsletter", {"kind": "consent", "action": "lead_form", "purposes": ["draw"]}, "privacy_unclear"),
        (None, None, "privacy_refuse"),
    ],
)
def test_the_no_of_an_earlier_question_takes_its_yes_back(  # noqa: PLR0913, PLR0917 - fixtures and the case
    store: Any, untouched: Any, tracker: Any, topic: str | None, pending: dict[str, Any] | None, intent: str
) -> None:
    """Whoever pressed yes and then no has not agreed; of what was not agreed to, a late no changes nothing."""
    events = untouched.rasa_events
    grant(store._vault, "draw")
    tracker.update(events.SlotSet("privacy_pending", pending))
    tracker.update(events.ActionExecuted("action_privacy_ask_consent"))
    tracker.update(events.ActionExecuted("action_listen"))
    entities = [{"entity": "privacy_purpose", "value": topic}] if topic is not None else []
    tracker.update(events.UserUttered("/privacy_refuse", {"name": "privacy_refuse", "confidence": 1.0}, entities))
    view = untouched.privacy_turn.turn_view(tracker)
    assert view.intent == intent
    chosen = untouched.privacy_turn.turns_of(tracker).decide(view)
    assert (chosen is not None and chosen.action == "action_privacy_withdraw") is (intent == "privacy_withdraw")


def test_slots_for_conditions_say_what_the_ledger_says_before_a_rule_looks(
    store: Any, untouched: Any, bot_of: Any, tracker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consent that was given, or ended from outside, counts with the first prediction of the turn."""
    from rasa.shared.core.slots import BooleanSlot  # noqa: PLC0415 - imports rasa

    bot, seen = bot_of(store), []
    for name in ("draw", "newsletter"):
        tracker.slots[f"privacy_consent_{name}"] = BooleanSlot(f"privacy_consent_{name}", [], initial_value=False)
    predicted = bot.graph._predict

    def look(given: Any) -> Any:
        seen.append([given.slots[f"privacy_consent_{name}"].value for name in ("draw", "newsletter")])
        return predicted(given)

    monkeypatch.setattr(bot.graph, "_predict", look)
    bot.processor._predict_next_with_tracker(tracker)
    subject_id = grant(store._vault, "draw")
    bot.processor._predict_next_with_tracker(tracker)
    with store._vault.database.write() as connection:
        withdraw(store._vault, connection, subject_id, ["draw"], evidence(store._vault))
    bot.processor._predict_next_with_tracker(tracker)
    assert seen == [[False, False], [True, False], [False, False]]
    changed = [event.value for event in tracker.events if getattr(event, "key", "") == "privacy_consent_draw"]
    assert changed == [True, False]
    assert not untouched.privacy_turn.consent_slot_events(tracker)


@pytest.mark.parametrize(
    ("intent", "confidence", "heard"),
    [
        ("privacy_stop", 1.0, True),
        ("privacy_delete", 1.0, True),
        ("privacy_delete", 0.97, False),
        ("privacy_grant", 1.0, False),
        ("privacy_refuse", 1.0, False),
        ("enter_draw", 1.0, False),
    ],
)
def test_rights_are_used_while_a_human_has_taken_over(
    untouched: Any, store: Any, intent: str, confidence: float, *, heard: bool
) -> None:
    """A fixed wording or a button; a guess, a yes, and an answer to no question are left to the human."""
    tracker = store.init_tracker(SENDER)
    events = untouched.rasa_events
    for event in (
        events.ConversationPaused(),
        events.ActionExecuted("action_listen"),
        events.UserUttered("words", {"name": intent, "confidence": confidence}),
    ):
        tracker.update(event)
    assert untouched.privacy_turn.is_heard_while_paused(tracker) is heard
    assert not untouched.privacy_turn.is_heard_while_paused(tracker.copy())
