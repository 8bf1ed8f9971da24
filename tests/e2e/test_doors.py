"""What bypasses the ensemble and the NLU graph, over HTTP: the second guards of the four doors."""

import json
from datetime import datetime, timezone
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from rasa_privacy.cli.rest import request_json
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import ServerError
from rasa_privacy.rights.withdrawal import withdraw
from tests.e2e.harness import RunningBot
from tests.e2e.people import Person, ledger_of, new_person, store_of, stored_values
from tests.e2e.search import Sink, assert_nowhere

pytestmark = [pytest.mark.e2e]


def api(bot: RunningBot, person: Person, path: str, body: Any = None) -> Any:
    """Call Rasa's HTTP API for one conversation."""
    return request_json(f"{bot.servers.url}/conversations/{person.sender}/{path}", body, seconds=30)


def refused(bot: RunningBot, person: Person, path: str, body: bytes, method: str) -> tuple[int, str]:
    """Call Rasa's HTTP API where that fails, and return the status and the answer."""
    url = f"{bot.servers.url}/conversations/{person.sender}/{path}"
    request = Request(url, body, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - our own server
    with pytest.raises(HTTPError) as caught, urlopen(request, timeout=30):  # noqa: S310 - as above
        pass
    with caught.value as answer:
        return answer.code, answer.read().decode()


def grant(bot: RunningBot, person: Person) -> None:
    """Ask for the draw and agree."""
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    chat.press("Yes, I agree")
    chat.press("Yes, that too")


def test_executed_action_without_consent_is_rejected(bot: RunningBot) -> None:
    """`POST /execute` names an action past the ensemble; it is stopped before anything is sent, and the caller told."""
    person = new_person()
    bot.chat(person.sender).say("hello")
    body = json.dumps({"name": "action_submit_entry"}).encode()
    status, told = refused(bot, person, "execute", body, "POST")
    assert status == 409
    assert "needs a consent that the person has not given" in told
    assert b"needs a consent that the person has not given" in bot.servers.logs[0].read_bytes()
    assert not any(b'"next_action": "action_submit_entry"' in payload for payload in bot.payloads(person.sender))


def test_followup_form_without_consent_does_not_start(bot: RunningBot) -> None:
    """A `FollowupAction` names the form past the ensemble; its validation is rejected, so that it never starts."""
    person = new_person()
    chat = bot.chat(person.sender)
    followup = {"event": "followup", "name": "lead_form"}
    with bot.proxy.rewriting(lambda _payload, answer: {**answer, "events": [*answer["events"], followup]}):
        chat.say("what do you know about me?")
    tracker = api(bot, person, "tracker")
    assert not tracker["active_loop"]
    chat.say(person.name)
    assert stored_values(bot, person.sender) == {}


def test_slots_set_through_the_api_are_not_kept_without_consent(bot: RunningBot) -> None:
    """`POST /tracker/events` bypasses the NLU graph; Store drops what no purpose covers."""
    person = new_person()
    bot.chat(person.sender).say("hello")
    api(bot, person, "tracker/events", [{"event": "slot", "name": "email", "value": person.email}])
    message = {
        "event": "user",
        "text": f"I am {person.name}",
        "parse_data": {"intent": {"name": "greet"}, "entities": []},
    }
    api(bot, person, "tracker/events", [message])
    assert stored_values(bot, person.sender) == {}
    assert_nowhere(person.values, bot.sinks())


def test_external_intent_does_not_open_the_gate(bot: RunningBot) -> None:
    """A trigger without consent asks nothing: the caller hears why, and its entities are not kept."""
    person = new_person()
    bot.chat(person.sender).say("hello")
    trigger = {"name": "enter_draw", "entities": {"email": person.email}}
    with pytest.raises(ServerError, match="409"):
        api(bot, person, "trigger_intent?output_channel=latest", trigger)
    assert ledger_of(bot, person.sender) == []
    assert stored_values(bot, person.sender) == {}
    assert_nowhere(person.values, bot.sinks())


def test_stop_is_obeyed_while_a_human_has_taken_over(bot: RunningBot) -> None:
    """Rasa predicts nothing in a paused conversation; an opt-out and a deletion do not wait for its end."""
    person = new_person()
    grant(bot, person)
    chat = bot.chat(person.sender)
    chat.say(person.name)
    api(bot, person, "tracker/events", [{"event": "pause"}])
    assert chat.say("hello") == []
    (stopped,) = chat.say("STOP")
    assert "opted out" in stopped.text
    assert ledger_of(bot, person.sender)[-1] == ("prize_draw", "withdrawn")
    assert stored_values(bot, person.sender) == {}
    assert chat.say("hello") == []
    chat.say("delete my data")
    assert "Deleted" in chat.press("Yes, delete it")[0].text


def test_browser_signal_is_recorded_once(bot: RunningBot) -> None:
    """`Sec-GPC: 1` on the REST channel is an opt-out of sale and sharing; a message without it is none."""
    person, other = new_person(), new_person()
    bot.chat(other.sender).say("hello")
    for _ in range(2):
        body = json.dumps({"sender": person.sender, "message": "hello"}).encode()
        headers = {"Content-Type": "application/json", "Sec-GPC": "1"}
        request = Request(f"{bot.servers.url}/webhooks/rest/webhook", data=body, headers=headers)  # noqa: S310 - our own
        with urlopen(request, timeout=60) as response:  # noqa: S310 - our own
            assert json.load(response)
    assert ledger_of(bot, person.sender) == [("sale_or_sharing", "refused")]
    assert ledger_of(bot, other.sender) == []


def test_payload_holds_the_turn_and_not_the_history(bot: RunningBot) -> None:
    """The action server gets the events since the last message and the slots of consented purposes only."""
    person = new_person()
    grant(bot, person)
    chat = bot.chat(person.sender)
    chat.say(person.name)
    chat.say(person.email)
    chat.say("skip")
    payload = bot.payloads(person.sender)[-1].decode()
    assert '"event": "session_started"' not in payload
    assert payload.count('"event": "user"') == 1


def test_withdrawal_from_outside_counts_from_the_next_turn(bot: RunningBot) -> None:
    """Consent that ends between two turns closes a form that is under way."""
    person = new_person()
    grant(bot, person)
    chat = bot.chat(person.sender)
    chat.say(person.name)
    with store_of(bot) as vault, vault.database.write() as connection:
        subject_id = vault.subjects.find(connection, person.sender)
        assert subject_id is not None
        evidence = Evidence("outside", "cli", "en", datetime.now(timezone.utc))
        withdraw(vault, connection, subject_id, ["prize_draw"], evidence)
    chat.say(person.email)
    assert [button.payload.split("{")[0] for button in chat.offered][:2] == ["/privacy_grant", "/privacy_refuse"]
    assert stored_values(bot, person.sender) == {}


def test_an_error_of_the_http_api_quotes_nothing(bot: RunningBot) -> None:
    """Rasa puts the text of the exception into its answer; here its type stands there, and the log has no more."""
    person = new_person()
    bot.chat(person.sender).say("hello")
    wrong = {"event": "slot", "name": [person.name], "value": person.email}
    _, told = refused(bot, person, "tracker/events", json.dumps(wrong).encode(), "PUT")
    assert json.loads(told)["reason"]
    assert_nowhere([*person.values, person.sender], [Sink("answer", told.encode()), *bot.sinks()])
