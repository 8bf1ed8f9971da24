"""What people and programs send that no keyboard writes: the turn goes on, and nothing personal is kept in plain."""

import msgspec
import pytest

from rasa_privacy.minimize.detectors import MAX_CHARACTERS
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.kept_texts import WITHHELD
from rasa_privacy.minimize.view import View
from tests.support.vaults import policy

VIEW = View(frozenset({"draw"}), {})
ADDRESS = "ana.li@x.example"
TEXTS = {
    "a megabyte": "a " * 500_000 + ADDRESS,
    "just over what is searched": " " * MAX_CHARACTERS + ADDRESS,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea\ufe0f " * 50 + ADDRESS,
    "control characters": f"\x00\x07\x1b[31m{ADDRESS}\x00\x1f",
    "right to left": f"\u202e\u05e9\u05dc\u05d5\u05dd\u200f {ADDRESS} \u202c\u0645\u0631\u062d\u0628\u0627",
    "another script": f"\u041f\u0438\u0448\u0438\u0442\u0435 {ADDRESS} \u8bf7\u5199\u4fe1",
    "wide letters": f"\uff21 \uff4e\uff41@\uff58\uff0eexample {ADDRESS}",
    "half a character": f"\ud83d {ADDRESS} \udc00",
    "combining": "e" + "\u0301" * 5_000 + f" {ADDRESS}",
    "one word": f"{'x' * 10_000},{ADDRESS}",
}
PARSED = {
    "offsets that are wrong": {"entities": [{"entity": "PERSON", "start": -5, "end": 10**9, "value": "Ana"}]},
    "offsets of no number": {"entities": [{"entity": "PERSON", "start": "x", "end": None, "value": "Ana"}]},
    "offsets the wrong way": {"privacy_dropped": [[9, 2, "full_name"], [0, 10**9, "full_name"]]},
    "an item that is none": {"privacy_dropped": [[0, 3, "withheld"]]},
    "no entities": {"entities": [3, "x", None, [1]]},
    "no mapping": [1],
    "a list for a name": {"intent": {"name": ["x"]}, "intent_ranking": [4], "entities": [{"entity": ["x"]}]},
}

#: Those in which the name is said to be one, or something else to be dropped.
NAMED = ("offsets that are wrong", "offsets of no number", "offsets the wrong way", "an item that is none")


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_of_a_strange_text_is_kept_in_plain(name: str) -> None:
    """It is masked, or where it cannot be searched withheld whole; in what the bot says as well."""
    splitter = EventSplitter(policy())
    for event in ({"event": "user", "text": TEXTS[name]}, {"event": "bot", "text": TEXTS[name], "data": {}}):
        kept = splitter.split(event, 0, VIEW)[0]["text"]
        assert ADDRESS not in kept
        assert kept == WITHHELD or "[email]" in kept


@pytest.mark.parametrize("name", PARSED)
def test_a_message_with_strange_parts_is_split(name: str) -> None:
    """What came by the HTTP API in no form of Rasa's is left out, and the message is kept without it."""
    event = {"event": "user", "text": f"Ana, {ADDRESS}", "parse_data": PARSED[name]}
    kept, _ = EventSplitter(policy()).split(event, 0, VIEW)
    assert ADDRESS not in msgspec.json.encode(kept).decode()
    assert ("Ana" in kept["text"]) is (name not in NAMED)


def test_deep_metadata_is_left_out() -> None:
    """A channel may put anything there, as deep as it likes."""
    deep: dict[str, object] = {"x": ADDRESS}
    for _ in range(5_000):
        deep = {"x": deep}
    kept, _ = EventSplitter(policy()).split({"event": "user", "text": "hi", "metadata": deep}, 0, VIEW)
    assert "metadata" not in kept
