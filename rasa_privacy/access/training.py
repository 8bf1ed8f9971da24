"""Training: what operators must have learned before they get personal data.

Rules:

1. With `training` in privacy.yml, nothing that reaches personal data is permitted without a passed attempt at the
   course that is not older than `valid_for`. It holds for the user of the machine too, and when the glass is broken.
2. Every attempt is kept, passed or not, and is in the audit log.
3. What somebody has to know follows from the file as it is when they take the course; a later change of it does not end
   an attestation before its time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rasa_privacy.access.course import Question
from rasa_privacy.access.labels import shown_label
from rasa_privacy.access.login import Operator, require_current
from rasa_privacy.errors import AccessError
from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.operations import Training
from rasa_privacy.policy.verbs import REACHES_PEOPLE, TRAINING
from rasa_privacy.storage.attestations import Attestation
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault

_PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """How an operator stands with the course.

    Attributes:
        operator: Their name.
        attempts: How often they took it.
        passed_at: When they passed it last, or None.
        until: Until when that holds, or None.
    """

    operator: str
    attempts: int
    passed_at: datetime | None
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Return whether they passed it, and not too long ago."""
        return self.until is not None and self.until > now


def require_training(vault: Vault, connection: Any, name: str, verb: str) -> None:
    """Return where an operator has learned what the verb needs.

    Raises:
        AccessError: They have not, or it was too long ago.
    """
    training = vault.policy.training
    if training is None or verb not in REACHES_PEOPLE:
        return
    found = standing(vault, connection, training, name)
    if not found.holds(vault.clock()):
        when = "was never passed" if found.until is None else f"was valid until {found.until:%Y-%m-%d}"
        raise AccessError(f"the course '{training.course}' {when}; 'rasa-privacy training take' takes some minutes")


def standing(vault: Vault, connection: Any, training: Training, name: str) -> Standing:
    """Return how an operator stands with the course."""
    attempts = vault.attestations.of_operator(connection, name, training.course)
    passed = [each.at for each in attempts if each.passed]
    if not passed:
        return Standing(name, len(attempts), None, None)
    until = passed[-1] + Length(training.valid_for)
    return Standing(name, len(attempts), passed[-1], until)


def everybody(vault: Vault, connection: Any, training: Training) -> list[Standing]:
    """Return how each operator who may act stands with the course, and whoever else took it."""
    rows = vault.operators.all(connection)
    present = [row.name for row in rows if row.revoked_at is None]
    revoked = {row.name for row in rows} - {*present}
    took = [each.operator for each in vault.attestations.all(connection) if each.operator not in revoked]
    return [standing(vault, connection, training, name) for name in dict.fromkeys((*present, *took))]


def attest(vault: Vault, operator: Operator, asked: Sequence[Question], answers: Sequence[int]) -> Attestation:
    """Record an attempt at the course, and return it.

    Args:
        vault: The open store.
        operator: Who took it.
        asked: The questions.
        answers: The index of the answer to each.

    Raises:
        AccessError: privacy.yml asks for no training, or the operator may not act.
    """
    training = vault.policy.training
    if training is None:
        raise AccessError("privacy.yml asks for no training; it would stand under 'training'")
    correct = sum(question.right == answer for question, answer in zip(asked, answers, strict=True))
    passed = correct * _PERCENT >= training.pass_mark * len(asked)
    made = Attestation(operator.name, training.course, vault.clock(), len(asked), correct, passed=passed)

    def note(connection: Any) -> None:
        require_current(vault, connection, operator)
        vault.attestations.add(connection, made)
        label = shown_label(vault, operator.name)
        counts = {"asked": made.asked, "correct": made.correct}
        outcome = "done" if passed else "failed"
        vault.audit.append(connection, AuditRecord(made.at, label, TRAINING, outcome, counts=counts))

    vault.database.transact(note)
    return made
