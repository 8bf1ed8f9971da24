"""The language in Rasa: what the minimizer notes, what the policy keeps, and what Rasa says by itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from rasa_privacy.components.recogniser import Guess
from rasa_privacy.dialogue.names import ASK, CLOSED, LOCAL, UNCLEAR
from rasa_privacy.dialogue.packs import load_pack
from rasa_privacy.dialogue.turn_view import Pending
from tests.support.languages import MARK, OTHER, second_language, speaking_both
from tests.support.vaults import SENDER

__all__ = ["second_language"]

pytestmark = pytest.mark.rasa


@pytest.fixture
def tracker(store: Any, untouched: Any, second_language: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an empty tracker of a store whose bot speaks two languages."""
    assert second_language == OTHER
    monkeypatch.setattr(untouched.runtime.current(), "vault", speaking_both(store._vault))
    return store.init_tracker(SENDER)


@pytest.fixture
def hear(untouched: Any, tracker: Any) -> Callable[..., Any]:
    """Return a function that passes a message through the minimizer, puts it on the tracker, and returns its data."""

    def process(text: str, intent: str = "greet", metadata: Any = None, learned: Any = None) -> Any:
        data = {
            "text": text,
            "intent": {"name": intent, "confidence": 0.9},
            "intent_ranking": [{"name": intent, "confidence": 0.9}],
            "entities": [],
            "metadata": metadata,
        }
        message = untouched.rasa_api.Message(data=data)
        untouched.minimizer.DataMinimizer(learned).process([message], tracker)
        parsed = message.as_dict(only_output_properties=False)
        tracker.update(untouched.rasa_events.ActionExecuted("action_listen"))
        tracker.update(untouched.rasa_events.UserUttered(text, message.get("intent"), [], parsed, metadata=metadata))
        return parsed

    return process


def kept(untouched: Any, tracker: Any) -> list[Any]:
    """Return the languages that the policy would keep now, and keep them."""
    events = untouched.spoken_language.language_events(tracker)
    for event in events:
        tracker.update(event)
    return [(event.key, event.value) for event in events]


def test_the_language_of_a_wording_is_kept(untouched: Any, tracker: Any, hear: Callable[..., Any]) -> None:
    """From then on the conversation has it, until something says another."""
    assert hear("cancella i miei dati")["intent"]["name"] == "privacy_delete"
    assert kept(untouched, tracker) == [("privacy_language", OTHER)]
    hear("hello")
    assert kept(untouched, tracker) == []
    assert hear("fine")["intent"]["name"] == "privacy_stop"
    assert kept(untouched, tracker) == []
    hear("please delete my data")
    assert kept(untouched, tracker) == [("privacy_language", "en")]
    assert hear("fine")["intent"]["name"] == "greet"


class _Guessing:
    """Recognisers that hold everything for a request in the second language."""

    @staticmethod
    def guess(_text: str, _languages: Any) -> Guess:
        return Guess("privacy_access", 1.0, language=OTHER)


def test_a_request_in_free_words_moves_the_conversation(untouched: Any, tracker: Any, hear: Callable[..., Any]) -> None:
    """The first message is answered in its own language; what is no request leaves it, and the channel knows better."""
    assert hear("che cosa sapete", learned=_Guessing())["intent"]["name"] == "privacy_access"
    assert kept(untouched, tracker) == [("privacy_language", OTHER)]
    hear("che cosa sapete", metadata={"language": "en"}, learned=_Guessing())
    assert kept(untouched, tracker) == [("privacy_language", "en")]
    hear("Ana Sapete", learned=_Guessing())
    assert kept(untouched, tracker) == []


@pytest.mark.parametrize("word", ["language", "locale"])
def test_the_language_of_the_channel_is_kept(untouched: Any, tracker: Any, hear: Callable[..., Any], word: str) -> None:
    """It is known before the first word is read."""
    assert hear("fine", metadata={word: f"{OTHER}-YY"})["intent"]["name"] == "privacy_stop"
    assert kept(untouched, tracker) == [("privacy_language", OTHER)]
    hear("hello", metadata={word: "en"})
    assert kept(untouched, tracker) == [("privacy_language", "en")]


@pytest.mark.parametrize("metadata", [None, {}, {"language": "ja"}, {"language": 7}, "de", {"locale": "en-GB"}])
def test_a_bot_whose_language_nobody_changes_keeps_nothing(
    untouched: Any, tracker: Any, hear: Callable[..., Any], metadata: Any
) -> None:
    """An unknown language is no error and leaves no trace."""
    hear("STOP", metadata=metadata)
    assert kept(untouched, tracker) == []


