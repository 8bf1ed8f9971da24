"""What becomes of each event: its structure says nothing personal, its values go to the purposes that own them."""

import json
from collections.abc import Collection
from copy import deepcopy
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.minimize.entries import Entry, join
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.kept_texts import WITHHELD
from rasa_privacy.minimize.view import View
from rasa_privacy.policy.contacts import PROOF
from rasa_privacy.policy.operations import Identity
from tests.support.rasa_events import ROW, TIME, message, saying, utterance
from tests.support.vaults import policy

NAME = "Zoetrope Quartz"
EMAIL = "zoe.quartz@mail.example"
NOBODY = View(frozenset(), {})
DRAW = View({"draw", "draw:postcode"}, {"full_name": {NAME}})
TURN = View({"draw"}, {"full_name": {NAME}}, privacy_turn=True)
NEWS = View({"newsletter", "newsletter:birthday"}, {"full_name": {NAME}})
ENTITY_SLOTS = {"mail": {"email"}, "sport": {"favourite_activity"}, "mixed": {"favourite_activity", "phone"}}
SPLITTERS = {keep: EventSplitter(policy(keep), ENTITY_SLOTS) for keep in ("masked", "full", "none")}
MASKED = SPLITTERS["masked"]
KINDS = tuple(saying(NAME))


def slot(name: str, value: object) -> dict[str, Any]:
    """Return a slot event."""
    return {"event": "slot", **ROW, "name": name, "value": value}


def dumped(value: object) -> str:
    """Return a structure as text, in which a value can be looked for."""
    return json.dumps(value, ensure_ascii=False)


def by_purpose(entries: list[Entry], view: View, splitter: EventSplitter = MASKED) -> dict[str, list[Entry]]:
    """Return entries by the purposes that hold them, as the store seals them."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        for purpose in splitter.purposes_for(entry[2], view.active):
            found.setdefault(purpose, []).append(entry)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("view", [NOBODY, NEWS, TURN], ids=["none", "other", "turn"])
def test_nothing_is_kept_that_is_not_consented(kind: str, view: View) -> None:
    """Without consent, with consent to something else, and in a privacy request, no event keeps the name."""
    event = saying(NAME)[kind]
    structure, entries = MASKED.split(event, 7, view)
    assert entries == []
    assert "Quartz" not in dumped(structure)
    assert (structure["event"], structure["timestamp"]) == (kind, TIME)


@pytest.mark.parametrize("kind", KINDS)
def test_with_consent_the_value_is_in_the_entries_only(kind: str) -> None:
    """Each place that an item fills is one entry of the draw; no structure shows the value."""
    structure, entries = MASKED.split(saying(NAME)[kind], 7, DRAW)
    assert "Quartz" not in dumped(structure)
    paths = {
        "user": ["parse_data", "entities", 0, "value"],
        "entities": ["entities", 0, "value"],
        "reminder": ["entities", 0, "value"],
        "cancel_reminder": ["entities", 0, "value"],
        "slot": ["value"],
    }
    assert entries == ([[7, paths[kind], "full_name", NAME]] if kind in paths else [])


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("user_featurization", {"use_text_for_featurization": False}),
        ("restart", {}),
        ("rewind", {}),
        ("reset_slots", {}),
        ("undo", {}),
        ("export", {}),
        ("followup", {"name": "action_submit"}),
        ("pause", {}),
        ("resume", {}),
        (
            "action",
            {"name": "action_submit", "policy": "policy_1_RulePolicy", "confidence": 1.0, "hide_rule_turn": False},
        ),
        ("active_loop", {"name": "lead_form"}),
        ("form", {"name": "lead_form"}),
        ("loop_interrupted", {"is_interrupted": True}),
        ("form_validation", {"validate": False}),
        ("action_execution_rejected", {"name": "lead_form", "policy": "policy_1_RulePolicy", "confidence": 1.0}),
        ("session_started", {}),
        ("from_a_plugin", {}),
    ],
)
@pytest.mark.parametrize("view", [NOBODY, DRAW], ids=["none", "draw"])
def test_what_the_bot_needs_is_kept_whatever_was_consented(kind: str, kept: dict[str, Any], view: View) -> None:
    """Names and flags of the bot's own stay; of an unknown type only type and time do."""
    assert MASKED.split(saying(NAME)[kind], 0, view) == ({"event": kind, "timestamp": TIME, **kept}, [])


