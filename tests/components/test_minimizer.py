"""The minimizer: fixed words first, no entity without consent, and no yes that was not asked for."""

import logging
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bench.recognition import meaning
from rasa_privacy.components import naming
from rasa_privacy.components.guessing import UNSURE_BY_A_WORD
from rasa_privacy.components.recogniser import Guess
from rasa_privacy.consent.double_opt_in import begin
from rasa_privacy.dialogue.names import ASK, EXPLAIN, PREVIEW, WITHDRAW
from rasa_privacy.dialogue.turn_view import Decision, Pending
from rasa_privacy.policy.contacts import PROOF
from rasa_privacy.policy.model import Replies
from rasa_privacy.policy.operations import Identity, OptOut
from tests.support.vaults import SENDER, ask, grant

pytestmark = pytest.mark.rasa

EMAIL = {"entity": "email", "value": "ana@x.example"}
PERSON = {"entity": "PERSON", "value": "Ana Li"}
SPORT = {"entity": "favourite_activity", "value": "hiking"}
CONSENT = Pending("consent", "lead_form", ("draw",))


@pytest.fixture
def tracker(store: Any) -> Any:
    """Return an empty tracker of our store."""
    return store.init_tracker(SENDER)


@pytest.fixture
def read(untouched: Any, tracker: Any) -> Callable[..., Any]:
    """Return a function that passes a message through the component."""

    def process(  # noqa: PLR0913, PLR0917 - the parts of a message, of which a test names what it is about
        text: str,
        intent: str = "greet",
        confidence: float = 0.95,
        entities: tuple[dict[str, Any], ...] = (),
        pending: Pending | None = None,
        of: Any = tracker,
        recognisers: Any = None,
    ) -> Any:
        if pending is not None:
            of.update(untouched.rasa_events.SlotSet("privacy_pending", pending.to_slot()))
            asked_by = {"erase": PREVIEW, "which": WITHDRAW}.get(pending.kind, ASK)
            of.update(untouched.rasa_events.ActionExecuted(asked_by))
            of.update(untouched.rasa_events.ActionExecuted("action_listen"))
        ranking = [{"name": intent, "confidence": confidence}, {"name": "enter_draw", "confidence": 0.04}]
        data = {"text": text, "intent": ranking[0], "intent_ranking": ranking, "entities": list(entities)}
        message = untouched.rasa_api.Message(data=data)
        untouched.minimizer.DataMinimizer(recognisers).process([message], of)
        return message

    return process


def intent_of(message: Any) -> str | None:
    """Return the intent's name."""
    name: str | None = message.get("intent")["name"]
    return name


@pytest.mark.parametrize("text", ["STOP", "unsubscribe", "Stop. Thank you"])
def test_opt_out_words_count_whatever_the_classifier_says(read: Any, text: str) -> None:
    """They are recognised by fixed rules, and nothing else of the message is left."""
    message = read(text, "enter_draw", 1.0, (EMAIL, SPORT))
    assert intent_of(message) == "privacy_stop"
    assert message.get("entities") == []


@pytest.mark.parametrize("text", ["end", "Quit.", "cancel"])
@pytest.mark.parametrize("guessed", ["privacy_stop", "privacy_withdraw", "goodbye"])
def test_what_closes_a_chat_is_an_opt_out_where_there_is_no_window(
    untouched: Any, read: Any, store: Any, text: str, guessed: str
) -> None:
    """By text message, and where nobody can tell; in a window it is none, whatever is guessed, if that is named."""
    runtime = untouched.runtime
    for channel, intent in (("twilio", "privacy_stop"), (None, "privacy_stop"), ("socketio", None)):
        runtime.heard_on(channel)
        found = intent_of(read(text, guessed))
        assert found == intent if intent else found not in ("privacy_stop", "privacy_withdraw"), channel
        assert intent_of(read("STOP", guessed)) == "privacy_stop"
    everywhere = msgspec.structs.replace(store._vault.policy, opt_out=OptOut(chat_windows=()))
    object.__setattr__(runtime.current().vault, "policy", everywhere)
    assert intent_of(read(text, guessed)) == "privacy_stop"
    runtime.heard_on(None)


@pytest.mark.parametrize(
    ("channel", "intent", "also"),
    [("socketio", "privacy_delete", []), ("twilio", "privacy_stop", ["also:privacy_delete"])],
)
def test_who_quits_a_window_and_wants_their_data_deleted_is_understood(
    untouched: Any, read: Any, channel: str, intent: str, also: list[str]
) -> None:
    """Where "quit" closes the window the deletion counts alone; by text message it is STOP, and the deletion too."""
    untouched.runtime.heard_on(channel)
    message = read("quit and delete my data")
    assert intent_of(message) == intent
    assert [each["value"] for each in message.get("entities")] == also
    untouched.runtime.heard_on(None)