@pytest.fixture
def in_two(store: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an empty tracker of a store whose bot speaks English and German."""
    policy = msgspec.structs.replace(store._vault.policy, languages=("en", "de"))
    monkeypatch.setattr(untouched.runtime.current(), "vault", replace(store._vault, policy=policy))
    return store.init_tracker(SENDER)


GERMAN = "Ich m\u00f6chte gern bei der Verlosung mitmachen"


def said(untouched: Any, tracker: Any, text: str, metadata: Any = None) -> list[Any]:
    """Put a message of the bot's own on the tracker, as the minimizer leaves it, and return what is kept of it."""
    intent = {"name": "enter_draw", "confidence": 0.9}
    data = {"text": text, "intent": intent, "intent_ranking": [intent], "entities": [], "metadata": metadata}
    message = untouched.rasa_api.Message(data=data)
    untouched.minimizer.DataMinimizer().process([message], tracker)
    parsed = message.as_dict(only_output_properties=False)
    tracker.update(untouched.rasa_events.ActionExecuted("action_listen"))
    tracker.update(untouched.rasa_events.UserUttered(text, message.get("intent"), [], parsed, metadata=metadata))
    return kept(untouched, tracker)


def test_who_begins_in_another_language_is_asked_for_consent_in_it(untouched: Any, in_two: Any) -> None:
    """The notice is for who reads it (GDPR Art. 12(1)); what is said later moves the conversation by requests alone."""
    assert said(untouched, in_two, "ok") == []
    assert said(untouched, in_two, GERMAN) == [("privacy_language", "de")]
    assert said(untouched, in_two, "Now I would like to know when you open") == []
    assert said(untouched, in_two, "please delete my data") == [("privacy_language", "en")]


def test_who_begins_in_the_first_language_stays_in_it(untouched: Any, in_two: Any) -> None:
    """What is clear once is clear: a few words of another language later, in a title or a thank-you, move nobody."""
    assert said(untouched, in_two, "Hello, I would like to take part in the prize draw") == [("privacy_language", "en")]
    assert said(untouched, in_two, "what is the prize and when is the draw?") == []
    assert said(untouched, in_two, GERMAN) == []


def test_the_channel_knows_better_than_the_words(untouched: Any, in_two: Any) -> None:
    """A page in English is answered in English, whatever is typed into it."""
    assert said(untouched, in_two, GERMAN, {"locale": "en-GB"}) == []


@pytest.mark.parametrize("where", ["form", "question", "payload", "names"])
def test_an_answer_tells_no_language(untouched: Any, in_two: Any, where: str) -> None:
    """A street, a name, or a yes may be in any; a button was written by the builder."""
    if where == "form":
        in_two.update(untouched.rasa_events.ActiveLoop("lead_form"))
    elif where == "question":
        asked = Pending("consent", None, ("draw",)).to_slot()
        in_two.update(untouched.rasa_events.SlotSet("privacy_pending", asked))
        in_two.update(untouched.rasa_events.ActionExecuted(ASK))
    text = {"payload": f"/{GERMAN}", "names": GERMAN.title()}.get(where, GERMAN)
    assert said(untouched, in_two, text) == []


def test_an_answer_does_not_change_the_language(untouched: Any, tracker: Any, hear: Callable[..., Any]) -> None:
    """A yes in another language is a yes to the question that was understood."""
    tracker.update(untouched.rasa_events.SlotSet("privacy_pending", Pending("consent", None, ("draw",)).to_slot()))
    tracker.update(untouched.rasa_events.ActionExecuted(ASK))
    assert hear("va bene")["intent"]["name"] == "privacy_grant"
    assert kept(untouched, tracker) == []


def test_a_limit_in_the_other_language_makes_a_guess_unclear(
    untouched: Any, tracker: Any, hear: Callable[..., Any]
) -> None:
    """Whatever the classifier makes of it."""
    tracker.update(untouched.rasa_events.SlotSet("privacy_pending", Pending("consent", None, ("draw",)).to_slot()))
    tracker.update(untouched.rasa_events.ActionExecuted(ASK))
    assert hear("ma solo il nome", "privacy_grant")["intent"]["name"] == "privacy_unclear"


def test_the_language_that_is_set_from_outside_is_stored_only_where_the_bot_speaks_it(store: Any) -> None:
    """The slot can be set over the API; what is stored in it is never somebody's text."""
    splitter = store._runtime.splitter
    assert splitter.plain_value("privacy_language", "en") == "en"
    assert splitter.plain_value("privacy_language", "my name is Ana") is None


@pytest.mark.parametrize("name", LOCAL)
async def test_rasa_says_its_own_words_in_the_language_of_the_slot(
    untouched: Any, second_language: str, name: str
) -> None:
    """By Rasa's own conditional variations; without a language, in the bot's first."""
    packs = {language: load_pack(language) for language in ("en", second_language)}
    generator = untouched.TemplatedNaturalLanguageGenerator(untouched.spoken_language.responses_of(packs))
    said = {
        slot: generator.generate_from_slots(name, {"privacy_language": slot}, "rest")["text"]
        for slot in (None, "en", second_language, "ja")
    }
    english = packs["en"].responses[name][0]["text"]
    assert (said[None], said["en"], said["ja"]) == (english, english, english)
    assert MARK in said[second_language]
    assert english != said[second_language]


def test_the_domain_holds_each_response_and_the_first_language_is_the_default(
    untouched: Any, second_language: str
) -> None:
    """A bot that speaks the other language first says it to whoever said nothing."""
    packs = {language: load_pack(language) for language in (second_language, "en")}
    responses = untouched.spoken_language.responses_of(packs)
    assert set(responses) == set(packs["en"].responses)
    assert MARK in responses[UNCLEAR][0]["text"]
    assert [text.get("condition") is None for text in responses[CLOSED]] == [True, False]
    assert load_pack("en").responses[CLOSED] == packs["en"].responses[CLOSED]
    assert len(packs[second_language].responses[CLOSED]) == 1
