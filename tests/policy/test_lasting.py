"""`keep` says how much, or how long."""

import re

import pytest

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.item_model import Ends, Item
from rasa_privacy.policy.lasting import Lasting
from rasa_privacy.policy.loader import parse_policy
from tests.support.vaults import PRIVACY


@pytest.mark.parametrize(
    ("keep", "cut", "lasting"),
    [
        ("until lead_form", "full", Lasting(form="lead_form")),
        ("session", "full", Lasting(session=True)),
        ("7 days", "full", Lasting(duration="7 days")),
        ("decade", "decade", None),
        (Ends(last=4), Ends(last=4), None),
    ],
)
def test_keep_says_how_much_or_how_long(keep: str | Ends, cut: object, lasting: Lasting | None) -> None:
    """What lasts for a time is kept in full so long."""
    item = Item(slot="x", keep=keep)
    assert (item.cut, item.lasting) == (cut, lasting)


@pytest.mark.parametrize("keep", ["until", "until two forms", "0 days", "7", "mask", "sessions"])
def test_another_word_is_refused_with_those_that_there_are(keep: str) -> None:
    """The place of the item and the words."""
    text = PRIVACY.replace("{slot: birthday, keep: year}", f"{{slot: birthday, keep: '{keep}'}}")
    with pytest.raises(PolicyError, match=re.escape("privacy.yml:8:")) as raised:
        parse_policy(text, "privacy.yml")
    assert "yes_no" in str(raised.value)