@pytest.mark.usefixtures("store")
async def test_the_channel_of_a_message_is_known_while_it_is_read(
    untouched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not after it, so that no other message is taken for one of that channel."""
    from rasa_privacy.components.processor import ConsentProcessor  # noqa: PLC0415 - imports rasa

    seen: list[bool] = []

    async def parse(*_: Any) -> dict[str, Any]:
        seen.append(untouched.runtime.in_window())
        return {}

    monkeypatch.setattr(untouched.rasa_api.MessageProcessor, "parse_message", parse)
    processor = ConsentProcessor.__new__(ConsentProcessor)
    for channel in ("socketio", "twilio", None):
        message = untouched.rasa_api.UserMessage("end", sender_id=SENDER)
        message.input_channel = channel
        await processor.parse_message(message)
        assert not untouched.runtime.in_window()
    assert seen == [True, False, False]


def test_a_guess_without_a_telling_word_is_none(read: Any) -> None:
    """However sure the classifier is, "the tent" is no personal data."""
    assert intent_of(read("delete my last order", "privacy_delete", 1.0)) == "enter_draw"
    assert intent_of(read("get rid of all details from last order", "privacy_delete", 0.95)) == "privacy_delete"


def test_entities_without_consent_are_dropped(read: Any) -> None:
    """Before any slot is filled from them; plain ones stay."""
    assert read("I am Ana", entities=(EMAIL, PERSON, SPORT)).get("entities") == [SPORT]


def test_entities_of_active_purposes_stay(read: Any, store: Any) -> None:
    """The newsletter's consent keeps the email and not the name."""
    grant(store._vault, "newsletter")
    assert read("I am Ana", entities=(EMAIL, PERSON, SPORT)).get("entities") == [EMAIL, SPORT]


@pytest.mark.parametrize(
    ("entity", "places"),
    [
        ({"start": 5, "end": 11}, [[5, 11, "full_name"]]),
        ({"start": 5}, [[5, 11, "full_name"]]),
        ({"start": -5, "end": 2}, [[5, 11, "full_name"]]),
        ({"start": 15, "end": 400}, [[5, 11, "full_name"]]),
        ({"entity": "unknown", "start": -1, "end": -1}, [[5, 11, "withheld"]]),
        ({}, [[5, 11, "full_name"]]),
        ({"value": "ANA LI"}, [[5, 11, "full_name"]]),
        ({"value": ["Ana", {"last": "Li"}]}, [[5, 8, "full_name"], [9, 11, "full_name"]]),
        ({"value": "Anastasia"}, [[0, 20, "full_name"]]),
        ({"value": None}, []),
        ({"entity": "unknown", "value": "hiking"}, [[13, 19, "withheld"]]),
        ({"entity": "unknown", "value": "0.8"}, []),
    ],
)
def test_the_place_of_what_was_dropped_is_told(
    read: Any, store: Any, entity: dict[str, Any], places: list[list[Any]]
) -> None:
    """Also where an extractor does not say it, so that the words are masked in the text that is kept."""
    grant(store._vault, "newsletter")
    message = read("I am Ana Li, hiking!", entities=({**PERSON, **entity},))
    assert message.get("privacy_dropped") == places


def test_every_place_of_what_was_dropped_is_told(read: Any, store: Any) -> None:
    """It may be said twice; in another word it is not said."""
    grant(store._vault, "newsletter")
    named = {name: value for name, value in PERSON.items() if name not in {"start", "end"}} | {"value": "ana"}
    message = read("A banana for Ana, ana!", entities=(named,))
    assert message.get("privacy_dropped") == [[13, 16, "full_name"], [18, 21, "full_name"]]


def test_nothing_is_collected_of_a_tracker_that_is_not_ours(read: Any, tracker: Any, store: Any) -> None:
    """A copy, or a tracker of another store, has no active purposes."""
    grant(store._vault, "draw")
    assert read("I am Ana", entities=(EMAIL, SPORT), of=tracker.copy()).get("entities") == [SPORT]
    assert read("I am Ana", entities=(EMAIL, SPORT), of=None).get("entities") == []


def test_unreadable_ledger_drops_entities(read: Any, store: Any, sql: Any) -> None:
    """No ledger, no consent."""
    grant(store._vault, "draw")
    sql("DROP TABLE conversations")
    assert read("I am Ana", entities=(EMAIL, SPORT)).get("entities") == [SPORT]


@pytest.mark.parametrize(
    ("text", "pending", "intent"),
    [
        ("yes", CONSENT, "privacy_grant"),
        ("no", CONSENT, "privacy_refuse"),
        ("yes", Pending("erase"), "privacy_confirm"),
        ("no", Pending("erase"), "privacy_cancel"),
    ],
)
def test_awaited_answer_is_read_by_a_fixed_lexicon(read: Any, text: str, pending: Pending, intent: str) -> None:
    """Not by what the classifier makes of one word."""
    assert intent_of(read(text, "greet", pending=pending)) == intent


@pytest.mark.parametrize("intent", ["privacy_grant", "privacy_confirm"])
def test_agreement_that_nobody_asked_for_is_none(read: Any, intent: str) -> None:
    """However sure the classifier is; the bot's own next best intent counts."""
    assert intent_of(read("I would love to join the fun", intent, 0.99)) == "enter_draw"


@pytest.mark.parametrize(("confidence", "intent"), [(0.79, "enter_draw"), (0.81, "privacy_grant")])
def test_agreement_takes_more_than_a_likely_guess(read: Any, confidence: float, intent: str) -> None:
    """Below the threshold the next best of the bot's own intents counts."""
    assert intent_of(read("go on with what you have to do", "privacy_grant", confidence, pending=CONSENT)) == intent


def test_message_of_a_button_is_taken_at_its_word(read: Any) -> None:
    """A payload names its intent itself, and brings no entity of its own into a privacy request."""
    purpose = {"entity": "privacy_purpose", "value": "draw"}
    message = read("/privacy_withdraw", "privacy_withdraw", 1.0, (purpose, EMAIL))
    assert intent_of(message) == "privacy_withdraw"
    assert message.get("entities") == [purpose]


def test_withdrawal_in_words_names_its_purpose(read: Any) -> None:
    """The action server learns which purpose was meant, and not the words."""
    message = read("please take me off the newsletter", "privacy_withdraw", 0.95)
    assert intent_of(message) == "privacy_withdraw"
    assert message.get("entities") == [{"entity": "privacy_purpose", "value": "newsletter"}]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("yes but not my postcode", ["draw:postcode"]),
        ("Yes, but please don't use my email", ["draw:email"]),
        ("ok, everything except postcode and email", ["draw:email", "draw:postcode"]),
    ],
)
def test_a_yes_that_leaves_something_out_names_it(read: Any, text: str, named: list[str]) -> None:
    """It is no plain yes, and the action server learns which items without the text."""
    message = read(text, "privacy_grant", 1.0, pending=CONSENT)
    assert intent_of(message) == "privacy_limit"
    assert sorted(entity["value"] for entity in message.get("entities")) == named


