"""No slot of a domain is forgotten."""

import pytest

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.loader import parse_policy
from rasa_privacy.policy.slots import check_slots


def test_every_forgotten_slot_is_listed(policy_text: str) -> None:
    """All slots without a word about them stand in one message, sorted, with the remedy."""
    with pytest.raises(PolicyError) as caught:
        check_slots(parse_policy(policy_text, "privacy.yml"), ["shoe", "email", "age"], "privacy.yml")
    assert str(caught.value).startswith("privacy.yml:1:1: ")
    assert "'age', 'shoe'" in str(caught.value)
    assert "not_personal" in str(caught.value)


def test_slots_of_rasa_and_of_the_plug_ins_need_no_word(policy_text: str) -> None:
    """Items, slots that are not personal, Rasa's own and ours all pass; only another one beside them is named."""
    slots = [
        "full_name",
        "email",
        "favourite_activity",
        "requested_slot",
        "session_started_metadata",
        "privacy_pending",
    ]
    policy = parse_policy(policy_text, "privacy.yml")
    check_slots(policy, slots, "privacy.yml")
    with pytest.raises(PolicyError) as caught:
        check_slots(policy, [*slots, "shoe"], "privacy.yml")
    assert [name for name in (*slots, "shoe") if f"'{name}'" in str(caught.value)] == ["shoe"]