def test_selected_response_keeps_its_name_only() -> None:
    """A retrieval action finds its response on a tracker that was read back; what is no name is dropped."""
    event = message(NAME)
    event["parse_data"]["response_selector"] = {
        "faq": {"response": {"utter_action": "utter_faq/hours", "responses": [{"text": NAME}], "confidence": 0.9}},
        f"{NAME} ": {"response": {"utter_action": "utter_faq/hours"}},
        "other": {"response": {"utter_action": f"utter_faq/{NAME} "}},
        "broken": NAME,
    }
    structure, _ = MASKED.split(event, 0, NOBODY)
    assert structure["parse_data"]["response_selector"] == {"faq": {"response": {"utter_action": "utter_faq/hours"}}}
    event["parse_data"]["response_selector"] = NAME
    assert "response_selector" not in MASKED.split(event, 0, NOBODY)[0]["parse_data"]


def test_message_keeps_its_intent_and_loses_the_rest() -> None:
    """Without consent a message is its intent, where it came from, and why there is no text."""
    structure, _ = MASKED.split(message(NAME), 0, NOBODY)
    assert structure == {
        "event": "user",
        "timestamp": TIME,
        "text": WITHHELD,
        "parse_data": {
            "intent": {"name": "enter_draw", "confidence": 0.75},
            "entities": [],
            "text": WITHHELD,
            "metadata": {},
            "message_id": "m1",
            "intent_ranking": [
                {"name": "enter_draw", "confidence": 0.75},
                {"name": "greet", "confidence": None},
            ],
        },
        "input_channel": "rest",
        "message_id": "m1",
    }


@pytest.mark.parametrize(
    ("keep", "view", "text"),
    [
        ("masked", NOBODY, WITHHELD),
        ("masked", NEWS, "I am [full_name], [email]"),
        ("masked", DRAW, "I am [full_name], [email]"),
        ("full", NOBODY, WITHHELD),
        ("full", DRAW, f"I am {NAME}, {EMAIL}"),
        ("full", View({"fitting"}, {}), f"I am {NAME}, [email]"),
        ("none", DRAW, WITHHELD),
        ("masked", View({"draw"}, {}, privacy_turn=True), WITHHELD),
        ("full", View({"draw"}, {}, privacy_turn=True), WITHHELD),
    ],
)
def test_texts_are_kept_as_privacy_yml_says(keep: str, view: View, text: str) -> None:
    """Masked, whole or not at all; and never without an active purpose or in a privacy request."""
    event = {"event": "user", **ROW, "text": f"I am {NAME}, {EMAIL}"}
    structure, _ = SPLITTERS[keep].split(event, 0, view)
    assert structure["text"] == structure["parse_data"]["text"] == text


def test_full_messages_hide_the_known_values_of_other_purposes() -> None:
    """`full` is for what was agreed to: a name given for the draw is masked once only the newsletter is active."""
    assert SPLITTERS["full"].text(f"I am {NAME}", NEWS) == "I am [full_name]"


@pytest.mark.parametrize("entity", ["PERSON", "mail", "email"])
@pytest.mark.parametrize("view", [View({"draw"}, {}), View({"fitting"}, {})], ids=["draw", "fitting"])
def test_value_of_an_entity_is_masked_in_its_message(entity: str, view: View) -> None:
    """What an extractor recognised is known, whether or not a slot holds it."""
    structure, _ = MASKED.split(message("Quartzling", entity), 0, view)
    assert "Quartzling" not in dumped(structure)


@pytest.mark.parametrize("text", [None, ""])
def test_no_text_stays_no_text(text: str | None) -> None:
    """An event without words is not said to have had some."""
    assert MASKED.text(text, DRAW) is None


@pytest.mark.parametrize("text", [17, ["a"], {"text": NAME}, "x" * 20_001])
def test_what_cannot_be_searched_is_withheld(text: object) -> None:
    """A text that is none, or too long for the detectors, is treated as personal from end to end."""
    assert MASKED.text(text, DRAW) == WITHHELD


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        (f'/inform{{"full_name": "{NAME}"}}', "/inform"),
        (f'/inform {{"full_name": "{NAME}"}}', "/inform"),
        (f'/inform@0.9{{"full_name": "{NAME}"}}', "/inform"),
        (f"/inform {NAME}", "/inform"),
        ("/privacy_grant", "/privacy_grant"),
        (NAME, WITHHELD),
        (None, WITHHELD),
        (17, WITHHELD),
    ],
)
def test_button_keeps_its_intent_only(payload: object, kept: str) -> None:
    """The values that a button would send are not kept, however its payload is written."""
    event = {"event": "bot", **ROW, "text": "Right?", "data": {"buttons": [{"title": "Yes", "payload": payload}]}}
    structure, _ = MASKED.split(event, 0, View({"draw"}, {}))
    (button,) = structure["data"]["buttons"]
    assert button["title"] == "Yes"
    assert button["payload"].split("@")[0].strip() == kept


