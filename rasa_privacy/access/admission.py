"""`admit`: may this operator do that now? The one place where permits are made.

Rules, in order:

1. Where there are operators, the user of the machine is none of them. Where there are none, they may do everything.
2. The operator is read again each time: who was revoked, whose token is over or was renewed, is refused at once.
3. The first of their roles that allows the verb decides about items, purposes and masking.
4. Who wants values in the clear needs a role that shows them, and gives a reason.
5. With `training` in privacy.yml, nothing that reaches personal data is permitted without a current attestation.
6. Every refusal is in the audit log before it is said.

`break_glass` goes beyond 1, 3 and 4, never beyond 2 and 5: with a reason, an alarm, and a review by somebody else.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Final, Literal

from rasa_privacy.access.labels import shown_label
from rasa_privacy.access.login import Operator, local_operator, require_current
from rasa_privacy.access.permit import Permit, issue
from rasa_privacy.access.reasons import checked_reason
from rasa_privacy.access.training import require_training
from rasa_privacy.errors import AccessError, PrivacyError
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.operations import Role
from rasa_privacy.policy.verbs import BREAK_GLASS, VERBS
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: Tells somebody that glass was broken: operator's label, verb, number of the record.
Alarm = Callable[[str, str, int], None]

#: The label of a server in the audit log. Operators' labels have no `+`.
SERVER: Final = "server+automatic"
#: The shortest reason that says something.
_REASON_CHARACTERS: Final = 8


def admit(  # noqa: PLR0913 - who, what, why, and of what
    vault: Vault,
    operator: Operator,
    verb: str,
    *,
    reason: str = "",
    clear: bool = False,
    purposes: Iterable[str] = (),
    items: Iterable[str] = (),
) -> Permit:
    """Return a permit for one call.

    Args:
        vault: The open store.
        operator: Who logged in.
        verb: What they want to do, a word of `policy.verbs.VERBS`.
        reason: Why; needed for values in the clear, and good for everything else.
        clear: Whether they want values in the clear. Where privacy.yml does not show them, that is refused.
        purposes: The purposes that they name; one that the role does not reach is refused.
        items: The same of items.

    Raises:
        AccessError: They may not; the refusal is in the audit log. Or the reason holds personal data.
        StorageError: The refusal cannot be recorded.
    """
    _known(verb)
    said = checked_reason(reason)
    try:
        permit = _decide(vault, operator, verb, said, clear=clear)
        for purpose in purposes:
            permit.require_purpose(purpose)
        for item in items:
            permit.require_item(item)
    except AccessError:
        _note(vault, operator, verb, said, "refused")
        raise
    return permit


def may_in_full(vault: Vault, operator: Operator, verb: str) -> bool:
    """Return whether an operator would be permitted a verb on everything in the clear; asking is not recorded."""
    try:
        found = _decide(vault, operator, verb, "x" * _REASON_CHARACTERS, clear=True)
    except AccessError:
        return False
    return found.items is None and found.purposes is None


def admit_local(vault: Vault, verb: str, reason: str = "") -> Permit:
    """Return the permit of the user of this machine; refused where there are operators (`admit`)."""
    return admit(vault, local_operator(), verb, reason=reason)


def admit_server(reason: str, verb: Literal["retention", "report"] = "retention") -> Permit:
    """Return the permit of a server that removes what is due by itself, or counts it for a review; it shows nothing.

    Args:
        reason: Why, for the audit log; words of the program and never of a person.
        verb: `retention` to remove, `report` to count.
    """
    return issue(
        operator=SERVER,
        role="",
        verb=verb,
        reason=reason,
        items=frozenset(),
        purposes=frozenset(),
        clear=False,
    )


def break_glass(vault: Vault, operator: Operator, verb: str, reason: str, alarm: Alarm) -> Permit:
    """Return a permit for everything of one verb, in an emergency.

    Args:
        vault: The open store.
        operator: Who logged in, in a role with `break_glass`; or the user of the machine.
        verb: What they want to do.
        reason: Why; needed.
        alarm: What tells others of it. Where it fails, the record and the log line stand, and the access goes on.

    Raises:
        AccessError: No role of theirs may, the reason is missing, or they lack training.
        StorageError: It cannot be recorded, so the glass stays whole.
    """
    _known(verb)
    said = checked_reason(reason)
    try:
        _may_break(vault, operator, verb, said)
    except AccessError:
        _note(vault, operator, BREAK_GLASS, said, "refused")
        raise
    number = _note(vault, operator, BREAK_GLASS, said, "done")
    label = shown_label(vault, operator.name)
    logger.critical("Break-glass access: operator %s, to %s; record %d of the audit log.", label, verb, number)
    try:
        alarm(label, verb, number)
    except PrivacyError as error:
        logger.error("The alarm about record %d could not be sent: %s", number, error)  # noqa: TRY400 - ours says it all
        _note(vault, operator, BREAK_GLASS, said, "failed")
    return issue(operator=label, role=BREAK_GLASS, verb=verb, reason=said, items=None, purposes=None, clear=True)


def _decide(vault: Vault, operator: Operator, verb: str, reason: str, *, clear: bool) -> Permit:
    with vault.database.read() as connection:
        names = require_current(vault, connection, operator)
        require_training(vault, connection, operator.name, verb)
    label = shown_label(vault, operator.name)
    if operator.is_local:
        return issue(operator=label, role="", verb=verb, reason=reason, items=None, purposes=None, clear=True)
    name, role = _role(vault.policy, names, verb, clear=clear)
    if clear and len(reason) < _REASON_CHARACTERS:
        raise AccessError(f"values in the clear need a reason of at least {_REASON_CHARACTERS} characters")
    return issue(
        operator=label,
        role=name,
        verb=verb,
        reason=reason,
        items=None if role.items == "all" else frozenset(role.items),
        purposes=None if role.purposes == "all" else frozenset(role.purposes),
        clear=clear,
    )


def _role(policy: Policy, names: tuple[str, ...], verb: str, *, clear: bool) -> tuple[str, Role]:
    """Return the first role that allows the verb, of those that show values in the clear where that is wanted."""
    declared = [(name, policy.roles[name]) for name in names if name in policy.roles]
    allowing = [(name, role) for name, role in declared if role.may == "all" or verb in role.may]
    if not allowing:
        raise AccessError(f"no role of this operator may '{verb}'; privacy.yml says under 'roles' what each may")
    if not clear:
        return allowing[0]
    for name, role in allowing:
        if role.values == "clear":
            return name, role
    raise AccessError("no role of this operator shows values in the clear; see them masked, or break the glass")


def _may_break(vault: Vault, operator: Operator, verb: str, reason: str) -> None:
    if len(reason) < _REASON_CHARACTERS:
        raise AccessError(f"breaking the glass needs a --reason of at least {_REASON_CHARACTERS} characters")
    with vault.database.read() as connection:
        require_training(vault, connection, operator.name, verb)
        names = () if operator.is_local else require_current(vault, connection, operator)
    declared = (vault.policy.roles[name] for name in names if name in vault.policy.roles)
    if not operator.is_local and not any(role.break_glass for role in declared):
        raise AccessError("no role of this operator may break the glass; privacy.yml says which, under 'roles'")


def _known(verb: str) -> None:
    if verb not in VERBS:
        raise AccessError(f"there is no verb '{verb}'; the verbs are {', '.join(VERBS)}")


def _note(vault: Vault, operator: Operator, verb: str, reason: str, outcome: str) -> int:
    noted = AuditRecord(vault.clock(), shown_label(vault, operator.name), verb, outcome, reason=reason)
    return vault.database.transact(lambda connection: vault.audit.append(connection, noted))
