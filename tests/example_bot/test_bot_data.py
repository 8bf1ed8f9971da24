"""The example bot's files agree with each other. Reads YAML only, so that it runs without Rasa."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2] / "example_bot"
HELD_OUT_FILE = Path(__file__).with_name("heldout.yml")
MIN_EXAMPLES = 25
MIN_HELD_OUT = 6
MIN_INTENTS = 12

_ANNOTATION = re.compile(r"\[([^\]]+)\]\(\w+\)")


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _lines(block: str) -> list[str]:
    return [line.removeprefix("- ") for line in block.splitlines()]


def _normal(text: str) -> str:
    """Return the text without annotation, case and punctuation, as the classifier sees it more or less."""
    return " ".join(re.findall(r"\w+", _ANNOTATION.sub(r"\1", text).lower()))


def _nlu_blocks() -> Iterator[dict[str, str]]:
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        yield from _load(path)["nlu"]


def _steps(rule: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for step in rule["steps"]:
        yield from step.items()


DOMAIN = _load(ROOT / "domain.yml")
EXAMPLES = {block["intent"]: _lines(block["examples"]) for block in _nlu_blocks() if "intent" in block}
PATTERNS = {block["regex"]: _lines(block["examples"])[0] for block in _nlu_blocks() if "regex" in block}
HELD_OUT: dict[str, list[str]] = _load(HELD_OUT_FILE)
RULES = [rule for name in ("rules", "interruptions") for rule in _load(ROOT / "data" / f"{name}.yml")["rules"]]
FORM_SLOTS = [(form, slot) for form, body in DOMAIN["forms"].items() for slot in body["required_slots"]]
INTERRUPTIONS = set(DOMAIN["slots"]["full_name"]["mappings"][0]["not_intent"])


def test_bot_has_enough_intents_of_its_own() -> None:
    """The bot is more than a toy."""
    assert len(DOMAIN["intents"]) >= MIN_INTENTS


def test_every_intent_has_examples_and_held_out_messages() -> None:
    """Domain, training data and held-out data name the same intents."""
    assert set(DOMAIN["intents"]) == set(EXAMPLES) == set(HELD_OUT)


@pytest.mark.parametrize("intent", EXAMPLES)
def test_intent_has_enough_distinct_examples(intent: str) -> None:
    """No intent is counted up with repetitions."""
    assert len({_normal(text) for text in EXAMPLES[intent]}) >= MIN_EXAMPLES


@pytest.mark.parametrize("intent", HELD_OUT)
def test_intent_has_enough_held_out_messages(intent: str) -> None:
    """Each intent can be measured with messages that were not trained."""
    assert len({_normal(text) for text in HELD_OUT[intent]}) >= MIN_HELD_OUT


def test_held_out_messages_are_not_training_data() -> None:
    """A held-out message differs from every example in more than case and punctuation."""
    trained = {_normal(text) for texts in EXAMPLES.values() for text in texts}
    assert not [text for texts in HELD_OUT.values() for text in texts if _normal(text) in trained]


def test_no_text_is_an_example_of_two_intents() -> None:
    """The classifier is never told two things about one text."""
    owners: dict[str, set[str]] = {}
    for intent, texts in EXAMPLES.items():
        for text in texts:
            owners.setdefault(_normal(text), set()).add(intent)
    assert not {text: intents for text, intents in owners.items() if len(intents) > 1}


@pytest.mark.parametrize(("form", "slot"), FORM_SLOTS)
def test_form_can_ask_for_each_slot_and_say_what_was_wrong(form: str, slot: str) -> None:
    """Each slot of a form has a question and a reply to an answer that makes no sense."""
    responses = DOMAIN["responses"]
    assert f"utter_ask_{form}_{slot}" in responses or f"utter_ask_{slot}" in responses
    assert f"utter_wrong_{slot}" in responses


def test_free_text_slots_share_one_list_of_interruptions() -> None:
    """A question that interrupts one free-text answer interrupts all."""
    mappings = [mapping for slot in DOMAIN["slots"].values() for mapping in slot["mappings"]]
    assert all(set(m["not_intent"]) == INTERRUPTIONS for m in mappings if m["type"] == "from_text")
    assert all(m["conditions"] for m in mappings if m["type"] == "from_text")


@pytest.mark.parametrize("form", DOMAIN["forms"])
def test_every_interruption_has_a_rule_in_every_form(form: str) -> None:
    """No question or wish leaves a form without an answer."""
    in_form = [rule for rule in RULES if {"active_loop": form} in rule.get("condition", [])]
    assert {value for rule in in_form for key, value in _steps(rule) if key == "intent"} == INTERRUPTIONS


def test_every_response_a_rule_names_exists() -> None:
    """Rules name no response or action that the domain lacks."""
    known = {*DOMAIN["responses"], *DOMAIN["actions"], *DOMAIN["forms"], "action_deactivate_loop"}
    assert {value for rule in RULES for key, value in _steps(rule) if key == "action"} <= known


@pytest.mark.parametrize(
    ("entity", "text", "value"),
    [
        ("email", "write to Ana.Li+win@mail.x.example, please", "Ana.Li+win@mail.x.example"),
        ("email", "josé@müller.example", "josé@müller.example"),
        ("email", "ana at x", None),
        ("phone", "call +44 20 7946 0958.", "+44 20 7946 0958"),
        ("phone", "+49 (0)30 901820", "+49 (0)30 901820"),
        ("phone", "(212) 555-0147", "(212) 555-0147"),
        ("phone", "01632960555", "01632960555"),
        ("phone", "12/05/1990", None),
        ("phone", "1985-07-21", None),
        ("phone", "24.12.1988", None),
        ("phone", "10115", None),
        ("phone", "0123456789012345678901", None),
    ],
)
def test_pattern_finds_whole_value(entity: str, text: str, value: str | None) -> None:
    """An address or number is found whole, and a date is no phone number."""
    match = re.search(PATTERNS[entity], text, re.IGNORECASE)
    assert (match and match[0]) == value


@pytest.mark.parametrize("entity", PATTERNS)
@pytest.mark.parametrize("unit", ["1 ", "a", "a.", "(", "1-", "a@", "@a."])
def test_pattern_stays_fast_on_hostile_text(entity: str, unit: str) -> None:
    """Twenty thousand characters of anything take well under a second."""
    started = time.perf_counter()
    re.findall(PATTERNS[entity], unit * (20_000 // len(unit)), re.IGNORECASE)
    assert time.perf_counter() - started < 1.0
