"""What leaves to the action server, and what may not run there."""

import dataclasses
import json
from collections.abc import Callable, Iterable
from typing import Any

import jsonschema
import msgspec
import pytest

from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.policy.contacts import PROOF
from rasa_privacy.policy.model import Actions
from rasa_privacy.policy.needs import Needs
from rasa_privacy.policy.operations import Identity
from rasa_privacy.rights.standing import limit
from tests.support.vaults import SENDER, Clock, evidence, grant

pytestmark = pytest.mark.rasa

NAME = "Zoetrope Quartz"
EMAIL = "zoe.quartz@mail.example"
PAYLOAD_PARTS = {"next_action", "sender_id", "tracker", "domain", "version"}


@pytest.fixture
def ask_hook(store: Any, untouched: Any) -> Callable[..., dict[str, Any]]:
    """Return a function that sends Rasa's real payload of a tracker through Rasa's plugin manager."""

    def send(action: str, events: Iterable[Any]) -> dict[str, Any]:
        tracker = store.init_tracker(SENDER)
        for event in events:
            tracker.update(event)
        body = {
            "next_action": action,
            "sender_id": SENDER,
            "tracker": tracker.current_state(untouched.EventVerbosity.ALL),
            "domain": store.domain.as_dict(),
            "version": "3.6.21",
        }
        hook = untouched.rasa_api.plugin_manager().hook
        cut: dict[str, Any] = hook.prefix_stripping_for_custom_actions(json_body=body)
        return cut

    return send


@pytest.fixture
def said(untouched: Any) -> list[Any]:
    """Return a conversation in which everything personal was said, some turns ago and now."""
    events = untouched.rasa_events
    entities = [{"entity": "PERSON", "value": NAME}, {"entity": "email", "value": EMAIL}]
    return [
        events.UserUttered(f"earlier {NAME}", {"name": "greet"}, entities),
        events.BotUttered(f"Hello {NAME}"),
        events.SlotSet("full_name", NAME),
        events.SlotSet("phone", "+49 170 5558172"),
        events.SlotSet("postcode", "90210"),
        events.SlotSet("favourite_activity", "hiking"),
        events.UserUttered(f"I am {NAME}, {EMAIL}", {"name": "enter_draw"}, entities, input_channel="rest"),
        events.SlotSet("email", EMAIL),
    ]


@pytest.mark.parametrize("action", ["lead_form", "action_submit", "validate_lead_form"])
def test_guarded_action_without_consent_is_rejected(ask_hook: Any, said: Any, untouched: Any, action: str) -> None:
    """What bypasses the ensemble does not reach the action server; Rasa predicts anew."""
    with pytest.raises(untouched.rasa_api.ActionExecutionRejection) as raised:
        ask_hook(action, said)
    assert raised.value.action_name == action
    assert "Quartz" not in str(raised.value)


def test_consent_to_something_else_opens_no_action(ask_hook: Any, said: Any, store: Any, untouched: Any) -> None:
    """The newsletter's consent does not start the draw."""
    grant(store._vault, "newsletter")
    with pytest.raises(untouched.rasa_api.ActionExecutionRejection):
        ask_hook("action_submit", said)


@pytest.mark.parametrize("action", ["action_hours", "action_privacy_show_data", "action_validate_slot_mappings"])
def test_payload_without_consent_holds_nothing_personal(ask_hook: Any, said: Any, action: str) -> None:
    """An ordinary action runs, and learns the intent and the plain slots."""
    body = ask_hook(action, said)
    assert set(body) == PAYLOAD_PARTS
    text = json.dumps(body)
    assert not [
        word for word in ("Quartz", "Zoetrope", EMAIL, "90210", '"902"', "5558172\\u", "earlier") if word in text
    ]
    assert body["sender_id"] == body["tracker"]["sender_id"] == SENDER
    assert body["tracker"]["slots"]["favourite_activity"] == "hiking"
    assert body["tracker"]["latest_message"]["intent"]["name"] == "enter_draw"


def test_payload_holds_the_consented_items_as_they_may_be_kept(ask_hook: Any, said: Any, store: Any) -> None:
    """With consent to the draw its action gets name, email and three characters of the postcode, and no phone."""
    grant(store._vault, "draw", "draw:postcode")
    tracker = ask_hook("action_submit", said)["tracker"]
    slots = {name: value for name, value in tracker["slots"].items() if value is not None}
    assert slots == {
        "full_name": NAME,
        "email": EMAIL,
        "postcode": "902",
        "favourite_activity": "hiking",
    }
    assert [entity["value"] for entity in tracker["latest_message"]["entities"]] == [NAME, EMAIL]
    assert tracker["latest_message"]["text"] == "I am [full_name], [email]"
    assert [event["event"] for event in tracker["events"]] == ["user", "slot"]


