"""Language packs: enough examples, nothing in two places, sentences that can be filled in."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import yaml

from rasa_privacy.dialogue import packs
from rasa_privacy.dialogue.keywords import has_telling_word, opt_out, privacy_request, reply
from rasa_privacy.dialogue.lessons import sampled
from rasa_privacy.dialogue.names import INTENTS, LOCAL, REPLIES
from rasa_privacy.dialogue.packs import (
    available_languages,
    in_language,
    load_keywords,
    load_ordinary,
    load_pack,
    variation_in,
)
from rasa_privacy.dialogue.recognising import STOP, recognise
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.purpose_model import Basis
from rasa_privacy.rights.access import Source
from rasa_privacy.rights.clocks import KINDS
from rasa_privacy.rights.extension import REASONS_TO_EXTEND
from rasa_privacy.storage.ledger_record import LEDGER_EVENTS

if TYPE_CHECKING:
    from rasa_privacy.dialogue.lexicon import Question

HERE = Path(__file__).parent
ROOT = HERE.parents[1] / "rasa_privacy"

#: What is held out of each language.
HELD_OUT = ("heldout", "ordinary", "second_heldout", "second_ordinary")
#: Who wants no more messages may also be asked which consent is meant.
ALIKE = {"privacy_stop": ("privacy_withdraw",)}
#: States of a request (`storage.requests.Request`).
STATES = ("received", "identity", "in_progress", "extended", "done", "refused")
VARIABLES = {
    "utter_privacy_ask": {"controller", "says", "items", "retention", "policy_url", "recipients"},
    "utter_privacy_granted": {"called"},
    "utter_privacy_refused": {"called", "contact"},
    "utter_privacy_withdrawn": {"called", "gone"},
    "utter_privacy_not_agreed": {"called"},
    "utter_privacy_stopped": {"say_delete"},
    "utter_privacy_held": {"controller", "contact", "say_stop"},
    "utter_privacy_must_stay": {"contact", "say_stop"},
    "utter_privacy_erase_preview": {"goes", "stays"},
    "utter_privacy_erased": {"certificate", "gone", "stays"},
    "utter_privacy_erased_several": {"certificate", "gone", "stays"},
    "utter_privacy_data": {"list", "say_delete", "say_copy"},
    "utter_privacy_data_item": {"item", "value", "purpose", "expiry", "basis", "source", "recipients"},
    "utter_privacy_data_conversation": {"events"},
    "utter_privacy_why": {"reasons"},
    "utter_privacy_how_long": {"periods", "say_delete"},
    "utter_privacy_who_sees": {"recipients"},
    "utter_privacy_officer": {"contact"},
    "utter_privacy_requested": {"number", "date", "contact"},
    "utter_privacy_nothing_of_it": {"named"},
    "utter_privacy_all_stays": {"stays"},
    "utter_privacy_forgotten": {"gone"},
    "utter_privacy_corrected": {"item", "value", "purposes"},
    "utter_privacy_ask_value": {"item"},
    "utter_privacy_value_invalid": {"item"},
    "utter_privacy_nothing_to_correct": {"item"},
    "utter_privacy_held_value": {"controller", "number", "contact"},
    "utter_privacy_value_waits": {"number", "contact"},
    "utter_privacy_restricted": {"called", "number", "say_lift"},
    "utter_privacy_not_used": {"called"},
    "utter_privacy_lifted": {"called"},
    "utter_privacy_limited": {"say_lift"},
    "utter_privacy_status": {"list", "contact"},
    "utter_privacy_no_requests": {"contact"},
    "utter_privacy_what": {"purposes", "messages", "decisions"},
    "utter_privacy_where": {"location", "transfers"},
    "utter_privacy_who_are_you": {"controller", "contact", "policy_url"},
    "utter_privacy_complain": {"contact", "authority"},
    "utter_privacy_machine": {"controller", "contact"},
    "utter_privacy_help": {"controller", "contact", "policy_url", "say_delete", "say_stop"},
    "utter_privacy_receipt": {"called", "receipt"},
    "utter_privacy_ask_again": {"controller", "says", "items"},
    "utter_privacy_ask_optional": {"called", "items"},
    "utter_privacy_left_out": {"items"},
    "utter_privacy_ask_age": {"age"},
    "utter_privacy_too_young": {"controller"},
    "utter_privacy_needs_item": {"items", "called"},
    "utter_privacy_counted_as_no": {"called"},
    "utter_privacy_ask_contact": {"called"},
    "utter_privacy_code_sent": {"called", "contact", "minutes"},
    "utter_privacy_ask_code": {"called", "contact"},
    "utter_privacy_code_failed": {"called", "contact"},
    "utter_privacy_code_wait": {"contact"},
    "utter_privacy_proof_sent": {"minutes"},
    "utter_privacy_copy_link": {"link", "until"},
    "utter_privacy_copy_by_hand": {"controller", "date", "number", "contact", "say_show"},
}
PLAIN = {
    "utter_privacy_ask_year",
    "utter_privacy_dropped",
    "utter_privacy_which_purpose",
    "utter_privacy_nothing_to_withdraw",
    "utter_privacy_stopped_already",
    "utter_privacy_stopped_held",
    "utter_privacy_stopped_must_stay",
    "utter_privacy_not_sold",
    "utter_privacy_nothing_to_forget",
    "utter_privacy_which_item",
    "utter_privacy_not_corrected",
    "utter_privacy_which_restrict",
    "utter_privacy_nothing_used",
    "utter_privacy_which_lift",
    "utter_privacy_not_restricted",
    "utter_privacy_unlimited",
    "utter_privacy_stays",
    "utter_privacy_nothing_stored",
    "utter_privacy_kept",
    "utter_privacy_no_receipt",
    "utter_privacy_more",
    "utter_privacy_unsure",
    "utter_privacy_code_wrong",
    "utter_privacy_code_over",
    "utter_privacy_prove",
    "utter_privacy_proven",
    "utter_privacy_proven_others",
    "utter_privacy_unproven",
    "utter_privacy_erase_elsewhere",
    "utter_privacy_erase_all",
    *LOCAL,
}


def examples(language: str) -> dict[str, list[str]]:
    """Return the examples of each intent of a pack."""
    return {
        str(block["intent"]): [line.removeprefix("- ") for line in str(block["examples"]).splitlines()]
        for block in load_pack(language).nlu
    }


def said_in(kind: str, language: str) -> dict[str, list[str]]:
    """Return what people say that is no example and was not looked at."""
    said: dict[str, list[str]] = yaml.safe_load((HERE / f"{kind}_{language}.yml").read_text(encoding="utf-8"))
    return said


def heard(language: str) -> list[str]:
    """Return the everyday messages that are given word for word."""
    return [line.strip() for line in load_ordinary(language)["heard"].splitlines()]


def plain(text: str) -> str:
    """Return the words of a text only."""
    return " ".join(re.findall(r"\w+", text.casefold()))


@pytest.mark.parametrize("language", available_languages())
def test_each_intent_has_enough_different_examples(language: str) -> None:
    """An intent with few or repeated examples is not recognised in free wording."""
    for intent, said in examples(language).items():
        assert len({plain(text) for text in said}) >= 40, intent


@pytest.mark.parametrize("language", available_languages())
def test_no_example_stands_under_two_intents(language: str) -> None:
    """A sentence with two intents teaches the classifier nothing."""
    said = [plain(text) for texts in examples(language).values() for text in texts]
    assert sorted(said) == sorted(set(said))


def test_the_intents_are_those_of_the_turns() -> None:
    """Each intent that a turn waits for can be recognised; these are only ever set by rule or by a button."""
    by_rule = {"privacy_unclear", "privacy_limit", "privacy_more", "privacy_contact", "privacy_code", "privacy_resend"}
    by_rule |= {"privacy_lift", "privacy_value", "privacy_unsure"}
    assert set(load_pack("en").intents) == set(INTENTS) - by_rule


@pytest.mark.parametrize("language", available_languages())
def test_there_is_a_held_out_set_of_each_language(language: str) -> None:
    """Enough is held out to measure by; nothing of it is looked at one by one, so no wording was made for it."""
    held_out = said_in("heldout", language)
    assert set(examples(language)) - set(REPLIES) <= set(held_out)
    assert all(len({plain(text) for text in said}) >= 10 for said in held_out.values())
    ordinary: list[str] = yaml.safe_load((HERE / f"ordinary_{language}.yml").read_text(encoding="utf-8"))
    assert len(set(ordinary)) >= 200


@pytest.mark.parametrize("language", available_languages())
def test_little_of_what_is_held_out_is_learned_from(language: str) -> None:
    """Short messages are said alike by all; those are left out of the figures, and must be few."""
    learned = {plain(text) for texts in examples(language).values() for text in texts}
    learned |= {plain(text) for text, _ in sampled(language)}
    for kind in HELD_OUT:
        found = yaml.safe_load((HERE / f"{kind}_{language}.yml").read_text(encoding="utf-8"))
        said = [text for texts in found.values() for text in texts] if isinstance(found, dict) else found
        assert sum(plain(text) in learned for text in said) <= 0.15 * len(said), kind


@pytest.mark.parametrize("language", available_languages())
def test_no_example_is_an_everyday_message(language: str) -> None:
    """What people say of draws, bookings and carts is never a privacy intent's example."""
    trained = {plain(text) for texts in examples(language).values() for text in texts}
    everyday = {plain(text) for text in heard(language)}
    assert len(everyday) >= 100
    assert not trained & everyday


