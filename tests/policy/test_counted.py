"""Numbers in messages: one of something has its own word."""

import pytest

from rasa_privacy.policy.counted import counted


@pytest.mark.parametrize(
    ("number", "one", "said"),
    [
        (1, "person", "1 person"),
        (0, "person", "0 people"),
        (2500, "person", "2,500 people"),
        (1, "linked conversation", "1 linked conversation"),
        (2, "linked conversation", "2 linked conversations"),
        (3, "entry", "3 entries"),
    ],
)
def test_one_and_many_have_their_words(number: int, one: str, said: str) -> None:
    """The last part of the word changes."""
    assert counted(number, one) == said


def test_another_word_for_many_can_be_given() -> None:
    """For what changes in more than its last part."""
    assert counted(1, "purpose or item", "purposes or items") == "1 purpose or item"
    assert counted(2, "purpose or item", "purposes or items") == "2 purposes or items"