@pytest.mark.parametrize("text", [f'/inform{{"full_name": "{NAME}"}}', f"/inform@1.0 {NAME}"])
@pytest.mark.parametrize("keep", ["masked", "full"])
def test_message_that_names_an_intent_is_kept_as_that_intent(text: str, keep: str) -> None:
    """Of a button that was pressed the values are not in the text."""
    event = {"event": "user", **ROW, "text": text, "parse_data": {"intent": {"name": "inform"}}}
    structure, _ = SPLITTERS[keep].split(event, 0, DRAW)
    assert structure["text"] == structure["parse_data"]["text"] == "/inform"


def test_only_rasas_own_metadata_is_kept() -> None:
    """What a channel or an action adds is not, and neither is a value of another type under a known name."""
    event = {"event": "action", **ROW, "name": "a", "metadata": {"model_id": "M", "utter_action": [NAME], "x": NAME}}
    assert MASKED.split(event, 0, DRAW)[0]["metadata"] == {"model_id": "M"}
    assert "metadata" not in MASKED.split({**event, "metadata": {"x": NAME}}, 0, DRAW)[0]


def test_values_are_cut_as_privacy_yml_says() -> None:
    """Postcode and birthday keep their part, a validation sees the whole."""
    assert MASKED.split(slot("postcode", "90210"), 0, DRAW)[1] == [[0, ["value"], "postcode", "902"]]
    assert MASKED.split(slot("birthday", "3 May 1990"), 0, NEWS)[1] == [[0, ["value"], "birthday", "1990"]]
    whole = View({"draw", "draw:postcode"}, {}, whole=True)
    assert MASKED.split(slot("postcode", "90210"), 0, whole)[1] == [[0, ["value"], "postcode", "90210"]]


def test_slots_that_are_not_personal_stay_in_the_structure() -> None:
    """So do Rasa's own and ours; a slot that nobody classified does not."""
    for name in ("favourite_activity", "requested_slot"):
        assert MASKED.split(slot(name, "hiking"), 0, NOBODY) == (slot(name, "hiking"), [])
    assert MASKED.split(slot("forgotten", "hiking"), 0, DRAW) == (slot("forgotten", None), [])


def test_a_question_about_who_somebody_is_stays_open() -> None:
    """It names no purpose of privacy.yml; where nobody is to prove anything there is no such question."""
    asked = Pending("code", "action_privacy_show_data", (PROOF,)).to_slot()
    proving = EventSplitter(msgspec.structs.replace(policy(), identity=Identity()))
    assert proving.split(slot("privacy_pending", asked), 0, NOBODY)[0]["value"] == asked
    assert MASKED.split(slot("privacy_pending", asked), 0, NOBODY)[0]["value"] is None


def test_privacy_request_fills_no_slot_of_the_bot() -> None:
    """The words of an opt-out are no favourite activity either; our own slots are filled all the same."""
    turn = View({"draw"}, {}, privacy_turn=True)
    assert MASKED.split(slot("favourite_activity", f"STOP, {NAME}"), 0, turn) == (slot("favourite_activity", None), [])
    pending = Pending("erase").to_slot()
    assert MASKED.split(slot("privacy_pending", pending), 0, turn)[0]["value"] == pending
    assert MASKED.split(slot("privacy_pending", {"kind": "erase", "note": NAME}), 0, turn)[0]["value"] == pending
    assert MASKED.split(slot("privacy_result", NAME), 0, turn)[0]["value"] is None


@pytest.mark.parametrize(
    ("entity", "item", "plain"),
    [
        ("PERSON", "full_name", False),
        ("mail", "email", False),
        ("mixed", "phone", False),
        ("sport", None, True),
        ("favourite_activity", None, True),
        ("privacy_purpose", None, True),
        ("unknown", None, False),
    ],
)
def test_entity_is_what_its_slots_are(entity: str, item: str | None, *, plain: bool) -> None:
    """Where an entity fills a personal slot and another, the personal one counts; without slots it is not kept."""
    assert MASKED.item_of_entity(entity) == item
    assert MASKED.is_plain_entity(entity) is plain