@pytest.mark.parametrize("language", available_languages())
def test_fixed_wordings_take_no_everyday_message(language: str) -> None:
    """Not one is an opt-out or a request, and no example of one request is taken for another."""
    for text in heard(language):
        assert not opt_out(text, language, in_form=True), text
        assert privacy_request(text, language) is None, text
    for intent, texts in examples(language).items():
        for text in texts if intent not in REPLIES else ():
            assert privacy_request(text, language) in (intent, None, *ALIKE.get(intent, ())), text


@pytest.mark.parametrize("language", available_languages())
def test_a_word_speaks_for_nearly_every_request(language: str) -> None:
    """What keeps everyday messages out lets free wordings in."""
    said = [(text, intent) for intent, texts in examples(language).items() for text in texts]
    requests = [each for each in said if each[1] not in REPLIES]
    silent = [each for each in requests if not has_telling_word(each[0], language, each[1])]
    assert len(silent) <= 0.06 * len(requests), silent


@pytest.mark.parametrize("language", available_languages())
@pytest.mark.parametrize("text", ["STOP", "stop", "Stop.", "unsubscribe", "STOP ALL", "opt out"])
def test_the_carriers_words_are_understood_in_every_language(language: str, text: str) -> None:
    """STOP on a phone is the same word everywhere (CTIA Messaging Principles)."""
    assert opt_out(text, language, in_form=True)


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
        ("utter_privacy_ask", ["/privacy_grant", "/privacy_refuse", "/privacy_more"]),
        ("utter_privacy_ask_optional", ["/privacy_grant", "/privacy_refuse"]),
        ("utter_privacy_needs_item", ["/privacy_grant", "/privacy_refuse"]),
        ("utter_privacy_ask_age", ["/privacy_grant", "/privacy_refuse"]),
        ("utter_privacy_erase_preview", ["/privacy_confirm", "/privacy_cancel"]),
    ],
)
def test_a_question_has_a_button_for_yes_and_one_for_no(language: str, name: str, payloads: list[str]) -> None:
    """Both answers are one tap away and of like length (GDPR Art. 7: freely given)."""
    for variation in load_pack(language).responses[name]:
        assert [button["payload"] for button in variation["buttons"]] == payloads
        lengths = [len(button["title"]) for button in variation["buttons"]]
        assert max(lengths[:2]) <= 2 * min(lengths[:2])


