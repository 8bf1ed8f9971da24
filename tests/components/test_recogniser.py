"""The recogniser of free wordings: what it learns, when its guess counts, and a model file that was tampered with."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from rasa_privacy.components.guessing import (
    CLAIMED,
    RIVAL,
    SURE_BY_A_WORD,
    SURE_IN_FORM,
    SURE_TO_ACT_BY_A_WORD,
    SURE_TO_ACT_WITHOUT,
    UNSURE_BY_A_WORD,
    UNSURE_WITHOUT,
    guessed,
    offered,
)
from rasa_privacy.components.recogniser import Guess
from rasa_privacy.components.recognisers import Recognisers
from rasa_privacy.dialogue.lessons import ORDINARY
from rasa_privacy.dialogue.names import ASK
from rasa_privacy.dialogue.packs import load_pack
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import ModelMismatchError
from tests.support.vaults import SENDER

pytestmark = pytest.mark.rasa

#: Neither an example nor a fixed wording.
FREE = {
    "I'd like there to be no trace of me left in your database": "privacy_delete",
    "I'm curious which of my details are in your files": "privacy_access",
    "what on earth do you want my phone number for": "privacy_why",
    "for what period will my details be kept around": "privacy_how_long",
}
EVERYDAY = ("how long is the shop open tomorrow", "please remove the lamp from my cart", "who wins the race this year")


@pytest.fixture(scope="session")
def learned() -> Any:
    """Return what is learned from the English pack and two intents of a bot."""
    return Recognisers.learn([*examples("en"), ("where is my parcel", "ask_shipping"), ("hello there", "greet")])


def examples(language: str) -> list[tuple[str, str]]:
    """Return the examples of a pack with their intents."""
    return [
        (line.removeprefix("- "), str(block["intent"]))
        for block in load_pack(language).nlu
        for line in str(block["examples"]).splitlines()
    ]


def test_free_wordings_are_recognised_and_everyday_messages_are_not(learned: Any) -> None:
    """None of them is an example."""
    for text, intent in FREE.items():
        guess = learned.guess(text, ("en",))
        assert (guess.intent, guess.sure > 0.5) == (intent, True), text
    for text in EVERYDAY:
        assert learned.guess(text, ("en",)).sure < 0.5, text


def test_a_message_of_unknown_signs_is_not_guessed_at(learned: Any) -> None:
    """There is nothing to guess from."""
    assert learned.guess("\u4f60\u597d", ("en",)) is None
    assert learned.guess("", ("en",)) is None


def test_what_was_learned_is_read_back(learned: Any, tmp_path: Path) -> None:
    """The same guesses, number for number."""
    learned.write(tmp_path / "learned.npz")
    again = type(learned).read(tmp_path / "learned.npz")
    for text in (*FREE, *EVERYDAY):
        assert again.guess(text, ("en",)) == learned.guess(text, ("en",))


def test_learning_twice_gives_the_same(learned: Any) -> None:
    """Nothing of it is left to chance, so that a change of a figure has a cause."""
    lesson = [("erase all my data", "privacy_delete"), ("show me my data", "privacy_access"), ("hello", ORDINARY)] * 3
    one = type(learned.by_language["en"])
    first, second = one.learn(lesson), one.learn(lesson)
    assert first.guess("erase my data") == second.guess("erase my data")
    assert first.guess("erase my data").intent == "privacy_delete"


def test_a_message_is_read_in_the_language_that_it_is_in(learned: Any) -> None:
    """Whatever language the conversation has; where none is known better, its own counts."""
    dutch = Recognisers.learn(examples("nl"))
    assert dutch is not None
    both = Recognisers({**learned.by_language, **dutch.by_language})
    assert sorted(both.by_language) == ["en", "nl"]
    for languages in (("en", "nl"), ("nl", "en")):
        for text in ("I would like you to forget everything you know about me", "ik wil dat je alles over mij vergeet"):
            guess = both.guess(text, languages)
            assert guess is not None
            assert (guess.intent, guess.sure > SURE_BY_A_WORD) == ("privacy_delete", True), text
            assert guess.language == ("en" if text.startswith("I") else "nl")
    assert both.guess("x", ("de",)) == both.guess("x", ("en", "nl"))


def test_words_of_two_languages_leave_the_language_open(learned: Any) -> None:
    """A bot of one language has nothing to choose; with another, words of both do not move a conversation."""
    dutch = Recognisers.learn(examples("nl"))
    assert dutch is not None
    both = Recognisers({**learned.by_language, **dutch.by_language})
    mixed = both.guess("data delete mijn gegevens", ("en", "nl"))
    assert mixed is not None
    assert mixed.language is None


@pytest.mark.parametrize("languages", [("en", "de"), ("de", "en"), ("de",)])
def test_a_language_that_was_never_learned_leaves_the_language_open(learned: Any, languages: tuple[str, ...]) -> None:
    """A model without the German examples does not move a German conversation to English."""
    guess = learned.guess("delete bitte alles", languages)
    assert guess is not None
    assert guess.language is None


def test_a_message_without_a_known_word_is_in_no_language(learned: Any) -> None:
    """Some letters of it are enough for a guess."""
    guess = learned.guess("dataxyz", ("en",))
    assert guess is not None
    assert guess.language is None


def test_another_way_of_learning_trains_again(untouched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rasa keeps what was trained with the same fingerprint, also over an upgrade of this package."""
    minimizer = untouched.minimizer
    before = minimizer.DataMinimizer.fingerprint_addon({})
    assert minimizer.DataMinimizer.fingerprint_addon({}) == before
    monkeypatch.setattr(minimizer, "FORM", minimizer.FORM + 1)
    assert minimizer.DataMinimizer.fingerprint_addon({}) != before


