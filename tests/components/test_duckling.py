"""What leaves to Duckling, which here is a small server on this computer that answers as Duckling does."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.support.http_recorder import Recorder, recording
from tests.support.vaults import SENDER, grant

pytestmark = pytest.mark.rasa

NAME = "Zoetrope Quartz"
EMAIL = "zoe.quartz@mail.example"
TEXT = f"I am {NAME}, {EMAIL}, call +49 30 901820 tomorrow for 12 tents"
#: What the stand-in finds, as Duckling writes it (its README, "Quickstart").
DIMENSIONS = {"time": r"tomorrow", "number": r"\b\d+\b(?= tents)", "email": r"[\w.]+@[\w.]+\w"}


def answer(body: bytes) -> list[dict[str, Any]]:
    """Answer as Duckling does: dimension, place, text and value of each thing that is found."""
    text = parse_qs(body.decode())["text"][0]
    return [
        {
            "dim": dimension,
            "body": match[0],
            "start": match.start(),
            "end": match.end(),
            "latent": False,
            "value": {"value": match[0], "type": "value", "grain": "day", "values": []},
        }
        for dimension, pattern in DIMENSIONS.items()
        for match in re.finditer(pattern, text)
    ]


@pytest.fixture
def server() -> Iterator[Recorder]:
    """The stand-in."""
    with recording(answer) as recorder:
        yield recorder


def extracted(
    untouched: Any, server: Recorder, tracker: Any, text: str = TEXT, entities: Any = ()
) -> tuple[str, dict[str, str]]:
    """Let the component read a message; return what was sent, and what it found with the words of the message."""
    config = {**untouched.duckling.PrivateDuckling.get_default_config(), "url": server.url}
    component = untouched.duckling.PrivateDuckling.create(config, None, None, None)
    message = untouched.Message({"text": text, "entities": list(entities)})
    component.process([message], tracker)
    sent = parse_qs(server.bodies[-1].decode())["text"][0] if server.bodies else ""
    found = {one["entity"]: text[one["start"] : one["end"]] for one in message.get("entities")}
    assert all(one["extractor"] == "PrivateDuckling" for one in message.get("entities") if one not in entities)
    return sent, found


def test_what_detectors_find_is_hidden_and_places_stay(untouched: Any, store: Any, server: Recorder) -> None:
    """Without consent neither the address nor the number is sent; the day and the count are found where they are."""
    sent, found = extracted(untouched, server, store.init_tracker(SENDER))
    assert len(sent) == len(TEXT)
    assert not [part for part in (EMAIL, "quartz@", "901820") if part in sent]
    assert sent.endswith("tomorrow for 12 tents")
    assert found == {"time": "tomorrow", "number": "12"}


def test_values_that_the_person_gave_before_are_hidden(untouched: Any, store: Any, server: Recorder) -> None:
    """From a slot, or from an extractor that ran before."""
    tracker = store.init_tracker(SENDER)
    tracker.update(untouched.rasa_events.SlotSet("full_name", NAME))
    assert "Quartz" not in extracted(untouched, server, tracker)[0]
    person = {"entity": "PERSON", "value": NAME, "start": 5, "end": 20}
    sent, found = extracted(untouched, server, store.init_tracker(SENDER), entities=[person])
    assert "Quartz" not in sent
    assert found["PERSON"] == NAME


def test_with_consent_it_gets_what_it_looks_for(untouched: Any, store: Any, server: Recorder) -> None:
    """The draw covers email addresses and no phone numbers."""
    grant(store._vault, "draw")
    sent, found = extracted(untouched, server, store.init_tracker(SENDER))
    assert EMAIL in sent
    assert "901820" not in sent
    assert found["email"] == EMAIL


def test_a_text_that_cannot_be_searched_is_not_sent(
    untouched: Any, store: Any, server: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too long, a detector that fails, or no store in this process."""
    tracker = store.init_tracker(SENDER)
    assert extracted(untouched, server, tracker, "tomorrow " * 200_000) == ("", {})
    monkeypatch.setattr(untouched.runtime, "_current", None)
    assert extracted(untouched, server, tracker) == ("", {})
    assert server.bodies == []


def test_a_tracker_from_elsewhere_has_no_consent(untouched: Any, store: Any, server: Recorder) -> None:
    """`rasa test nlu`, or no tracker at all."""
    grant(store._vault, "draw")
    for tracker in (None, untouched.DialogueStateTracker(SENDER, [])):
        assert EMAIL not in extracted(untouched, server, tracker)[0]


def test_rasas_own_extractor_sends_everything(untouched: Any, server: Recorder) -> None:
    """So the tests above can fail."""
    plain = untouched.rasa_api.DucklingEntityExtractor
    component = plain.create({**plain.get_default_config(), "url": server.url}, None, None, None)
    component.process([untouched.Message({"text": TEXT})])
    assert parse_qs(server.bodies[-1].decode())["text"] == [TEXT]


def test_the_graph_hands_over_the_tracker(untouched: Any) -> None:
    """Rasa reads the annotations of `process`; they name the tracker."""
    from typing import get_type_hints  # noqa: PLC0415 - used here alone

    from rasa.shared.utils.common import arguments_of  # noqa: PLC0415 - imports rasa

    process = untouched.duckling.PrivateDuckling.process
    assert "tracker" in arguments_of(process)
    assert get_type_hints(process)["tracker"] == untouched.DialogueStateTracker | None