@pytest.mark.parametrize("language", available_languages())
def test_tell_me_more_leads_to_each_part_of_the_notice(language: str) -> None:
    """What stands in no short notice is one tap away: controller, officer, basis, transfers, rights (GDPR Art. 13)."""
    parts = ["why", "how_long", "who_sees", "where", "what", "who_are_you", "help"]
    for variation in load_pack(language).responses["utter_privacy_more"]:
        assert [button["payload"] for button in variation["buttons"]] == [f"/privacy_{part}" for part in parts]
        assert len({button["title"] for button in variation["buttons"]}) == len(parts)


def shape(texts: list[dict[str, Any]]) -> list[tuple[set[str], list[str]]]:
    """Return the variables and the button payloads of each variation."""
    return [
        (set(re.findall(r"\{(\w+)\}", text["text"])), [button["payload"] for button in text.get("buttons") or []])
        for text in texts
    ]


@pytest.mark.parametrize("language", available_languages())
def test_each_pack_has_what_english_has(language: str) -> None:
    """No language says less, and none understands less: intents, responses, variables, buttons and phrases."""
    pack, english = load_pack(language), load_pack("en")
    assert set(pack.intents) == set(english.intents)
    assert {name: shape(texts) for name, texts in pack.responses.items()} == {
        name: shape(texts) for name, texts in english.responses.items()
    }
    assert {name: set(re.findall(r"\{(\w+)\}", text)) for name, text in pack.phrases.items()} == {
        name: set(re.findall(r"\{(\w+)\}", text)) for name, text in english.phrases.items()
    }
    assert all(text.strip() for text in pack.phrases.values())


