"""What leaves through the event broker: structure under a random id, whoever publishes, and who was erased."""

import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rasa_privacy.components.event_broker import PrivateEventBroker
from rasa_privacy.errors import ConfigurationError, EmitError
from rasa_privacy.rights.erasure import erase
from tests.support.brokers import SERVERS, Server
from tests.support.rasa_events import saying
from tests.support.vaults import SENDER, START, evidence, grant

pytestmark = pytest.mark.rasa

NAME = "Zoetrope Quartz"
EMAIL = "zoe.quartz@mail.example"
MARKS = ("Quartz", "Zoetrope", EMAIL, SENDER, SENDER.replace(" ", ""), "5558172")
Open = Callable[..., Any]


class Inner:
    """A broker that keeps what it gets, or is away.

    Attributes:
        got: What was published.
        broken: What `publish` raises, if anything.
    """

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.broken: Exception | None = None

    def publish(self, event: dict[str, Any]) -> None:
        """Take an event."""
        if self.broken is not None:
            raise self.broken
        self.got.append(json.loads(json.dumps(event)))

    def is_ready(self) -> bool:
        """Be there."""
        return True

    async def close(self) -> None:
        """End."""


@pytest.fixture
def inner() -> Inner:
    """Return a broker in memory."""
    return Inner()


@pytest.fixture
def broker(inner: Any) -> PrivateEventBroker:
    """Return our broker around it."""
    return PrivateEventBroker(inner)


