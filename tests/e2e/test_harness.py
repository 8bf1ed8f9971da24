"""The harness itself: a bot answers, what goes to actions is recorded, and the search finds what it should."""

import base64
import json
from urllib.parse import quote

import pytest

from tests.e2e.harness import RunningBot
from tests.e2e.search import Sink, assert_nowhere, occurrences

pytestmark = [pytest.mark.e2e]

MARK = "Zoë Canary-77"


def test_the_example_bot_answers_over_rest(bot: RunningBot) -> None:
    """A question gets an answer from the real servers, and both logs are written at debug level."""
    (answer, *_) = bot.chat("harness-asker").say("what are your opening hours?")
    assert "open" in answer.text.casefold()
    assert all(b"DEBUG" in log.read_bytes() for log in bot.servers.logs)


def test_two_senders_are_two_conversations(bot: RunningBot) -> None:
    """What one sender is offered does not show in another sender's chat."""
    first, second = bot.chat("harness-first"), bot.chat("harness-second")
    assert first.say("hello")[0].buttons
    assert first.offered
    assert not second.offered


@pytest.mark.parametrize(
    "written",
    [
        MARK.encode(),
        MARK.upper().encode(),
        MARK.encode("utf-16-le"),
        MARK.encode("utf-16-be"),
        json.dumps({"text": MARK}).encode(),
        quote(MARK).encode(),
        MARK.encode().hex().upper().encode(),
        *(base64.b64encode(b"x" * lead + MARK.encode() + b"tail") for lead in range(3)),
        *(base64.urlsafe_b64encode(b"?" * lead + MARK.lower().encode()) for lead in range(3)),
    ],
)
def test_the_search_finds_a_mark_in_every_alphabet(written: bytes) -> None:
    """A mark is found in plain, other cases, UTF-16, JSON, URL, hexadecimal and base64 writing at any offset."""
    assert occurrences([MARK], [Sink("file", b"before " + written + b" after")])


def test_the_search_passes_where_there_is_no_mark() -> None:
    """Other text, also of a similar name, is not taken for the mark."""
    assert_nowhere([MARK], [Sink("file", b"Zoe Canary, canary-78, " + bytes(range(256)))])


def test_a_search_of_nothing_fails() -> None:
    """A search without content or without marks proves nothing, and says so."""
    with pytest.raises(AssertionError, match="proves nothing"):
        assert_nowhere([MARK], [Sink("file", b"")])
    with pytest.raises(AssertionError, match="no marks"):
        assert_nowhere([], [Sink("file", b"text")])
