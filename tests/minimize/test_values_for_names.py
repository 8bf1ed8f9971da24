"""Values put where Rasa has a name, a number or a flag: by an action, a channel, or whoever calls the HTTP API."""

import json
from typing import Any

import pytest

from rasa_privacy.minimize.event_fields import number_of
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.kept_texts import WITHHELD
from rasa_privacy.minimize.view import View
from tests.support.rasa_events import ROW, saying
from tests.support.vaults import policy

NAME = "Zoetrope Quartz"
ADDRESS = "zoe.quartz@mail.example"
NUMBER = "+491705558172"
SPLITTER = EventSplitter(policy())
DRAW = View({"draw"}, {"full_name": {NAME}})
NAMES = {
    "action": ("name", "policy", "confidence", "hide_rule_turn"),
    "action_execution_rejected": ("name", "policy", "confidence"),
    "active_loop": ("name",),
    "form": ("name",),
    "form_validation": ("validate",),
    "loop_interrupted": ("is_interrupted",),
    "user_featurization": ("use_text_for_featurization",),
    "followup": ("name",),
    "reminder": ("name", "intent", "kill_on_user_msg"),
    "slot": ("name",),
}


def said(event: dict[str, Any], view: View = DRAW) -> str:
    """Return what is kept of an event's structure."""
    return json.dumps(SPLITTER.split(event, 0, view)[0], ensure_ascii=False)


@pytest.mark.parametrize("value", [NAME, ADDRESS, NUMBER, [NAME], {"of": ADDRESS}, {ADDRESS: 1}])
@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, fields in NAMES.items() for field in fields])
def test_a_value_in_a_field_for_a_name_is_not_kept(kind: str, field: str, value: object) -> None:
    """What is no name, number or flag is left out, and the event is kept without it."""
    kept = said({**saying("x")[kind], field: value})
    assert not any(part in kept for part in ("Quartz", "quartz", "1705558172"))
    assert json.loads(kept)["event"] == kind


INTENTS: dict[str, Any] = {
    "intent": lambda value: {"intent": {"name": value, "confidence": 0.9}},
    "confidence": lambda value: {"intent": {"name": "greet", "confidence": value}},
    "intent_ranking": lambda value: {"intent_ranking": [{"name": value, "confidence": 0.9}, {"name": "greet"}]},
    "response_selector": lambda value: {"response_selector": {"faq": {"response": {"utter_action": value}}}},
    "a selector's name": lambda value: {"response_selector": {str(value): {"response": {"utter_action": "utter_a/b"}}}},
}


@pytest.mark.parametrize("value", [NAME, f"{NAME}, {ADDRESS}", ADDRESS, NUMBER, NUMBER[1:], [NAME], {"of": ADDRESS}])
@pytest.mark.parametrize("where", INTENTS)
def test_a_value_in_place_of_an_intent_is_not_kept(where: str, value: object) -> None:
    """A component, or a caller of the HTTP API, names the intents."""
    for view in (DRAW, View(frozenset(), {})):
        kept = said({"event": "user", **ROW, "text": "hi", "parse_data": INTENTS[where](value)}, view)
        assert not any(part in kept for part in ("Quartz", "quartz", "1705558172"))
    ranked = {"event": "user", **ROW, "text": "hi", "parse_data": INTENTS["intent_ranking"](value)}
    assert [each["name"] for each in json.loads(said(ranked))["parse_data"]["intent_ranking"]] == ["greet"]


def test_a_payload_of_an_intent_that_is_none_is_a_text() -> None:
    """Of a button's payload the intent is kept, which is a name of the bot."""
    for name in ("zoe.quartz@mail.example", "01705558172", "Zoetrope"):
        parsed = {"intent": {"name": name}}
        kept = json.loads(said({"event": "user", **ROW, "text": f"/{name}", "parse_data": parsed}))
        assert name not in kept["text"]
    kept = json.loads(said({"event": "user", **ROW, "text": "/greet", "parse_data": {"intent": {"name": "greet"}}}))
    assert kept["text"] == "/greet"


