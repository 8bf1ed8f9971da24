"""Language packs: enough examples, nothing in two places, sentences that can be filled in."""

import re
from pathlib import Path

import pytest
import yaml

from rasa_privacy.dialogue.packs import available_languages, load_keywords, load_pack
from rasa_privacy.dialogue.turns import INTENTS, LOCAL
from rasa_privacy.errors import ConfigurationError

HERE = Path(__file__).parent
HELD_OUT: dict[str, list[str]] = yaml.safe_load((HERE / "heldout_en.yml").read_text(encoding="utf-8"))
ORDINARY: dict[str, list[str]] = yaml.safe_load((HERE / "ordinary_en.yml").read_text(encoding="utf-8"))

#: Answers to one closed question need fewer.
FEWER = {"privacy_confirm": 15, "privacy_cancel": 15}
VARIABLES = {
    "utter_privacy_ask": {"controller", "says", "items", "retention", "policy_url", "recipients", "age"},
    "utter_privacy_granted": {"called"},
    "utter_privacy_refused": {"called", "contact"},
    "utter_privacy_withdrawn": {"called", "gone"},
    "utter_privacy_erase_preview": {"goes", "stays"},
    "utter_privacy_erased": {"certificate", "gone", "stays"},
    "utter_privacy_data": {"list"},
    "utter_privacy_data_item": {"item", "value", "purpose", "expiry"},
    "utter_privacy_data_conversation": {"events"},
    "utter_privacy_why": {"reasons"},
    "utter_privacy_how_long": {"periods"},
    "utter_privacy_who_sees": {"recipients"},
    "utter_privacy_officer": {"contact"},
}
PLAIN = {
    "utter_privacy_dropped",
    "utter_privacy_which_purpose",
    "utter_privacy_nothing_to_withdraw",
    "utter_privacy_stopped",
    "utter_privacy_stays",
    "utter_privacy_nothing_stored",
    "utter_privacy_kept",
    *LOCAL,
}


def examples(language: str) -> dict[str, list[str]]:
    """Return the examples of each intent of a pack."""
    return {
        str(block["intent"]): [line.removeprefix("- ") for line in str(block["examples"]).splitlines()]
        for block in load_pack(language).nlu
    }


def plain(text: str) -> str:
    """Return the words of a text only."""
    return " ".join(re.findall(r"\w+", text.casefold()))


@pytest.mark.parametrize("language", available_languages())
def test_each_intent_has_enough_different_examples(language: str) -> None:
    """An intent with few or repeated examples is not recognised in free wording."""
    for intent, said in examples(language).items():
        assert len({plain(text) for text in said}) >= FEWER.get(intent, 40), intent


@pytest.mark.parametrize("language", available_languages())
def test_no_example_stands_under_two_intents(language: str) -> None:
    """A sentence with two intents teaches the classifier nothing."""
    said = [plain(text) for texts in examples(language).values() for text in texts]
    assert sorted(said) == sorted(set(said))


def test_the_intents_are_those_of_the_turns() -> None:
    """Each intent that a turn waits for can be recognised; `privacy_unclear` is only ever set by rule."""
    assert set(load_pack("en").intents) == set(INTENTS) - {"privacy_unclear"}


def test_held_out_paraphrases_are_not_trained() -> None:
    """A paraphrase that is also an example would measure memory."""
    trained = {plain(text) for texts in examples("en").values() for text in texts}
    for intent, said in HELD_OUT.items():
        assert len({plain(text) for text in said}) >= 20, intent
        assert not trained.intersection(map(plain, said))
    assert set(HELD_OUT) == set(examples("en"))


def test_no_example_is_an_everyday_message() -> None:
    """What people say of draws, bookings and carts is never a privacy intent's example."""
    trained = {plain(text) for texts in examples("en").values() for text in texts}
    assert not trained.intersection(plain(text) for texts in ORDINARY.values() for text in texts)


@pytest.mark.parametrize("language", available_languages())
def test_each_response_has_exactly_its_variables(language: str) -> None:
    """A misspelt variable would be shown to people as it is."""
    responses = load_pack(language).responses
    for name, variables in {**VARIABLES, **{name: set() for name in PLAIN}}.items():
        for variation in responses[name]:
            assert set(re.findall(r"\{(\w+)\}", variation["text"])) == variables, name
    assert set(responses) == set(VARIABLES) | PLAIN


@pytest.mark.parametrize("language", available_languages())
@pytest.mark.parametrize(
    ("name", "payloads"),
    [
        ("utter_privacy_ask", ["/privacy_grant", "/privacy_refuse"]),
        ("utter_privacy_erase_preview", ["/privacy_confirm", "/privacy_cancel"]),
    ],
)
def test_a_question_has_a_button_for_yes_and_one_for_no(language: str, name: str, payloads: list[str]) -> None:
    """Both answers are one tap away and of like length (GDPR Art. 7: freely given)."""
    for variation in load_pack(language).responses[name]:
        assert [button["payload"] for button in variation["buttons"]] == payloads
        lengths = [len(button["title"]) for button in variation["buttons"]]
        assert max(lengths) <= 2 * min(lengths)


@pytest.mark.parametrize("language", ["xx", "en.keywords", "../en", ""])
def test_an_unknown_language_is_refused_with_the_known_ones(language: str) -> None:
    """A typo in `languages:` is told at once, and a path is no language."""
    for load in (load_pack, load_keywords):
        with pytest.raises(ConfigurationError, match="en"):
            load(language)
