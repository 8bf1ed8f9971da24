"""What leaves to an NLG server, which here is a real one on this computer."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rasa_privacy.consent.ledger import record_withdrawal
from rasa_privacy.errors import EmitError
from rasa_privacy.rights.standing import limit
from rasa_privacy.storage.vault import open_vault
from tests.support.http_recorder import Recorder, recording
from tests.support.vaults import SENDER, Clock, evidence, grant, settings_in

pytestmark = pytest.mark.rasa

NAME = "Zoetrope Quartz"
EMAIL = "zoe.quartz@mail.example"
RESPONSES = {
    "utter_hello": [{"text": "Hello {full_name}"}],
    "utter_bye": [{"text": "Bye"}],
    "utter_both": [{"text": "{full_name}, {email}"}],
}


@pytest.fixture
def server() -> Iterator[Recorder]:
    """An NLG server that answers each request with the response's name."""
    with recording(lambda body: {"text": json.loads(body)["response"]}) as recorder:
        yield recorder


@pytest.fixture
def tracker(store: Any, untouched: Any) -> Any:
    """A conversation in which a person said who they are, two messages ago and now."""
    events = untouched.rasa_events
    entities = [{"entity": "PERSON", "value": NAME}, {"entity": "email", "value": EMAIL}]
    made = store.init_tracker(SENDER)
    for event in (
        events.UserUttered(f"earlier {NAME}", {"name": "greet"}, entities),
        events.SlotSet("full_name", NAME),
        events.SlotSet("email", EMAIL),
        events.UserUttered(f"I am {NAME}, {EMAIL}", {"name": "greet"}, entities, metadata={"number": SENDER}),
    ):
        made.update(event)
    return made


def generator(untouched: Any, store: Any, server: Recorder) -> Any:
    """Return what Rasa makes of `nlg: {url: ...}` once our store is there, with these responses in the domain."""
    domain = store.domain.merge(untouched.rasa_api.Domain.from_dict({"version": "3.1", "responses": RESPONSES}))
    store.domain = domain
    return untouched.NaturalLanguageGenerator.create(untouched.EndpointConfig(server.url), domain)


async def request(untouched: Any, store: Any, server: Recorder, tracker: Any, response: str, **more: Any) -> Any:
    """Let a response be written and return what the server was sent."""
    written = await generator(untouched, store, server).generate(response, tracker, "rest", **more)
    assert written == {"text": response}
    return json.loads(server.bodies[-1])


async def test_without_consent_the_server_learns_names_only(
    untouched: Any, store: Any, server: Recorder, tracker: Any
) -> None:
    """No value, no text, no sender id."""
    body = await request(untouched, store, server, tracker, "utter_hello")
    assert set(body) == {"response", "id", "arguments", "tracker", "channel"}
    text = json.dumps(body)
    assert not [word for word in ("Quartz", "Zoetrope", EMAIL, "5558172", "earlier") if word in text]
    assert body["tracker"]["latest_message"]["intent"]["name"] == "greet"


async def test_a_channel_that_is_named_after_a_person_is_not_named(
    untouched: Any, store: Any, server: Recorder, tracker: Any
) -> None:
    """Who calls the REST channel may name it as they like."""
    for channel, named in ((f"phone-{SENDER}", ""), (EMAIL, ""), ("rest", "rest")):
        await generator(untouched, store, server).generate("utter_hello", tracker, channel)
        assert json.loads(server.bodies[-1])["channel"] == {"name": named}


async def test_with_consent_it_gets_the_slots_in_the_response(
    untouched: Any, store: Any, server: Recorder, tracker: Any
) -> None:
    """The greeting needs the name and not the email address, and goodbye neither; the person has a random id."""
    subject_id = grant(store._vault, "draw")
    hello = (await request(untouched, store, server, tracker, "utter_hello"))["tracker"]
    assert {name: value for name, value in hello["slots"].items() if value} == {"full_name": NAME}
    assert hello["latest_message"]["text"] == "I am [full_name], [email]"
    assert hello["sender_id"] == subject_id.hex()
    assert [event["event"] for event in hello["events"]] == ["user"]
    assert EMAIL not in json.dumps(hello)
    bye = await request(untouched, store, server, tracker, "utter_bye")
    assert not [word for word in ("Quartz", EMAIL, "5558172") if word in json.dumps(bye)]


