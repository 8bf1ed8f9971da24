"""Where an entity was said, whatever its extractor says of it."""

from time import process_time
from typing import Any

import pytest

from rasa_privacy.minimize.entity_places import Place, Said
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.kept_texts import DROPPED
from rasa_privacy.minimize.view import View
from tests.support.vaults import policy

TEXT = "I am Zoe Quartzel of 10115"
NAME = "Zoe Quartzel"
WHOLE = [(0, len(TEXT))]
WRONG: list[tuple[Any, Any]] = [(-5, 2), (0, 4), (20, 400), (-1, -1), (9, 2), ("5", "17"), (5.0, 17.0), (True, 9)]
CHANGED = {"processors": ["EntitySynonymMapper"]}


def said_at(entity: dict[str, Any], text: str, item: str | None) -> list[Place]:
    """Return where an entity was said."""
    return Said(text).places(entity, item)


@pytest.mark.parametrize(("start", "end"), [*WRONG, (5, 17), (None, None)])
@pytest.mark.parametrize("item", ["full_name", None])
@pytest.mark.parametrize("value", [NAME, "zoe quartzel", "Quartzel, Zo\u00e9"])
def test_the_value_says_where_it_stands(start: object, end: object, item: str | None, value: str) -> None:
    """An extractor's place counts only where the value is there, and the value is found without it."""
    assert said_at({"value": value, "start": start, "end": end}, TEXT, item) == [(5, 17)]


@pytest.mark.parametrize(("start", "end"), [*WRONG, (5, 17)])
@pytest.mark.parametrize("value", ["zq1", f"{NAME} of Ulm", [NAME, "Ana"]])
def test_a_value_that_stands_nowhere_may_stand_anywhere(start: object, end: object, value: object) -> None:
    """Nobody knows which words were meant, so none of them is kept."""
    for item in ("full_name", None):
        assert said_at({"value": value, "start": start, "end": end}, TEXT, item) == WHOLE


def test_words_that_were_changed_are_where_the_extractor_says() -> None:
    """A synonym says that it changed them, Duckling what they were."""
    assert said_at({"value": "zq1", "start": 5, "end": 17, **CHANGED}, TEXT, "full_name") == [(5, 17)]
    assert said_at({"value": "zq1", "start": 5, "end": 17, "text": NAME}, TEXT, "full_name") == [(5, 17)]
    assert said_at({"value": "zq1", "start": 0, "end": 4, "text": NAME}, TEXT, "full_name") == WHOLE
    assert said_at({"value": "zq1", "start": 20, "end": 400, **CHANGED}, TEXT, "full_name") == WHOLE


def test_a_mark_for_the_message_has_no_place() -> None:
    """The mood of a message is no part of it; what has no value hides nothing but what it points at."""
    assert said_at({"value": "0.8"}, TEXT, None) == []
    assert said_at({"value": "0.8"}, TEXT, "full_name") == WHOLE
    assert said_at({"value": None}, TEXT, "full_name") == []
    assert said_at({"value": None, "start": 5, "end": 17}, TEXT, None) == [(5, 17)]
    assert said_at({"value": True, "start": -5, "end": 2}, TEXT, None) == WHOLE


def test_a_value_within_a_word_is_found_where_no_word_is_it() -> None:
    """Most are words of their own, and then "Ana" is not in "banana"."""
    assert said_at({"value": "Ana"}, "Ana, a banana", "full_name") == [(0, 3)]
    assert said_at({"value": "Ana"}, "a banana", "full_name") == [(3, 6)]


@pytest.mark.parametrize("messages", ["masked", "full"])
def test_what_was_dropped_is_not_kept_however_it_is_written(messages: str) -> None:
    """Between its words there may be more blanks than known values have, or the place may be all of the text."""
    splitter, view = EventSplitter(policy(messages)), View({"newsletter"}, {})
    text = "Zoe ------ Quartzel!! :-)"
    for places in ([[0, 19, "full_name"]], [[0, len(text), "withheld"]]):
        kept, _ = splitter.split({"event": "user", "text": text, "parse_data": {DROPPED: places}}, 0, view)
        assert "Zoe" not in kept["text"]
        assert "Quartzel" not in kept["text"]


def test_what_a_caller_calls_a_dropped_place_is_not_kept() -> None:
    """Only the name of an item stands in its stead, and a place before the text begins is its beginning."""
    for place in ([5, 17, "Ana Li"], [-5, 17, "Ana Li"]):
        event = {"event": "user", "text": TEXT, "parse_data": {DROPPED: [place]}}
        kept, _ = EventSplitter(policy()).split(event, 0, View({"draw"}, {}))
        assert kept["text"] in {"I am [withheld] of 10115", "[withheld] of 10115"}


def test_many_entities_of_a_message_are_found_in_little_time() -> None:
    """The text is read once, and not for each of them: a list of numbers has hundreds."""
    count = 800
    text = " ".join(str(number) for number in range(1_000, 1_000 + count))
    each, together = [], []
    for _ in range(3):
        said, started = Said(text), process_time()
        for number in range(1_000, 1_000 + count):
            assert len(said.places({"entity": "number", "value": number}, None)) == 1
        together.append(process_time() - started)
        started = process_time()
        for _ in range(50):
            Said(text).places({"entity": "number", "value": 1_000}, None)
        each.append((process_time() - started) / 50)
    assert min(together) < min(each) * count * 0.7


@pytest.mark.parametrize("messages", ["masked", "full"])
def test_a_text_of_which_nothing_is_kept_is_not_looked_through(messages: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is long where the pipeline did not read all of it, and masking it by itself takes half a second then."""
    splitter, text = EventSplitter(policy(messages)), "a " * 10_000
    monkeypatch.setattr(splitter.detection, "find", lambda _: pytest.fail("the text was looked through"))
    event = {"event": "user", "text": text, "parse_data": {DROPPED: [[0, len(text), "withheld"]]}}
    kept, _ = splitter.split(event, 0, View({"draw"}, {}))
    assert kept["text"] == kept["parse_data"]["text"] == "[withheld]"


def test_an_entity_that_never_met_the_minimizer_is_masked() -> None:
    """A caller of the HTTP API sends the entities along."""
    for entity in ({"entity": "unknown", "value": NAME, "start": -1, "end": -1}, {"value": NAME}):
        event = {"event": "user", "text": TEXT, "parse_data": {"entities": [entity]}}
        kept, _ = EventSplitter(policy()).split(event, 0, View({"draw"}, {}))
        assert kept["text"] == "I am [withheld] of 10115"