@pytest_asyncio.fixture(params=[pytest.param("rabbitmq", marks=pytest.mark.rabbitmq), "kafka", "sql"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    """Return the server of each kind of broker."""
    async with SERVERS[request.param](tmp_path) as found:
        yield found


async def made(untouched: Any, settings: dict[str, Any]) -> Any:
    """Return what Rasa makes of a block `event_broker:` that names our broker."""
    config = {"type": "rasa_privacy.PrivateEventBroker", **settings}
    return await untouched.rasa_api.EventBroker.create(untouched.EndpointConfig.from_dict(config))


async def take(store: Any, events: list[Any], sender: str = SENDER) -> Any:
    """Let a conversation go on by these events as Rasa does."""
    tracker = await store.get_or_create_tracker(sender, append_action_listen=False)
    for event in events:
        tracker.update(event)
    await store.save(tracker)
    return tracker


def one_turn(untouched: Any) -> list[Any]:
    """Return a turn in which the person's name and address stand in every place that Rasa has for them."""
    events = untouched.rasa_events
    entities = [{"entity": "PERSON", "value": NAME}, {"entity": "email", "value": EMAIL}]
    return [
        events.UserUttered(f"I am {NAME}, {EMAIL}", {"name": "greet"}, entities, metadata={"from": SENDER}),
        events.SlotSet("full_name", NAME),
        events.SlotSet("phone", SENDER),
        events.BotUttered(f"Hello {NAME}", {"buttons": [{"title": NAME, "payload": f'/x{{"n": "{NAME}"}}'}]}),
        events.ActionExecuted("action_listen"),
    ]


def marks_in(raws: list[bytes]) -> list[str]:
    """Return the marks that can be read in published messages."""
    text = b"\n".join(raws).decode()
    return [mark for mark in MARKS if mark in text]


async def test_servers_get_structure_and_erasures(open_store: Open, untouched: Any, server: Server) -> None:
    """RabbitMQ, Kafka and SQL hold the events of a turn without a value, and hear that the person was erased."""
    broker = await made(untouched, {"broker": server.settings})
    store = open_store(broker=broker)
    subject_id = grant(store._vault, "draw")
    await take(store, one_turn(untouched))
    raws = await server.messages(5)
    bodies = sorted((json.loads(raw) for raw in raws), key=lambda body: body["timestamp"])  # Kafka has no order
    assert [body["event"] for body in bodies] == ["user", "slot", "slot", "bot", "action"]
    assert {body["sender_id"] for body in bodies} == {subject_id.hex()}
    assert bodies[0]["text"] == "I am [full_name], [email]"
    assert marks_in(raws) == []
    erase(store._vault, SENDER, evidence(store._vault))
    await take(store, [untouched.rasa_events.ActionExecuted("action_listen")], "somebody else")
    heard = {body["event"]: body["sender_id"] for body in await server.events(2)}
    assert heard["privacy_erased"] == subject_id.hex()
    await broker.close()


async def test_erasure_is_announced_once(
    open_store: Open, untouched: Any, broker: PrivateEventBroker, inner: Inner
) -> None:
    """Whoever erased, the next save of anybody announces it, and none after that."""
    store = open_store(broker=broker)
    subject_id = grant(store._vault, "draw")
    await take(store, one_turn(untouched))
    erase(store._vault, SENDER, evidence(store._vault))
    for number in range(3):
        await take(store, [untouched.rasa_events.ActionExecuted("action_listen")], f"other {number}")
    erased = [event for event in inner.got if event["event"] == "privacy_erased"]
    now = store._vault.clock().timestamp()
    assert erased == [{"event": "privacy_erased", "sender_id": subject_id.hex(), "timestamp": now}]


async def test_erasure_waits_for_a_broker_that_is_away(
    open_store: Open, untouched: Any, broker: PrivateEventBroker, inner: Inner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be delivered is announced when the broker is back, also by another server."""
    store = open_store(broker=broker)
    grant(store._vault, "draw")
    erase(store._vault, SENDER, evidence(store._vault))
    listen = [untouched.rasa_events.ActionExecuted("action_listen")]

    async def away(*_: object) -> bool:
        return False

    with monkeypatch.context() as patch:
        patch.setattr("rasa_privacy.components.delivery.deliver", away)
        await take(store, listen, "other")
    assert [event["event"] for event in inner.got] == ["action"]
    await take(open_store(broker=broker), listen, "other")
    assert [event["event"] for event in inner.got].count("privacy_erased") == 1


async def test_every_erasure_of_a_store_is_announced_to_a_new_broker(
    open_store: Open, untouched: Any, broker: PrivateEventBroker, inner: Inner
) -> None:
    """Erasures from before there was a broker are announced too: its consumers may hold older events."""
    store = open_store()
    subjects = {grant(store._vault, "draw", sender=f"s{number}").hex() for number in range(3)}
    for number in range(3):
        erase(store._vault, f"s{number}", evidence(store._vault))
    await take(open_store(broker=broker), [untouched.rasa_events.ActionExecuted("action_listen")], "other")
    assert {event["sender_id"] for event in inner.got if event["event"] == "privacy_erased"} == subjects


async def test_rabbitmq_without_a_connection_has_delivered_nothing(untouched: Any) -> None:
    """A broker that is not connected does not count as having published."""
    pika = untouched.rasa_api.PikaEventBroker("127.0.0.1", "guest", "guest", queues=["none"])
    assert await PrivateEventBroker(pika).deliver(untouched.publishing.erased(bytes(16), START)) is False


async def test_export_publishes_no_more_than_the_store(
    open_store: Open, untouched: Any, broker: PrivateEventBroker, inner: Inner
) -> None:
    """`rasa export` reads whole conversations from the store; they leave without values and under the random id."""
    store = open_store()
    subject_id = grant(store._vault, "draw")
    await take(store, one_turn(untouched))
    tracker = await store.retrieve_full_tracker(SENDER)
    assert tracker.get_slot("full_name") == NAME
    await untouched.Exporter(store, broker, "endpoints.yml").publish_events()
    assert [event["event"] for event in inner.got] == ["user", "slot", "slot", "bot", "action"]
    assert {event["sender_id"] for event in inner.got} == {subject_id.hex()}
    assert inner.got[0]["text"] == "[withheld]"
    assert marks_in([json.dumps(event).encode() for event in inner.got]) == []


@pytest.mark.parametrize("kind", sorted(saying(NAME)))
def test_no_foreign_event_passes_with_a_value(store: Any, broker: PrivateEventBroker, inner: Inner, kind: str) -> None:
    """Whatever else publishes, of whichever type, is minimised first."""
    grant(store._vault, "draw")
    broker.publish({**saying(NAME)[kind], "sender_id": SENDER})
    assert marks_in([json.dumps(event).encode() for event in inner.got]) == []
    assert inner.got[0]["event"] == kind


def test_event_of_nobody_is_not_published(store: Any, broker: PrivateEventBroker, inner: Inner, untouched: Any) -> None:
    """An event of a sender that the store does not know, or without a store, is refused."""
    assert store is not None
    with pytest.raises(EmitError, match="does not know its sender"):
        broker.publish({"event": "slot", "name": "email", "value": EMAIL, "sender_id": SENDER})
    untouched.runtime._current = None
    with pytest.raises(EmitError, match="no protected store") as raised:
        broker.publish({"event": "slot", "name": "email", "value": EMAIL, "sender_id": SENDER})
    assert EMAIL not in str(raised.value)
    assert inner.got == []


async def test_texts_that_are_kept_in_full_leave_masked(
    open_store: Open, untouched: Any, broker: PrivateEventBroker, inner: Inner
) -> None:
    """A consumer's copy ends with no consent, so `messages: full` holds for the store alone."""
    store = open_store("full", broker)
    grant(store._vault, "draw")
    tracker = await take(store, one_turn(untouched))
    assert tracker is not None
    assert (await store.retrieve_full_tracker(SENDER)).events[0].text == f"I am {NAME}, {EMAIL}"
    assert inner.got[0]["text"] == "I am [full_name], [email]"
    await untouched.Exporter(store, broker, "endpoints.yml").publish_events()
    assert marks_in([json.dumps(event).encode() for event in inner.got]) == []


@pytest.mark.parametrize("keep", ["masked", "full"])
async def test_the_link_for_a_copy_leaves_without_its_secret(
    open_store: Open, untouched: Any, broker: PrivateEventBroker, inner: Inner, keep: str
) -> None:
    """Whoever reads the queue sooner than the person could collect the copy; the person's own message has it."""
    store = open_store(keep, broker)
    grant(store._vault, "draw")
    link = f"https://bot.example/collect/{secrets.token_urlsafe(32)}"
    await take(store, [*one_turn(untouched), untouched.rasa_events.BotUttered(f"Your copy is here, once: {link}")])
    assert str((await store.retrieve_full_tracker(SENDER)).events[-1].text).endswith(link)
    sent = json.dumps(inner.got)
    assert "https://bot.example/collect/[link]" in sent
    assert link.rpartition("/")[2] not in sent


async def test_broker_that_fails_does_not_end_the_turn(
    open_store: Open, untouched: Any, broker: PrivateEventBroker, inner: Inner, caplog: pytest.LogCaptureFixture
) -> None:
    """The turn is stored; the log says that an event was not published, and not which."""
    inner.broken = OSError(NAME)
    store = open_store(broker=broker)
    await take(store, one_turn(untouched))
    assert len((await store.retrieve_full_tracker(SENDER)).events) == 5
    assert "An event was not published" in caplog.text


async def test_damaged_note_of_announcements_does_not_end_the_turn(
    open_store: Open, untouched: Any, inner: Any, sql: Any, caplog: Any
) -> None:
    """A row that somebody changed is named in the log, and turns go on."""
    store = open_store(broker=PrivateEventBroker(inner))
    sql("INSERT INTO meta (name, value) VALUES ('erasures_announced', x'00')")
    with caplog.at_level(logging.ERROR):
        await take(store, one_turn(untouched))
    assert "Announcing erasures" in caplog.text
    assert len(inner.got) == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "'broker' must name the broker"),
        ({"broker": "pika"}, "'broker' must name the broker"),
        ({"broker": {"url": "x"}}, "'broker' must name the broker"),
        ({"broker": {"type": "rasa_privacy.PrivateEventBroker"}}, "again"),
        ({"broker": {"type": "sql"}, "url": "amqp://u:hunter2@h"}, "'url' is not known"),
        ({"broker": {"type": "no.such.Broker"}}, "no broker of this 'type'"),
        ({"broker": {"type": "sql", "dialekt": "hunter2"}}, "cannot be made of these settings"),
        ({"broker": {"type": "pika", "url": "h", "password": "hunter2"}}, "cannot be made of these settings"),
    ],
)
async def test_broker_that_cannot_be_made_is_an_error(untouched: Any, settings: dict[str, Any], message: str) -> None:
    """Rasa would go on without an event broker; and no password is shown."""
    with pytest.raises(ConfigurationError, match=message) as raised:
        await made(untouched, settings)
    assert "hunter2" not in str(raised.value)