def test_dropped_entities_do_not_shift_the_others() -> None:
    """The path of an entry counts the entities that are kept."""
    entities = [{"entity": name, "value": f"v{index}"} for index, name in enumerate(("unknown", "sport", "PERSON"))]
    structure, entries = MASKED.split({"event": "entities", **ROW, "entities": entities}, 4, View({"draw"}, {}))
    assert structure["entities"] == [{"entity": "sport", "value": "v1"}, {"entity": "PERSON", "value": None}]
    assert entries == [[4, ["entities", 1, "value"], "full_name", "v2"]]
    join([structure], 4, {"draw": entries})
    assert structure["entities"][1]["value"] == "v2"


@pytest.mark.parametrize(
    ("number", "plain"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.int64(5), 5),
        (np.int64(2**53 + 1), 2**53 + 1),
        (np.uint8(7), 7),
        (np.bool_(True), True),  # noqa: FBT003 - numpy's own signature
        (np.str_("a"), "a"),
    ],
)
def test_numbers_of_numpy_become_pythons(number: object, plain: object) -> None:
    """Classifiers and extractors give numpy's types, which have no stored form; the value stays the same."""
    structure, _ = MASKED.split(slot("favourite_activity", number), 0, NOBODY)
    _, [entry] = MASKED.split(slot("full_name", [number, {"n": number}]), 0, DRAW)
    for value in (structure["value"], entry[3][0], entry[3][1]["n"]):
        assert value == plain
        assert type(value) is type(plain)


def test_confidences_and_places_of_numpy_are_stored_as_numbers() -> None:
    """Intent, ranking and entities of a message come out in plain types."""
    event = message("Ana")
    event["parse_data"]["intent"]["confidence"] = np.float32(0.5)
    event["parse_data"]["entities"][0]["confidence_entity"] = np.float64(0.25)
    structure, _ = MASKED.split(event, 0, DRAW)
    assert type(structure["parse_data"]["intent"]["confidence"]) is float
    assert type(structure["parse_data"]["entities"][0]["confidence_entity"]) is float


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON.filter(lambda value: value is not None), seq=st.integers(0, 10**6))
def test_join_gives_back_what_split_took(value: object, seq: int) -> None:
    """Structure and entries together are the event again, whatever the value, and the event given in is not changed."""
    events = [
        slot("full_name", value),
        {"event": "entities", **ROW, "entities": [{"entity": "PERSON", "value": value}]},
    ]
    before = deepcopy(events)
    parts = [MASKED.split(event, seq + index, DRAW) for index, event in enumerate(events)]
    structure = [part[0] for part in parts]
    join(structure, seq, {"draw": [entry for part in parts for entry in part[1]]})
    assert structure == before == events


def test_losing_one_purpose_leaves_the_rest() -> None:
    """Without the draw's values the email is still there for the newsletter, and the events go on."""
    view = View({"draw", "newsletter", "newsletter:birthday"}, {})
    events = [slot("full_name", NAME), slot("email", EMAIL), slot("birthday", "1990"), message(EMAIL, "email")]
    parts = [MASKED.split(event, seq, view) for seq, event in enumerate(events)]
    structure = [part[0] for part in parts]
    values = by_purpose([entry for part in parts for entry in part[1]], view)
    assert {name: {entry[2] for entry in entries} for name, entries in values.items()} == {
        "draw": {"full_name", "email"},
        "newsletter": {"email", "birthday"},
    }
    del values["draw"]
    join(structure, 0, values)
    assert [event.get("value") for event in structure] == [None, EMAIL, "1990", None]
    assert structure[3]["parse_data"]["entities"][0]["value"] == EMAIL


def test_values_of_events_that_are_not_read_are_passed_over() -> None:
    """Reading the last session only, entries of older events find no place and do no harm."""
    structure = [slot("full_name", None)]
    join(structure, 10, {"draw": [[9, ["value"], "full_name", "old"], [11, ["value"], "full_name", "late"]]})
    assert structure == [slot("full_name", None)]


ITEMS = {
    "full_name": ("full_name", "PERSON", {"draw", "fitting"}),
    "email": ("email", "email", {"draw", "newsletter"}),
    "phone": ("phone", "phone", {"fitting"}),
    "postcode": ("postcode", "postcode_entity", {"draw"}),
    "birthday": ("birthday", "birthday_entity", {"newsletter"}),
}
WORDS = st.text("abcdefghijklmnopqrstuvwxyzäößéñżшя", min_size=3, max_size=10).map("Zq{}".format)
VALUES = (
    st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
    | st.tuples(WORDS, WORDS).map("{0[0]}@{0[1]}.example".format)
    | st.integers(10**7, 10**12).map("+49{}".format)
)


