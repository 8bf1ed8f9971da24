"""Every event type of Rasa, and every kind of strange metadata, at the doors through which something leaves."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from rasa_privacy.minimize.detectors import MAX_CHARACTERS
from rasa_privacy.minimize.kept_texts import WITHHELD
from rasa_privacy.policy.model import Actions
from tests.support.rasa_events import saying
from tests.support.vaults import SENDER, grant

pytestmark = pytest.mark.rasa

MARK = "Zoetrope Quartz"
FULL = Actions(history="full")


def nested(depth: int) -> Any:
    """Return a mapping in a mapping, with the mark at the bottom."""
    found: Any = MARK
    for number in range(depth):
        found = {"deeper": found} if number % 2 else [found]
    return {"profile": found}


def circle() -> Any:
    """Return a mapping that holds itself."""
    found: dict[str, Any] = {"name": MARK}
    found["again"] = found
    return found


class Unprintable:
    """What a channel hung on a message, and nobody can print."""

    def __str__(self) -> str:
        raise ValueError(MARK)

    __repr__ = __str__


METADATA: dict[str, Callable[[], Any]] = {
    "bytes": lambda: {"raw": b"\x00\xff\xfe" + MARK.encode(), b"key": MARK},
    "only bytes": MARK.encode,
    "a list": lambda: [MARK, {"name": MARK}],
    "a text": lambda: MARK,
    "a set": lambda: {"names": {MARK}},
    "deep": lambda: nested(900),
    "deeper than Python": lambda: nested(50_000),
    "a megabyte": lambda: {"notes": MARK * (2**20 // len(MARK))},
    "a hundred thousand keys": lambda: {f"{MARK} {number}": number for number in range(100_000)},
    "control characters": lambda: {"a\x00b\x1b[2J\r\n": f"\x00\x1b]0;{MARK}\x07\u202e"},
    "half a character": lambda: {"name": f"\ud800{MARK}"},
    "no numbers": lambda: {"score": math.nan, "most": math.inf, "name": MARK},
    "itself": circle,
    "unprintable": lambda: {"x": Unprintable(), "name": MARK},
    "our own words": lambda: {"gpc": MARK, "language": MARK, "model_id": MARK, "assistant_id": [MARK]},
}


@pytest.mark.parametrize("kind", METADATA)
async def test_strange_metadata_stops_nothing_and_leaves_nowhere(
    kind: str, open_store: Any, bot_of: Any, untouched: Any, tmp_path: Any
) -> None:
    """The conversation goes on; nothing of it is in the store, in a payload or in what is published."""
    published: list[dict[str, Any]] = []
    store = open_store(broker=Broker(published))
    grant(store._vault, "draw")
    bot = bot_of(store)
    channel = untouched.CollectingOutputChannel()
    for metadata in (METADATA[kind](), None):
        message = untouched.rasa_api.UserMessage("hello", channel, SENDER, input_channel="rest", metadata=metadata)
        await bot.processor.handle_message(message)
    assert [payload["next_action"] for payload in bot.actions.payloads] == ["action_hours", "action_hours"]
    tracker = await store.retrieve(SENDER)
    assert tracker is not None
    assert [event.metadata.keys() for event in tracker.events if event.type_name == "user"] == [set(), set()]
    left = json.dumps([published, bot.actions.payloads])
    assert "Quartz" not in left
    assert len(left) < 100_000
    assert not [path.name for path in tmp_path.rglob("*") if path.is_file() and b"Quartz" in path.read_bytes()]


class Broker:
    """An event broker of this process."""

    def __init__(self, published: list[dict[str, Any]]) -> None:
        self._published = published

    def publish(self, event: dict[str, Any]) -> None:
        """Keep an event."""
        self._published.append(event)


@pytest.mark.parametrize("consents", [False, True])
@pytest.mark.parametrize("kind", sorted(saying("x")))
def test_no_event_type_carries_a_value_out(untouched: Any, store: Any, kind: str, consents: bool) -> None:  # noqa: FBT001 - cases
    """A value wherever a person's words can stand: to an action that does not need it, and to consumers of events."""
    if consents:
        grant(store._vault, "draw")
    event = saying(MARK)[kind]
    running = untouched.runtime.current()
    active = frozenset({"draw"}) if consents else frozenset()
    view = untouched.View(active, {"full_name": {MARK}}, items=frozenset())
    tracker = {"sender_id": SENDER, "slots": {"full_name": MARK}, "events": [event]}
    sent = untouched.emitted_tracker.minimised(tracker, running.splitter, FULL, view)
    structure, _ = running.splitter.split(event, 0, untouched.View(active, {"full_name": {MARK}}))
    out = json.dumps([sent, untouched.publishing.published([structure], b"\x01" * 16)])
    assert "Quartz" not in out.replace('"name": "Zoetrope Quartz"', "" if kind == "from_a_plugin" else "kept")
    assert sent["events"][0]["event"] == kind


def test_a_type_of_rasa_that_is_not_walked_would_be_noticed(untouched: Any) -> None:
    """The walk above names every type that Rasa has; `rasa test` has some of its own for what it reports."""
    every, module = untouched.rasa_api.all_subclasses(untouched.rasa_api.Event), untouched.rasa_events.__name__
    types = {one.type_name for one in every if one.__module__ == module}
    assert len(types) > 20
    assert {name for name in types if name} - set(saying("x")) == set()