def test_without_packs_nothing_is_learned(learned: Any) -> None:
    """A bot's own intents alone say nothing about privacy."""
    assert type(learned).learn([("hello", "greet"), ("bye", "goodbye")]) is None


class _Harm:
    """What a pickled object could do when it is read."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (pytest.fail, ("code of the model file was run",))


def _pickled(path: Path, _learned: Any) -> None:
    path.write_bytes(pickle.dumps(_Harm()))


def _pickled_inside(path: Path, _learned: Any) -> None:
    np.savez(path, **{"en.intents": np.array([_Harm()], dtype=object)})


def _other_shape(path: Path, learned: Any) -> None:
    learned.write(path)
    with np.load(path) as held:
        parts = {name: held[name] for name in held.files}
    np.savez(path, **{**parts, "en.weights": parts["en.weights"][:-1]})


def _a_part_missing(path: Path, learned: Any) -> None:
    learned.write(path)
    with np.load(path) as held:
        np.savez(path, **{name: held[name] for name in held.files if name != "en.rarity"})


def _nothing(path: Path, _learned: Any) -> None:
    np.savez(path)


@pytest.mark.parametrize(
    "damage",
    [_pickled, _pickled_inside, _other_shape, _a_part_missing, _nothing, lambda path, _learned: path.write_bytes(b"")],
)
def test_a_damaged_file_is_refused_and_runs_nothing(
    damage: Callable[[Path, Any], None], learned: Any, tmp_path: Path
) -> None:
    """A model file comes from elsewhere, perhaps from somebody else."""
    path = tmp_path / "learned.npz"
    damage(path, learned)
    with pytest.raises(ModelMismatchError, match="rasa train"):
        type(learned).read(path)


@pytest.fixture
def read(untouched: Any, learned: Any) -> Callable[..., str | None]:
    """Return a function that passes a message through a minimizer that has learned."""

    def process(text: str, intent: str = "greet", confidence: float = 0.7) -> str | None:
        ranking = [{"name": intent, "confidence": confidence}, {"name": "enter_draw", "confidence": 0.04}]
        data = {"text": text, "intent": ranking[0], "intent_ranking": ranking, "entities": []}
        message = untouched.rasa_api.Message(data=data)
        untouched.minimizer.DataMinimizer(learned).process([message], None)
        name: str | None = message.get("intent")["name"]
        assert float(message.get("intent")["confidence"]) < 1.0
        return name

    return process


@pytest.mark.parametrize(("text", "intent"), FREE.items())
def test_a_guess_counts_against_the_bots_classifier(read: Any, text: str, intent: str) -> None:
    """The bot's own classifier knows nothing of what it has no examples for."""
    assert read(text) == intent


