"""The real tracker store on a real database: what comes back, what does not, and what Rasa can do about it."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.errors import PrivacyError, StorageError, TamperedSegmentError
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.withdrawal import withdraw
from tests.support.rasa_events import saying
from tests.support.vaults import SENDER, START, Clock, active, evidence, grant, held, settings_in

pytestmark = pytest.mark.rasa

NAME = "Zoetrope Quartz"
EMAIL = "zoe.quartz@mail.example"
Open = Callable[..., Any]


@pytest.fixture
def events(untouched: Any) -> Any:
    """Return Rasa's module of events."""
    return untouched.rasa_events


@pytest.fixture
def turn(events: Any, clock: Clock) -> Callable[..., list[Any]]:
    """Return a function that makes the events of one turn: a message, slots that it fills, the bot's answer."""

    def make(text: str = "hello", intent: str = "greet", **slots: object) -> list[Any]:
        now = clock.advance(seconds=5).timestamp()
        said = events.UserUttered(text, intent={"name": intent}, entities=[], timestamp=now, input_channel="rest")
        filled = [events.SlotSet(name, value, timestamp=now + 0.1) for name, value in slots.items()]
        answered = [
            events.ActionExecuted("utter_greet", timestamp=now + 0.2),
            events.BotUttered(f"You said: {text}", timestamp=now + 0.3),
            events.ActionExecuted("action_listen", timestamp=now + 0.4),
        ]
        clock.advance(seconds=5)
        return [said, *filled, *answered]

    return make


async def take(store: Any, new: Iterable[Any], sender: str = SENDER) -> Any:
    """Let a conversation go on by these events as Rasa does: retrieve, update, save."""
    tracker = await store.get_or_create_tracker(sender, append_action_listen=False)
    for event in new:
        tracker.update(event)
    await store.save(tracker)
    return tracker


async def stored(store: Any, sender: str = SENDER) -> list[dict[str, Any]]:
    """Return all stored events of a conversation as another process reads them."""
    tracker = await store.retrieve_full_tracker(sender)
    return [] if tracker is None else [event.as_dict() for event in tracker.events]


def take_back(store: Any, *purposes: str) -> None:
    """Withdraw consent, as the action server does in its own process."""
    with store._vault.database.write() as connection:
        subject_id = store._vault.subjects.find(connection, SENDER)
        withdraw(store._vault, connection, subject_id, purposes, evidence(store._vault))


def at(minutes: float) -> float:
    """Return a time after the start as Rasa writes it."""
    return (START + timedelta(minutes=minutes)).timestamp()


def every_event(events: Any) -> list[Any]:
    """Return one event of each of Rasa's types, in an order in which they can be applied."""
    entities = [{"entity": "email", "value": EMAIL, "start": 0, "end": 4, "extractor": "RegexEntityExtractor"}]
    parsed = {
        "intent": {"name": "enter_draw", "confidence": 0.9},
        "entities": entities,
        "text": f"I am {EMAIL}",
        "metadata": {},
        "message_id": "m1",
        "intent_ranking": [{"name": "enter_draw", "confidence": 0.9}],
    }
    reminded = datetime(2026, 11, 24, 10, tzinfo=timezone.utc)
    model = {"model_id": "M"}
    return [
        events.SessionStarted(timestamp=at(1), metadata=model),
        events.ActionExecuted("action_listen", policy="RulePolicy", confidence=0.5, timestamp=at(2)),
        events.UserUttered(
            f"I am {EMAIL}", parsed["intent"], entities, parsed, at(3), "rest", message_id="m1", metadata=model
        ),
        events.DefinePrevUserUtteredFeaturization(use_text_for_featurization=False, timestamp=at(4)),
        events.EntitiesAdded(entities, timestamp=at(5)),
        events.SlotSet("email", EMAIL, timestamp=at(6)),
        events.SlotSet("favourite_activity", ["hiking", 3], timestamp=at(6)),
        events.ActiveLoop("lead_form", timestamp=at(7)),
        events.LoopInterrupted(is_interrupted=True, timestamp=at(8)),
        events.LegacyForm("lead_form", timestamp=at(9)),
        events.LegacyFormValidation(validate=True, timestamp=at(10)),
        events.ActionExecutionRejected("lead_form", policy="RulePolicy", confidence=1.0, timestamp=at(11)),
        events.ReminderScheduled(
            "remind", reminded, name="r1", entities=entities, kill_on_user_message=False, timestamp=at(12)
        ),
        events.ReminderCancelled("r1", "remind", entities, timestamp=at(13)),
        events.FollowupAction("action_listen", timestamp=at(14)),
        events.BotUttered("Fine.", {"image": None, "buttons": None}, {"utter_action": "utter_greet"}, at(15)),
        events.AgentUttered("Fine.", {"buttons": None}, timestamp=at(16)),
        events.ActionReverted(timestamp=at(17)),
        events.UserUtteranceReverted(timestamp=at(18)),
        events.StoryExported(timestamp=at(19)),
        events.ConversationPaused(timestamp=at(20)),
        events.ConversationResumed(timestamp=at(21)),
        events.AllSlotsReset(timestamp=at(22)),
        events.Restarted(timestamp=at(23)),
    ]


