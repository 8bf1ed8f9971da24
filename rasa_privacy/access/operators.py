"""Operators: adding and revoking them, and their tokens.

Rules:

1. A token is shown once and kept as an argon2id hash. It ends by itself; a new one ends the old one at once.
2. The first operator must be one who may look after operators and give every role, since from then on a token is needed
   for everything.
3. Who was revoked stays in the table and in the log; the name is not used again.
4. Nobody gives others a role, or a token for one, that reaches further than their own roles (`reach`), but the user of
   the machine through broken glass, when all tokens are lost. Revoking is free, but for the last one who could add any
   other: that is done only by who says so.
5. Each change is in the audit log, in its own transaction; a refusal by rule 4 too.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from rasa_privacy.access.labels import local_user, shown_label
from rasa_privacy.access.permit import Permit
from rasa_privacy.access.reach import within_reach
from rasa_privacy.access.recording import record, record_now
from rasa_privacy.crypto.tokens import NAME, hash_secret, make_token
from rasa_privacy.errors import AccessError
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.suggest import did_you_mean, shown
from rasa_privacy.policy.verbs import BREAK_GLASS
from rasa_privacy.storage.operators import OperatorRow
from rasa_privacy.storage.vault import Vault

#: How long a token lasts where nothing else is said, and at most.
TOKEN_DAYS: Final = 90
MAX_TOKEN_DAYS: Final = 366
_VERB: Final = "operators"


class _BeyondReachError(AccessError):
    """Somebody would give more than they have; a refusal that is recorded."""


def add_operator(  # noqa: PLR0913 - an operator has a name, roles and a token that ends
    vault: Vault,
    permit: Permit,
    name: str,
    roles: Sequence[str],
    *,
    days: int = TOKEN_DAYS,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> str:
    """Add an operator and return the token, which cannot be read again.

    Args:
        vault: The open store.
        permit: A permit for `operators`.
        name: A small letter, then small letters, digits and `-`; up to 40 in all.
        roles: Names of roles in privacy.yml.
        days: How long the token lasts, 1 to 366.
        random_bytes: Source of randomness.

    Raises:
        AccessError: The permit is for something else, there is such an operator, a role is not declared or reaches
            further than those of who gives it, or nobody could look after operators.
    """
    permit.require(_VERB)
    if NAME.fullmatch(name) is None:
        raise AccessError("the name of an operator is a small letter, then small letters, digits and '-'; up to 40")
    _check_roles(vault.policy, roles)
    expires = vault.clock() + _lifetime(days)
    text, token = make_token(name, random_bytes)
    row = OperatorRow(name, tuple(roles), hash_secret(token.secret), vault.clock(), expires)

    def add(connection: Any) -> None:
        if not vault.operators.exist(connection):
            _check_first(vault.policy, roles)
        elif vault.operators.get(connection, name) is not None:
            raise AccessError(f"there is an operator '{name}', or there was one; choose another name")
        else:
            _check_reach(vault, connection, permit, roles)
        vault.operators.add(connection, row)
        record(vault, connection, permit, counts={"added": 1})

    _change(vault, permit, add)
    return text


def renew_token(
    vault: Vault,
    permit: Permit,
    name: str,
    *,
    days: int = TOKEN_DAYS,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> str:
    """Give an operator a new token and return it; the old one, and who is logged in with it, is refused from then on.

    Raises:
        AccessError: The permit is for something else, there is no such operator any more, or a role of theirs reaches
            further than those of who renews.
    """
    permit.require(_VERB)
    expires = vault.clock() + _lifetime(days)
    text, token = make_token(name, random_bytes)
    hashed = hash_secret(token.secret)

    def renew(connection: Any) -> None:
        row = _present(vault, connection, name)
        _check_reach(vault, connection, permit, row.roles)
        changed = replace(row, token_hash=hashed, expires_at=expires, failures=0, locked_until=None)
        vault.operators.change(connection, changed)
        record(vault, connection, permit, counts={"renewed": 1})

    _change(vault, permit, renew)
    return text


def revoke_operator(vault: Vault, permit: Permit, name: str, *, last: bool = False) -> None:
    """Revoke an operator; who is logged in is refused at the next call.

    Args:
        vault: The open store.
        permit: A permit for `operators`.
        name: Whom.
        last: Whether to do so also where nobody is left then who could add any other operator.

    Raises:
        AccessError: The permit is for something else, there is no such operator any more, or it is the last one who
            could add any other.
    """
    permit.require(_VERB)

    def revoke(connection: Any) -> None:
        if not last:
            _check_last(vault, connection, name)
        row = _present(vault, connection, name)
        vault.operators.change(connection, replace(row, revoked_at=vault.clock()))
        record(vault, connection, permit, counts={"revoked": 1})

    vault.database.transact(revoke)


def _change(vault: Vault, permit: Permit, change: Callable[[Any], None]) -> None:
    """Do it in a transaction; where it gives more than who gives has, the refusal is recorded before it is said."""
    try:
        vault.database.transact(change)
    except _BeyondReachError:
        record_now(vault, permit, outcome="refused")
        raise


def _check_reach(vault: Vault, connection: Any, permit: Permit, roles: Sequence[str]) -> None:
    """Refuse roles beyond those of who gives them; the user of the machine goes beyond through broken glass.

    A token's holder does not, since they could then review that as the operator whom they made.
    """
    if permit.role == BREAK_GLASS and permit.operator == shown_label(vault, local_user()):
        return
    rows = vault.operators.all(connection)
    own = next((row.roles for row in rows if shown_label(vault, row.name) == permit.operator), ())
    for role in roles:
        if not within_reach(vault.policy, own, role):
            raise _BeyondReachError(
                f"the role {shown(role)} reaches further than your own; somebody who has it, or has a role that may "
                "'all', must do this"
            )


def _present(vault: Vault, connection: Any, name: str) -> OperatorRow:
    row = vault.operators.get(connection, name, lock=True)
    if row is None or row.revoked_at is not None:
        raise AccessError("there is no such operator (any more); 'rasa-privacy operator list' names them")
    return row


def _check_last(vault: Vault, connection: Any, name: str) -> None:
    """Refuse to revoke the only one who can add any other; who cannot is not missed."""
    # All are locked, always in one order: of two who revoke each other at once the second finds the first.
    names = sorted(row.name for row in vault.operators.all(connection))
    rows = [vault.operators.get(connection, each, lock=True) for each in names]
    if [row.name for row in rows if row is not None and _can_add_any(vault, row)] == [name]:
        raise AccessError(
            f"'{name}' is the last operator with a token that lasts who may look after operators and give every role; "
            "add another one first with 'rasa-privacy operator add', or pass --last: then only the user of the machine "
            "can add one, with --break-glass"
        )


def _can_add_any(vault: Vault, row: OperatorRow) -> bool:
    roles = [name for name in row.roles if name in vault.policy.roles]
    lasts = row.revoked_at is None and row.expires_at > vault.clock()
    return lasts and _may_operators(vault.policy, roles) and _first_missing(vault.policy, roles) is None


def _may_operators(policy: Policy, roles: Sequence[str]) -> bool:
    may = [policy.roles[role].may for role in roles]
    return any(verbs == "all" or _VERB in verbs for verbs in may)


def _first_missing(policy: Policy, roles: Sequence[str]) -> str | None:
    """Return a role of privacy.yml that these roles cannot give, or None."""
    return next((role for role in policy.roles if not within_reach(policy, roles, role)), None)


def _check_roles(policy: Policy, roles: Sequence[str]) -> None:
    if not roles:
        raise AccessError("an operator needs a role; privacy.yml declares them under 'roles'")
    for role in roles:
        if role not in policy.roles:
            hint = did_you_mean(role, policy.roles) or "; write it under 'roles:' first"
            raise AccessError(f"privacy.yml has no role {shown(role)}{hint}")


def _check_first(policy: Policy, roles: Sequence[str]) -> None:
    """Refuse a first operator after whom nobody could add a second."""
    if not _may_operators(policy, roles):
        raise AccessError(
            "the first operator needs a role that may 'operators', since from then on every command asks for a token; "
            "add that one first"
        )
    missing = _first_missing(policy, roles)
    if missing is not None:
        raise AccessError(
            f"after this first operator nobody could give the role '{missing}'; add one first with a role that may "
            "'all', or with every role"
        )


def _lifetime(days: int) -> timedelta:
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise AccessError(f"a token lasts 1 to {MAX_TOKEN_DAYS} days")
    return timedelta(days=days)