def test_an_action_gets_the_items_that_it_needs_and_no_others(
    ask_hook: Any, said: Any, store: Any, untouched: Any
) -> None:
    """An action that no purpose guards gets nothing of the person, unless privacy.yml declares it."""
    grant(store._vault, "draw")
    body = ask_hook("action_hours", said)
    assert not [word for word in ("Quartz", EMAIL) if word in json.dumps(body)]
    assert body["tracker"]["latest_message"]["text"] == "I am [full_name], [email]"
    running = untouched.runtime.current()
    declared = Actions(items={"action_hours": ("full_name",)})
    running.needs = Needs(msgspec.structs.replace(running.vault.policy, actions=declared))
    tracker = ask_hook("action_hours", said)["tracker"]
    assert tracker["slots"]["full_name"] == NAME
    assert [entity["entity"] for entity in tracker["latest_message"]["entities"]] == ["PERSON"]
    assert EMAIL not in json.dumps(tracker)


def test_a_full_text_is_masked_where_the_action_does_not_need_it(ask_hook: Any, said: Any, open_store: Any) -> None:
    """With `messages: full` the text holds consented values, for those that need them."""
    store = open_store("full")
    grant(store._vault, "draw")
    assert ask_hook("action_submit", said)["tracker"]["latest_message"]["text"] == f"I am {NAME}, {EMAIL}"
    assert ask_hook("action_hours", said)["tracker"]["latest_message"]["text"] == "I am [full_name], [email]"


def with_history(untouched: Any, history: Any) -> None:
    """Let the running store have a privacy.yml with this history."""
    running = untouched.runtime.current()
    policy = msgspec.structs.replace(running.vault.policy, actions=Actions(history=history))
    running.vault = dataclasses.replace(running.vault, policy=policy)


@pytest.mark.parametrize(("history", "kinds"), [("turn", 2), ("session", 5), ("full", 12)])
def test_history_is_as_long_as_privacy_yml_says(  # noqa: PLR0913, PLR0917 - six fixtures
    ask_hook: Any, said: Any, store: Any, untouched: Any, history: Any, kinds: int
) -> None:
    """A turn begins with the message, a session with its start; whatever goes along is minimised."""
    vault = store._vault
    with_history(untouched, history)
    grant(vault, "draw")
    events = untouched.rasa_events
    later = [events.SessionStarted(), events.SlotSet("email", EMAIL), events.BotUttered(f"Hi {NAME}"), *said[-2:]]
    sent = ask_hook("action_submit", [*said[:-1], *later])["tracker"]
    assert len(sent["events"]) == kinds
    assert sent["latest_message"]["text"] == "I am [full_name], [email]"
    assert "earlier Zoetrope" not in json.dumps(sent)
    texts = [event["text"] for event in sent["events"] if event["event"] in ("user", "bot")]
    assert not [text for text in texts if "Quartz" in text or EMAIL in text]


def test_a_value_that_was_replaced_is_masked_in_earlier_texts(ask_hook: Any, store: Any, untouched: Any) -> None:
    """A slot that holds something else by now still tells what an old text may not show."""
    vault, events = store._vault, untouched.rasa_events
    with_history(untouched, "full")
    grant(vault, "draw")
    said = [
        events.UserUttered("it is Oddment Vale", {"name": "greet"}),
        events.SlotSet("full_name", "Oddment Vale"),
        events.UserUttered("no, Other", {"name": "greet"}),
        events.SlotSet("full_name", "Other"),
    ]
    assert "Oddment" not in json.dumps(ask_hook("action_hours", said))


def test_message_that_started_a_loop_does_not_leave_by_it(ask_hook: Any, said: Any, store: Any, untouched: Any) -> None:
    """Rasa keeps that message with the active loop; its text leaves masked or not at all."""
    grant(store._vault, "draw")
    events = [*said, untouched.rasa_events.ActiveLoop("lead_form")]
    loop = ask_hook("action_submit", events)["tracker"]["active_loop"]
    assert loop["name"] == "lead_form"
    assert "Quartz" not in json.dumps(loop)
    loop, action = (
        untouched.rasa_events.ActiveLoop("of Oddment Vale"),
        untouched.rasa_events.ActionExecuted("Oddment Vale"),
    )
    assert "Oddment" not in json.dumps(ask_hook("action_submit", [*said, loop, action]))