@pytest.mark.parametrize(
    "text",
    [
        "yes but not that",
        "yes but not my shoe size",
        "yes but only my email",
        "yes but not my phone, call my brother instead",
        "hmm maybe",
        "yes but not my postcode " * 1000,
    ],
)
def test_any_other_limit_is_unclear(read: Any, text: str) -> None:
    """What is left out is not among what was asked for, or there is more to it."""
    assert intent_of(read(text, "privacy_grant", 1.0, pending=CONSENT)) == "privacy_unclear"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("I'm 15", "privacy_refuse"),
        ("i am 34 years old", "privacy_grant"),
        ("16", "privacy_grant"),
        ("\uff11\uff15", "privacy_refuse"),
        ("yes", "privacy_grant"),
        ("no", "privacy_refuse"),
        ("I will be 16 in two weeks", "enter_draw"),
        ("15 or 16", "enter_draw"),
        ("999999999999999999999", "enter_draw"),
    ],
)
def test_an_age_is_read_as_one_number(read: Any, text: str, intent: str) -> None:
    """Nobody has to say yes or no to a number; two numbers, or a story, are none."""
    age = Pending("age", "lead_form", ("draw",), age=16)
    assert intent_of(read(text, "enter_draw", 0.9, pending=age)) == intent


@pytest.fixture
def asks_year(untouched: Any, store: Any, clock: Any) -> None:
    """Have privacy.yml ask for the year of birth; it is 2026."""
    asking = msgspec.structs.replace(store._vault.policy, minimum_age=16, ask_age="year")
    object.__setattr__(untouched.runtime.current().vault, "policy", asking)
    assert clock.now.year == 2026


@pytest.mark.usefixtures("asks_year")
@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("1999", "privacy_grant"),
        ("I was born in 2009", "privacy_grant"),
        ("2011", "privacy_refuse"),
        ("my birthday is 24.12.2020", "privacy_refuse"),
        ("\uff11\uff19\uff19\uff19", "privacy_grant"),
        ("2010", "privacy_unclear"),
        ("born on the 3rd of May 1999", "privacy_unclear"),
        ("my dog was born in 2011", "privacy_unclear"),
        ("1999 or 2012", "privacy_unclear"),
        ("yes", "privacy_unclear"),
        ("no", "privacy_unclear"),
        ("I'm 15", "privacy_refuse"),
        ("34", "privacy_grant"),
        ("1850", "enter_draw"),
        ("2031", "enter_draw"),
    ],
)
def test_a_year_of_birth_becomes_yes_or_no(read: Any, text: str, intent: str) -> None:
    """In the year in which somebody turns 16 it is open; so is a yes, and whatever else holds a year."""
    age = Pending("age", "lead_form", ("draw",), age=16)
    assert intent_of(read(text, "enter_draw", 0.9, pending=age)) == intent


@pytest.mark.usefixtures("asks_year")
@pytest.mark.parametrize(
    ("text", "intent"), [("yes", "privacy_grant"), ("no", "privacy_refuse"), ("2010", "privacy_unclear")]
)
def test_after_the_year_yes_and_no_count(read: Any, text: str, intent: str) -> None:
    """The repeat asks for them; the year alone still does not decide."""
    age = Pending("age", "lead_form", ("draw",), age=16, repeated=True)
    assert intent_of(read(text, "enter_draw", 0.9, pending=age)) == intent


