"""Messages that nobody typed reach only who may be written to; Global Privacy Control is recorded once."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from rasa_privacy.dialogue.names import ACTIONS, CLOSED, INTENTS, PENDING_SLOT
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import LedgerError
from rasa_privacy.minimize.own_values import OWN_ENTITY
from rasa_privacy.policy.model import Replies
from rasa_privacy.policy.purpose_model import QuietHours
from rasa_privacy.rights.reach import must_not_be_reached
from rasa_privacy.rights.suppression import OPERATOR, STOP, suppress, suppress_contacts
from tests.support.vaults import SENDER, active, ask, give, grant, ledger_events

pytestmark = pytest.mark.rasa


@pytest.fixture
def trigger(store: Any, bot_of: Any, untouched: Any) -> Callable[..., Any]:
    """Return a function that triggers an intent which leads to an action; returns the error of the caller, or None."""
    bot = bot_of(store)

    async def run(action: str) -> Any:
        bot.graph.action = action
        channel = untouched.CollectingOutputChannel()
        tracker = await bot.processor.get_tracker(SENDER)
        if tracker.latest_action_name != "action_listen":  # as the start of a session leaves it
            tracker.update(untouched.rasa_events.ActionExecuted("action_listen"))
        try:
            await bot.processor.trigger_external_user_uttered("enter_draw", [], tracker, channel)
        except Exception as error:  # noqa: BLE001 - the caller's
            return error
        return None

    return run


@pytest.fixture
def refused(untouched: Any) -> type[Exception]:
    """Return the error of a trigger that was stopped, in a process without a server."""
    from rasa_privacy.components import triggers  # noqa: PLC0415 - imports rasa

    assert untouched
    return triggers.TriggerRefusedError


async def stored_events(store: Any) -> list[str]:
    """Return the names of the actions that are stored of the person."""
    tracker = await store.retrieve_full_tracker(SENDER)
    return [] if tracker is None else [type(event).__name__ for event in tracker.events]


async def test_without_consent_nothing_is_said_or_kept(trigger: Any, store: Any, refused: Any) -> None:
    """A guarded action is not run, and the consent is not asked for either: nobody wanted that message."""
    error = await trigger("action_submit")
    assert isinstance(error, refused)
    assert "consent" in str(error)
    assert SENDER not in str(error)
    assert await stored_events(store) == []
    grant(store._vault, "draw")
    assert await trigger("action_submit") is None
    assert "UserUttered" in await stored_events(store)


async def test_a_suppressed_person_is_reached_by_no_trigger(trigger: Any, store: Any, refused: Any) -> None:
    """Not by one that leads to something unguarded, and not with a consent on record."""
    grant(store._vault, "draw")
    assert await trigger("utter_greet") is None
    store._vault.database.transact(lambda conn: suppress(store._vault, conn, SENDER, STOP, store._vault.clock()))
    for action in ("utter_greet", "action_submit"):
        error = await trigger(action)
        assert isinstance(error, refused)
        assert "suppressed" in str(error)


def suppress_contact(store: Any, contact: str) -> None:
    """Put a contact on the list."""
    vault = store._vault
    vault.database.transact(lambda conn: suppress_contacts(vault, conn, [contact], OPERATOR, vault.clock()))


def audited(store: Any) -> list[tuple[str, str, bool]]:
    """Return outcome and reason of each trigger in the audit log, and whether it says of whom."""
    with store._vault.database.read() as conn:
        records = [entry.record for entry in store._vault.audit.entries(conn) if entry.record.verb == "trigger"]
    return [(each.outcome, each.reason, each.subject_id is not None) for each in records]


async def test_a_suppressed_contact_on_file_stops_triggers(trigger: Any, store: Any, refused: Any) -> None:
    """Whatever it is on file for, and also where an older value of it was suppressed."""
    vault = store._vault
    grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"email": "ana@example.com"}, "newsletter": {"email": "new@example.com"}})
    suppress_contact(store, "somebody.else@example.com")
    assert await trigger("utter_greet") is None
    suppress_contact(store, "ANA@example.com")
    error = await trigger("utter_greet")
    assert isinstance(error, refused)
    assert audited(store) == [("refused", "the person must not be written to (suppressed)", True)]


async def test_who_cannot_be_read_is_not_written_to(store: Any, sql: Any) -> None:
    """Nobody can tell which contacts are on file."""
    vault = store._vault
    grant(vault, "newsletter")
    give(vault, {"newsletter": {"email": "ana@example.com"}})
    suppress_contact(store, "somebody.else@example.com")
    sql("UPDATE segments SET sealed = zeroblob(60) WHERE purpose = 'newsletter'")
    with vault.database.read() as conn:
        assert must_not_be_reached(vault, conn, SENDER)


@pytest.fixture
def speak(store: Any, bot_of: Any, untouched: Any) -> Callable[..., Any]:
    """Return a function that triggers an intent, also as a reminder; returns the error and the actions that ran.

    A question of ours is open, unless `pending` is None.
    """
    from rasa.core.lock_store import InMemoryLockStore  # noqa: PLC0415 - imports rasa

    bot, events = bot_of(store), untouched.rasa_events
    question = Pending("consent", "action_submit", ("draw",))

    async def run(intent: str, pending: Pending | None = question, *, reminds: bool = False) -> Any:
        tracker = await bot.processor.get_tracker(SENDER)
        asked = pending.to_slot() if pending is not None else None
        for event in (
            events.UserUttered("enter me"),
            events.SlotSet(PENDING_SLOT, asked),
            events.ActionExecuted("action_privacy_ask_consent" if asked else "utter_greet"),
            events.ActionExecuted("action_listen"),
        ):
            tracker.update(event)
        await store.save(tracker)
        channel, before = untouched.CollectingOutputChannel(), len(bot.actions.payloads)
        try:
            if reminds:
                bot.processor.lock_store = InMemoryLockStore()
                reminder = events.ReminderScheduled(intent, store._vault.clock(), name="r", kill_on_user_message=False)
                tracker.update(reminder)
                await store.save(tracker)
                await bot.processor.handle_reminder(reminder, SENDER, channel)
            else:
                await bot.processor.trigger_external_user_uttered(intent, [], tracker, channel)
        except Exception as error:  # noqa: BLE001 - the caller's
            return error, [each["next_action"] for each in bot.actions.payloads[before:]]
        return None, [each["next_action"] for each in bot.actions.payloads[before:]]

    return run


async def test_nothing_that_is_triggered_speaks_for_the_person(
    speak: Any, trigger: Any, store: Any, refused: Any
) -> None:
    """No intent of ours, whether a question is open or not; the ledger stays as it was, the audit log tells."""
    ask(store._vault, "draw")
    for intent in INTENTS:
        error, ran = await speak(intent)
        assert isinstance(error, refused), intent
        assert "only the person" in str(error)
        assert ran == []
    for pending in (Pending("erase"), None):
        for intent in ("privacy_grant", "privacy_confirm", "privacy_withdraw", "privacy_code"):
            assert isinstance((await speak(intent, pending))[0], refused), intent
    # What a bot's policy makes of an intent of its own must not be one of our actions either.
    for action in ACTIONS:
        assert isinstance(await trigger(action), refused), action
    assert active(store._vault) == frozenset()
    assert {outcome for outcome, _, _ in audited(store)} == {"refused"}
    assert len(audited(store)) == len(INTENTS) + 8 + len(ACTIONS)


async def test_a_reminder_does_not_answer_for_the_person(speak: Any, store: Any) -> None:
    """It ends silently, as others that are stopped."""
    ask(store._vault, "draw")
    assert await speak("privacy_grant", reminds=True) == (None, [])
    assert [reason.split()[0] for _, reason, _ in audited(store)] == ["only"]


async def test_the_bots_own_yes_is_triggered_only_while_nothing_is_asked(speak: Any, store: Any, refused: Any) -> None:
    """An intent that privacy.yml names as a yes or a no is an answer only to a question of ours."""
    vault = store._vault
    own = Replies(grant=("affirm",), refuse=("deny",))
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, replies=own))
    ask(vault, "draw")
    for intent in ("affirm", "deny"):
        assert isinstance((await speak(intent))[0], refused)
        assert "only the person" not in str((await speak(intent, None))[0])


async def test_a_hand_over_that_is_triggered_is_no_wish_of_the_person(store: Any, bot_of: Any, untouched: Any) -> None:
    """Nobody typed it, so nothing is to be recorded; a button of the bot's own asks, but one for a human."""
    vault, events = store._vault, untouched.rasa_events
    requests = {"human": ("talk_to_human",), "delete": ("delete_account",)}
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, requests=requests))
    bot = bot_of(store)
    tracker = await bot.processor.get_tracker(SENDER)
    wish, seen = {"name": "talk_to_human", "confidence": 1.0}, {"entity": OWN_ENTITY, "value": "privacy_human"}
    for message, meant in (
        (events.UserUttered("a human please", wish, [seen]), "privacy_human"),
        (events.UserUttered("a human please", wish), "talk_to_human"),
        (events.UserUttered.create_external("talk_to_human"), "talk_to_human"),
    ):
        tracker.update(message)
        assert untouched.privacy_turn.turn_view(tracker).intent == meant
    for intent, meant in (("delete_account", "privacy_delete"), ("talk_to_human", "talk_to_human")):
        bot.graph.intent = intent
        pressed = untouched.rasa_api.UserMessage(f"/{intent}", None, SENDER)
        parsed = await bot.processor.parse_message(pressed, tracker, only_output_properties=False)
        assert parsed["intent"]["name"] == meant


