"""What the recogniser learns from: sentences of wordings, features of words, and both sides in every language."""

from collections import Counter

import pytest

from rasa_privacy.dialogue.features import BETWEEN, MAX_CHARACTERS, looks_like_names, pairs, pieces, runs, stretches
from rasa_privacy.dialogue.lessons import ORDINARY, languages_in, lessons, lessons_hash, sampled
from rasa_privacy.dialogue.names import INTENTS, REPLIES
from rasa_privacy.dialogue.packs import (
    available_languages,
    load_keywords,
    load_ordinary,
    load_pack,
    load_samples,
)
from rasa_privacy.dialogue.recognising import recognise
from rasa_privacy.dialogue.samples import samples
from rasa_privacy.dialogue.wordings import compile_wordings

SECTIONS = {"wish": "(delete|erase) [all|every bit of] my <data>\nforget me", "data": "data\n[personal] (info|details)"}


def examples(language: str) -> list[tuple[str, str]]:
    """Return the examples of a pack with their intents."""
    return [
        (line.removeprefix("- "), str(block["intent"]))
        for block in load_pack(language).nlu
        for line in str(block["examples"]).splitlines()
    ]


def test_a_wording_is_written_out_in_different_sentences() -> None:
    """Each choice is made, what may be left out is both said and not, and a section is one of its own wordings."""
    made = samples(SECTIONS, "wish", 99)
    assert made[-1] == "forget me"
    assert {"delete my data", "erase all my data", "delete every bit of my personal info"} <= set(made)
    assert len(made) == len(set(made)) == 1 + 2 * 3 * 5
    assert samples(SECTIONS, "wish", 3) == samples(SECTIONS, "wish", 3)
    assert len(samples(SECTIONS, "wish", 3)) == 4


@pytest.mark.parametrize("language", available_languages())
def test_what_is_written_out_is_what_is_read(language: str) -> None:
    """The two readings of the signs agree, and no wording has a word that a message never has.

    Polite words are dropped from a message and other spellings are written out before it is compared.
    """
    wordings = load_keywords(language)
    sections = {"opt_out": "privacy_stop", **{name: name for name in wordings if name in INTENTS}}
    unread = []
    for section, intent in sections.items():
        for text in samples(wordings, section, 8) if intent not in REPLIES else ():
            found = recognise(text, [language], question=None, in_form=False)
            # Who wants no more messages is heard at once, whatever list was meant.
            if found is None or found.intent not in (intent, "privacy_stop"):
                unread.append(text)
    assert len(unread) <= 2, unread


@pytest.mark.parametrize("language", available_languages())
def test_everyday_messages_can_be_written_out(language: str) -> None:
    """Brackets match and sections are known, and there are many messages."""
    ordinary = load_ordinary(language)
    for section in set(ordinary) - {"heard"}:
        compile_wordings(ordinary, section, f"packs/{language}.ordinary.yml")
    assert len(set(samples(ordinary, "messages", 20))) >= 900
    assert not any(sign in text for text in samples(ordinary, "messages", 2) for sign in "[]()|<>")


@pytest.mark.parametrize("language", available_languages())
def test_what_only_the_recogniser_learns_can_be_written_out(language: str) -> None:
    """Brackets match, sections are known, an intent is spelt as it is, and no message is of two kinds."""
    held = load_samples(language)
    for section in held:
        compile_wordings(held, section, f"packs/{language}.samples.yml")
        assert not section.startswith("privacy_") or (section in INTENTS and section not in REPLIES), section
    kinds: dict[str, set[str]] = {}
    for text, kind in (*sampled(language), *examples(language)):
        kinds.setdefault(" ".join(runs(text)), set()).add(kind)
    assert [text for text, found in kinds.items() if len(found) > 1] == []


@pytest.mark.parametrize("language", available_languages())
def test_both_sides_are_learned_in_the_languages_of_the_bot(language: str) -> None:
    """The packs are known by their examples; what is the bot's own is an everyday message, and no answer is sampled."""
    learned = lessons([*examples(language), ("where is my parcel", "ask_shipping")], language)
    assert languages_in(text for text, _ in examples(language)) == (language,)
    assert ("where is my parcel", ORDINARY) in learned
    counted = Counter(intent for _, intent in learned)
    assert counted[ORDINARY] >= 900
    assert counted["privacy_access"] > sum(intent == "privacy_access" for _, intent in examples(language))
    assert counted["privacy_grant"] == sum(intent == "privacy_grant" for _, intent in examples(language))


def test_a_bot_without_packs_learns_no_language() -> None:
    """Its training data alone says which packs it has."""
    assert languages_in(["hello", "what do you know about me"]) == ()


def test_a_language_is_learned_from_its_own_pack() -> None:
    """Of other packs nothing is; what is the builder's own is learned in each, since nobody says its language."""
    everything = [*examples("de"), *examples("nl"), ("waar blijft mijn fiets", "ask_shipping")]
    learned = lessons(everything, "de")
    assert ("waar blijft mijn fiets", ORDINARY) in learned
    assert examples("de")[0] in learned
    assert examples("nl")[0] not in learned


def test_changed_packs_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rasa trains a component again only where its fingerprint changes."""
    before = lessons_hash()
    assert before == lessons_hash()
    monkeypatch.setattr("rasa_privacy.dialogue.lessons.load_ordinary", lambda _language: {"messages": "hello"})
    assert lessons_hash() != before


def test_case_accents_and_punctuation_make_no_difference() -> None:
    """People write as they like; a question is still told from a wish."""
    assert runs("L\u00d6SCH das!") == runs("losch das") == ["losch", "das", "losch das"]
    assert pieces("\u00c9t\u00e9") == pieces("ete")
    assert "?" in runs("das?")
    assert pieces("ab") == [" a", "ab", "b ", " ab", "ab ", " ab "]
    assert pairs("a b, c") == ["a~c"]
    assert len(pairs("a " * 9)) == sum(min(BETWEEN, max(0, 9 - at - 2)) for at in range(9))
    assert stretches("A, b!") == [" a ", "a b", " b ", " a b", "a b ", " a b "]
    assert stretches("ge\u00f6ffnet, da") == stretches("GEOFFNET da")
    assert pieces("") == runs("") == pairs("") == stretches("") == []


def test_a_very_long_message_costs_no_more() -> None:
    """What is looked at is bounded."""
    for analyse in (pieces, stretches):
        assert analyse("x y " * 10_000) == analyse(("x y " * 10_000)[:MAX_CHARACTERS])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Will Stop", True),
        ("My Data Ltd", True),
        ("Data Street 9", True),
        ("Delete my data", False),
        ("DELETE MY DATA", False),
        ("Stop", False),
        ("123 45", False),
    ],
)
def test_names_are_told_by_their_capitals(text: str, *, names: bool) -> None:
    """A form asked for one, and whoever is called so has not opted out."""
    assert looks_like_names(text) is names
