import base64
from datetime import date, datetime, timezone
from hashlib import sha256
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.minimize.transforms import Aids, keep_part
from rasa_privacy.policy.item_model import Ends, KeepWord

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
WORDS: list[KeepWord] = list(get_args(KeepWord))
AIDS = Aids(
    date(2026, 11, 28), lambda value: f"p-{base64.b32encode(sha256(value.encode()).digest()).decode().lower()[:26]}"
)
KEEPS = (
    st.sampled_from(WORDS)
    | st.integers(1, 10).map(lambda count: Ends(first=count))
    | st.integers(1, 10).map(lambda count: Ends(last=count))
)


ADDRESSES = st.dictionaries(
    st.sampled_from(("city", "Stadt", "ort", "country", "land", "street")),
    st.text(alphabet="ab 1,.@-/\u00fc", max_size=20)
    | st.sampled_from(("10115 Berlin", "Ana, a@x.example", "DE", "12")),
    min_size=1,
)


@given(JSON | ADDRESSES, KEEPS)
def test_cutting_twice_is_cutting_once(value: object, keep: KeepWord | Ends) -> None:
    """A value passes several doors and must not become less at each."""
    once = keep_part(value, keep, AIDS)
    assert keep_part(once, keep, AIDS) == once


@given(ADDRESSES, st.sampled_from(("city", "country")))
def test_a_part_of_an_address_is_cut_as_a_text_is(value: dict[str, str], keep: KeepWord) -> None:
    """Whatever somebody wrote where the town or the country belongs is read as strictly as an address in one line."""
    once = keep_part(value, keep, AIDS)
    assert once is None or keep_part(str(once), keep, AIDS) == once


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
    assert keep_part(10**5000, Ends(first=3)) is None


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
    assert keep_part(value, Ends(first=3)) == expected


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


@pytest.mark.parametrize(
    ("keep", "value", "expected"),
    [
        ("decade", "12.05.1990", "1990s"),
        ("decade", 1994, "1990s"),
        ("decade", "12/05/90", None),
        ("age_band", "1990-05-12", "30-39"),
        ("age_band", "1990-11-29", "30-39"),
        ("age_band", "1996-11-28", "30-39"),
        ("age_band", "1996-11-29", "20-29"),
        ("age_band", 34, "30-39"),
        ("age_band", "7", "0-9"),
        ("age_band", "12.05.1990", None),
        ("age_band", "340", None),
        ("age_band", "1990-02-31", None),
        ("postcode_area", "SW1A 1AA", "SW1A***"),
        ("postcode_area", "sw1a1aa", "SW1A***"),
        ("postcode_area", "10115", "10***"),
        ("postcode_area", 90210, "90***"),
        ("postcode_area", "Berlin", None),
        ("postcode_area", "1010 Wien", "10***"),
        ("postcode_area", "10115 Ulm", "10***"),
        ("postcode_area", "12345 Ana Li", "12***"),
        ("postcode_area", "1012 AB", "10***"),
        ("postcode_area", "1012ab Amsterdam", "10***"),
        ("postcode_area", "D-10115 Berlin", "10***"),
        ("postcode_area", "113 51", "11***"),
        ("postcode_area", "1000-001 Lisboa", "10***"),
        ("postcode_area", "SW1A 1AA London", "SW1A***"),
        ("postcode_area", "K1A 0B1", "K1A***"),
        ("postcode_area", "D02 AF30", "D02***"),
        ("postcode_area", "1010 Wien 5", None),
        ("postcode_area", "123 Main Street", None),
        ("postcode_area", "C1425CLA", None),
        ("email_domain", "Ana.Li@X.example", "@x.example"),
        ("email_domain", "Ana Li", None),
        ("city", "12 Hill Lane, 10115 Berlin", "Berlin"),
        ("city", "12 Hill Lane, 10115 Berlin, Germany", "Berlin"),
        ("city", "San Sebasti\u00e1n", "San Sebasti\u00e1n"),
        ("city", "12 Hill Lane", None),
        ("city", {"street": "12 Hill Lane", "city": "Berlin"}, "Berlin"),
        ("city", {"street": "12 Hill Lane"}, None),
        ("city", {"city": "10115 Berlin"}, "Berlin"),
        ("city", {"city": "Ana Lopez, ana@x.example, +49 170 5558172"}, None),
        ("city", "10115 Berlin Ana Lopez call 5", None),
        ("city", "10115 Berlin Ana Lopez lives right here", None),
        ("city", "60311 Frankfurt/Main", "Frankfurt/Main"),
        ("country", "12 Hill Lane, 10115 Berlin, Germany", "DE"),
        ("country", "Deutschland", "DE"),
        ("country", {"country": "France", "city": "Paris"}, "FR"),
        ("country", "de", "DE"),
        ("country", "12 Hill Lane", None),
        ("yes_no", "penicillin", "yes"),
        ("yes_no", "nein", "no"),
        ("yes_no", "False.", "no"),
        ("yes_no", "0.0", "no"),
        ("yes_no", "null", "no"),
        ("yes_no", "yes!", "yes"),
        ("yes_no", False, "no"),
        ("yes_no", "no allergies", None),
        ("yes_no", "maybe", None),
        ("yes_no", "No thanks, maybe", None),
        ("yes_no", "yes?", None),
        ("yes_no", "Noah", "yes"),
        ("yes_no", None, None),
        (Ends(last=4), "4111 1111 1111 1111", "1111"),
    ],
)
def test_a_coarser_form_says_what_its_name_says(keep: KeepWord | Ends, value: object, expected: object) -> None:
    """What is not understood is not kept."""
    assert keep_part(value, keep, AIDS) == expected