@pytest.mark.parametrize("text", EVERYDAY)
def test_an_everyday_message_stays_the_bots(read: Any, text: str) -> None:
    """Whatever its classifier takes it for."""
    assert read(text) == "greet"
    assert read(text, "privacy_delete", 0.95) == "enter_draw"


def test_names_are_never_guessed_at(read: Any) -> None:
    """A form asked for one."""
    assert read("Personal Data Kept") == "greet"
    assert read("Personal Data Kept", "privacy_delete", 0.99) == "enter_draw"


def test_a_guess_at_stop_is_asked_about_first(read: Any) -> None:
    """As a withdrawal; only a fixed wording ends everything at once."""
    assert read("I really cannot stand getting texts from you people any longer") == "privacy_withdraw"


def test_a_form_takes_more_to_be_interrupted() -> None:
    """Where nothing can be asked a guess between the two counts outside a form only, and not against a sure bot."""
    guess = Guess("privacy_delete", (SURE_BY_A_WORD + SURE_IN_FORM) / 2)

    def counted(text: str, *, claimed: float = 0.5, in_form: bool = False) -> tuple[str | None, float] | None:
        return guessed(text, guess, ("en",), claimed=claimed, in_form=in_form, can_ask=False)

    told = "my data, that goes"
    assert counted(told) == ("privacy_delete", guess.sure)
    assert counted(told, in_form=True) is None
    assert counted(told, claimed=0.9) is None
    assert counted("it goes, that one") is None


@pytest.mark.parametrize(
    ("text", "sure"), [("my data, that goes", SURE_TO_ACT_BY_A_WORD), ("it goes, that one", SURE_TO_ACT_WITHOUT)]
)
def test_where_less_can_be_asked_about_it_takes_more_to_act(text: str, sure: float) -> None:
    """A question is milder than an alarm; from here on nothing is asked."""
    for certainty, counts in ((sure, True), (sure - 0.01, False)):
        guess = Guess("privacy_delete", certainty)
        assert (guessed(text, guess, ("en",), claimed=0.0, in_form=False, can_ask=True) is not None) is counts
        assert offered(text, guess, ("en",), claimed=0.0) == ("privacy_delete",)


def test_between_the_thresholds_the_likeliest_requests_are_offered() -> None:
    """Less takes an everyday message for a request; a bot that is sure of its own and names are left alone."""
    told, untold = "my data, that goes", "it goes, that one"

    def asked(text: str, sure: float, claimed: float = 0.5) -> tuple[str, ...]:
        guess = Guess("privacy_delete", sure, ("privacy_access", "privacy_why"))
        assert guessed(text, guess, ("en",), claimed=claimed, in_form=False, can_ask=True) is None
        return offered(text, guess, ("en",), claimed=claimed)

    likeliest = ("privacy_delete", "privacy_access", "privacy_why")
    assert asked(told, UNSURE_BY_A_WORD) == asked(untold, UNSURE_WITHOUT) == likeliest
    assert asked(told, UNSURE_BY_A_WORD - 0.01) == asked(untold, UNSURE_WITHOUT - 0.01) == ()
    assert asked(told, UNSURE_BY_A_WORD, claimed=CLAIMED) == ()
    assert asked("My Data Ltd", UNSURE_BY_A_WORD) == ()
    assert offered(told, None, ("en",), claimed=0.0) == ()


