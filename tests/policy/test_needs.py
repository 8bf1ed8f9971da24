"""What an action, a validation and a response are sent."""

import msgspec
import pytest

from rasa_privacy.policy.model import Actions
from rasa_privacy.policy.needs import Needs, is_validation
from tests.support.vaults import policy

FORMS = {"lead_form": ["full_name", "email", "favourite_activity"], "open_form": ["phone"]}
RESPONSES = {"utter_hello": {"full_name", "favourite_activity", "now"}, "utter_bye": set[str]()}
DECLARED = msgspec.structs.replace(
    policy(), actions=Actions(items={"action_weather": ("postcode",), "utter_bye": ("full_name",)})
)
NEEDS = Needs(DECLARED, FORMS, RESPONSES)


@pytest.mark.parametrize(
    ("action", "items"),
    [
        ("action_submit", {"full_name", "email", "postcode"}),
        ("lead_form", {"full_name", "email", "postcode"}),
        ("validate_lead_form", {"full_name", "email", "postcode"}),
        ("validate_open_form", {"phone"}),
        ("action_hours", set()),
        ("action_weather", {"postcode"}),
        ("action_privacy_show_data", set()),
        ("action_validate_slot_mappings", None),
    ],
)
def test_an_action_needs_what_its_purposes_list_and_what_is_declared(action: str, items: set[str] | None) -> None:
    """An action that nothing guards and nothing is declared for needs nothing."""
    assert NEEDS.of_action(action) == items


def test_a_response_needs_the_slots_in_its_text() -> None:
    """What is declared for it comes on top; a slot that is no item is no matter here."""
    assert NEEDS.of_response("utter_hello") == {"full_name"}
    assert NEEDS.of_response("utter_bye") == {"full_name"}
    assert NEEDS.of_response("utter_unknown") == set()


def test_only_validations_need_values_uncut() -> None:
    """Whether a postcode is right cannot be judged from three characters."""
    assert is_validation("validate_lead_form")
    assert is_validation("action_validate_slot_mappings")
    assert not is_validation("action_submit")
