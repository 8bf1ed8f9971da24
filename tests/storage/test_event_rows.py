"""Events as rows."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.errors import MalformedSegmentError
from rasa_privacy.storage.event_rows import SAME, WHOLE, fill, narrow, pack, unpack
from rasa_privacy.storage.payload import entries_of, merged, payloads
from tests.support.rasa_events import saying

_IDS = {"model_id": "m" * 32, "assistant_id": "bot"}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_ORIGINS = st.sampled_from(
    [{}, _IDS, {"model_id": "other"}, {"assistant_id": "bot"}, {**_IDS, "utter_action": "utter_a"}]
)
_USUAL = (
    {"event": "action", "name": "utter_a", "policy": None, "confidence": 1.0, "hide_rule_turn": True},
    {"event": "slot", "name": "city", "value": ["Ulm"]},
    {
        "event": "user",
        "text": "hi",
        "parse_data": {
            "intent": {"name": "greet", "confidence": 0.75},
            "entities": [{"entity": "city", "value": None}],
            "text": "hi",
            "metadata": {},
            "message_id": "0123456789abcdef" * 2,
            "intent_ranking": [{"name": "greet", "confidence": 0.75}, {"name": "bye", "confidence": 0.1 + 0.2}],
        },
        "input_channel": "rest",
        "message_id": "0123456789abcdef" * 2,
    },
    {
        "event": "bot",
        "text": "Hello",
        "data": {
            **dict.fromkeys(("elements", "quick_replies", "attachment", "image", "custom")),
            "buttons": [{"title": "Yes", "payload": "/affirm"}],
        },
    },
    {"event": "user_featurization", "use_text_for_featurization": False},
    {"event": "active_loop", "name": None},
    {"event": "session_started"},
)


def usual(kind: int = 0, **changes: Any) -> dict[str, Any]:
    """Return an event that has a row of its own."""
    event = {**_USUAL[kind], "timestamp": 1.25, **changes}
    return {name: value for name, value in event.items() if name != "metadata" or value}


def stored(entries: list[Any]) -> list[Any]:
    """Return what comes back once the rows were bytes."""
    return [entry for count, payload in payloads(narrow(pack(entries))) for entry in unpack(entries_of(payload, count))]


_TIMES = st.floats(allow_nan=False)


@given(st.lists(st.builds(usual, st.integers(0, len(_USUAL) - 1), timestamp=_TIMES, metadata=_ORIGINS)))
def test_usual_events_come_back_equal(events: list[dict[str, Any]]) -> None:
    """Whatever the times and ids, to the bit."""
    found = stored(events)
    assert found == events
    assert [event["timestamp"].hex() for event in found] == [event["timestamp"].hex() for event in events]


_FIELDS = st.sampled_from(
    ["event", "timestamp", "metadata", "name", "text", "data", "parse_data", "message_id", "value", "note"]
)
_CHANGED = st.builds(
    lambda kind, change: {**usual(kind), **change},
    st.integers(0, len(_USUAL) - 1),
    st.dictionaries(_FIELDS, _JSON, max_size=3),
)


@given(st.lists(_CHANGED | _JSON))
def test_any_entry_comes_back_equal(entries: list[Any]) -> None:
    """Also what is no event, and an event with fields that nobody expects."""
    assert stored(entries) == entries


@pytest.mark.parametrize("kind", range(len(_USUAL)))
def test_usual_events_have_rows_of_their_own(kind: int) -> None:
    """None of them is kept whole, with ids and without."""
    for metadata in ({}, _IDS):
        [row] = pack([usual(kind, metadata=metadata)])
        assert row[0] == kind + 1


@pytest.mark.parametrize("kind", saying("Ana"))
def test_every_type_of_rasa_comes_back_equal(kind: str) -> None:
    """Including types that have no row of their own."""
    assert stored([saying("Ana")[kind]]) == [saying("Ana")[kind]]


def test_ids_are_named_once_in_each_run() -> None:
    """The first row of a run names the ids, and a run can be read behind another or alone."""
    events = [usual(metadata=_IDS), usual(2), usual(1, metadata=_IDS), usual(metadata={"model_id": "new"})]
    first, second = pack(events), pack(events[2:])
    assert [row[2] for row in first] == [["m" * 32, "bot"], None, SAME, ["new", None]]
    assert unpack([*first, *second]) == [*events, *events[2:]]
    assert unpack(second) == events[2:]


def test_values_find_their_places() -> None:
    """In a slot, in an entity, and in an event that is kept whole; those of other events are passed over."""
    added = {"event": "entities", "timestamp": 1.25, "entities": [{"entity": "city", "value": None}]}
    rows = pack([usual(1, value=None), usual(2), added])
    path = ["entities", 0, "value"]
    fill(rows, 10, {"a": [[10, ["value"], "i", "x"], [9, ["value"], "i", "no"], [13, ["value"], "i", "no"]]})
    fill(rows, 10, {"b": [[11, ["parse_data", *path], "i", "y"], [12, path, "i", "z"]]})
    slot, message, entities = unpack(rows)
    assert slot["value"] == "x"
    assert message["parse_data"]["entities"] == [{"entity": "city", "value": "y"}]
    assert entities["entities"] == [{"entity": "city", "value": "z"}]


@pytest.mark.parametrize("path", [[], ["parse_data"], ["parse_data", "entities", 7, "value"], ["a", "b", "c", "d"]])
def test_a_value_without_a_place_is_refused(path: list[Any]) -> None:
    """A path that does not lead into its event is no format of ours, and the message shows no value."""
    with pytest.raises(MalformedSegmentError, match="row 0") as raised:
        fill(pack([usual(2)]), 0, {"a": [[0, path, "i", "secret"]]})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "row", [[], [9, 1.0, None], [1, 1.0], [1, 1.0, None], [4, 1.0, [1], 1, 2, 3], [WHOLE], "text", 5, {}]
)
def test_a_row_of_another_format_is_refused(row: Any) -> None:
    """Nothing but our own error comes out."""
    with pytest.raises(MalformedSegmentError, match="row 0"):
        unpack([row])


@given(st.lists(st.lists(_JSON, max_size=10) | _JSON, max_size=3))
def test_no_row_breaks_the_reader(rows: list[Any]) -> None:
    """Whatever stands in a payload is read as one event for each row, or refused with the number of the row."""
    try:
        events = unpack(rows)
    except MalformedSegmentError as error:
        assert re.search(r"row \d", str(error))  # noqa: PT017 - it may also be read
    else:
        assert [type(event) for event in events] == [dict] * len(rows)


def test_confidences_take_32_bits_where_those_hold_them() -> None:
    """What a network gives costs four bytes less each, and every confidence comes back to the bit."""
    exact, longer = 0.8255509734153748, 0.1 + 0.2
    confidences = {"greet": exact, "bye": longer, "other": 1e300, "none": 0.0, "zero": -0.0, "whole": 1, "no": None}
    ranking = [{"name": name, "confidence": confidence} for name, confidence in confidences.items()]
    message = usual(2)
    message["parse_data"] = {**message["parse_data"], "intent": ranking[0], "intent_ranking": ranking}
    action = usual(0, confidence=exact)
    [(_, wide)] = payloads(pack([message, action]))
    [(_, narrowed)] = payloads(narrow(pack([message, action])))
    assert len(wide) - len(narrowed) == 4 * 4
    said, done = unpack(entries_of(narrowed, 2))
    assert (said, done) == (message, action)
    assert repr(said["parse_data"]["intent_ranking"]) == repr(ranking)
    assert entries_of(merged([wide, narrowed]), 4) == entries_of(merged([narrowed, wide]), 4)
