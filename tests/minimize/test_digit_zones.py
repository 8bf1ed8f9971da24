"""Where the digits of a text stand, held against the plain patterns of what is meant."""

import re
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.minimize.digit_zones import BY_DIGITS, FEWEST, LETTERS, numbers_in, zones_left, zones_of

_ZONE: Final = re.compile("[0-9]+(?:[^0-9]{1,8}[0-9]+)*")
_NUMBER: Final = re.compile(f"[0-9](?:[ ./-]{{0,2}}[0-9]){{{FEWEST - 1},}}")
_LETTERED: Final = re.compile(
    "[A-Z]|[a-z][.-]?[0-9]|[0-9][.-]?[a-z]|[0-9][ ./-]{1,2}[a-z](?![a-z])|(?<![a-z])[a-z]{2} {1,2}[0-9]{2} "
    "|(?<![a-z])[a-z] [a-z] [0-9] [0-9] "
)
_FEATURES: Final = {
    "capital after a digit": "[0-9][ -]?[A-Z]",
    "one letter after a digit": "[0-9](?:[ ./-]{0,2}| - )[A-Za-z](?![A-Za-z0-9_])",
    "number after a state": "[A-Z],? [0-9]{5}",
    "letter after three": (
        "(?:[0-9LMNP-Vlmnp-v]{3}(?:[ .-]?| - )|(?:[0-9LMNP-Vlmnp-v][ .-]){3})[A-Za-z](?![A-Za-z0-9_])"
    ),
    "birthday before letters": "[0-9]{6} ?[A-Za-z9]{2} ?[0-9] ?[A-Za-z]{2}",
}
TEXTS: Final = st.lists(
    st.text(st.sampled_from("0123456789 .-/AZaz,_\n"), max_size=12)
    | st.sampled_from(
        (" is ", "CA, 90210", "de 89 37", "85T10A562S", "12345678", "a few words", "1", "54 362 315 k", "d e 8 9 3 7")
    )
).map("".join)


@given(TEXTS)
def test_zones_are_the_stretches_with_digits_close_together(text: str) -> None:
    """Each with how many digits it has."""
    expected = [(*found.span(), sum(map(str.isdigit, found[0]))) for found in _ZONE.finditer(text)]
    zones = zones_of(text, text.lower(), text.encode())
    assert [zone[:3] for zone in zones] == expected
    if zones:
        assert [zone[:3] for zone in zones_left(text, zones)] == expected


@given(TEXTS)
def test_numbers_have_two_signs_between_their_digits_at_most(text: str) -> None:
    """And eight digits at least."""
    found = numbers_in(text, zones_of(text, text.lower(), text.encode()))
    expected = [(*number.span(), re.sub("[^0-9]", "", number[0])) for number in _NUMBER.finditer(text)]
    assert [tuple(number) for number in found] == expected


@given(TEXTS)
def test_a_zone_has_the_features_that_stand_near_it(text: str) -> None:
    """Those that begin with the letter are what is meant by the ones that begin with the digit."""
    for zone in zones_of(text, text.lower(), text.encode()):
        near = _LETTERED.search(text, max(0, zone.start - 6), zone.end + 6)
        assert (LETTERS in zone.features) == (near is not None)
        for name, pattern in _FEATURES.items() if near else ():
            found = re.compile(pattern).search(text, max(0, zone.start - 3), zone.end + 10)
            if found is None or zone.digits < BY_DIGITS[name][0]:
                assert name not in zone.features
            else:
                assert name in zone.features


def test_each_feature_is_held_here() -> None:
    """A new one too."""
    assert _FEATURES.keys() == BY_DIGITS.keys()