async def test_arguments_of_an_action_lose_what_the_response_may_not_have(
    untouched: Any, store: Any, server: Recorder, tracker: Any
) -> None:
    """A reference number goes along; an email address that the action mixed in does not."""
    grant(store._vault, "draw")
    body = await request(
        untouched, store, server, tracker, "utter_hello", reference="NW-KTRB", line=f"{NAME} at {EMAIL}", count=3
    )
    assert body["arguments"] == {"reference": "NW-KTRB", "line": f"{NAME} at [email]", "count": 3}


async def test_arguments_lose_it_inside_lists_and_mappings_too(
    untouched: Any, store: Any, server: Recorder, tracker: Any
) -> None:
    """An action's buttons are arguments to Rasa, and a number may be somebody's."""
    tracker.update(untouched.rasa_events.SlotSet("postcode", 90210))
    body = await request(
        untouched,
        store,
        server,
        tracker,
        "utter_bye",
        buttons=[{"title": f"Write to {EMAIL}", "payload": "/go"}],
        custom={
            "people": [NAME, {"name": NAME}],
            f"of {EMAIL}": 1,
            "code": 90210,
            "sure": True,
            "none": None,
            "count": 3,
        },
    )
    assert body["arguments"] == {
        "buttons": [{"title": "Write to [email]", "payload": "/go"}],
        "custom": {
            "people": ["[full_name]", {"name": "[full_name]"}],
            "of [email]": 1,
            "code": "[postcode]",
            "sure": True,
            "none": None,
            "count": 3,
        },
    }


async def test_arguments_lose_the_sender_id_and_what_a_slot_held_before(
    untouched: Any, store: Any, server: Recorder, tracker: Any
) -> None:
    """An action may hand over whom it answers, and what the person has put right since."""
    grant(store._vault, "draw")
    tracker.update(untouched.rasa_events.SlotSet("email", "other@mail.example"))
    body = await request(
        untouched,
        store,
        server,
        tracker,
        "utter_bye",
        user=SENDER,
        link=f"/me?{SENDER}",
        lines=[f"was {EMAIL}", SENDER],
    )
    sent = {"user": "[sender_id]", "link": "/me?[sender_id]", "lines": ["was [email]", "[sender_id]"]}
    assert body["arguments"] == sent


async def test_arguments_lose_a_number_that_is_the_sender_id_however_it_is_written(
    untouched: Any, store: Any, server: Recorder
) -> None:
    """As the texts of the events do."""
    tracker = store.init_tracker("29104471853")
    body = await request(untouched, store, server, tracker, "utter_bye", lines=["is 29104471853", "29-104-471-853?"])
    assert body["arguments"] == {"lines": ["is [sender_id]", "[sender_id]?"]}


async def test_conditions_on_slots_still_choose_the_variation(
    untouched: Any, store: Any, server: Recorder, tracker: Any
) -> None:
    """Rasa chooses by the real slots, inside the process; the server hears the variation's id."""
    condition = [{"type": "slot", "name": "email", "value": EMAIL}]
    responses = {"utter_hello": [{"id": "for-known", "text": "Hi", "condition": condition}]}
    body = await request(untouched, store, server, tracker, "utter_hello", domain_responses=responses)
    assert body["id"] == "for-known"
    assert EMAIL not in json.dumps(body)


