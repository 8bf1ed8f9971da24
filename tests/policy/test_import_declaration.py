"""What privacy.yml declares for `rasa-privacy import`."""

from collections.abc import Callable
from datetime import date

import pytest

from rasa_privacy.policy.hashing import difference, policy_hash
from rasa_privacy.policy.import_model import ImportedConsent, SlotAnswer
from rasa_privacy.policy.loader import parse_policy

BLOCK = """\
import:
  without_consent: drop
  consent:
    prize_draw: {evidence: "forms, folder 7", given_by: everyone, at: 2025-03-01}
"""


def test_the_declaration_is_read(policy_text: str) -> None:
    """A consent of everyone has its proof and its day, whether the day is quoted or not."""
    expected = ImportedConsent(evidence="forms, folder 7", given_by="everyone", at=date(2025, 3, 1))
    for text in (BLOCK, BLOCK.replace("2025-03-01", '"2025-03-01"')):
        declared = parse_policy(policy_text + text, "privacy.yml").import_
        assert declared is not None
        assert declared.without_consent == "drop"
        assert declared.consent == {"prize_draw": expected}


def test_a_slot_can_hold_the_answer(policy_text: str) -> None:
    """Without a value the answer that means yes is `true`, and the slot's own time counts."""
    text = BLOCK.replace("everyone, at: 2025-03-01", "{slot: agreed}")
    declared = parse_policy(policy_text + text, "privacy.yml").import_
    assert declared is not None
    assert declared.consent["prize_draw"].given_by == SlotAnswer(slot="agreed", value="true")
    assert declared.consent["prize_draw"].at is None


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("prize_draw:", "prize_drow:", "import names the purpose 'prize_drow', which is not declared; did you mean"),
        ('"forms, folder 7"', '" "', "say where the proof is (GDPR Art. 7(1))"),
        (", at: 2025-03-01", "", "misses 'at'; write the day on which it was given"),
        ("2025-03-01", "2025-02-30", "must be a day such as 2025-03-01"),
        ("2025-03-01", "20250301", "must be a day such as 2025-03-01"),
        ("everyone", "most", "given_by must be everyone"),
        ("drop", "keep", "without_consent must be one of drop, structure"),
        ("  without_consent: drop\n", "", "misses 'without_consent'"),
    ],
)
def test_a_wrong_declaration_says_what_to_write(
    before: str, after: str, message: str, policy_text: str, complaint: Callable[[str], str]
) -> None:
    """Each mistake has its line and its remedy."""
    said = complaint(policy_text + BLOCK.replace(before, after))
    assert said.startswith("privacy.yml:1")
    assert message in said


def test_only_a_purpose_with_consent_can_have_been_agreed_to(policy_text: str, complaint: Callable[[str], str]) -> None:
    """Where another basis holds, a declared consent would say something untrue."""
    contract = policy_text.replace("basis: consent", "basis: contract\n    because: {en: you asked}")
    assert "needs no consent" in complaint(contract + BLOCK)


def test_no_model_depends_on_the_declaration(policy_text: str) -> None:
    """Adding or removing the block does not make anybody train again."""
    without, with_block = parse_policy(policy_text, "a.yml"), parse_policy(policy_text + BLOCK, "b.yml")
    assert policy_hash(without) == policy_hash(with_block)
    assert difference(without, with_block) == []