async def test_every_event_type_comes_back_as_it_was(open_store: Open, events: Any, clock: Clock) -> None:
    """With consent and `messages: full`, nothing of any event is lost between save and retrieve."""
    store = open_store("full")
    grant(store._vault, "draw")
    clock.advance(hours=1)
    given = every_event(events)
    await take(store, given)
    again = await stored(open_store("full"))
    assert [event["event"] for event in again] == [event.as_dict()["event"] for event in given]
    for event, back in zip(given, again, strict=True):
        expected = event.as_dict()
        if expected["event"] == "user":
            expected["metadata"] = {}  # the channel's, so that anything may stand in it
        assert {"metadata": {}, **back} == {"metadata": {}, **expected}


async def test_what_the_bot_says_is_kept_once_and_what_people_say_is_not(
    store: Any, open_store: Open, turn: Any, untouched: Any
) -> None:
    """A model's domain makes a row, with which conversations are stored; a process without one reads them."""
    says = "We are open every day but Sunday, from nine in the morning until seven in the evening."
    lines = {f"utter_{number}": [{"text": f"{number} {says}"}] for number in range(12)}
    domain = untouched.domain()
    domain.responses.update(lines)
    store.domain = domain
    for number in range(4):
        await take(store, turn(f"I am Zoetrope Quartz, {number}"))
    with store._vault.database.read() as connection:
        found = connection.exec_driver_sql("SELECT name, value FROM meta WHERE name LIKE 'bot words %'").all()
    assert len(found) >= 1
    assert any(says.encode() in value for _, value in found)
    assert not any(b"Zoetrope" in value or SENDER.encode() in value for _, value in found)
    other = open_store()
    assert await stored(other) == await stored(store)
    with other._vault.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM meta WHERE name LIKE 'bot words %'")
    with pytest.raises(PrivacyError, match="words of the bot"):
        await open_store().retrieve(SENDER)


def test_no_words_are_kept_of_the_domain_that_rasa_begins_with(store: Any) -> None:
    """It has the names of Rasa's own actions and says nothing."""
    with store._vault.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM meta WHERE name LIKE 'bot words %'")
    store.domain = None
    with store._vault.database.read() as connection:
        assert connection.exec_driver_sql("SELECT name FROM meta WHERE name LIKE 'bot words %'").all() == []


