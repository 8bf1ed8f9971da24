"""A text as the detectors read it: the way back to what was written, and what is kept where something is taken out."""

from itertools import pairwise
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.minimize.searched_text import SearchedText, blanked

#: Plain letters and digits, accents, wide and other scripts' digits, blanks of all kinds, and signs that show nothing.
WRITTEN: Final = st.text(
    st.sampled_from(
        "ab XY09.,-:_\n\u00e9\u0301\u200b\u00ad\ufeff\uff11\u0665\u2003\u2028\u2014\ufb01\u2488\u0436\U0001f600\ud800"
    ),
    max_size=60,
)
FEW: Final = st.builds(
    lambda odd, before, after: "a 1 " * before + odd + "b-2" * after, WRITTEN, st.integers(0, 400), st.integers(0, 400)
)


def alone(character: str) -> str:
    """Return what one character is read as."""
    return SearchedText(character, ()).plain


@given(st.one_of(WRITTEN, FEW))
def test_each_character_is_read_by_itself(written: str) -> None:
    """However many of them are not ASCII; and each place of the plain text stands where it was written."""
    text = SearchedText(written, ())
    assert text.plain == "".join(map(alone, written))
    kept = [index for index, character in enumerate(written) if alone(character)] + [len(written)]
    assert [text.span(index, index)[0] for index in range(len(kept))] == kept
    assert [text.place(index) for index in kept] == [*range(len(kept))]


@given(WRITTEN, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=4))
def test_what_is_left_is_what_a_blanked_text_has(written: str, cuts: list[tuple[int, int]]) -> None:
    """Zones and numbers that are taken over are those that would be found anew, but for letters beside them."""
    text = SearchedText(written, ())
    spans = sorted((start, min(start + length, len(text.plain))) for start, length in cuts if start < len(text.plain))
    left, new = text.without(spans), SearchedText(blanked(text.plain, spans), ())
    assert left.plain == new.plain
    assert left.lower == new.lower
    assert left.numbers == new.numbers
    assert left.long_words == new.long_words
    assert [zone[:3] for zone in left.zones] == [zone[:3] for zone in new.zones]
    assert all(zone.features >= anew.features for zone, anew in zip(left.zones, new.zones, strict=True))


@given(WRITTEN)
def test_words_are_found_as_they_stand(written: str) -> None:
    """By their heads, alone and in a row."""
    text = SearchedText(written, ())
    words = "".join(sign if sign.isascii() and sign.isalpha() else " " for sign in text.lower).split()
    assert text.heads == {word[:3] for word in words}
    for first, second in pairwise(words):
        assert text.has_words(f" {first} {second}")
        assert text.has_words(f" {first} ")
    assert not text.has_words(" abq ")