def test_the_bot_s_own_names_have_any_form() -> None:
    """A builder may write blanks, a plus or a date into a name; of somebody else's names they are not kept."""
    own = {"book a table", "greet+book", "action_promo_20261129", "utter_20261129"}
    told = {"intent": {"name": "book a table"}, "intent_ranking": [{"name": "greet+book"}]}
    events = [
        {"event": "user", **ROW, "text": "hi", "parse_data": told},
        {"event": "action", **ROW, "name": "action_promo_20261129", "metadata": {"utter_action": "utter_20261129"}},
        {"event": "followup", **ROW, "name": "action_promo_20261129"},
    ]
    for names, there in ((own, True), ((), False)):
        splitter = EventSplitter(policy(), names=names)
        kept = json.dumps([splitter.split(event, 0, DRAW)[0] for event in events])
        assert [name in kept for name in sorted(own)] == [there] * 4


@pytest.mark.parametrize("value", [NUMBER[1:], int(NUMBER), float(NUMBER), 10**400])
def test_a_number_in_a_field_of_rasa_s_is_not_somebody_s(value: object) -> None:
    """A telephone number is no name, no confidence, no flag and no place in a text."""
    for kind, fields in NAMES.items():
        for field in fields:
            assert "1705558172" not in said({**saying("x")[kind], field: value})
    for field in ("start", "end", "confidence_entity", "extractor"):
        entity = {"entity": "PERSON", "value": "Zed", field: value}
        assert "1705558172" not in said({"event": "entities", **ROW, "entities": [entity]})
    event = {"event": "action", **ROW, "name": "a", "metadata": {"utter_action": f"utter_{value}"[:70]}}
    assert "1705558172" not in said(event)


@pytest.mark.parametrize("found", [NAME, ADDRESS, NUMBER, f"sms:{NUMBER}:1", f"<1@{NAME}>", "x" * 257, "", 7, None])
def test_what_has_no_form_of_a_message_s_id_is_none(found: object) -> None:
    """Channels give their own, and a caller any."""
    kept = json.loads(said({"event": "user", **ROW, "text": "hi", "message_id": found}))
    assert kept["message_id"] is kept["parse_data"]["message_id"] is None
    for known in ("a" * 32, "1355017776.000002", "wamid.HBgLMTY0NjcwNDM1OTUVAgARGBI=", "SM-8/+9", "a+12345678b=="):
        assert json.loads(said({"event": "user", **ROW, "text": "hi", "message_id": known}))["message_id"] == known


@pytest.mark.parametrize("kind", sorted(saying("x")))
def test_a_value_for_a_time_is_not_kept(kind: str) -> None:
    """An action may write its events by hand."""
    kept = json.loads(said({**saying("x")[kind], "timestamp": ADDRESS}))
    assert kept["timestamp"] is None
    assert ADDRESS not in json.dumps(kept)


@pytest.mark.parametrize("part", [ADDRESS, NAME, "phone"])
def test_the_parts_of_an_utterance_are_rasas(part: str) -> None:
    """The names of what an action says beside its text are not its own to choose."""
    event = {"event": "bot", **ROW, "text": "Hi", "data": {part: NAME, "custom": {ADDRESS: NAME}, "image": None}}
    assert json.loads(said(event))["data"] == {"custom": None, "image": None}


@pytest.mark.parametrize("payload", [f"/{NUMBER}", "/call_+4917055581722", "/pick_Zoetrope", "/Quartz", "/01705558172"])
def test_a_button_s_intent_with_a_value_in_it_is_not_kept(payload: str) -> None:
    """A button that an action makes of what it knows names the person, not an intent."""
    event = {"event": "bot", **ROW, "text": "Hi", "data": {"buttons": [{"title": "Yes", "payload": payload}]}}
    assert json.loads(said(event))["data"]["buttons"] == [{"title": "Yes", "payload": WITHHELD}]


