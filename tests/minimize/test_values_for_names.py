"""Values put where Rasa has a name, a number or a flag: by an action, a channel, or whoever calls the HTTP API."""

import json
from typing import Any

import pytest

from rasa_privacy.minimize.event_fields import number_of
from rasa_privacy.minimize.events import WITHHELD, EventSplitter
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
