"""One value in what somebody typed."""

import pytest

from rasa_privacy.minimize.single_values import single_value
from rasa_privacy.policy.detector_names import PRESIDIO_NAMES


def test_a_value_with_a_form_is_found_in_a_sentence() -> None:
    """Two, or none, are no answer."""
    assert single_value("it is ana@x.example now", "email") == "ana@x.example"
    assert single_value("DE89 3704 0044 0532 0130 00 please", "iban") == "DE89 3704 0044 0532 0130 00"
    assert single_value("I have none", "iban") is None
    assert single_value("ana@x.example or eve@x.example", "email") is None


@pytest.mark.parametrize("detector", [None, *PRESIDIO_NAMES])
def test_a_value_without_a_form_is_the_text(detector: str | None) -> None:
    """A model's guess does not decide what somebody's own name may be."""
    assert single_value("Ana Example", detector) == "Ana Example"