def test_validation_sees_values_whole(ask_hook: Any, said: Any, store: Any) -> None:
    """Whether a postcode is right cannot be judged from three characters."""
    grant(store._vault, "draw", "draw:postcode")
    assert ask_hook("validate_lead_form", said)["tracker"]["slots"]["postcode"] == "90210"


def test_privacy_request_leaves_without_its_words(ask_hook: Any, store: Any, untouched: Any) -> None:
    """Our actions get the intent, our own entities and responses, and nothing that was typed."""
    grant(store._vault, "draw")
    entities = [{"entity": "privacy_purpose", "value": "draw"}, {"entity": "PERSON", "value": NAME}]
    event = untouched.rasa_events.UserUttered(f"stop it, {NAME}", {"name": "privacy_withdraw"}, entities)
    body = ask_hook("action_privacy_withdraw", [event])
    assert body["tracker"]["latest_message"]["entities"] == entities[:1]
    assert "Quartz" not in json.dumps(body)
    assert set(body["domain"]) == {"responses"}
    assert all(name.startswith("utter_privacy_") for name in body["domain"]["responses"])


def test_an_action_of_the_bot_gets_the_domain_without_our_part(ask_hook: Any, said: Any, store: Any) -> None:
    """What this package adds to the domain is as long as a small bot's own, and no action of the bot needs it."""
    domain = ask_hook("action_hours", said)["domain"]
    assert set(domain) == set(store.domain.as_dict())
    assert set(domain["responses"]) == {"utter_greet"}
    assert sorted(map(str, domain["intents"])) == ["enter_draw", "greet"]
    assert not [name for name in domain["actions"] if str(name).startswith("action_privacy_")]
    assert "lead_form" in domain["forms"]


def test_unreadable_ledger_lets_only_our_own_actions_out(ask_hook: Any, said: Any, sql: Any, untouched: Any) -> None:
    """Without a ledger nobody has consented; the privacy actions still run, so that the person is told."""
    sql("DROP TABLE ledger")
    sql("DROP TABLE conversations")
    with pytest.raises(untouched.rasa_api.ActionExecutionRejection):
        ask_hook("action_hours", said)
    assert "Quartz" not in json.dumps(ask_hook("action_privacy_show_data", said))