@pytest.mark.usefixtures("asks_year")
@pytest.mark.parametrize("text", ["1987", "I was born on 24.12.1987", "my dog was born in 1987"])
async def test_nothing_of_a_year_of_birth_is_on_the_disk(
    untouched: Any, read: Any, store: Any, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """Neither in what is stored, opened again, nor in the ledger, the slots or a log line."""
    caplog.set_level(logging.DEBUG)
    grant(store._vault, "draw")
    message = read(text, "enter_draw", 0.9, pending=Pending("age", "lead_form", ("draw",), age=16))
    tracker = await store.get_or_create_tracker(SENDER)
    events = untouched.rasa_events
    said = events.UserUttered(text, intent=message.get("intent"), entities=message.get("entities"))
    for event in (said, events.ActionExecuted("action_privacy_record_grant"), events.ActionExecuted("action_listen")):
        tracker.update(event)
    await store.save(tracker)
    vault = store._vault
    with vault.database.read() as connection:
        stored = vault.conversations.load(connection, SENDER, all_sessions=True)
        dump = "\n".join(connection.connection.dbapi_connection.iterdump())
        records = repr(list(vault.ledger.iterate(connection)))
    assert stored is not None
    assert stored.event_count >= 3
    assert "1987" not in repr(stored) + repr(stored.structure) + repr(stored.values) + records + caplog.text
    assert "1987" not in re.sub(r"X'[0-9A-Fa-f]*'|\d{8,}", "", dump)


def test_what_nobody_understood_is_no_clear_answer(read: Any) -> None:
    """While a question is open it is repeated, instead of the bot's own shrug."""
    assert intent_of(read("blargh", "nlu_fallback", 1.0, pending=CONSENT)) == "privacy_unclear"
    assert intent_of(read("blargh", "nlu_fallback", 1.0, pending=Pending("erase"))) == "privacy_unclear"


@pytest.mark.parametrize(
    ("text", "intent", "pending", "means"),
    [
        ("count me in", "affirm", CONSENT, "privacy_grant"),
        ("count me in, unless it costs", "affirm", CONSENT, "privacy_unclear"),
        ("count me out", "deny", CONSENT, "privacy_refuse"),
        ("count me in", "affirm", Pending("erase"), "privacy_confirm"),
        ("count me out", "deny", Pending("erase"), "privacy_cancel"),
    ],
)
def test_the_bots_own_yes_and_no_answer_where_they_are_mapped(  # noqa: PLR0913, PLR0917 - fixtures and the case
    untouched: Any, read: Any, store: Any, text: str, intent: str, pending: Pending, means: str
) -> None:
    """Only while a question of ours is open, only if sure, and only where privacy.yml says so."""
    assert intent_of(read(text, intent, 0.95, pending=pending)) in (intent, "privacy_unclear")
    replies = Replies(grant=("affirm",), refuse=("deny",))
    mapped = msgspec.structs.replace(store._vault.policy, replies=replies)
    object.__setattr__(untouched.runtime.current().vault, "policy", mapped)
    assert intent_of(read(text, intent, 0.95, pending=pending)) == means
    assert intent_of(read(text, intent, 0.5, pending=pending)) == "privacy_unclear"


def test_the_bots_own_yes_is_its_own_without_a_question(untouched: Any, read: Any, store: Any) -> None:
    """A yes that fills a slot is no consent."""
    mapped = msgspec.structs.replace(store._vault.policy, replies=Replies(grant=("affirm",)))
    object.__setattr__(untouched.runtime.current().vault, "policy", mapped)
    assert intent_of(read("count me in", "affirm", 0.95)) == "affirm"


@pytest.mark.parametrize(
    ("intent", "confidence", "meant"),
    [("nlu_fallback", 1.0, "privacy_delete"), ("greet", 0.5, "privacy_delete"), ("greet", 0.9, "greet")],
)
def test_a_request_in_another_language_counts_where_the_bot_is_not_sure(
    read: Any, untouched: Any, intent: str, confidence: float, meant: str
) -> None:
    """It is answered in the bot's own language; what the bot's classifier is sure of is the bot's own."""
    message = read("L\u00f6schen Sie meine Daten", intent, confidence, (EMAIL,))
    assert intent_of(message) == meant
    assert message.get(untouched.spoken_language.MATCHED) is None
    assert message.get("entities") == []


def mapped_to(untouched: Any, store: Any, requests: dict[str, tuple[str, ...]]) -> None:
    """Let the bot's own intents mean requests."""
    mapped = msgspec.structs.replace(store._vault.policy, requests=requests)
    object.__setattr__(untouched.runtime.current().vault, "policy", mapped)


@pytest.mark.parametrize(
    ("name", "sure", "means"),
    [
        ("complain", 0.95, "privacy_complain"),
        ("complain", 0.81, "privacy_complain"),
        ("complain", 0.79, "own_wish"),
        ("delete", 0.95, "privacy_delete"),
        ("stop", 1.0, "privacy_withdraw"),
        ("human", 0.95, "own_wish"),
    ],
)
def test_the_bots_own_intent_is_the_request_that_it_means(  # noqa: PLR0913, PLR0917 - fixtures and the case
    untouched: Any, read: Any, store: Any, name: str, sure: float, means: str
) -> None:
    """If the classifier is sure; what it gives is never certain, and a wish for a human stays the bot's own."""
    assert intent_of(read("grumble", "own_wish", sure, (EMAIL, SPORT))) == "own_wish"
    mapped_to(untouched, store, {name: ("own_wish",)})
    message = read("grumble", "own_wish", sure, (EMAIL, SPORT))
    assert intent_of(message) == means
    assert means == "own_wish" or (message.get("intent")["confidence"] < 1.0 and message.get("entities") == [])


@pytest.mark.parametrize("where", ["form", "question"])
def test_in_a_form_and_while_we_ask_the_bots_own_intent_must_be_sure_too(
    untouched: Any, read: Any, store: Any, tracker: Any, where: str
) -> None:
    """An answer that looks a little like a complaint is an answer."""
    mapped_to(untouched, store, {"complain": ("complaint",), "human": ("talk_to_human",)})
    if where == "form":
        tracker.update(untouched.rasa_events.ActiveLoop("lead_form"))
    pending = CONSENT if where == "question" else None
    assert intent_of(read("grumble", "complaint", 0.7, pending=pending)) == "complaint"
    assert intent_of(read("grumble", "complaint", 0.9, pending=pending)) == "privacy_complain"


def test_a_word_that_is_about_the_form_or_the_window_is_no_request_of_the_bots_own(
    untouched: Any, read: Any, store: Any, tracker: Any
) -> None:
    """Whatever intent it has: who cancels a form, or ends a chat in a window, withdraws nothing."""
    mapped_to(untouched, store, {"stop": ("opt_out",)})
    untouched.runtime.heard_on("socketio")
    assert intent_of(read("end", "opt_out")) == "opt_out"
    assert intent_of(read("grumble", "opt_out")) == "privacy_withdraw"
    untouched.runtime.heard_on(None)
    tracker.update(untouched.rasa_events.ActiveLoop("lead_form"))
    assert intent_of(read("cancel", "opt_out")) == "opt_out"
    assert intent_of(read("grumble", "opt_out")) == "privacy_withdraw"


class _Guessing:
    """Recognisers that make one thing of everything, and cannot tell its language."""

    def __init__(self, made: Guess | None) -> None:
        self._made = made

    def guess(self, _text: str, _languages: Any) -> Guess | None:
        """Return what is made of it."""
        return self._made


GERMAN = "Ich finde euren Umgang mit meinen Daten unm\u00f6glich, das soll sich jemand ansehen"


@pytest.mark.parametrize(
    ("text", "intent", "request_of", "guess", "written"),
    [
        (GERMAN, "own_wish", "human", Guess("privacy_human", 0.9), "de"),
        (GERMAN, "own_wish", "complain", None, "de"),
        (GERMAN, "own_wish", "complain", Guess("privacy_human", 0.1), "de"),
        (GERMAN, "privacy_human", "complain", None, "de"),
        (
            "The way you treat my data is awful, somebody should look at it",
            "own_wish",
            "complain",
            None,
            "en",
        ),
        (GERMAN, "own_wish", "human", None, None),
        (GERMAN, "enter_draw", "complain", Guess("privacy_human", 0.1), None),
        ("Ana Li", "own_wish", "complain", None, None),
        ("/own_wish", "own_wish", "complain", None, None),
    ],
)
def test_the_bots_own_intent_for_a_request_tells_the_language(  # noqa: PLR0913, PLR0917 - fixtures and the case
    untouched: Any,
    read: Any,
    store: Any,
    text: str,
    intent: str,
    request_of: str,
    guess: Guess | None,
    written: str | None,
) -> None:
    """By the words of the packs, where the bot's own examples tell none; what is no request of ours tells nothing."""
    mapped_to(untouched, store, {request_of: ("own_wish",)})
    both = msgspec.structs.replace(untouched.runtime.current().vault.policy, languages=("en", "de"))
    object.__setattr__(untouched.runtime.current().vault, "policy", both)
    message = read(text, intent, recognisers=_Guessing(guess))
    assert message.get(untouched.spoken_language.WRITTEN) == written


def test_whether_a_message_is_a_purposes_name_is_looked_at_where_somebody_guessed(
    untouched: Any, read: Any, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes a tenth of a millisecond for each language, which an everyday message need not wait for."""
    looked_at = []

    def is_a_name(text: str, _policy: Any, language: str) -> bool:
        looked_at.append((text, language))
        return text == "newsletter please"

    monkeypatch.setattr(naming, "is_a_name", is_a_name)
    mapped_to(untouched, store, {"complain": ("own_wish",)})
    for guess in (None, Guess("privacy_withdraw", UNSURE_BY_A_WORD - 0.01)):
        assert intent_of(read("what can I win?", "enter_draw", recognisers=_Guessing(guess))) == "enter_draw"
        assert intent_of(read("newsletter please", "enter_draw", recognisers=_Guessing(guess))) == "enter_draw"
    assert looked_at == []
    sure = _Guessing(Guess("privacy_withdraw", 0.99))
    assert intent_of(read("newsletter please", "greet", 0.3, recognisers=sure)) == "greet"
    assert intent_of(read("the newsletter no longer please", "greet", 0.3, recognisers=sure)) == "privacy_withdraw"
    assert intent_of(read("newsletter please", "own_wish", recognisers=_Guessing(None))) == "own_wish"
    assert len(looked_at) == 3


def test_an_answer_is_no_withdrawal_in_a_language_that_the_bot_does_not_speak(read: Any) -> None:
    """To "may we mail you?"; the same words out of the blue are one, which is asked about."""
    assert intent_of(read("no mail", "greet", 0.3, pending=CONSENT)) != "privacy_withdraw"


@pytest.mark.parametrize(
    ("sure", "guess", "counts"),
    [
        (0.81, Guess("privacy_human", 0.9), True),
        (0.81, Guess("privacy_officer", UNSURE_BY_A_WORD, ("privacy_human",)), True),
        (0.79, Guess("privacy_human", 0.6), False),
        (0.99, Guess("privacy_human", 0.29), False),
        (0.99, Guess("privacy_machine", 0.9, ("privacy_officer",)), False),
        (0.99, None, False),
    ],
)
def test_a_wish_for_a_human_is_a_request_where_the_recogniser_sees_it_too(  # noqa: PLR0913, PLR0917 - fixtures
    untouched: Any,
    read: Any,
    store: Any,
    tracker: Any,
    monkeypatch: pytest.MonkeyPatch,
    sure: float,
    guess: Guess | None,
    *,
    counts: bool,
) -> None:
    """It stays the bot's own intent, the benchmark counts it as a conversation does; others are not recorded."""
    mapped_to(untouched, store, {"human": ("talk_to_human",)})
    recognisers = SimpleNamespace(guess=lambda *_: guess)
    monkeypatch.setattr(untouched.minimizer, "offered", lambda *_, **__: ())
    monkeypatch.setattr(untouched.minimizer, "guessed", lambda *_, **__: None)
    message = read("grumble", "talk_to_human", sure, recognisers=recognisers)
    assert intent_of(message) == "talk_to_human"
    parsed = {"text": "grumble", "intent": message.get("intent"), "entities": message.get("entities")}
    assert meaning(parsed) == ("privacy_human" if counts else None)
    tracker.update(untouched.rasa_events.ActionExecuted("action_listen"))
    tracker.update(untouched.rasa_events.UserUttered("grumble", parsed["intent"], parsed["entities"]))
    view = untouched.privacy_turn.turn_view(tracker)
    assert (view.intent, view.bot_answers_too) == (("privacy_human", True) if counts else ("talk_to_human", False))
    turns = untouched.privacy_turn.turns_of(tracker)
    assert turns.decide(view) == (Decision(EXPLAIN, None) if counts else None)


CODE = Pending("code", "newsletter_form", ("newsletter",))
ERASE = Pending("erase")
WHERE = Pending("contact", "newsletter_form", ("newsletter",))


@pytest.mark.parametrize(
    ("text", "pending", "intent"),
    [
        ("123456", CODE, "privacy_code"),
        ("my code is 123 456", CODE, "privacy_code"),
        ("\uff11\uff12\uff13\uff14\uff15\uff16.", CODE, "privacy_code"),
        ("12345", CODE, "greet"),
        ("1234567", CODE, "greet"),
        ("123456 or 654321", CODE, "greet"),
        ("send it again", CODE, "privacy_resend"),
        ("send it again to eve@example.net", CODE, "greet"),
        ("no", CODE, "privacy_refuse"),
        ("ok", CODE, "privacy_grant"),
        ("ana@example.com", WHERE, "privacy_contact"),
        ("you can reach me at ana@example.com", WHERE, "privacy_contact"),
        ("ana@example.com or eve@example.net", WHERE, "greet"),
        ("+49 170 5558172", WHERE, "greet"),
        ("no", WHERE, "privacy_refuse"),
        ("send it again", WHERE, "greet"),
        ("ana@example.com", CONSENT, "greet"),
        ("send it again", CONSENT, "greet"),
        ("123456", CONSENT, "greet"),
        ("123456", None, "greet"),
        ("send it again", None, "greet"),
        pytest.param("ana@example.com " * 700, WHERE, "privacy_unclear", id="10,000 characters"),
    ],
)
def test_contact_and_code_are_read_where_they_are_awaited(
    read: Any, text: str, pending: Pending | None, intent: str
) -> None:
    """One contact of the right kind, one number of six digits; at any other time they mean nothing to us."""
    message = read(text, "greet", 0.95, (EMAIL,), pending=pending)
    assert intent_of(message) == intent
    assert message.get("entities") == []


@pytest.mark.parametrize("text", ["ana@example.com", "+49 170 5558172", "it is ana@example.com"])
def test_a_contact_for_a_proof_is_read_where_it_is_asked_for(read: Any, untouched: Any, text: str) -> None:
    """Of either kind, and only where privacy.yml asks for proofs at all."""
    where = Pending("contact", "action_privacy_show_data", (PROOF,))
    assert intent_of(read(text, pending=where)) != "privacy_contact"
    vault = untouched.runtime.current().vault
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, identity=Identity()))
    message = read(text, "greet", 0.95, (EMAIL,), pending=where)
    assert intent_of(message) == "privacy_contact"
    assert message.get("entities") == []
    code = Pending("code", "action_privacy_show_data", (PROOF,))
    assert intent_of(read("my code is 123 456", pending=code)) == "privacy_code"
    assert intent_of(read("no", pending=code)) == "privacy_refuse"