@pytest.mark.parametrize("language", available_languages())
def test_each_pack_reads_the_sections_that_english_has(language: str) -> None:
    """What a section is made of is the language's own (`<data>`), what it is for is not."""
    sections = load_keywords(language)
    parts = {name for text in sections.values() for name in re.findall(r"<([a-z_]+)>", text)}
    english = load_keywords("en")
    parts_of_english = {name for text in english.values() for name in re.findall(r"<([a-z_]+)>", text)}
    read = {"greeting"}  # also a part of `before_stop`
    assert set(sections) - (parts - read) == set(english) - (parts_of_english - read)
    assert parts <= set(sections)


@pytest.mark.parametrize("language", available_languages())
def test_what_the_bot_offers_to_say_is_understood(language: str) -> None:
    """Who says just what the bot told them to say gets it."""
    phrases = load_pack(language).phrases
    assert privacy_request(phrases["say_delete"], language) == "privacy_delete"
    assert privacy_request(phrases["say_lift"], language) == "privacy_lift"
    assert privacy_request(phrases["say_copy"], language) == "privacy_export"
    assert privacy_request(phrases["say_show"], language) == "privacy_access"
    assert opt_out(phrases["say_stop"], language, in_form=True)


@pytest.mark.parametrize("language", available_languages())
def test_what_is_offered_can_be_typed(language: str) -> None:
    """There are words for every request that can be learned, and who types them is certain to get it."""
    phrases = load_pack(language).phrases
    offers = {name.replace("offer_", "privacy_"): words for name, words in phrases.items() if name.startswith("offer_")}
    assert set(offers) == set(examples(language)) - set(REPLIES)
    for intent, words in offers.items():
        assert (STOP if opt_out(words, language) else privacy_request(words, language)) == intent, words


@pytest.mark.parametrize("language", available_languages())
def test_what_stands_on_a_button_can_be_typed(language: str) -> None:
    """While its question is open it means what the button does, also in a bot that speaks all languages."""
    others = (language, *(each for each in available_languages() if each != language))
    buttons = [
        button
        for variations in load_pack(language).responses.values()
        for variation in variations
        for button in variation.get("buttons") or []
    ]
    assert len(buttons) > 20
    for button in buttons:
        intent, title = button["payload"].partition("{")[0].removeprefix("/"), button["title"]
        question: Question = "erase" if intent in {"privacy_confirm", "privacy_cancel"} else "consent"
        for languages in ((language,), others):
            found = recognise(title, languages, question=question, in_form=False)
            assert found is not None, title
            assert found.intent == intent, title


