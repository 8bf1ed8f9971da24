"""The words around a number: looked for from the words or from the number, they are the same."""

from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rasa_privacy.minimize import credentials, documents, emails, network
from rasa_privacy.minimize.context import Context, says
from rasa_privacy.minimize.dates import BIRTH
from rasa_privacy.minimize.documents import LICENCE, PASSPORT, PLATE
from rasa_privacy.minimize.national_ids import NATIONAL_IDS
from rasa_privacy.minimize.places import POSTCODE
from rasa_privacy.minimize.searched_text import CONTEXT_AFTER, CONTEXT_BEFORE, SearchedText

_CONTEXTS: Final = {"birth": BIRTH, "licence": LICENCE, "passport": PASSPORT, "plate": PLATE, "postcode": POSTCODE}
_ALL: Final = {
    **_CONTEXTS,
    **{name: number.context for name, number in NATIONAL_IDS.items()},
    **{
        f"{module.__name__}.{name}": each
        for module in (credentials, documents, emails, network)
        for name, each in vars(module).items()
        if isinstance(each, Context)
    },
}
_PARTS: Final = (
    "dob ", "d o b ", "passport ", "my passport no ", "number plate ", "code postal ", "zip", " zip ", "licence is ",
    "driver's licence ", "12", "123456789", "1 2 3", "1234 5678 90", " ", ". ", "x" * 20, "x" * 40, "\xe9", "\u0416",
    "\n", "_____",
)  # fmt: skip
_TEXTS: Final = st.lists(st.sampled_from(_PARTS) | st.text(max_size=4), max_size=14).map("".join)


def assert_near(context: Context, text: str) -> None:
    """Zones and numbers that the words lead to are those from which a word is found."""
    searched = SearchedText(text, ())
    zones = [zone for zone in searched.zones if context.may_be_near(searched, zone.start, zone.end)]
    assert context.near(searched, searched.zones) == zones
    numbers = [number for number in searched.numbers if context.may_be_near(searched, number.start, number.end)]
    assert context.near(searched, searched.numbers) == numbers


@pytest.mark.parametrize("context", _CONTEXTS.values(), ids=_CONTEXTS)
@given(text=_TEXTS)
def test_what_is_near_a_word_is_what_a_word_is_near(context: Context, text: str) -> None:
    """Whatever stands between them."""
    assert_near(context, text)


@pytest.mark.parametrize("gap", range(CONTEXT_BEFORE + 12))
def test_a_word_counts_as_far_as_it_is_looked_for(gap: int) -> None:
    """Before a number and after it, to the last character."""
    words = ("zip", "passport", "dob")
    for word in words:
        for context in _CONTEXTS.values():
            assert_near(context, f"{word} {'.' * gap}1234567890 {'.' * gap}{word}")
    before = SearchedText(f"zip {'.' * gap}12345", ())
    after = SearchedText(f"12345 {'.' * gap}zip ", ())
    assert bool(POSTCODE.near(before, before.zones)) == (len("zip ") + gap <= CONTEXT_BEFORE)
    assert bool(POSTCODE.near(after, after.zones)) == (len(" zip") + gap <= CONTEXT_AFTER)


@pytest.mark.parametrize("context", _CONTEXTS.values(), ids=_CONTEXTS)
@given(text=_TEXTS)
@example(text="my code -- postal 12345")
@example(text="d. o. b. 12345")
@example(text="driver's   licence: A1234567")
def test_no_word_beside_a_number_is_overlooked(context: Context, text: str) -> None:
    """What the words beside a number say is the same where nobody looked from afar whether the text has them."""
    searched, asked_all = SearchedText(text, ()), SearchedText(text, ())
    asked_all.contexts[context] = frozenset({""})  # a word that is everywhere
    for start, end, *_ in searched.zones:
        assert says(searched, start, end, context) == says(asked_all, start, end, context)


@pytest.mark.parametrize("context", _ALL.values(), ids=_ALL)
def test_each_phrase_is_noticed(context: Context) -> None:
    """One with a blank at its end as a whole word, another also at the beginning of a longer word."""
    for phrase in [phrase for phrases in context._phrases.values() for phrase in phrases]:
        assert context.may_be_in(SearchedText(f"x{phrase} x", ())), phrase
        assert phrase.endswith(" ") or context.may_be_in(SearchedText(f"x{phrase}zz x", ())), phrase