def test_a_code_counts_later_where_it_is_the_whole_message(read: Any, untouched: Any, store: Any) -> None:
    """The mail may come after other things were said; in a form a number may mean something else."""
    vault = untouched.runtime.current().vault
    purposes = {**vault.policy.purposes}
    purposes["newsletter"] = msgspec.structs.replace(purposes["newsletter"], double_opt_in=True)
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, purposes=purposes))
    subject_id = ask(vault, "newsletter")
    vault.database.transact(
        lambda connection: begin(vault, connection, subject_id, "newsletter", "ana@example.com", vault.clock())
    )
    of = store.init_tracker(SENDER)
    assert intent_of(read("123 456", of=of)) == "privacy_code"
    assert intent_of(read("send it again", of=of)) == "privacy_resend"
    assert intent_of(read("I paid 123456", of=of)) == "greet"
    of.update(untouched.rasa_events.ActiveLoop("lead_form"))
    assert intent_of(read("123 456", of=of)) == "greet"


def test_a_withdrawal_names_an_optional_item(read: Any) -> None:
    """Where no purpose is named; what is needed has no consent of its own."""
    said = read("I take back my consent for my postcode", "privacy_withdraw", 0.95)
    assert [each["value"] for each in said.get("entities")] == ["draw:postcode"]
    assert read("I take back my consent for my phone number", "privacy_withdraw", 0.95).get("entities") == []


