"""Letters of other scripts that look like Latin ones hide no value, and words of those scripts are no values."""

import random
from pathlib import Path
from typing import Final

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bench.support.personal_corpus import KINDS, corpus
from rasa_privacy.minimize.detectors import find
from rasa_privacy.minimize.lookalikes import LOOKALIKES, as_latin
from rasa_privacy.minimize.searched_text import SearchedText

# Each letter and those that are drawn like it, Cyrillic or Greek.
_DRAWN: Final = {
    "A": "\u0410\u0391", "B": "\u0412\u0392", "C": "\u0421", "E": "\u0415\u0395", "H": "\u041d\u0397",
    "K": "\u041a\u039a", "M": "\u041c\u039c", "O": "\u041e\u039f", "P": "\u0420\u03a1", "T": "\u0422\u03a4",
    "X": "\u0425\u03a7", "a": "\u0430\u03b1", "c": "\u0441", "e": "\u0435", "o": "\u043e\u03bf", "p": "\u0440\u03c1",
    "x": "\u0445", "i": "\u0456\u03b9", "s": "\u0455",
}  # fmt: skip
HARMLESS: Final[list[str]] = yaml.safe_load(Path("tests/minimize/other_scripts.yml").read_text(encoding="utf-8"))


def disguised(text: str, dice: random.Random) -> str:
    """Return a text with one of its letters, or more, in another script."""
    places = [place for place, sign in enumerate(text) if sign in _DRAWN]
    chosen = set(dice.sample(places, dice.randint(1, len(places)))) if places else set()
    return "".join(dice.choice(_DRAWN[sign]) if place in chosen else sign for place, sign in enumerate(text))


def test_the_same_is_found_in_other_letters() -> None:
    """Of every kind, and every harmless message, with words for it or without, where Latin letters are left."""
    dice = random.Random(3)  # noqa: S311 - the same messages in each run
    seen = set()
    for message in corpus(seed=47, per_kind=25, traps=300):
        text = disguised(message.text, dice)
        if not any(sign.isascii() and sign.isalpha() for sign in text):
            continue
        seen.add(message.kind)
        assert find(text) == find(message.text)
    assert seen == {*KINDS, None}


@pytest.mark.parametrize("text", HARMLESS)
def test_texts_in_other_scripts_raise_no_alarm(text: str) -> None:
    """As they are, and with an everyday Latin word or two before them."""
    assert [find(text), find(f"hello, please: {text}"), find(text.upper())] == [[], [], []]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("D\u0415 and \u0410B", "DE and AB"),
        ("\u0430\u0441\u0435", "\u0430\u0441\u0435"),  # no Latin letter
        ("\u043c\u043e\u0439 D\u041589 \u0430\u0441", "\u043c\u043e\u0439 DE89 \u0430\u0441"),  # that word alone
        ("a\u0436\u0435", "a\u0436\u0435"),  # a word of both scripts
        ("\u0436_\u0430b", "\u0436_ab"),
    ],
)
def test_what_can_be_another_word_stays(text: str, read: str) -> None:
    """A letter is read as Latin where it can be nothing else."""
    assert as_latin(text) == as_latin(text, set(text)) == read
    assert SearchedText(text, ()).plain == read


@given(st.text(st.sampled_from("ab 1_\u0436\u03b2" + "".join(sorted(LOOKALIKES))), max_size=30))
def test_places_stay_and_reading_again_changes_nothing(text: str) -> None:
    """One letter for one letter."""
    once = as_latin(text)
    assert len(once) == len(text)
    assert as_latin(once) == once


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("\u043c\u043e\u0439 \u0441\u0447\u0451\u0442 D\u041589 3704 0044 0532 0130 00", "iban"),
        ("\u043a\u043b\u044e\u0447 sk_liv\u0435_abcdefghij0123456789", "api_key"),
        ("\u03b7 \u03b4\u03b9\u03b5\u03cd\u03b8\u03c5\u03bd\u03c3\u03b7 SW1\u0391 1AA", "postcode"),
    ],
)  # fmt: skip
def test_a_value_is_found_among_words_of_another_script(text: str, kind: str) -> None:
    """Where its own word has a Latin letter left."""
    assert [each.kind for each in find(text)] == [kind]