@pytest.mark.parametrize("language", available_languages())
def test_what_stands_on_a_button_answers_its_own_kind_of_question_alone(language: str) -> None:
    """A yes to a deletion is none to a consent; and one with a question mark, or more words, is no clear one."""
    agree, erase = (
        load_pack(language).responses[name][0]["buttons"][0]["title"]
        for name in ("utter_privacy_ask_optional", "utter_privacy_erase_preview")
    )
    assert reply(erase, language) != "yes"
    assert reply(agree, language) == "yes"
    assert reply(f"{agree}?", language) == "unclear"
    assert reply(f"{agree} xyzzy", language) != "yes"


def test_no_variable_of_a_phrase_is_unknown_to_the_code() -> None:
    """A phrase is filled in by name; a new variable in the pack alone would be shown with its braces."""
    known = {"item", "notes", "count", "date", "duration", "period", "controller", "called", "text", "items", "says"}
    known |= {"because", "events", "contact", "version", "code", "minutes", "number", "kind", "purpose", "values"}
    known |= {"time", "sender", "received", "before", "store", "others"}
    used = {name for text in load_pack("en").phrases.values() for name in re.findall(r"\{(\w+)\}", text)}
    assert used == known


def test_every_phrase_is_used_and_every_used_phrase_is_there() -> None:
    """A phrase that no code asks for would be translated for nothing."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for room in ("actions", "consent", "console", "dialogue", "rights")
        for path in sorted((ROOT / room).glob("*.py"))
    )
    asked = set(re.findall(r"\.(?:say|count|html)\(\s*[\"'](\w+)", code)) | set(re.findall(r"texts\[\"(\w+)\"", code))
    asked |= set(re.findall(r"\"((?:page|collect)_\w+)\"", code))
    families = (
        "keep_",
        "messages_",
        "value_",
        "request_",
        "basis_",
        "source_",
        "stays_",
        "because_",
        "choice_",
        "state_",
        "offer_",
        "erasure_",
    )
    named = {name for name in load_pack("en").phrases if not name.startswith(families)}
    assert {re.sub(r"_(one|other)$", "", name) for name in named} <= asked | {"reason", "reason_with_basis"}
    for name in families:
        assert f'"{name}' in code


@pytest.mark.parametrize("language", available_languages())
def test_every_word_of_the_store_that_a_page_shows_has_a_phrase(language: str) -> None:
    """Events of the ledger, kinds and states of requests, legal bases."""
    phrases = load_pack(language).phrases
    shown = {"choice_": LEDGER_EVENTS, "request_": KINDS, "state_": STATES, "basis_": get_args(Basis)}
    shown |= {"source_": get_args(Source), "because_": REASONS_TO_EXTEND}
    for family, words in shown.items():
        assert {f"{family}{word}" for word in words} <= set(phrases)


def test_the_variation_of_the_language_is_taken() -> None:
    """One on the condition of the language, else one without where that is the bot's first."""
    plain, german = {"text": "Hi"}, in_language({"text": "Hallo"}, "de")
    other = {"text": "Hi VIP", "condition": [{"type": "slot", "name": "vip", "value": True}]}
    assert variation_in("de", "en", [other, plain, german]) == german
    assert variation_in("en", "en", [other, german, plain]) == plain
    assert variation_in("de", "en", [other, plain]) is None
    assert variation_in("en", "de", [plain]) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"phrases": None}, "phrases"),
        ({"phrases": {"value_no": False}}, "phrases"),
        ({"locale": None}, "locale"),
        ({"locale": "xx_XX"}, "locale"),
        ({"locale": "../en"}, "locale"),
    ],
)
def test_a_pack_that_lacks_a_part_is_refused_with_its_place(
    change: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A translator is told which file to correct, and what to write."""
    whole = packs.read_mapping("en", ".yml")
    monkeypatch.setattr(packs, "read_mapping", lambda _language, suffix: whole | change if suffix == ".yml" else {})
    with pytest.raises(ConfigurationError, match=rf"packs/yy\.yml: '{words}"):
        load_pack.__wrapped__("yy")


@pytest.mark.parametrize("language", ["xx", "en.keywords", "../en", ""])
def test_an_unknown_language_is_refused_with_the_known_ones(language: str) -> None:
    """A typo in `languages:` is told at once, and a path is no language."""
    for load in (load_pack, load_keywords):
        with pytest.raises(ConfigurationError, match="en"):
            load(language)