def test_a_withdrawal_names_a_purpose_by_a_word_that_no_other_has(read: Any, untouched: Any) -> None:
    """Also where only a part of its name was said; a word that is an item's too is none."""
    policy = untouched.runtime.current().vault.policy
    called = {"draw": "the summer prize draw", "newsletter": "the email newsletter", "fitting": "the summer fitting"}
    for name, text in called.items():
        policy.purposes[name].called["en"] = text
    for said, named in (("the prize", ["draw"]), ("the summer thing", []), ("the list", []), ("my email", [])):
        message = read(f"I withdraw my consent for {said}", "privacy_withdraw", 0.95)
        assert intent_of(message) == "privacy_withdraw"
        assert [each["value"] for each in message.get("entities")] == named


@pytest.mark.parametrize("intent", ["privacy_withdraw", "greet"])
def test_who_names_a_purpose_and_nothing_else_takes_nothing_back(read: Any, intent: str) -> None:
    """Whatever is guessed: it may be a wish for it, which is the bot's."""
    recognisers = SimpleNamespace(guess=lambda *_: Guess("privacy_withdraw", 0.99, ("privacy_stop",)))
    said = read("Newsletter please", intent, 0.9, recognisers=recognisers)
    assert intent_of(said) == ("enter_draw" if intent == "privacy_withdraw" else "greet")
    assert said.get("entities") == []
    taken_back = read("newsletter no more please", intent, 0.5, recognisers=recognisers)
    assert intent_of(taken_back) == "privacy_withdraw"


