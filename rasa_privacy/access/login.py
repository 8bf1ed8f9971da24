"""Logging in: from a token to an operator.

Rules:

1. A token counts as wrong before it is looked at, so that guesses at the same time do not slip through. After five in a
   row none is looked at for a quarter of an hour, then twice as long, up to a day.
2. Whatever was wrong, the answer is the same, unless the secret was right: then it says that the token is over, or that
   the operator was revoked.
3. Every login and every refusal is in the audit log. Of a name that is not there the log says `unknown`, since what was
   typed may be anything.
4. Where there are no operators, the user of the machine acts: who has the database and its keys needs no token of ours.
"""

from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.access.labels import UNKNOWN, local_user, shown_label
from rasa_privacy.crypto.tokens import hash_secret, is_secret, parse_token
from rasa_privacy.errors import AccessError
from rasa_privacy.policy.verbs import LOGIN
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.operators import OperatorRow
from rasa_privacy.storage.vault import Vault

#: Wrong tokens in a row after which an operator is locked, and for how long at first.
FAILURES: Final = 5
LOCK: Final = timedelta(minutes=15)
MAX_LOCK: Final = timedelta(days=1)
_MAX_DOUBLINGS: Final = 10
_SEAL: Final = object()
_WRONG: Final = "the token is not accepted; see that it is whole, and ask who looks after operators for another one"


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who has shown who they are. Made by `login` and `local_operator` alone.

    Attributes:
        name: Their name; `os+name` for the user of the machine.
        token_hash: Hash of the token with which they came; None for the user of the machine.

    Raises:
        AccessError: It was made by hand.
    """

    name: str
    token_hash: str | None = field(repr=False)
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        """Refuse an operator who did not log in."""
        if seal is not _SEAL:
            raise AccessError("an operator comes from rasa_privacy.access.login and from nothing else")

    @property
    def is_local(self) -> bool:
        """Whether it is the user of the machine."""
        return self.token_hash is None


def local_operator() -> Operator:
    """Return the user of this machine. `admit` refuses them where there are operators."""
    return Operator(local_user(), None, _SEAL)


def login(vault: Vault, token: str) -> Operator:
    """Return the operator whose token this is.

    Args:
        vault: The open store.
        token: As it was shown when it was made.

    Raises:
        AccessError: It is not accepted, over, revoked, or too many wrong ones came before.
        StorageError: It cannot be recorded, so nobody is let in.
    """
    given = parse_token(token)
    row = vault.database.transact(lambda connection: _attempt(vault, connection, given.name)) if given else None
    if given is None or row is None:
        _refuse(vault, UNKNOWN)
        if given is not None:
            hash_secret(given.secret)  # as long as for a name that is there
        raise AccessError(_WRONG)
    if _is_locked(row, vault.clock()):
        _refuse(vault, row.name)
        raise AccessError(
            f"too many wrong tokens: no token of this operator is looked at until {row.locked_until:%Y-%m-%d %H:%M} UTC"
        )
    if not is_secret(given.secret, row.token_hash):
        _refuse(vault, row.name)
        raise AccessError(_WRONG)
    return _enter(vault, row)


def check_row(row: OperatorRow | None, now: datetime) -> OperatorRow:
    """Return the row of an operator who may act.

    Raises:
        AccessError: There is none, it was revoked, or its token is over.
    """
    if row is None:
        raise AccessError(_WRONG)
    if row.revoked_at is not None:
        raise AccessError(f"operator '{row.name}' was revoked on {row.revoked_at:%Y-%m-%d}")
    if row.expires_at <= now:
        raise AccessError(
            f"the token of operator '{row.name}' is over since {row.expires_at:%Y-%m-%d}; "
            f"'rasa-privacy operator token {row.name}' makes a new one"
        )
    return row


def require_current(vault: Vault, connection: Any, operator: Operator) -> tuple[str, ...]:
    """Return the roles of somebody who may act now; those of the machine's user are none.

    Raises:
        AccessError: They were revoked, their token is over or was renewed; or it is the user of the machine, and there
            are operators.
    """
    if operator.is_local:
        if vault.operators.exist(connection):
            raise AccessError(
                "this store has operators, so a command needs a token: set RASA_PRIVACY_TOKEN, or, in an emergency, "
                "add --break-glass with a --reason"
            )
        return ()
    row = check_row(vault.operators.get(connection, operator.name), vault.clock())
    if row.token_hash != operator.token_hash:
        raise AccessError(f"operator '{row.name}' has a new token since; log in again")
    return row.roles


def _attempt(vault: Vault, connection: Any, name: str) -> OperatorRow | None:
    """Return an operator as they were before this attempt, which is counted as a wrong one unless they are locked."""
    row = vault.operators.get(connection, name, lock=True)
    now = vault.clock()
    if row is None or _is_locked(row, now):
        return row
    failures = row.failures + 1
    doublings = min(failures - FAILURES, _MAX_DOUBLINGS)
    locked = now + min(LOCK * 2**doublings, MAX_LOCK) if failures >= FAILURES else None
    vault.operators.count_attempt(connection, row, failures, locked)
    return row


def _is_locked(row: OperatorRow, now: datetime) -> bool:
    return row.locked_until is not None and row.locked_until > now


def _enter(vault: Vault, row: OperatorRow) -> Operator:
    def enter(connection: Any) -> OperatorRow:
        now = vault.clock()
        found = check_row(vault.operators.get(connection, row.name, lock=True), now)
        vault.operators.count_attempt(connection, found, 0, None)
        vault.audit.append(connection, AuditRecord(now, shown_label(vault, row.name), LOGIN))
        return found

    try:
        found = vault.database.transact(enter)
    except AccessError:
        _refuse(vault, row.name)
        raise
    return Operator(found.name, found.token_hash, _SEAL)


def _refuse(vault: Vault, name: str) -> None:
    refused = AuditRecord(vault.clock(), shown_label(vault, name), LOGIN, "refused")
    vault.database.transact(lambda connection: vault.audit.append(connection, refused))