@given(
    value=VALUES,
    item=st.sampled_from(sorted(ITEMS)),
    active=st.sets(st.sampled_from(("draw", "newsletter", "fitting"))),
    keep=st.sampled_from(("masked", "none")),
    privacy_turn=st.booleans(),
)
def test_no_value_of_an_unconsented_item_is_anywhere(
    value: str, item: str, active: Collection[str], keep: str, *, privacy_turn: bool
) -> None:
    """Whatever the person said, wherever it stands and whatever else is active: the structure does not say it."""
    slot_name, entity, owners = ITEMS[item]
    allowed = set(active) - owners
    view = View(allowed, {item: {value}}, privacy_turn)
    for event in saying(value, slot_name, entity).values():
        structure, entries = SPLITTERS[keep].split(event, 0, view)
        assert value not in dumped(structure)
        assert entries == []


def test_events_without_their_parts_are_split_too() -> None:
    """The HTTP API takes events with missing or empty fields; none of them stops a save."""
    for kind in KINDS:
        bare = {"event": kind, "timestamp": None, "parse_data": None, "data": None, "entities": None, "metadata": None}
        structure, entries = MASKED.split(bare, 0, DRAW)
        assert (structure["event"], entries) == (kind, [])
    assert MASKED.split({}, 0, DRAW) == ({"event": None, "timestamp": None}, [])


def test_bot_echo_of_a_value_is_masked() -> None:
    """Text and title of a button are masked as a message is; images and custom payloads are not kept."""
    structure, _ = MASKED.split(utterance(NAME), 0, DRAW)
    assert structure["text"] == "Hello [full_name]!"
    assert structure["data"]["buttons"] == [{"title": "I am [full_name]", "payload": "/inform"}, {}]
    assert {name for name, value in structure["data"].items() if value is not None} == {"buttons"}


NUMBER = "4917055581723"
CALLED = View({"draw"}, {"full_name": {NAME}, "sender_id": {NUMBER}})


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("appointment", "appointment"),
        ("follow_up_2026-11-29", "follow_up_2026-11-29"),
        (f"call_{NUMBER}", None),
        (f"remind-{NUMBER}", None),
        (NUMBER, None),
        ("call_01705558172", None),
        ("Zoetrope-Quartz", None),
    ],
)
@pytest.mark.parametrize("kind", ["reminder", "cancel_reminder"])
def test_a_reminder_that_is_named_after_a_person_loses_its_name(kind: str, name: str, kept: str | None) -> None:
    """Actions like to name it after the sender id, to find it again."""
    event = {"event": kind, "name": name, "intent": "EXTERNAL_call", "date_time": "2026-11-29T10:00:00+00:00"}
    structure, entries = MASKED.split(event, 0, CALLED)
    assert (structure["name"], structure["intent"], entries) == (kept, "EXTERNAL_call", [])


@pytest.mark.parametrize("kind", ["reminder", "cancel_reminder"])
def test_the_time_of_a_reminder_is_a_time(kind: str) -> None:
    """Through the HTTP API a text may stand there; Rasa writes ISO 8601."""
    for said in ("2026-11-29T10:00:00+00:00", "2026-11-29T10:00:00.123456", "2026-11-29T10:00:00"):
        assert MASKED.split({"event": kind, "date_time": said}, 0, DRAW)[0]["date_time"] == said
    for other in (f"when {EMAIL} is there", NUMBER, {"at": EMAIL}):
        assert MASKED.split({"event": kind, "date_time": other}, 0, DRAW)[0]["date_time"] is None


@pytest.mark.parametrize("name", [f"phone_of_{NUMBER}", "email:zoe.quartz", "Zoetrope-Quartz", NUMBER])
def test_a_slot_that_nobody_declared_is_not_named_after_a_person(name: str) -> None:
    """An action may set a slot of any name; Rasa passes over it, and the event is there all the same."""
    view = replace(CALLED, known={**CALLED.known, "email": {"zoe.quartz"}})
    assert MASKED.split(slot(name, "x"), 0, view)[0]["name"] == WITHHELD
    assert MASKED.split(slot("some_other_slot", "x"), 0, view)[0]["name"] == "some_other_slot"


def test_a_confidence_is_a_number() -> None:
    """Through the HTTP API a text may stand there."""
    intent = {"name": "greet", "confidence": EMAIL}
    event = {"event": "user", "text": "x", "parse_data": {"intent": intent, "intent_ranking": [intent]}}
    parsed = MASKED.split(event, 0, DRAW)[0]["parse_data"]
    assert parsed["intent"] == parsed["intent_ranking"][0] == {"name": "greet", "confidence": None}
