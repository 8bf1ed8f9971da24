"""A value of which only the beginning is kept is found again by that beginning."""

import re

import pytest

from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.partials import mask_partials
from rasa_privacy.minimize.view import View
from tests.support.vaults import policy

KEPT = {"postcode": {"SW1", "902"}}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("I live in SW1A 1AA now", "I live in [postcode] now"),
        ("sw1a-1aa", "[postcode]"),
        ("it is 90210", "it is [postcode]"),
        ("it is 90210-1234, I think", "it is [postcode], I think"),
        ("SW1", "[postcode]"),
        ("XSW1A 1AA and 1902", "XSW1A 1AA and 1902"),
        ("swim and sweets", "swim and sweets"),
        ("[postcode] and [SW1]", "[postcode] and [SW1]"),
    ],
)
def test_a_word_that_begins_so_is_masked(text: str, masked: str) -> None:
    """With its last group; a word that merely holds the beginning stays."""
    assert mask_partials(text, KEPT) == masked
    assert mask_partials(masked, KEPT) == masked


def test_words_without_a_digit_stay() -> None:
    """`first: 2` of a name would else take every word that begins so."""
    assert mask_partials("Anna and Andrew", {"name": {"An"}}) == "Anna and Andrew"


def test_a_postcode_that_is_said_again_is_not_kept() -> None:
    """The slot holds three characters by then."""
    event = {"event": "user", "text": "as I said, 90210", "parse_data": {"intent": {"name": "inform"}}}
    view = View({"draw", "draw:postcode"}, {"postcode": {"902"}})
    assert EventSplitter(policy()).split(event, 0, view)[0]["text"] == "as I said, [postcode]"


def test_no_pattern_is_made_of_what_people_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """`re` keeps patterns in a cache, where the beginning of a value would outlast its deletion."""

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(re, "compile", refuse)
    assert mask_partials("I live in SW1A 1AA", KEPT) == "I live in [postcode]"


@pytest.mark.parametrize("written", ["\u0130ZM1", "\u0131zm1", "izm1", "IZM1"])
def test_the_case_of_a_beginning_is_no_matter(written: str) -> None:
    """Nor which i of Turkish it is."""
    assert mask_partials(f"at {written}-2", {"area": {"IZM"}}) == "at [area]"


def test_a_long_text_takes_no_time() -> None:
    """Linear, also where nothing but beginnings stand in it."""
    assert len(mask_partials("SW1 " * 50_000, KEPT)) > 50_000
