"""Events and tracker state from stored rows, held against what Rasa makes of the same events one by one."""

import dataclasses
import gc
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasa_privacy.errors import MalformedSegmentError
from rasa_privacy.storage.event_rows import pack
from tests.support.rasa_events import saying

pytestmark = pytest.mark.rasa

_NAMES = st.sampled_from(["lead_form", "action_listen", "action_submit", "action_hours"])
_IDS = st.sampled_from([{}, {"model_id": "m", "assistant_id": "a"}, {"model_id": "m"}])
_ENTITIES = st.lists(
    st.builds(lambda name, value: {"entity": name, "value": value}, _NAMES, st.integers(0, 2)), max_size=2
)
_INTENTS = st.sampled_from([{}, {"name": "greet", "confidence": 0.5}, {"name": None, "confidence": None}])
_RANKINGS = st.sampled_from([[], [{"name": "greet", "confidence": 0.5}, {"name": "enter_draw", "confidence": 0.25}]])
_FLAGS = st.booleans()
_TIMES = st.floats(1.0, 2.0**40)


def _of(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    plain = st.fixed_dictionaries({"event": st.just(kind), "timestamp": _TIMES, "metadata": _IDS, **fields})
    return plain.map(lambda event: {name: value for name, value in event.items() if name != "metadata" or value})


def _message(**fields: Any) -> dict[str, Any]:
    parsed = {name: fields.pop(name) for name in ("intent", "entities", "intent_ranking")}
    shared = {"text": fields["text"], "message_id": fields["message_id"], "metadata": {}}
    return {"event": "user", **fields, "parse_data": {**parsed, **shared}, "input_channel": "rest"}


_MESSAGES = st.builds(
    _message,
    timestamp=_TIMES,
    text=st.sampled_from([None, "", "hello"]),
    message_id=st.sampled_from([None, "m1", "0" * 32, "A" * 32]),
    intent=_INTENTS,
    entities=_ENTITIES,
    intent_ranking=_RANKINGS,
)
_DATA = st.sampled_from(
    [{}, dict.fromkeys(("elements", "quick_replies", "buttons", "attachment", "image", "custom")), {"buttons": [{}]}]
)
_ACTIONS = _of("action", name=_NAMES, policy=st.none(), confidence=st.just(1.0), hide_rule_turn=_FLAGS)
_FEATURIZATIONS = _of("user_featurization", use_text_for_featurization=_FLAGS)
_LOOPS = _of("active_loop", name=st.none() | st.just("lead_form"))
_INTERRUPTIONS = _of("loop_interrupted", is_interrupted=_FLAGS)
_REJECTIONS = _of("action_execution_rejected", name=_NAMES, policy=st.none(), confidence=st.just(1.0))
_SESSIONS = _of("session_started")
_USUAL = st.one_of(
    _MESSAGES,
    _ACTIONS,
    _of("slot", name=st.sampled_from(["full_name", "email"]), value=st.none() | st.integers(0, 3)),
    _of("bot", text=st.sampled_from([None, "Hi"]), data=_DATA),
    _FEATURIZATIONS,
    _LOOPS,
    _INTERRUPTIONS,
    _REJECTIONS,
    _of("followup", name=_NAMES),
    _of("pause"),
    _of("resume"),
    _SESSIONS,
    _of("restart"),
    _of("agent", text=st.just("Hi"), data=st.none()),
    _of("reminder", intent=st.just("greet"), date_time=st.just("2026-11-24T10:00:00+00:00"), name=st.just("r")),
    _of("cancel_reminder"),
)
#: Of few kinds, so that what hangs together meets often.
_FORMS = st.one_of(_MESSAGES, _ACTIONS, _LOOPS, _INTERRUPTIONS, _REJECTIONS, _SESSIONS)
_LISTENING = st.one_of(_MESSAGES, _ACTIONS, _FEATURIZATIONS, _SESSIONS)
_TAKING_BACK = st.one_of(
    _of("rewind"),
    _of("undo"),
    _of("reset_slots"),
    _of("entities", entities=_ENTITIES),
    _of("form", name=st.none() | st.just("lead_form")),
    _of("form_validation", validate=_FLAGS),
    _of("action", name=st.none(), action_text=_NAMES, policy=st.none(), confidence=st.just(1.0)),
    _of("export"),
)
_SETTINGS = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def side(untouched: Any) -> Any:
    """Return Rasa's side, with our builder and state in it."""
    from rasa_privacy.components import event_builder, event_types, tracker_state  # noqa: PLC0415 - import rasa

    untouched.builder, untouched.types, untouched.state = event_builder, event_types, tracker_state
    untouched.bot_domain = untouched.domain()
    return untouched


def theirs(side: Any, structure: list[dict[str, Any]]) -> Any:
    """Return the tracker to which Rasa applied each event in turn."""
    tracker = side.DialogueStateTracker("x", side.bot_domain.slots)
    for parameters in structure:
        tracker.update(side.rasa_api.Event.from_parameters(parameters))
    return tracker


def ours(side: Any, structure: list[dict[str, Any]]) -> Any:
    """Return the tracker that our reader makes of the same events."""
    tracker = side.DialogueStateTracker("x", side.bot_domain.slots)
    side.state.put_events(tracker, side.builder.events_of(pack(structure)))
    return tracker


def state_of(side: Any, tracker: Any) -> dict[str, Any]:
    """Return everything that a tracker says of itself."""
    state = tracker.current_state(side.EventVerbosity.ALL)
    message, utterance = tracker.latest_message, tracker.latest_bot_utterance
    message_fields = {name: value for name, value in vars(message).items() if name != "timestamp"}
    return {
        **state,
        "types": [type(event) for event in tracker.events],
        "attributes": [vars(event) for event in tracker.events],
        "applied": [event.as_dict() for event in tracker.applied_events()],
        "message": message_fields,
        "message is stored": any(event is message for event in tracker.events),
        "utterance": (utterance.text, utterance.data, utterance.metadata),
        "loop": tracker.active_loop and dataclasses.asdict(tracker.active_loop),
        "set": {name: slot.has_been_set for name, slot in tracker.slots.items()},
        "past": tracker.past_states(side.bot_domain),
    }


@_SETTINGS
@given(structure=st.one_of(*(st.lists(kinds, min_size=6, max_size=18) for kinds in (_USUAL, _FORMS, _LISTENING))))
def test_state_is_rasas_for_usual_events(side: Any, structure: list[dict[str, Any]]) -> None:
    """Whatever was said and done, events and state are what Rasa makes of them one by one."""
    assert state_of(side, ours(side, structure)) == state_of(side, theirs(side, structure))


@_SETTINGS
@given(structure=st.lists(_USUAL | _TAKING_BACK, min_size=6, max_size=18))
def test_state_is_rasas_for_every_event(side: Any, structure: list[dict[str, Any]]) -> None:
    """Also with events that take others back, and old forms of events."""
    assert state_of(side, ours(side, structure)) == state_of(side, theirs(side, structure))


def test_usual_events_are_not_applied_one_by_one(side: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long conversation only the events that decide its state are applied."""
    applied: list[str] = []
    for name in ("ActionExecuted", "SlotSet"):
        cls = getattr(side.rasa_events, name)
        monkeypatch.setattr(cls, "apply_to", lambda event, _tracker: applied.append(event.type_name))
    turn: list[dict[str, Any]] = [
        {"event": "action", "name": "action_hours"},
        {"event": "slot", "name": "email", "value": 1},
    ]
    ours(
        side,
        [{"timestamp": 1.5, "policy": None, "confidence": None, "hide_rule_turn": False, **each} for each in turn * 50],
    )
    assert sorted(applied) == ["action", "slot"]


@pytest.mark.parametrize("kind", [kind for kind in saying("Ana") if kind != "from_a_plugin"])
def test_every_type_comes_back_equal(side: Any, kind: str) -> None:
    """Each event type of rasa 3.6.21 is again what it was."""
    stored = side.rasa_api.Event.from_parameters(saying("Ana")[kind]).as_dict()
    [event] = side.builder.events_of(pack([stored]))
    assert event.as_dict() == stored


@pytest.mark.parametrize(
    "entry",
    [{"event": "from_a_plugin"}, {"event": "action", "name": None}, {"event": 5}, {"note": 1}, {"event": "reminder"}],
)
def test_an_event_that_rasa_does_not_know_is_left_out(side: Any, entry: dict[str, Any]) -> None:
    """One event does not keep the others from being read; it stays stored."""
    known = {"event": "pause", "timestamp": 1.5}
    first, second = side.builder.events_of(pack([{**entry, "timestamp": 1.5}, known]))
    assert first is None
    assert second.as_dict() == known


def test_a_type_that_is_left_out_is_named_once(side: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The log says which type it is and how to have the events back."""
    side.builder.events_of(pack([{"event": "from_another_plugin", "timestamp": 1.5}] * 3))
    [record] = [record for record in caplog.records if "from_another_plugin" in record.getMessage()]
    assert "install the version or the plug-in" in record.getMessage()


def test_events_share_no_metadata(side: Any) -> None:
    """What somebody writes into one event's metadata does not show in another's."""
    entry = {"event": "session_started", "timestamp": 1.5, "metadata": {"model_id": "m", "assistant_id": "a"}}
    first, second = side.builder.events_of(pack([entry, entry]))
    first.metadata["note"] = 1
    assert second.as_dict() == entry


def test_rasas_own_way_is_used_where_a_class_is_not_the_one_we_know(side: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release of Rasa whose events have other attributes gets them, at the speed of its constructors."""
    begin = side.rasa_events.SlotSet.__init__

    def with_more(self: Any, *arguments: Any, **keywords: Any) -> None:
        begin(self, *arguments, **keywords)
        self.more = True

    monkeypatch.setattr(side.rasa_events.SlotSet, "__init__", with_more)
    side.builder._builders.cache_clear()
    try:
        entry = {"event": "slot", "timestamp": 1.5, "name": "email", "value": 1, "metadata": {"model_id": "m"}}
        [event] = side.builder.events_of(pack([entry]))
        assert event.more is True
        assert event.as_dict() == entry
    finally:
        monkeypatch.undo()
        side.builder._builders.cache_clear()


@pytest.mark.parametrize(
    "row", [[], [9, 1.0, None], [1, 1.0, None], [2, 1.0, "x", "a", "b"], [0], 5, [3, 1.0, *[None] * 6]]
)
def test_a_row_of_another_format_is_refused(side: Any, row: Any) -> None:
    """Nothing but our own error comes out."""
    with pytest.raises(MalformedSegmentError, match="row 0"):
        side.builder.events_of([row])


def test_the_collector_rests_until_the_last_reader_is_done(side: Any) -> None:
    """Readers in two threads share one pause, and after an error the collector runs as well."""
    from rasa_privacy.components.gc_pause import GcPause  # noqa: PLC0415 - its package imports rasa

    assert side
    paused, entered, leave = GcPause(), threading.Event(), threading.Event()

    def read() -> None:
        with paused():
            entered.set()
            leave.wait(10)

    reader = threading.Thread(target=read)
    reader.start()
    entered.wait(10)
    with pytest.raises(ValueError, match="x"), paused():
        raise ValueError("x")
    assert not gc.isenabled()
    leave.set()
    reader.join()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off(side: Any) -> None:
    """Who turned the collector off decides when it runs again."""
    from rasa_privacy.components.gc_pause import GcPause  # noqa: PLC0415 - its package imports rasa

    assert side
    gc.disable()
    try:
        with GcPause()():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("max_event_history", [None, 3])
def test_an_empty_tracker_is_the_one_that_rasa_makes(side: Any, max_event_history: int | None) -> None:
    """Every attribute is the same, slots are copies, and one that says how it is copied or reset is treated so."""
    slots = side.domain().slots
    slots[0].value = "of somebody else"

    class Careful(type(slots[0])):  # type: ignore[misc]
        def __copy__(self) -> Any:
            made = type(self)(self.name, [])
            made.copied = True
            return made

    class Counting(type(slots[0])):  # type: ignore[misc]
        resets = 0

        def reset(self) -> None:
            super().reset()
            type(self).resets += 1

    slots = [*slots, Careful("careful", []), Counting("counting", [])]
    empty = side.tracker_state.EmptySlots(slots)
    Counting.resets = 0
    for _ in range(2):
        ours = side.tracker_state.empty_tracker("ada", empty, max_event_history)
    assert Counting.resets == 2
    theirs = side.DialogueStateTracker("ada", slots, max_event_history)
    assert ours.slots.keys() == theirs.slots.keys()
    assert side.tracker_state._is_plain(type(slots[0]))
    assert not side.tracker_state._is_plain(Careful)
    for name, slot in theirs.slots.items():
        assert type(ours.slots[name]) is type(slot)
        assert vars(ours.slots[name]) == vars(slot)
    assert not any(ours.slots[slot.name] is slot for slot in slots)
    assert ours.slots["careful"].copied
    assert {name: value for name, value in vars(ours).items() if name != "slots"}.keys() == (
        vars(theirs).keys() - {"slots"}
    )
    assert ours == theirs
    assert ours.events.maxlen == theirs.events.maxlen


def test_a_slot_that_begins_with_a_list_has_its_own_in_each_conversation(side: Any) -> None:
    """A component that adds to it in its place adds nothing to what somebody else's slot begins with."""
    domain = side.rasa_api.Domain.from_dict(
        {
            "slots": {
                "basket": {"type": "any", "initial_value": {"things": []}, "mappings": [{"type": "custom"}]},
                "wishes": {"type": "list", "initial_value": [], "mappings": [{"type": "custom"}]},
            }
        }
    )
    empty = side.tracker_state.EmptySlots(domain.slots)
    somebody, other = (side.tracker_state.empty_tracker(sender, empty, None) for sender in ("ada", "zoe"))
    somebody.get_slot("basket")["things"].append("Ada's secret")
    somebody.get_slot("wishes").append("Ada's secret")
    for tracker in (other, side.tracker_state.empty_tracker("new", empty, None)):
        assert tracker.get_slot("basket") == {"things": []}
        assert tracker.get_slot("wishes") == []