WHICH = Pending("which", "privacy_withdraw", ("draw", "newsletter"))
WRONG = Pending("which", "privacy_correct", items=("full_name", "email"))


@pytest.mark.parametrize(
    ("said", "pending", "intent", "named"),
    [
        ("the draw", WHICH, "privacy_withdraw", ["draw"]),
        ("Newsletter please", WHICH, "privacy_withdraw", ["newsletter"]),
        ("the newsletter and the draw", WHICH, "privacy_withdraw", ["draw", "newsletter"]),
        ("all of them", WHICH, "privacy_withdraw", ["draw", "newsletter"]),
        ("the draw", Pending("which", "privacy_lift", ("draw", "fitting")), "privacy_lift", ["draw"]),
        ("yes", Pending("which", "privacy_withdraw", ("draw",)), "privacy_withdraw", ["draw"]),
        ("yes", WHICH, "privacy_confirm", []),
        ("no", WHICH, "privacy_cancel", []),
        ("the fitting", WHICH, "enter_draw", []),
        ("I want the newsletter", WHICH, "enter_draw", []),
        ("the draw", Pending("which", "enter_draw", ("draw",)), "enter_draw", []),
        ("my email please", WRONG, "privacy_correct", ["draw:email"]),
        ("yes", Pending("which", "privacy_correct", items=("email",)), "privacy_correct", ["draw:email"]),
        ("the draw", WRONG, "enter_draw", []),
        ("it is ana@x.example", WRONG, "enter_draw", []),
        ("STOP", WHICH, "privacy_stop", []),
    ],
)
def test_which_purpose_is_meant_can_be_said_in_words(
    read: Any, said: str, pending: Pending, intent: str, named: list[str]
) -> None:
    """Whatever the bot's classifier takes the name for: buttons are not everywhere, and giving took a word too."""
    message = read(said, "enter_draw", 0.99, pending=pending)
    assert intent_of(message) == intent
    assert [each["value"] for each in message.get("entities")] == named


@pytest.mark.parametrize("pending", [CONSENT, Pending("optional", None, ("draw",), items=("postcode",)), WHERE, CODE])
@pytest.mark.parametrize("said", ["yes ", "I agree, yes, please do. ", "yes\u200b", "123456 "])
def test_a_reply_of_ten_thousand_characters_is_no_yes(read: Any, pending: Pending, said: str) -> None:
    """Whatever it repeats, and however sure the classifier is."""
    message = read((said * 10_000)[:10_000], "privacy_grant", 1.0, (EMAIL,), pending=pending)
    assert intent_of(message) == "privacy_unclear"
    assert message.get("entities") == []


