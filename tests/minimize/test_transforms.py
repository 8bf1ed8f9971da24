from datetime import date, datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.minimize.transforms import keep_part
from rasa_privacy.policy.model import First, KeepWord

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
WORDS: list[KeepWord] = ["full", "masked", "year", "none"]
KEEPS = st.sampled_from(WORDS) | st.integers(1, 10).map(lambda count: First(first=count))


@given(JSON, KEEPS)
def test_cutting_twice_is_cutting_once(value: object, keep: KeepWord | First) -> None:
    """A value passes several doors and must not become less at each."""
    once = keep_part(value, keep)
    assert keep_part(once, keep) == once


@given(st.text())
def test_a_masked_text_shows_a_quarter_and_two_characters_at_most(text: str) -> None:
    """The rest is stars, and their number does not tell the length."""
    masked = keep_part(text, "masked")
    assert isinstance(masked, str)
    shown = masked.rstrip("*")
    assert text.strip().startswith(shown)
    assert len(shown) <= min(2, len(text.strip()) / 4)
    assert len(masked) in (0, 4, 5, 8)


@pytest.mark.parametrize("text", ["a", "Ana", "1234", "  Li  "])
def test_a_short_value_shows_nothing(text: str) -> None:
    """Of fewer than five characters nothing is shown."""
    assert keep_part(text, "masked") == "****"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12345", "1****"),
        ("ana.li@x.example", "an******"),
        (12345678, "12******"),
        (1.5, "****"),
        (True, None),
        (None, None),
        ("", ""),
        (["Ana Li Wong", 5], ["An******", "****"]),
        ({"from": "2024-05-12", "to": None}, {"from": "20******", "to": None}),
        ({1, 2}, None),
    ],
)
def test_masked_hides_values_of_every_type(value: object, expected: object) -> None:
    """Numbers are masked as they are written; what has no text is not kept."""
    assert keep_part(value, "masked") == expected


def test_a_number_too_long_to_be_written_is_not_kept() -> None:
    """Python refuses to write an integer of 5,000 digits, and that is no reason to fail."""
    assert keep_part(10**5000, "masked") is None
    assert keep_part(10**5000, First(first=3)) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1990", "1990"),
        ("1990-05-12", "1990"),
        ("12.05.1990", "1990"),
        ("05/12/1990", "1990"),
        ("12 May 1990", "1990"),
        ("May 12th, 1990", "1990"),
        ("I was born on the 12th of May 1990", "1990"),
        ("1990-05-12T00:00:00.000-07:00", "1990"),
        ("12 May 1990 10:30", "1990"),
        ("19900512", "1990"),
        ("12051990", "1990"),
        ("\u0661\u0669\u0669\u0660", "1990"),
        (1990, 1990),
        (1990.0, 1990),
        (date(1990, 5, 12), "1990"),
        (datetime(1990, 5, 12, 8, tzinfo=timezone.utc), "1990"),
        (["1990-05-12", "soon"], ["1990", None]),
        ("12/05/90", None),
        ("May", None),
        ("1990 or 1991", None),
        ("1990 1234 5678 9012", None),
        ("0170 1990123", None),
        ("9999-01-01", None),
        (19900512, None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        ("", None),
        ("1990 " * 1000, None),
    ],
)
def test_year_keeps_the_year_of_a_date_and_nothing_else(value: object, expected: object) -> None:
    """Common ways to write a date give their year; a doubtful one gives nothing."""
    assert keep_part(value, "year") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("SW1A 1AA", "SW1"),
        (" 10115", "101"),
        (10115, "101"),
        ("ab c", "ab"),
        (False, None),
        ([None, "90210"], [None, "902"]),
    ],
)
def test_first_keeps_the_first_characters(value: object, expected: object) -> None:
    """Spaces around the value do not count as its characters."""
    assert keep_part(value, First(first=3)) == expected


@given(JSON)
def test_none_keeps_nothing_and_full_keeps_all(value: object) -> None:
    """The two ends of the scale are exact."""
    assert keep_part(value, "none") is None
    assert keep_part(value, "full") is value


def test_lists_without_end_are_not_followed() -> None:
    """A value nested deeper than any real one is cut off."""
    value: object = "secret"
    for _ in range(5000):
        value = [value]
    assert "secret" not in _flat(keep_part(value, "masked"))


def _flat(value: object) -> str:
    while isinstance(value, list) and value:
        value = value[0]
    return str(value)