def test_process_without_our_store_sends_nothing(
    ask_hook: Any, said: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no store was opened there is nobody to ask."""
    monkeypatch.setattr(untouched.runtime, "_current", None)
    with pytest.raises(untouched.rasa_api.ActionExecutionRejection):
        ask_hook("action_hours", said)


def test_consent_is_read_at_the_moment_of_sending(ask_hook: Any, said: Any, store: Any, clock: Clock) -> None:
    """A consent that ran out since the last turn opens nothing."""
    grant(store._vault, "draw", "newsletter")
    clock.advance(days=400)
    assert ask_hook("action_hours", said)["tracker"]["slots"]["full_name"] is None


@pytest.mark.parametrize(
    ("action", "intent", "said", "passed"),
    [
        ("action_privacy_send_code", "privacy_contact", f"it is {EMAIL}, thanks", EMAIL),
        ("action_privacy_send_code", "privacy_resend", f"it is {EMAIL}", None),
        ("action_privacy_confirm_code", "privacy_code", f"123 456, and write to {EMAIL}", "123456"),
        ("action_hours", "privacy_contact", f"it is {EMAIL}", None),
        ("action_privacy_ask_consent", "privacy_code", "123456", None),
    ],
)
def test_contact_and_code_alone_pass_to_what_takes_them(  # noqa: PLR0913, PLR0917 - fixtures and the case
    ask_hook: Any, untouched: Any, action: str, intent: str, said: str, passed: str | None
) -> None:
    """Nothing else of the message does, and no other action gets them."""
    events = untouched.rasa_events
    pending = Pending("contact", "newsletter_form", ("newsletter",)).to_slot()
    body = ask_hook(action, [events.SlotSet("privacy_pending", pending), events.UserUttered(said, {"name": intent})])
    assert body["tracker"]["latest_message"]["text"] == (passed or "[withheld]")
    assert body["tracker"]["events"][0]["text"] == "[withheld]"


def test_a_contact_for_a_proof_passes_to_what_takes_it(ask_hook: Any, untouched: Any) -> None:
    """And nothing else of the message; without `identity:` not even that."""
    events = untouched.rasa_events
    pending = Pending("contact", "action_privacy_show_data", (PROOF,)).to_slot()
    said = [
        events.SlotSet("privacy_pending", pending),
        events.UserUttered(f"it is {EMAIL}", {"name": "privacy_contact"}),
    ]
    assert ask_hook("action_privacy_send_code", said)["tracker"]["latest_message"]["text"] == "[withheld]"
    vault = untouched.runtime.current().vault
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, identity=Identity()))
    assert ask_hook("action_privacy_send_code", said)["tracker"]["latest_message"]["text"] == EMAIL


ANSWERS = [
    {"events": [], "responses": []},
    {"events": [{"event": "slot", "timestamp": None, "name": "email", "value": EMAIL}], "responses": [{"text": "hi"}]},
    {"events": [{"event": "slot", "value": EMAIL}]},
    {"events": [{"event": "no such event", "name": EMAIL}]},
    {"events": {"event": "slot"}},
    {"responses": ["hi"]},
    {"responses": EMAIL},
    [],
    {},
]


@pytest.mark.parametrize(
    ("text", "intent", "pending", "value"),
    [
        ("my email is wrong, it is ana@new.example", "privacy_correct", None, "ana@new.example"),
        ("my email is wrong", "privacy_correct", None, ""),
        ("it is ana@new.example then", "privacy_value", Pending("correct", items=("email",)), "ana@new.example"),
        (f"{NAME} and nothing else", "privacy_value", None, ""),
        (f"my name is not {NAME}", "privacy_why", None, ""),
    ],
)
def test_the_right_value_alone_passes_to_what_puts_it_right(  # noqa: PLR0913, PLR0917 - fixtures and the case
    ask_hook: Any, store: Any, untouched: Any, text: str, intent: str, pending: Pending | None, value: str
) -> None:
    """Of what was typed nothing else leaves, and to no other action."""
    grant(store._vault, "newsletter")
    events = untouched.rasa_events
    asked = [events.SlotSet("privacy_pending", pending.to_slot())] if pending is not None else []
    spoken = [*asked, events.UserUttered(text, {"name": intent})]
    assert ask_hook("action_privacy_correct", spoken)["tracker"]["latest_message"]["text"] == value
    assert "new.example" not in json.dumps(ask_hook("action_privacy_explain", spoken))


def test_a_limit_on_sensitive_data_keeps_it_from_what_does_not_need_it(
    ask_hook: Any, said: Any, store: Any, untouched: Any
) -> None:
    """Named under `actions` is not needed; needed is what a purpose that guards the action requires."""
    vault = store._vault
    item = msgspec.structs.replace(vault.policy.items["full_name"], category="health")
    policy = msgspec.structs.replace(
        vault.policy,
        items={**vault.policy.items, "full_name": item},
        actions=Actions(items={"action_hours": ("full_name", "email")}),
    )
    object.__setattr__(vault, "policy", policy)
    untouched.runtime.current().needs = Needs(policy)
    subject_id = grant(vault, "draw")
    assert ask_hook("action_hours", said)["tracker"]["slots"]["full_name"] == NAME
    vault.database.transact(lambda connection: limit(vault, connection, subject_id, evidence(vault)))
    slots = ask_hook("action_hours", said)["tracker"]["slots"]
    assert (slots["full_name"], slots["email"]) == (None, EMAIL)
    assert ask_hook("action_submit", said)["tracker"]["slots"]["full_name"] == NAME


def verdict(action: Any, answer: Any) -> object:
    """Return what an action says of an answer: True, or why it is none."""
    try:
        return action._validate_action_result(answer)
    except jsonschema.ValidationError as error:
        return str(error)


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_an_answer_is_judged_as_rasa_judges_it(answer: Any, store: Any, untouched: Any) -> None:
    """What is good passes without Rasa's check of its own schema; what is bad is refused in Rasa's words."""
    ours = untouched.rasa_api.action_module.RemoteAction("a", None)
    stock = untouched.rasa_api.RemoteAction("a", None)
    assert store
    assert type(ours) is not type(stock)
    assert verdict(ours, answer) == verdict(stock, answer)