@pytest.mark.parametrize("pending", [CONSENT, Pending("optional", None, ("draw",), items=("postcode",)), ERASE, CODE])
@pytest.mark.parametrize("intent", ["greet", "ask_prizes", "nlu_fallback"])
def test_a_reply_of_ten_thousand_characters_does_not_pass_the_question_by(
    read: Any, pending: Pending, intent: str
) -> None:
    """However sure the classifier is of a wish of the bot's own; a request and a no stay what they are."""
    for said in ("word ", "hello there ", "x"):
        assert intent_of(read((said * 10_000)[:10_000], intent, 0.99, pending=pending)) == "privacy_unclear", said
    assert intent_of(read("hello there " * 10, "greet", 0.99, pending=pending)) == "greet"
    assert intent_of(read("well I would rather not " * 400, "privacy_refuse", 1.0, pending=CONSENT)) == "privacy_refuse"


def test_a_reply_in_an_unknown_language_is_no_yes(read: Any) -> None:
    """It is asked about again, as any answer that nobody understood."""
    for said in ("\u043d\u0443 \u0434\u0430", "tak zgadzam sie", "\u540c\u610f", "\U0001f44d\U0001f44d"):
        assert intent_of(read(said, "nlu_fallback", 1.0, pending=CONSENT)) == "privacy_unclear", said


def test_a_receipt_is_one_of_consent_once_somebody_agreed(read: Any, store: Any) -> None:
    """Unless the bot is sure of an intent of its own: it may give receipts of orders."""
    assert intent_of(read("send me a receipt", "greet", 0.5)) == "greet"
    grant(store._vault, "newsletter")
    assert intent_of(read("send me a receipt", "greet", 0.5)) == "privacy_receipt"
    assert intent_of(read("send me a receipt", "ask_receipt", 0.9)) == "ask_receipt"
    assert intent_of(read("send me a receipt for my boots", "greet", 0.5)) == "greet"


def test_a_short_question_in_a_form_is_about_what_it_asks_for(read: Any, tracker: Any, untouched: Any) -> None:
    """Where that is personal; a tent's colour is the bot's own business."""
    events = untouched.rasa_events
    assert intent_of(read("who gets it?", "greet", 0.5)) == "greet"
    tracker.update(events.ActiveLoop("lead_form"))
    for slot, intent in (("email", "privacy_who_sees"), ("favourite_activity", "greet")):
        tracker.update(events.SlotSet("requested_slot", slot))
        assert intent_of(read("who gets it?", "greet", 0.5)) == intent
        assert intent_of(read("who gets it?", "ask_who_won", 0.9)) == "ask_who_won"
        assert intent_of(read("why?", "affirm", 0.93)) == ("affirm" if intent == "greet" else "privacy_why")
        assert intent_of(read("Ana Li", "greet", 0.5)) == "greet"


@pytest.mark.parametrize("text", ["cancel", "Cancel. Thank you"])
def test_cancel_in_a_form_is_the_bots_own(read: Any, tracker: Any, untouched: Any, text: str) -> None:
    """Whatever the classifier takes it for, nobody's consent is ended by leaving a form."""
    assert intent_of(read(text, "privacy_withdraw", 0.99)) == "privacy_stop"
    tracker.update(untouched.rasa_events.ActiveLoop("lead_form"))
    for intent in ("privacy_withdraw", "privacy_stop", "privacy_cancel"):
        assert intent_of(read(text, intent, 0.99)) == "enter_draw"
    assert intent_of(read(text, "leave_form", 0.5)) == "leave_form"


def named_in(message: Any) -> list[str]:
    """Return what a message names."""
    return [each["value"] for each in message.get("entities") if each["entity"] == "privacy_purpose"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("delete my phone", ["fitting:phone"]),
        ("delete what you have for the newsletter", ["newsletter"]),
        ("delete my phone and send me a copy", ["fitting:phone", "also:privacy_delete"]),
    ],
)
def test_a_request_that_names_something_is_certain(read: Any, text: str, named: list[str]) -> None:
    """Whatever the bot's classifier says; of two requests what shows something comes first."""
    message = read(text, "enter_draw", 0.99, (EMAIL,))
    assert intent_of(message) == ("privacy_access" if len(named) > 1 else "privacy_delete")
    assert message.get("intent")["confidence"] == 1.0
    assert named_in(message) == named


def test_a_change_counts_where_the_bot_has_a_value(read: Any, tracker: Any, store: Any, untouched: Any) -> None:
    """Else it is the bot's own business, and a shop that never had an address hears it."""
    text = "change my email to ana@new.example"
    assert intent_of(read(text, "enter_draw", 0.99)) == "enter_draw"
    grant(store._vault, "newsletter")
    tracker.update(untouched.rasa_events.SlotSet("email", "ana@x.example"))
    message = read(text, "enter_draw", 0.99)
    assert intent_of(message) == "privacy_correct"
    assert named_in(message) == ["draw:email"]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("ana@new.example", "privacy_value"),
        ("it should be ana@new.example, sorry", "privacy_value"),
        ("no", "privacy_refuse"),
        ("STOP", "privacy_stop"),
        ("delete my data", "privacy_delete"),
        ("what is on the menu", "greet"),
    ],
)
def test_a_value_that_was_asked_for_is_one_of_its_kind(read: Any, text: str, intent: str) -> None:
    """Everything else is what it is at any other time."""
    assert intent_of(read(text, pending=Pending("correct", items=("email",)))) == intent