@pytest.mark.parametrize("value", [NAME, ADDRESS, NUMBER, [ADDRESS], {"x": NAME}])
def test_what_a_form_asks_for_is_a_slot(value: object) -> None:
    """The slot that is not personal by its nature holds names of slots, whoever sets it."""
    kept = json.loads(said({"event": "slot", **ROW, "name": "requested_slot", "value": value}))
    assert kept["value"] is None
    for name in ("full_name", "favourite_activity", None):
        kept = json.loads(said({"event": "slot", **ROW, "name": "requested_slot", "value": name}))
        assert kept["value"] == name


@pytest.mark.parametrize("channel", [NUMBER, "491705558172", "whatsapp:491705558172", ADDRESS, NAME, "49.170.555.8172"])
def test_a_channel_s_name_has_no_number_in_it(channel: str) -> None:
    """Whoever calls the REST channel names the channel."""
    kept = json.loads(said({"event": "user", **ROW, "text": "hi", "input_channel": channel}))
    assert kept["input_channel"] is None
    assert json.loads(said({"event": "user", **ROW, "text": "hi", "input_channel": "rest_v2.1"}))["input_channel"]


@pytest.mark.parametrize("view", [DRAW, View({"draw"}, {})], ids=["known", "new"])
def test_words_that_an_extractor_put_otherwise_are_masked(view: View) -> None:
    """A synonym's or a date's value is not what was said; the place says what was."""
    text = "they call me big Zed from the harbour"
    entity = {"entity": "PERSON", "value": NAME, "start": 13, "end": 20, "extractor": "DIETClassifier"}
    event = {"event": "user", **ROW, "text": text, "parse_data": {"entities": [entity], "text": text}}
    structure, entries = SPLITTER.split(event, 0, view)
    assert structure["text"] == structure["parse_data"]["text"] == "they call me [full_name] from the harbour"
    assert [entry[3] for entry in entries] == [NAME]


@pytest.mark.parametrize("field", ["role", "group", "extractor", "processors", "confidence_entity", "start", "end"])
@pytest.mark.parametrize("value", [NAME, ADDRESS, [NAME, ADDRESS], {"x": NAME}])
@pytest.mark.parametrize("name", ["PERSON", "favourite_activity"])
def test_what_an_extractor_says_of_an_entity_is_no_value(field: str, value: object, name: str) -> None:
    """Roles and groups are the builder's, also with blanks in them; the others are names and numbers."""
    entity = {"entity": name, "value": "Zed", field: value}
    assert "uartz" not in said({"event": "entities", **ROW, "entities": [entity]})
    shape = {"role": "place of departure", "group": "1", "extractor": "DIETClassifier", "processors": ["Synonyms"]}
    event = {"event": "entities", **ROW, "entities": [{"entity": name, "value": "Zed", **shape}]}
    assert shape.items() <= json.loads(said(event))["entities"][0].items()


def test_a_name_for_a_key_is_known() -> None:
    """An action may keep friends by their names; a field's name is nobody's."""
    given = {"Zoe Quartz": "friend", "street_name": "Elm", ADDRESS: {"x": 1}}
    assert SPLITTER.known_values([("full_name", given)]) == {
        "full_name": {"Zoe Quartz", "friend", "Elm", ADDRESS, "1"},
    }


def test_a_sender_id_is_looked_for_where_it_is_a_number() -> None:
    """A word of a test, or a random id with dashes, would take words out of every text."""
    assert number_of("29104471853") == number_of(29104471853) == {"sender_id": {"29104471853"}}
    assert number_of("user1234567") == {"sender_id": {"user1234567"}}
    for sender_id in ("default", "user1", "ana", "5f0c-41aa-77", None, ""):
        assert number_of(sender_id) == {}


@pytest.mark.parametrize("place", [(-9, 10**9), (30, 4), (True, False), ("13", "20"), (None, None), (13.0, 20.0)])
def test_a_place_that_is_none_stops_nothing(place: tuple[Any, Any]) -> None:
    """An extractor may give any place; the value is masked all the same."""
    entity = {"entity": "PERSON", "value": NAME, "start": place[0], "end": place[1]}
    event = {"event": "user", **ROW, "text": f"I am {NAME}", "parse_data": {"entities": [entity]}}
    assert "Quartz" not in said(event)