def test_the_id_of_a_channels_message_is_not_published(untouched: Any) -> None:
    """WhatsApp's holds the phone number in base64; the one that Rasa makes says nothing."""
    for given, kept in (("wamid.HBgNNDkxNzA1NTU4MTcyFQIAEhg=", None), ("0a" * 16, "0a" * 16)):
        event = {"event": "user", "message_id": given, "parse_data": {"message_id": given}}
        (out,) = untouched.publishing.published([event], b"\x01" * 16)
        assert (out["message_id"], out["parse_data"]["message_id"]) == (kept, kept)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("rest", "rest"), ("my.Channel-2", "my.Channel-2"), (f"I am {MARK}", None), (["rest"], None), ("x" * 500, None)],
)
def test_a_channel_is_a_name_or_nothing(untouched: Any, store: Any, given: Any, kept: str | None) -> None:
    """Whoever calls the REST channel may send any text as its name."""
    event = {**saying("x")["user"], "input_channel": given}
    running = untouched.runtime.current()
    structure, _ = running.splitter.split(event, 0, untouched.View(frozenset(), {}))
    assert structure["input_channel"] == kept
    assert store


def test_metadata_keeps_what_json_holds(untouched: Any) -> None:
    """What the bot's own components read is there; the rest is left out, within the bounds."""
    bounded = untouched.message_metadata.bounded
    given = {"a": [1, 2.5, True, None, "text", {"b": ("c",)}], "raw": b"x", 5: "five", "long": "x" * 70_000}
    assert bounded(given) == {"a": [1, 2.5, True, None, "text", {"b": ["c"]}]}
    assert bounded(None) is None
    assert bounded([1]) is None
    assert len(bounded(METADATA["a hundred thousand keys"]())) < 10_001
    json.dumps(bounded(circle()))


READ = 4_096  # `message_text.MAX_READ`, without importing rasa here
ADDRESS = "zoe.quartz@mail.example"
LONG = "word " * (READ // 5 + 1)
TEXTS = {
    "a megabyte": "a " * 500_000 + ADDRESS,
    "a megabyte in one word": "x" * 1_000_000 + ADDRESS,
    "a value over the end": "1" * (MAX_CHARACTERS - 9) + " " + ADDRESS,
    "a name behind what is read": f"{LONG} I am {MARK}",
    "a name over the end of what is read": f"{LONG[: READ - 8]}{MARK} it is",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 " * 99 + ADDRESS,
    "control characters": f"\x00\x07\x1b[31m{ADDRESS}\x00\x1f",
    "right to left": f"\u202e\u05e9\u05dc\u05d5\u05dd\u200f {ADDRESS} \u202c\u0645",
    "half a character": f"\ud83d {ADDRESS} \udc00",
    "a payload that never ends": "/enter_draw" + '{"a":' * 9_000 + f'"{MARK}"',
}


@pytest.mark.parametrize("consents", [False, True], ids=["without consent", "with consent"])
@pytest.mark.parametrize("kind", TEXTS)
async def test_a_strange_text_stops_nothing_and_leaves_nowhere(
    *, kind: str, consents: bool, open_store: Any, bot_of: Any, tmp_path: Any
) -> None:
    """The pipeline reads a beginning, so that it costs no minutes; of what nobody read nothing is kept."""
    published: list[dict[str, Any]] = []
    store = open_store(broker=Broker(published))
    if consents:
        grant(store._vault, "draw")
    bot, read = bot_of(store), []
    run = bot.graph.run

    def reading(inputs: dict[str, Any], targets: list[str]) -> dict[str, Any]:
        if targets == ["nlu"]:
            read.append(inputs["__message__"][0].text)
        found: dict[str, Any] = run(inputs, targets)
        return found

    bot.graph.run = reading
    await bot.say(TEXTS[kind], SENDER)
    await bot.say("hello", SENDER)
    assert [text.strip() for text in read] == [" ".join(TEXTS[kind].split())[:READ].strip(), "hello"]
    tracker = await store.retrieve_full_tracker(SENDER)
    told = [event.text for event in tracker.events if event.type_name == "user"]
    assert len(told) == 2
    if len(TEXTS[kind]) > READ:
        assert told[0] in {WITHHELD, "/enter_draw"}
    assert tracker.latest_action_name == "action_listen"
    left = json.dumps([published, bot.actions.payloads, told])
    assert "uartz" not in left
    assert len(left) < 100_000
    assert not [path.name for path in tmp_path.rglob("*") if path.is_file() and b"uartz" in path.read_bytes()]


@pytest.mark.parametrize("blanks", [5_000, 30_000], ids=["over what is read", "over what is searched"])
async def test_a_yes_is_none_where_something_stands_behind_a_page_of_blanks(
    store: Any, bot_of: Any, untouched: Any, blanks: int
) -> None:
    """What is cut away could turn the meaning round, so that the beginning alone is no answer."""
    gap, read, bot = " \n" * blanks, [], bot_of(store)
    run = bot.graph.run

    def reading(inputs: dict[str, Any], targets: list[str]) -> dict[str, Any]:
        if targets == ["nlu"]:
            read.append(inputs["__message__"][0].text)
        found: dict[str, Any] = run(inputs, targets)
        return found

    bot.graph.run = reading
    for text in (f"yes{gap}but not for mail", f"{gap}yes{gap}"):
        message = untouched.rasa_api.UserMessage(text, None, SENDER, input_channel="rest")
        await bot.processor.log_message(message)
    assert read == ["yes but not for mail", "yes"]


async def test_a_long_text_that_the_api_adds_is_cut_too(store: Any, bot_of: Any, untouched: Any) -> None:
    """It comes past the channels, and is read and kept in memory as theirs are."""
    bot = bot_of(store)
    message = untouched.rasa_api.UserMessage("a " * 500_000, None, SENDER, input_channel="rest")
    tracker = await bot.processor.log_message(message)
    assert len(tracker.latest_message.text) == MAX_CHARACTERS + 1