async def test_a_model_is_loaded_while_words_cannot_be_written(
    store: Any, turn: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It costs bytes, which is logged once, without the words, and conversations are stored as before."""

    def away(*_: object) -> None:
        raise StorageError("the database is away")

    monkeypatch.setattr(type(store._vault.database), "transact", away)
    domain = untouched.domain()
    domain.responses["utter_news"] = [
        {"text": "We have a new shop in the old harbour, and it opens on the first of May."}
    ]
    store.domain = domain
    store.domain = domain
    [said] = [each.getMessage() for each in caplog.records if each.name == "rasa_privacy.components.tracker_store"]
    assert "could not be kept once for all conversations (StorageError); each" in said
    monkeypatch.undo()
    await take(store, turn("hello"))
    assert await store.retrieve(SENDER) is not None


def test_the_samples_hold_every_type_that_rasa_has(events: Any, untouched: Any) -> None:
    """A type that a later Rasa adds makes this fail, so that somebody decides what is kept of it."""
    own = {
        cls.type_name for cls in untouched.rasa_api.all_subclasses(events.Event) if cls.__module__ == events.__name__
    }
    assert own <= {event.type_name for event in every_event(events)} | {"event"}
    assert own - {"event"} <= set(saying(NAME))


async def test_session_is_retrieved_alone_and_the_whole_on_demand(store: Any, events: Any, turn: Any) -> None:
    """`retrieve` gives the events since the last session start, `retrieve_full_tracker` all of them."""
    await take(store, [events.SessionStarted(timestamp=at(0)), *turn()])
    await take(store, [events.SessionStarted(timestamp=at(1)), *turn()])
    tracker = await store.retrieve(SENDER)
    assert len(tracker.events) == 5
    assert len(await stored(store)) == 10
    assert await store.retrieve("nobody") is None
    assert await store.retrieve_full_tracker("nobody") is None


async def test_people_are_found_by_their_sender_id_only(store: Any, turn: Any) -> None:
    """`exists` and `keys` know who has events."""
    await take(store, turn())
    await take(store, turn(), "ben")
    assert await store.exists(SENDER)
    assert not await store.exists("nobody")
    assert set(await store.keys()) == {SENDER, "ben"}


async def test_saving_twice_stores_once(store: Any, turn: Any) -> None:
    """A tracker that has nothing new changes nothing."""
    tracker = await take(store, turn())
    await store.save(tracker)
    assert len(await stored(store)) == 4
    for event in turn():
        tracker.update(event)
    await store.save(tracker)
    assert len(await stored(store)) == 8


async def test_the_time_moves_with_the_use_and_not_with_each(store: Any, turn: Any, clock: Clock, sql: Any) -> None:
    """Turns within an hour leave when the conversation is due as it is; a later one moves it."""
    grant(store._vault, "draw")
    await take(store, turn())
    times = []
    for minutes in (0, 58, 3):
        clock.advance(minutes=minutes)
        await take(store, turn())
        times += sql("SELECT due_at FROM data_keys WHERE purpose = 'service'")
    assert times[0] == times[1]
    assert timedelta(hours=1) < timedelta(microseconds=times[2][0] - times[0][0]) < timedelta(minutes=65)


async def test_without_consent_nothing_that_was_said_is_stored(store: Any, turn: Any) -> None:
    """Values and texts of somebody who agreed to nothing are not there, also not sealed."""
    await take(store, turn(f"I am {NAME}, {EMAIL}", full_name=NAME, email=EMAIL, favourite_activity="hiking"))
    assert held(store._vault) == {}
    text = json.dumps(await stored(store))
    assert "Quartz" not in text
    assert EMAIL not in text
    assert "hiking" in text


async def test_values_are_cut_and_sealed_for_the_purposes_that_list_them(store: Any, turn: Any) -> None:
    """Each active purpose holds its own items, and what it holds is what `keep` allows."""
    grant(store._vault, "draw", "draw:postcode", "newsletter", "newsletter:birthday")
    await take(store, turn(full_name=NAME, email=EMAIL, postcode="90210", birthday="3 May 1990", phone="+49 30 123456"))
    assert held(store._vault) == {
        "draw": {"full_name": NAME, "email": EMAIL, "postcode": "902"},
        "newsletter": {"email": EMAIL, "birthday": "1990"},
    }


@pytest.mark.parametrize("value", [90210, 90210.0, ["90210"], {"code": "90210"}])
async def test_known_values_are_masked_whatever_their_type(store: Any, turn: Any, value: object) -> None:
    """A number that duckling made, or a list, is found again in the text that it came from."""
    grant(store._vault, "draw")
    await take(store, turn("my code is 90210", postcode=value))
    assert "90210" not in json.dumps([event.get("text") for event in await stored(store)])


@pytest.mark.parametrize("value", ["half \ud83d", "nul \0", 10**40, -(10**40), float("inf"), "x" * 100_000])
async def test_odd_values_do_not_lose_the_turn(store: Any, turn: Any, value: object) -> None:
    """Half a character, a number without end or a very long text is stored as well as can be."""
    grant(store._vault, "draw")
    await take(store, turn(str(value), full_name=value, favourite_activity=value))
    assert len(await stored(store)) == 6


async def test_a_value_that_is_nested_too_deep_is_said_and_costs_its_turn_alone(
    store: Any, turn: Any, events: Any
) -> None:
    """No foreign error, nothing half stored, no value in the message; the next turn is stored."""
    deep: Any = "canary value"
    for _ in range(3000):
        deep = [deep]
    tracker = await store.get_or_create_tracker(SENDER)
    tracker.update(events.SlotSet("favourite_activity", deep))
    with pytest.raises(StorageError, match="nested too deep") as caught:
        await store.save(tracker)
    assert "canary" not in str(caught.value)
    assert not any(event["event"] == "slot" for event in await stored(store))
    tracker = await store.get_or_create_tracker(SENDER)
    for event in turn("hello"):
        tracker.update(event)
    await store.save(tracker)
    assert any(event["event"] == "user" for event in await stored(store))


async def test_withdrawal_between_retrieve_and_save_counts(store: Any, turn: Any) -> None:
    """The turn in which consent was taken back is stored without the values."""
    grant(store._vault, "draw")
    tracker = await take(store, turn())
    take_back(store, "draw")
    for event in turn(f"I am {NAME}", full_name=NAME):
        tracker.update(event)
    await store.save(tracker)
    assert held(store._vault) == {}
    assert "Quartz" not in json.dumps(await stored(store))


async def test_new_purpose_adopts_what_was_given_before(store: Any, turn: Any) -> None:
    """After the draw is withdrawn the newsletter still has the email that was typed for the draw."""
    grant(store._vault, "draw")
    await take(store, turn(full_name=NAME, email=EMAIL))
    grant(store._vault, "newsletter")
    await take(store, turn())
    assert held(store._vault)["newsletter"] == {"email": EMAIL}
    take_back(store, "draw")
    assert held(store._vault) == {"newsletter": {"email": EMAIL}}
    tracker = await store.retrieve(SENDER)
    assert (tracker.get_slot("email"), tracker.get_slot("full_name")) == (EMAIL, None)


async def test_adopted_value_finds_its_event_beside_unknown_ones(store: Any, turn: Any, clock: Clock) -> None:
    """An event of a plug-in that is no longer there does not shift the others."""
    vault = store._vault
    grant(vault, "draw")
    await take(store, turn())
    with vault.database.write() as connection:
        version, _ = vault.conversations.head(connection, SENDER)
        foreign = [{"event": "from_a_plugin", "timestamp": clock().timestamp()}]
        vault.conversations.append(connection, SENDER, version, foreign, {}, [], clock())
    await take(store, turn(email=EMAIL))
    grant(vault, "newsletter")
    await take(store, turn())
    take_back(store, "draw")
    tracker = await store.retrieve(SENDER)
    assert tracker.get_slot("email") == EMAIL


async def test_event_of_an_unknown_type_is_named_and_stays(
    store: Any, turn: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The others come back, the log says once what to do, and it is still there for the release that knows it."""
    vault = store._vault
    await take(store, turn())
    known = list((await store.retrieve(SENDER)).events)
    with vault.database.write() as connection:
        version, count = vault.conversations.head(connection, SENDER)
        foreign = [{"event": "of_a_later_release", "timestamp": clock().timestamp()}]
        vault.conversations.append(connection, SENDER, version, foreign, {}, [], clock())
    for _ in range(2):
        assert list((await store.retrieve(SENDER)).events) == known
    [said] = [each for each in caplog.messages if "'of_a_later_release'" in each]
    assert "install the version or the plug-in that wrote them" in said
    await take(store, turn())
    with vault.database.read() as connection:
        stored_now = vault.conversations.load(connection, SENDER, all_sessions=True)
    assert stored_now.structure[count]["event"] == "of_a_later_release"
    assert stored_now.event_count > count + 1


async def test_two_stores_on_one_database_lose_no_event(open_store: Open, turn: Any) -> None:
    """Both held the same tracker; whoever saves second appends."""
    one, other = open_store(), open_store()
    grant(one._vault, "draw", "newsletter", "newsletter:birthday")
    await take(one, turn())
    mine, theirs = await one.retrieve(SENDER), await other.retrieve(SENDER)
    for event in turn(full_name=NAME):
        mine.update(event)
    for event in turn(birthday="1990"):
        theirs.update(event)
    await one.save(mine)
    await other.save(theirs)
    assert len(await stored(one)) == 4 + 5 + 5
    assert held(one._vault) == {"draw": {"full_name": NAME}, "newsletter": {"birthday": "1990"}}
    for event in turn():
        mine.update(event)
    await one.save(mine)
    assert len(await stored(other)) == 18


async def test_many_writers_at_once_lose_no_event(open_store: Open, turn: Any) -> None:
    """Twelve turns of one person, saved at the same moment from two stores, are all there."""
    stores = [open_store(), open_store()]
    await take(stores[0], turn())
    trackers = [(stores[index % 2], await stores[index % 2].retrieve(SENDER)) for index in range(12)]
    for index, (_, tracker) in enumerate(trackers):
        for event in turn(favourite_activity=f"sport {index}"):
            tracker.update(event)
    await asyncio.gather(*(each.save(tracker) for each, tracker in trackers))
    found = {event["value"] for event in await stored(stores[0]) if event["event"] == "slot"}
    assert found == {f"sport {index}" for index in range(12)}


async def test_tracker_held_across_an_erasure_saves_nothing(store: Any, turn: Any) -> None:
    """The turn in which the person was erased belongs to the person who is gone."""
    grant(store._vault, "draw")
    await take(store, turn(full_name=NAME))
    tracker = await store.retrieve(SENDER)
    assert erase(store._vault, SENDER, evidence(store._vault)) is not None
    for event in turn(f"I am {NAME}", full_name=NAME):
        tracker.update(event)
    await store.save(tracker)
    assert not await store.exists(SENDER)
    assert await store.retrieve(SENDER) is None
    assert active(store._vault) == frozenset()


async def test_held_tracker_does_not_reach_the_person_who_came_back(store: Any, turn: Any) -> None:
    """An old tracker that is saved late is not mixed into the new conversation."""
    grant(store._vault, "draw")
    await take(store, turn(full_name=NAME))
    old = await store.retrieve(SENDER)
    erase(store._vault, SENDER, evidence(store._vault))
    grant(store._vault, "draw")
    await take(store, turn(full_name="Ana Li"))
    for event in turn(full_name=NAME):
        old.update(event)
    await store.save(old)
    assert held(store._vault) == {"draw": {"full_name": "Ana Li"}}
    assert len(await stored(store)) == 5


@pytest.mark.parametrize("fresh", [True, False])
async def test_events_from_before_an_erasure_do_not_come_back(
    store: Any, untouched: Any, turn: Any, *, fresh: bool
) -> None:
    """Neither a tracker that somebody else made nor a new one of ours carries old events over the tombstone."""
    grant(store._vault, "draw")
    old = turn(full_name=NAME)
    await take(store, old)
    erase(store._vault, SENDER, evidence(store._vault))
    grant(store._vault, "draw")
    new = turn("back again")
    if fresh:
        tracker = store.init_tracker(SENDER)
        for event in (*old, *new):
            tracker.update(event)
    else:
        tracker = untouched.rasa_api.DialogueStateTracker.from_events(SENDER, [*old, *new], store.domain.slots)
    await store.save(tracker)
    assert held(store._vault) == {}
    assert [event["timestamp"] for event in await stored(store)] == [event.timestamp for event in new]


async def test_tracker_without_a_handle_adds_only_what_is_new(store: Any, untouched: Any, turn: Any) -> None:
    """The HTTP API builds trackers of its own; what is stored already is not stored twice."""
    first, second = turn(), turn()
    await take(store, first)
    tracker = untouched.rasa_api.DialogueStateTracker.from_events(SENDER, [*first, *second], store.domain.slots)
    await store.save(tracker)
    assert len(await stored(store)) == 8


async def test_copy_of_a_tracker_has_no_handle(store: Any, turn: Any, untouched: Any) -> None:
    """What Rasa copies before an action is no tracker of ours any more."""
    tracker = await take(store, turn())
    assert untouched.runtime.handle_of(tracker) is not None
    assert untouched.runtime.handle_of(tracker.copy()) is None


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"url": None},
        {"url": 17},
        {"url": "no url"},
        {"url": "postgresql://user:secret@host/db"},
        {"url": "sqlite+aiosqlite:///c.db"},
        {"url": "sqlite://"},
        {"keys": None},
        {"keys": "keys"},
        {"keys": ["file"]},
        {"keys": {"provider": "file"}},
        {"keys": {"provider": "fil", "path": "keys"}},
        {"keys": {"provider": "vault", "path": "keys"}},
        {"keys": {"provider": "file", "path": 17}},
        {"keys": {"provider": "file", "path": "keys", "pin": 1}},
        {"keys": {"provider": "file", "path": "privacy.yml"}},
        {"privacy": None},
        {"privacy": 17},
        {"privacy": "missing.yml"},
        {"privacy": "keys"},
        {"privacy": "broken.yml"},
        {"privacy": "binary.yml"},
        {"privcy": "privacy.yml"},
        {"dialect": "sqlite"},
        {"login_db": "rasa"},
    ],
    ids=str,
)
def test_wrong_settings_stop_the_start(
    block: dict[str, Any], untouched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a `PrivacyError`, which Rasa does not take for a missing class: no in-memory store comes instead."""
    monkeypatch.chdir(tmp_path)
    settings_in(tmp_path)
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "broken.yml").write_text("version: [\n", encoding="utf-8")
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00version: 1")
    right = {"url": "sqlite:///c.db", "keys": {"provider": "file", "path": "keys"}, "privacy": "privacy.yml"}
    wanted = {**right, **block} if block else {"url": "sqlite:///c.db"}
    endpoint = untouched.EndpointConfig(type="rasa_privacy.EncryptedTrackerStore", **wanted)
    with pytest.raises(PrivacyError) as raised:
        untouched.rasa_api.TrackerStore.create(endpoint, untouched.domain())
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("error", [ImportError("x"), AttributeError("x")])
@pytest.mark.parametrize("part", ["open_vault", "EventSplitter", "TurnWriter", "shield_mappings", "start_sweeping"])
def test_errors_that_rasa_would_swallow_become_ours(
    part: str, error: Exception, untouched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the store is made of may fail by these two, and Rasa must not see them."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.chdir(tmp_path)
    settings_in(tmp_path)
    monkeypatch.setattr(untouched.tracker_store, part, fail)
    block = {"keys": {"provider": "file", "path": "keys"}, "privacy": "privacy.yml"}
    with pytest.raises(PrivacyError):
        untouched.tracker_store.EncryptedTrackerStore(untouched.domain(), "sqlite:///c.db", **block)


def test_settings_of_endpoints_yml_open_the_store(
    untouched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block of the README makes our store, by the name that it gives."""
    monkeypatch.chdir(tmp_path)
    settings_in(tmp_path)
    block = {"url": "sqlite:///c.db", "keys": {"provider": "file", "path": "keys"}, "privacy": "privacy.yml"}
    endpoint = untouched.EndpointConfig(type="rasa_privacy.EncryptedTrackerStore", **block)
    made = untouched.rasa_api.TrackerStore.create(endpoint, untouched.domain())
    assert type(made) is untouched.tracker_store.EncryptedTrackerStore
    assert untouched.runtime.current() is made._runtime
    made._vault.close()


def test_domain_without_our_actions_is_refused(store: Any, untouched: Any) -> None:
    """A model that was trained without the package cannot ask, so it is not served."""
    foreign = untouched.rasa_api.Domain.from_dict({"version": "3.1", "intents": ["greet"], "actions": ["action_x"]})
    with pytest.raises(PrivacyError, match="trained without rasa_privacy"):
        store.domain = foreign


def test_nothing_falls_back_to_memory(store: Any, untouched: Any) -> None:
    """Rasa wraps tracker stores so that errors end in memory; ours it gets back as it is, others wrapped."""
    wrap = untouched.rasa_api.agent_module.FailSafeTrackerStore
    assert wrap(store) is store
    stock = untouched.InMemoryTrackerStore(untouched.domain())
    assert isinstance(wrap(stock), untouched.rasa_api.FailSafeTrackerStore)


async def test_damaged_conversation_is_an_error_and_no_empty_tracker(store: Any, turn: Any, sql: Any) -> None:
    """An empty tracker would start anew over what is there."""
    await take(store, turn())
    sealed = sql("SELECT sealed FROM segments")[0][0]
    sql("UPDATE segments SET sealed = ?", [sealed[:-1] + bytes([sealed[-1] ^ 1])])
    with pytest.raises(TamperedSegmentError):
        await store.retrieve(SENDER)
    assert sql("SELECT count(*) FROM conversations") == [(1,)]


async def test_failed_save_is_an_error_and_stores_nothing(store: Any, turn: Any, sql: Any) -> None:
    """Rasa hears of it, and half a turn is not kept."""
    await take(store, turn())
    sql("CREATE TRIGGER no BEFORE UPDATE ON conversations BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(PrivacyError):
        await take(store, turn())
    sql("DROP TRIGGER no")
    assert len(await stored(store)) == 4


async def test_damaged_ledger_means_no_consent(store: Any, turn: Any, sql: Any, untouched: Any) -> None:
    """Where the ledger cannot be read nobody has consented, and the gate says that it is closed."""
    grant(store._vault, "draw")
    tracker = await take(store, turn())
    sql("UPDATE ledger_kinds SET event = 'maybe'")
    assert untouched.runtime.consent_of(tracker) is None
    assert untouched.privacy_turn.turn_view(tracker).active is None


@pytest.fixture
def broker(untouched: Any, tmp_path: Path) -> Iterator[Any]:
    """Return Rasa's broker that writes to a file, with log lines as Python makes them."""
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    made = untouched.FileEventBroker(str(tmp_path / "events.log"))
    yield made
    for handler in list(made.event_logger.handlers):
        made.event_logger.removeHandler(handler)
        handler.close()
    logging.setLogRecordFactory(factory)


def published(tmp_path: Path) -> list[dict[str, Any]]:
    """Return what the broker wrote."""
    return [json.loads(line) for line in (tmp_path / "events.log").read_text(encoding="utf-8").splitlines()]


async def test_event_broker_gets_no_value_and_no_sender_id(
    open_store: Open, broker: Any, turn: Any, tmp_path: Path
) -> None:
    """Also with consent: what is published is the structure, under a random id, each event once."""
    store = open_store(broker=broker)
    subject_id = grant(store._vault, "draw")
    tracker = await take(store, turn(f"I am {NAME}, {EMAIL}", full_name=NAME, email=EMAIL))
    await store.save(tracker)
    await store.stream_events(tracker)
    bodies = published(tmp_path)
    assert [body["event"] for body in bodies] == ["user", "slot", "slot", "action", "bot", "action"]
    assert {body["sender_id"] for body in bodies} == {subject_id.hex()}
    text = (tmp_path / "events.log").read_text(encoding="utf-8")
    assert not [word for word in ("Quartz", "Zoetrope", EMAIL, SENDER) if word in text]


async def test_event_broker_writes_its_events_under_log_scrubbing(
    open_store: Open, broker: Any, turn: Any, tmp_path: Path, untouched: Any
) -> None:
    """Rasa's file broker writes through `logging`; the scrubbing of log lines leaves its events readable."""
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(untouched.log_scrubbing._scrubbing_factory(before))
    try:
        await take(open_store(broker=broker), turn())
    finally:
        logging.setLogRecordFactory(before)
    assert [body["event"] for body in published(tmp_path)] == ["user", "action", "bot", "action"]


async def test_event_broker_hears_nothing_that_was_not_stored(
    open_store: Open, broker: Any, turn: Any, tmp_path: Path
) -> None:
    """The events of a turn across an erasure are neither stored nor published."""
    store = open_store(broker=broker)
    tracker = await take(store, turn())
    before = len(published(tmp_path))
    erase(store._vault, SENDER, evidence(store._vault))
    for event in turn(f"I am {NAME}"):
        tracker.update(event)
    await store.save(tracker)
    assert len(published(tmp_path)) == before
