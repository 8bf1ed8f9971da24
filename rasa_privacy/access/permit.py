"""`Permit`: that one operator may do one thing now. Whoever hands out personal data asks for one.

Only `admission` makes permits. Making one elsewhere raises, and a type checker finds a call without one.
"""

from dataclasses import InitVar, dataclass
from typing import Final

from rasa_privacy.errors import AccessError

_SEAL: Final = object()


@dataclass(frozen=True, slots=True)
class Permit:
    """What one operator may do now.

    Attributes:
        operator: Their label in the audit log.
        role: The role of privacy.yml in which they do it; empty for who has the machine, where there are no operators;
            `break_glass` in an emergency.
        verb: What they may do, a word of `policy.verbs`.
        reason: Why they do it, as they said.
        items: The items that they may see or change; None for all.
        purposes: The purposes whose data they may see or change; None for all.
        clear: Whether they see values in the clear; masked otherwise.

    Raises:
        AccessError: It was made by hand.
    """

    operator: str
    role: str
    verb: str
    reason: str
    items: frozenset[str] | None
    purposes: frozenset[str] | None
    clear: bool
    seal: InitVar[object]  # so that `dataclasses.replace` cannot widen one

    def __post_init__(self, seal: object) -> None:
        """Refuse a permit that admission did not make."""
        if seal is not _SEAL:
            raise AccessError("a permit is made by rasa_privacy.access.admission.admit and by nothing else")

    def require(self, verb: str) -> None:
        """Return where the permit is for this.

        Raises:
            AccessError: It is for something else.
        """
        if self.verb != verb:
            raise AccessError(f"the permit is to {self.verb} and not to {verb}; ask for one with admit(vault, ...)")

    def require_purpose(self, purpose: str) -> None:
        """Return where the permit covers the data of a purpose.

        Raises:
            AccessError: It does not.
        """
        if not self.covers_purpose(purpose):
            raise AccessError(f"the role '{self.role}' does not reach the purpose '{purpose}'")

    def require_item(self, item: str) -> None:
        """Return where the permit covers an item.

        Raises:
            AccessError: It does not.
        """
        if not self.covers_item(item):
            raise AccessError(f"the role '{self.role}' does not reach the item '{item}'")

    def require_clear(self) -> None:
        """Return where the permit shows values in the clear.

        Raises:
            AccessError: It does not.
        """
        if not self.clear:
            raise AccessError("this hands out values in the clear, and the permit shows them masked")

    def covers_item(self, item: str) -> bool:
        """Return whether the item may be seen or changed."""
        return self.items is None or item in self.items

    def covers_purpose(self, purpose: str) -> bool:
        """Return whether the data of a purpose may be seen or changed."""
        return self.purposes is None or purpose in self.purposes


def issue(  # noqa: PLR0913 - the fields of a permit
    *,
    operator: str,
    role: str,
    verb: str,
    reason: str,
    items: frozenset[str] | None,
    purposes: frozenset[str] | None,
    clear: bool,
) -> Permit:
    """Make a permit. For `admission` alone: a test holds that nothing else imports this."""
    return Permit(operator, role, verb, reason, items, purposes, clear, _SEAL)