@pytest.mark.parametrize(
    "text",
    [
        "No.", "no thanks", "nope", "NO!!!", "nein.", "Nein, danke", "non merci", "Non.", "No, gracias", "no, grazie",
        "N\u00e3o, obrigada.", "Nee, bedankt!", "never", "\U0001f44e",
    ],
)  # fmt: skip
def test_a_no_is_no_yes_in_any_language(text: str) -> None:
    """Whatever signs and polite words it is said with."""
    assert keep_part(text, "yes_no") == "no"


@pytest.mark.parametrize("text", ["Yes!", "ja, bitte", "Oui.", "S\u00ed, por favor", "s\u00ec", "claro", "Ja graag"])
def test_a_yes_is_read_in_any_language(text: str) -> None:
    """As a no is."""
    assert keep_part(text, "yes_no") == "yes"


def test_a_pseudonym_is_the_same_for_the_same_value_and_says_nothing_of_it() -> None:
    """Case and Unicode form make no difference; without a key none is kept."""
    first, second = (keep_part(value, "pseudonym", AIDS) for value in ("Ana Li", "\uff21na LI"))
    assert first == second
    assert first != keep_part("Bo Li", "pseudonym", AIDS)
    assert isinstance(first, str)
    assert "ana" not in first
    assert keep_part("Ana Li", "pseudonym") is None


@given(st.text(min_size=1), st.integers(1, 10))
def test_an_end_shows_no_more_than_it_says(text: str, count: int) -> None:
    """Not one character more than was declared."""
    for keep in (Ends(first=count), Ends(last=count)):
        kept = keep_part(text, keep)
        assert isinstance(kept, str)
        assert len(kept) <= count


@pytest.mark.parametrize("keep", ["masked", "year", "decade", "pseudonym", Ends(first=1), Ends(last=2)])
def test_a_key_that_is_no_name_of_a_field_is_not_kept(keep: KeepWord | Ends) -> None:
    """Actions collect by contact: an address or a number as a key is a value, and would stay as it is."""
    value = {"ana@x.example": "1990-01-01", "01705558172": "1990-01-01", "Ana Li": "1990-01-01", "born": "1990-01-01"}
    kept = keep_part(value, keep, AIDS)
    assert kept == {"born": keep_part("1990-01-01", keep, AIDS)}
    assert keep_part([{"of": value}], keep, AIDS) == [{"of": kept}]