@pytest.mark.parametrize(
    ("intent", "other", "rival", "counts"),
    [
        ("privacy_delete", "privacy_access", RIVAL, False),
        ("privacy_delete", "privacy_access", RIVAL - 0.01, True),
        ("privacy_stop", "privacy_withdraw", 0.9, True),
    ],
)
def test_one_of_two_requests_is_asked_about(intent: str, other: str, rival: float, *, counts: bool) -> None:
    """However sure it is that it is one; where nothing can be asked the likelier one counts."""
    guess = Guess(intent, 0.99, (other,), rival)
    asked = guessed("my data", guess, ("en",), claimed=0.0, in_form=False, can_ask=True)
    assert (asked is not None) is counts
    assert offered("my data", guess, ("en",), claimed=0.9) == (intent, other)
    assert guessed("my data", guess, ("en",), claimed=0.0, in_form=True, can_ask=False) is not None


class _Unsure:
    """Recognisers that are as unsure of everything as can be without being silent."""

    @staticmethod
    def guess(_text: str, _languages: Any) -> Guess:
        return Guess("privacy_delete", UNSURE_WITHOUT, ("privacy_access",))


@pytest.mark.parametrize("busy", ["free", "question", "form"])
def test_an_unsure_guess_is_asked_back_about(untouched: Any, store: Any, busy: str) -> None:
    """The message carries what may be meant; while something else is asked for, it is an answer to that."""
    tracker, events = store.init_tracker(SENDER), untouched.rasa_events
    if busy == "question":
        tracker.update(events.SlotSet("privacy_pending", Pending("consent", "lead_form", ("draw",)).to_slot()))
        tracker.update(events.ActionExecuted(ASK))
    if busy == "form":
        tracker.update(events.ActiveLoop("lead_form"))
    data = {"text": "that one there", "intent": {"name": "greet", "confidence": 0.4}, "entities": []}
    message = untouched.rasa_api.Message(data=data)
    untouched.minimizer.DataMinimizer(_Unsure()).process([message], tracker)
    assert message.get("intent")["name"] == ("privacy_unsure" if busy == "free" else "greet")
    assert message.get("intent")["confidence"] < 1.0
    named = ["privacy_delete", "privacy_access"] if busy == "free" else []
    assert [each["value"] for each in message.get("entities")] == named


class _Torn:
    """Recognisers that are sure of a request, and not of which."""

    @staticmethod
    def guess(_text: str, _languages: Any) -> Guess:
        return Guess("privacy_delete", 1.0, ("privacy_access",), RIVAL)


def test_not_even_a_sure_guess_is_certain(untouched: Any, store: Any) -> None:
    """While a human has taken over only what is certain is heard; a question back never is."""
    message = untouched.rasa_api.Message(data={"text": "my data", "intent": {"name": "greet", "confidence": 0.4}})
    untouched.minimizer.DataMinimizer(_Torn()).process([message], store.init_tracker(SENDER))
    assert message.get("intent")["name"] == "privacy_unsure"
    assert message.get("intent")["confidence"] < 1.0


@pytest.mark.parametrize("own", ["privacy_complain", "privacy_human"])
def test_what_the_bots_own_intent_means_is_among_what_is_asked_back_about(untouched: Any, store: Any, own: str) -> None:
    """Its classifier is sure of it; if only the others were offered, the request would be lost."""
    requests = {own.removeprefix("privacy_"): ("own_wish",)}
    object.__setattr__(store._vault, "policy", msgspec.structs.replace(store._vault.policy, requests=requests))
    intent = {"name": "own_wish", "confidence": 0.95}
    data = {"text": "grumble about data", "intent": intent, "intent_ranking": [intent], "entities": []}
    message = untouched.rasa_api.Message(data=data)
    untouched.minimizer.DataMinimizer(_Torn()).process([message], store.init_tracker(SENDER))
    assert message.get("intent")["name"] == "privacy_unsure"
    assert [each["value"] for each in message.get("entities")] == [own, "privacy_delete", "privacy_access"]