async def test_a_consent_that_another_process_ended_holds_for_the_next_request(  # noqa: PLR0913, PLR0917 - fixtures
    untouched: Any, store: Any, server: Recorder, tracker: Any, tmp_path: Path, url: str, clock: Clock
) -> None:
    """The action server records it while this process goes on with the same generator and the same tracker."""
    subject_id = grant(store._vault, "draw")
    made = generator(untouched, store, server)
    await made.generate("utter_hello", tracker, "rest")
    assert NAME in server.bodies[-1].decode()
    settings = replace(settings_in(tmp_path), url=url)
    with closing(open_vault(settings, clock)) as other, other.database.write() as connection:
        assert record_withdrawal(other, connection, subject_id, ["draw"], evidence(other)) == ("draw",)
    await made.generate("utter_hello", tracker, "rest")
    assert len(server.bodies) == 2
    assert not [word for word in ("Quartz", "Zoetrope", EMAIL) if word in server.bodies[-1].decode()]


ANSWERS: list[object] = [
    {"text": "Hi"},
    {},
    None,
    "",
    {"text": "Hi", "id": None, "buttons": [{"title": "Go"}], "elements": None, "image": None, "custom": {"a": 1}},
    {"text": 3},
    {"buttons": ["Go"]},
    {"attachment": "a.pdf"},
    {"custom": None},
    [],
    "Hi",
]


def verdict(kind: Any, written: object) -> object:
    """Return what a generator says of an answer: True, or why it is none."""
    try:
        return kind.validate_response(written)
    except Exception as error:  # noqa: BLE001 - the type and the words are compared
        return type(error), str(error)


@pytest.mark.parametrize("written", ANSWERS, ids=range(len(ANSWERS)))
def test_an_answer_is_judged_as_rasa_judges_it(written: object, untouched: Any, store: Any, server: Recorder) -> None:
    """What is good passes without Rasa's check of its own schema; what is bad is refused in Rasa's words."""
    ours, stock = type(generator(untouched, store, server)), untouched.rasa_api.CallbackNaturalLanguageGenerator
    assert ours is not stock
    assert verdict(ours, written) == verdict(stock, written)


async def test_an_unreadable_ledger_means_no_consent(
    untouched: Any, store: Any, server: Recorder, tracker: Any, sql: Any
) -> None:
    """The person is still answered, and nothing leaves."""
    grant(store._vault, "draw")
    sql("DROP TABLE ledger")
    body = await request(untouched, store, server, tracker, "utter_hello")
    assert "Quartz" not in json.dumps(body)
    assert body["tracker"]["sender_id"] == ""


async def test_a_process_without_our_store_sends_nothing(
    untouched: Any, store: Any, server: Recorder, tracker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no store was opened nobody can say what may leave."""
    made = generator(untouched, store, server)
    monkeypatch.setattr(untouched.runtime, "_current", None)
    with pytest.raises(EmitError, match="no protected store"):
        await made.generate("utter_hello", tracker, "rest")
    assert server.bodies == []


async def test_a_limit_on_sensitive_data_keeps_it_from_the_server(
    untouched: Any, store: Any, server: Recorder, tracker: Any
) -> None:
    """CCPA: neither as a slot, nor in what was said, nor in an argument; what is not sensitive goes along as before."""
    vault = store._vault
    item = msgspec.structs.replace(vault.policy.items["full_name"], category="health")
    policy = msgspec.structs.replace(vault.policy, items={**vault.policy.items, "full_name": item})
    object.__setattr__(vault, "policy", policy)
    subject_id = grant(vault, "draw")
    body = await request(untouched, store, server, tracker, "utter_both", line=f"for {NAME}")
    assert NAME in json.dumps(body)
    vault.database.transact(lambda connection: limit(vault, connection, subject_id, evidence(vault)))
    body = await request(untouched, store, server, tracker, "utter_both", line=f"for {NAME}")
    assert not [word for word in ("Quartz", "Zoetrope") if word in json.dumps(body)]
    assert body["tracker"]["slots"]["email"] == EMAIL
    assert body["arguments"] == {"line": "for [full_name]"}
