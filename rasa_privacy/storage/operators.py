"""`Operators`: who may act for the controller, by name; their tokens as hashes.

Each row has a keyed hash over what makes it a right: name, roles, token, times. Whoever writes into the table without
the store's keys makes nobody an operator, and gives nobody another role. An older row that is put back as it was is not
found by it; the audit log says that it was revoked.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import AccessError, TamperedSegmentError
from rasa_privacy.storage.tables import from_micros, operators, to_micros

_DOMAIN: Final = "operator row"
_O: Final = operators.c
_SELECT: Final = select(
    _O.name, _O.roles, _O.token_hash, _O.created_at, _O.expires_at, _O.revoked_at, _O.mac, _O.failures, _O.locked_until
)
_GET: Final = _SELECT.where(_O.name == bindparam("who"))
_LOCK: Final = _GET.with_for_update()
_ALL: Final = _SELECT.order_by(_O.created_at, _O.name)
_COUNT: Final = select(func.count()).select_from(operators)
_INSERT: Final = insert(operators)
_UPDATE: Final = update(operators).where(_O.name == bindparam("who"))


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One operator.

    Attributes:
        name: What they are called, also in the audit log.
        roles: Their roles in privacy.yml.
        token_hash: argon2id hash of their token's secret.
        created_at: When they were added.
        expires_at: When the token ends.
        revoked_at: When they were revoked, or None.
        failures: Wrong tokens since the last right one.
        locked_until: Until when no token is looked at, or None.
    """

    name: str
    roles: tuple[str, ...]
    token_hash: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    failures: int = 0
    locked_until: datetime | None = None


class Operators:
    """Operators in the database.

    Args:
        index: Blind index of this database, which authenticates the rows.
    """

    def __init__(self, index: BlindIndex) -> None:
        self._index = index

    def exist(self, conn: Connection) -> bool:
        """Return whether any operator was ever added; a revoked one counts."""
        return bool(conn.execute(_COUNT).scalar_one())

    def get(self, conn: Connection, name: str, *, lock: bool = False) -> OperatorRow | None:
        """Return an operator, or None.

        Raises:
            AccessError: The row was changed or added behind our back.
        """
        row = conn.execute(_LOCK if lock else _GET, {"who": name}).first()
        return None if row is None else self._checked(row)

    def all(self, conn: Connection) -> list[OperatorRow]:
        """Return all operators, the oldest first.

        Raises:
            AccessError: A row was changed or added behind our back.
        """
        return [self._checked(row) for row in conn.execute(_ALL).all()]

    def add(self, conn: Connection, row: OperatorRow) -> None:
        """Write a new operator.

        Raises:
            ContentionError: There is one of this name already (raised by the transaction).
        """
        conn.execute(_INSERT, {"name": row.name, **self._columns(row), **_attempts(row)})

    def change(self, conn: Connection, row: OperatorRow) -> None:
        """Write an operator who is there."""
        conn.execute(_UPDATE.values(**self._columns(row), **_attempts(row)), {"who": row.name})

    def count_attempt(self, conn: Connection, row: OperatorRow, failures: int, locked_until: datetime | None) -> None:
        """Write how often a wrong token was given, and until when none is looked at."""
        conn.execute(
            _UPDATE.values(**_attempts(replace(row, failures=failures, locked_until=locked_until))), {"who": row.name}
        )

    def _columns(self, row: OperatorRow) -> dict[str, Any]:
        columns = {
            "roles": json.dumps(row.roles, separators=(",", ":")),
            "token_hash": row.token_hash,
            "created_at": to_micros(row.created_at),
            "expires_at": to_micros(row.expires_at),
            "revoked_at": None if row.revoked_at is None else to_micros(row.revoked_at),
        }
        return {**columns, "mac": self._mac([row.name, *columns.values()])}

    def _mac(self, covered: list[Any]) -> bytes:
        return self._index.of_bytes(_DOMAIN, msgspec.msgpack.encode(covered))

    def _checked(self, row: Any) -> OperatorRow:
        if row.mac != self._mac(list(row[:6])):
            raise AccessError(
                "the table of operators was changed by hand, so none in the changed row is let in; restore it from its "
                "backup, or revoke that operator and add another"
            )
        try:
            locked = None if row.locked_until is None else from_micros(row.locked_until)
        except TamperedSegmentError:
            raise AccessError("the table of operators has a time that is none; restore it from its backup") from None
        return OperatorRow(
            name=row.name,
            roles=tuple(json.loads(row.roles)),
            token_hash=row.token_hash,
            created_at=from_micros(row.created_at),
            expires_at=from_micros(row.expires_at),
            revoked_at=None if row.revoked_at is None else from_micros(row.revoked_at),
            failures=row.failures,
            locked_until=locked,
        )


def _attempts(row: OperatorRow) -> dict[str, Any]:
    locked = None if row.locked_until is None else to_micros(row.locked_until)
    return {"failures": row.failures, "locked_until": locked}
