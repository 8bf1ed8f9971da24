"""The language of a conversation: what counts before what, and what is passed over."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.dialogue.language import choose, current_first, of_page

BOTH = ("en", "de", "pt-BR")


@pytest.mark.parametrize(
    ("current", "metadata", "matched", "chosen"),
    [
        (None, None, None, "en"),
        ("de", None, None, "de"),
        ("de", {"language": "en"}, None, "en"),
        ("de", {"locale": "en"}, None, "en"),
        ("en", {"language": "de-AT"}, None, "de"),
        ("en", {"language": "de_AT"}, None, "de"),
        ("en", {"language": "DE"}, None, "de"),
        ("en", {"language": "de-Latn-AT-1996"}, None, "de"),
        ("en", {"locale": "pt-BR"}, None, "pt-BR"),
        ("de", {"locale": "pt-PT"}, None, "de"),
        ("en", {"language": "de", "locale": "pt-BR"}, None, "de"),
        ("en", {"language": "xx", "locale": "de"}, None, "de"),
        ("de", {"language": "en"}, "de", "de"),
        ("en", {"language": "en"}, "de", "de"),
    ],
)
def test_what_was_said_last_counts_first(current: Any, metadata: Any, matched: str | None, chosen: str) -> None:
    """A fixed wording, then the channel, then what the conversation had, then the bot's first language."""
    assert choose(BOTH, current, metadata, matched) == chosen


def test_a_request_in_free_words_counts_after_the_channel_and_before_the_past() -> None:
    """What a message is clearly written in says less than what its channel knows, and more than the past."""
    assert choose(BOTH, "en", None, None, "de") == "de"
    assert choose(BOTH, "en", {"language": "en"}, None, "de") == "en"
    assert choose(BOTH, "en", None, "pt-BR", "de") == "pt-BR"
    assert choose(BOTH, "de", None, None, "ja") == "de"


@pytest.mark.parametrize("unknown", ["ja", "", "-", "--", "d", "deutsch", "e n", "x" * 1000, "en" + "-x" * 1000])
def test_an_unknown_language_is_passed_over(unknown: str) -> None:
    """It is never an error; a conversation that had a language keeps it."""
    assert choose(BOTH, None, {"language": unknown, "locale": unknown}, None) == "en"
    assert choose(BOTH, "de", {"language": unknown, "locale": unknown}, None) == "de"
    assert choose(BOTH, unknown, None, unknown) == "en"


_ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)


@given(
    _ANYTHING, _ANYTHING | st.dictionaries(st.sampled_from(["language", "locale"]), _ANYTHING), st.none() | st.text()
)
def test_whatever_comes_the_bot_speaks_one_of_its_languages(current: Any, metadata: Any, matched: Any) -> None:
    """The slot can be set over the API, and a channel can send any metadata."""
    assert choose(BOTH, current, metadata, matched) in BOTH


def test_the_current_language_is_tried_first_and_none_twice() -> None:
    """The others keep the order of privacy.yml."""
    assert current_first(BOTH, "de") == ("de", "en", "pt-BR")
    assert current_first(BOTH, "en") == BOTH


@pytest.mark.parametrize(
    ("linked", "accepted", "chosen"),
    [
        (None, "", "en"),
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "ja, de;q=0.5, en;q=0.7", "en"),
        (None, "ja, de; q=0.7 , en;q=0.50", "de"),
        (None, "de;q=0, pt-BR;q=0.1", "pt-BR"),
        (None, "de;q=0", "en"),
        (None, "*", "en"),
        (None, "de;q=2", "en"),
        (None, "de;q=0.1234", "en"),
        (None, "de;level=1", "en"),
        (None, ";;,,=q", "en"),
        (None, "ja," * 20 + "de", "en"),
        ("de", "en", "de"),
        ("ja", "de", "de"),
        ("../de", "", "en"),
        ("x" * 10_000, "de", "de"),
    ],
)
def test_a_page_is_in_the_language_of_its_link_or_browser(linked: str | None, accepted: str, chosen: str) -> None:
    """What is written wrongly is passed over, as is what the bot does not speak."""
    assert of_page(BOTH, linked, accepted) == chosen


@given(st.one_of(st.none(), st.text()), st.text())
def test_a_page_always_has_a_language(linked: str | None, accepted: str) -> None:
    """Whatever a browser sends."""
    assert of_page(BOTH, linked, accepted) in BOTH
