"""Which detectors are left out of a search: only those that would have found nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.support.personal_corpus import KINDS, corpus
from rasa_privacy.minimize import detectors
from rasa_privacy.minimize.detectors import DETECTORS, find

_MESSAGES = [message.text for message in corpus(seed=31, per_kind=12, traps=150)]
_PARTS = (
    "0", "12", "123456", "4111 1111 1111 1111", "+49 30 901820", "A", "ab", "Z", "DE", " ", "-", ".", "/", ":", "@",
    "at", "dot", "my ", "is ", "\u0663", "\uff10", "\u200b", "\xe9", "\u0416", "\xb0", "dob ", "plate ", "2A", "CA, ",
    "licence ", "://", "token=",
)  # fmt: skip


def _every(_: frozenset[str], most: int, after: int = -1) -> tuple[str, ...]:
    """Return all detectors for which there are enough digits, whatever else the text has or lacks."""
    return tuple(name for name in [*DETECTORS][after + 1 :] if detectors._DIGITS.get(name, 0) <= most)


@pytest.fixture(scope="module")
def messages() -> list[str]:
    """Messages by themselves, and two after each other."""
    return [*_MESSAGES, *(f"{first} {second}" for first, second in zip(_MESSAGES, _MESSAGES[7:], strict=False))]


def test_each_detector_has_messages_here_and_in_the_benchmark() -> None:
    """A new one too: without a message it could be left out of every search unnoticed."""
    assert DETECTORS.keys() <= KINDS.keys()


def test_no_detector_that_finds_something_is_left_out(messages: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The findings of all detectors are those of the ones that a text is searched with."""
    planned = [find(message) for message in messages]
    monkeypatch.setattr(detectors, "_plan", _every)
    assert planned == [find(message) for message in messages]


@given(st.lists(st.sampled_from(_PARTS) | st.sampled_from(_MESSAGES) | st.text(max_size=3), max_size=12).map("".join))
def test_no_detector_is_left_out_whatever_is_written(text: str) -> None:
    """The same for messages cut, mixed and misspelt."""
    planned = find(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detectors, "_plan", _every)
        assert planned == find(text)