@pytest.mark.parametrize("text", ["/delete_account", "/delete_account{}", "/delete_account@0.4"])
async def test_a_text_with_a_stroke_that_is_no_payload_is_no_button(
    store: Any, bot_of: Any, untouched: Any, text: str
) -> None:
    """What the bot's classifier made of it is a guess: it never is the request by itself, however unsure."""
    vault = store._vault
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, requests={"delete": ("delete_account",)}))
    bot = bot_of(store)
    bot.graph.intent = "delete_account"
    tracker = await bot.processor.get_tracker(SENDER)
    for said, meant in ((text, "privacy_delete"), (f"/never mind {text}", "delete_account")):
        message = untouched.rasa_api.UserMessage(said, None, SENDER)
        parsed = await bot.processor.parse_message(message, tracker, only_output_properties=False)
        assert parsed["intent"]["name"] == meant


async def test_our_actions_refuse_what_nobody_typed(
    store: Any, bot_of: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The action server sees by the payload that a message is external, should one pass the door."""
    from rasa_sdk import Tracker  # noqa: PLC0415 - only this test needs it
    from rasa_sdk.executor import CollectingDispatcher  # noqa: PLC0415

    from rasa_privacy.actions import base  # noqa: PLC0415
    from rasa_privacy.actions.asking import RecordGrant  # noqa: PLC0415

    monkeypatch.setattr(base, "vault", lambda: store._vault)
    ask(store._vault, "draw")
    bot, events = bot_of(store), untouched.rasa_events
    tracker = await bot.processor.get_tracker(SENDER)
    tracker.update(events.SlotSet(PENDING_SLOT, Pending("consent", "action_submit", ("draw",)).to_slot()))
    typed = events.UserUttered("yes", {"name": "privacy_grant", "confidence": 1.0})
    for message in (events.UserUttered.create_external("privacy_grant", [], "rest"), typed):
        assert active(store._vault) == frozenset()
        tracker.update(message)
        action = bot.processor._get_action("action_privacy_record_grant")
        await action.run(untouched.CollectingOutputChannel(), bot.processor.nlg, tracker, store.domain)
        payload = bot.actions.payloads[-1]
        sent = Tracker.from_dict(payload["tracker"])
        assert bool(sent.latest_message["metadata"].get("is_external")) is (message is not typed)
        done = RecordGrant().run(CollectingDispatcher(), sent, payload["domain"])
        if message is typed:
            assert await done
        else:
            with pytest.raises(LedgerError, match="nobody typed"):
                await done
    assert active(store._vault) == {"draw"}


@pytest.fixture
def execute(store: Any, bot_of: Any, untouched: Any) -> Callable[..., Any]:
    """Return a function that executes an action as the HTTP API does; returns the error, or None."""
    bot = bot_of(store)

    async def run(action: str) -> Any:
        prediction = untouched.rasa_api.PolicyPrediction.for_action_name(store.domain, action, "any", 1.0)
        channel = untouched.CollectingOutputChannel()
        try:
            await bot.processor.execute_action(SENDER, action, channel, bot.processor.nlg, prediction)
        except Exception as error:  # noqa: BLE001 - the caller's
            return error
        return None

    return run


async def test_an_action_from_outside_meets_the_same_rules(execute: Any, store: Any, refused: Any, clock: Any) -> None:
    """Consent, quiet hours, suppression of the sender and of a contact, each with its reason, and in the audit log."""
    vault = store._vault
    assert "consent" in str(await execute("action_submit"))
    assert await stored_events(store) == []
    assert await execute("action_hours") is None
    hours = QuietHours(from_="12:00", to="14:00", time_zone="UTC")
    vault.policy.purposes["draw"] = msgspec.structs.replace(vault.policy.purposes["draw"], quiet_hours=hours)
    grant(vault, "draw")
    assert "quiet hours" in str(await execute("action_submit"))
    clock.advance(hours=8)
    assert await execute("action_submit") is None
    give(vault, {"draw": {"email": "ana@example.com"}})
    suppress_contact(store, "ana@example.com")
    error = await execute("action_hours")
    assert isinstance(error, refused)
    assert "suppressed" in str(error)
    assert [reason.split()[0] for _, reason, _ in audited(store)] == ["what", "purpose", "the"]
    assert SENDER not in str(audited(store))


async def test_our_actions_are_executed_by_nobody(execute: Any, store: Any, refused: Any) -> None:
    """They answer what the person said last, which may have been a yes to an earlier question."""
    ask(store._vault, "draw")
    for action in ACTIONS:
        assert isinstance(await execute(action), refused), action
    assert len(audited(store)) == len(ACTIONS)


async def test_an_unreadable_ledger_executes_nothing_guarded(execute: Any, store: Any, sql: Any) -> None:
    """Nobody can tell, so it is no."""
    grant(store._vault, "draw")
    sql("UPDATE ledger_kinds SET purpose = 'fitting'")
    assert "consent" in str(await execute("action_submit"))


async def test_quiet_hours_stop_what_the_purpose_guards(
    trigger: Any, store: Any, refused: Any, clock: Any, untouched: Any
) -> None:
    """At half past twelve of UTC it is quiet; eight hours later it is not, and other actions are free at any time."""
    vault = store._vault
    hours = QuietHours(from_="12:00", to="14:00", time_zone="UTC")
    draw = msgspec.structs.replace(vault.policy.purposes["draw"], quiet_hours=hours)
    vault.policy.purposes["draw"] = draw
    grant(vault, "draw")
    error = await trigger("action_submit")
    assert isinstance(error, refused)
    assert "quiet hours" in str(error)
    assert await trigger("action_hours") is None
    clock.advance(hours=8)
    assert await trigger("action_submit") is None
    assert untouched


async def test_the_server_answers_409(trigger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Rasa's HTTP server runs, the caller gets a status and the reason, and not 500."""
    import rasa.server  # noqa: PLC0415 - takes long, and only this test needs it

    monkeypatch.setattr(rasa.server.logger, "error", lambda *_: None)
    error = await trigger("action_submit")
    assert isinstance(error, rasa.server.ErrorResponse)
    assert error.status == 409
    assert "consent" in error.error_info["message"]


def test_an_action_that_was_stopped_is_no_failure_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rasa's `POST .../execute` makes 500 of every error; of this one it becomes 409 with the reason, of no other."""
    import rasa.server  # noqa: PLC0415 - takes long

    from rasa_privacy.components import error_responses, triggers  # noqa: PLC0415 - imports Rasa

    monkeypatch.setattr(rasa.server.logger, "error", lambda *_: None)
    monkeypatch.setattr(rasa.server.ErrorResponse, "__init__", rasa.server.ErrorResponse.__init__)
    error_responses.install()

    def answered(error: Exception) -> Any:
        try:
            raise error  # noqa: TRY301 - as an agent does
        except Exception as e:  # noqa: BLE001 - as rasa.server does
            return rasa.server.ErrorResponse(500, "ConversationError", f"An unexpected error occurred. Error: {e}")

    stopped = answered(triggers.TriggerRefusedError(triggers.NO_CONSENT))
    assert (stopped.status, stopped.error_info["code"], stopped.error_info["reason"]) == (409, 409, "Conflict")
    assert stopped.error_info["message"] == f"The action was not executed: {triggers.NO_CONSENT}."
    assert answered(ValueError("something else")).status == 500
    assert rasa.server.ErrorResponse(404, "NotFound", "no such thing").status == 404


async def test_what_a_person_types_is_still_asked_about(store: Any, bot_of: Any) -> None:
    """Only triggers are stopped: a typed message that leads to a guarded action brings the question."""
    bot = bot_of(store)
    bot.graph.action = "action_submit"
    assert await bot.say("enter me", SENDER) != [CLOSED]
    assert bot.actions.payloads[0]["next_action"] == "action_privacy_ask_consent"


async def test_the_signal_is_recorded_once_by_the_processor(store: Any, bot_of: Any, untouched: Any) -> None:
    """A message with `gpc: true` leaves one record; one without leaves none."""
    bot = bot_of(store)
    api = untouched.rasa_api
    for metadata in ({}, {"gpc": True}, {"gpc": True}, None):
        channel = untouched.CollectingOutputChannel()
        await bot.processor.handle_message(
            api.UserMessage("hello", channel, SENDER, input_channel="rest", metadata=metadata)
        )
    with store._vault.database.read() as conn:
        subject_id = store._vault.subjects.find(conn, SENDER)
    assert ledger_events(store._vault, subject_id) == [("sale_or_sharing", "refused")]


@pytest.mark.parametrize(
    ("headers", "metadata", "expected"),
    [
        ({"Sec-GPC": "1"}, None, {"gpc": True}),
        ({"Sec-GPC": "1"}, {"a": 1}, {"a": 1, "gpc": True}),
        ({"Sec-GPC": "0"}, {"a": 1}, {"a": 1}),
        ({}, None, None),
    ],
)
def test_the_rest_channel_sees_the_header(untouched: Any, headers: Any, metadata: Any, expected: Any) -> None:
    """Only the value 1 says anything; other metadata stays."""
    import rasa_privacy  # noqa: PLC0415 - as credentials.yml names it

    assert untouched
    request = SimpleNamespace(headers=headers, json={"metadata": metadata})
    assert rasa_privacy.RestInput().get_metadata(request) == expected
    assert rasa_privacy.RestInput.name() == "rest"


@pytest.mark.parametrize(("environ", "expected"), [({"HTTP_SEC_GPC": "1"}, True), ({}, None)])
async def test_the_socket_channel_sees_the_header(
    untouched: Any, monkeypatch: pytest.MonkeyPatch, environ: Any, expected: Any
) -> None:
    """The header of the connection counts for each of its messages."""
    import rasa_privacy  # noqa: PLC0415 - as credentials.yml names it

    got: list[Any] = []

    async def take(message: Any) -> None:
        got.append(message.metadata)

    channel = rasa_privacy.SocketIOInput()
    channel.blueprint(take)
    monkeypatch.setattr(channel.sio, "get_environ", lambda _sid, _namespace=None: environ)
    await channel.sio.handlers["/"]["user_uttered"]("sid", {"message": "hello"})
    assert [metadata.get("gpc") for metadata in got] == [expected]
    assert untouched
