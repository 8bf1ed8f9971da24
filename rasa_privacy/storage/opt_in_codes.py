"""SQL on one-time codes: the one that waits for each person and purpose, or the contact that was confirmed by one.

Only keyed hashes are stored. A row is either a code that waits (`attempts` counts the wrong ones), or, once it was
given back, the confirmation of the contact that it had been sent to.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.tables import from_micros, opt_in_codes, to_micros

#: `attempts` of a row that confirms a contact.
CONFIRMED: Final = -1
_O: Final = opt_in_codes.c
_OF_ONE: Final = (_O.subject_id == bindparam("subject"), _O.purpose == bindparam("name"))
_FIND: Final = select(_O.code_hash, _O.expires_at, _O.attempts).where(*_OF_ONE)
_CONFIRMED: Final = select(_O.subject_id, _O.code_hash).where(
    _O.subject_id.in_(bindparam("subjects", expanding=True)),
    _O.purpose == bindparam("name"),
    _O.attempts == CONFIRMED,
)
_INSERT: Final = insert(opt_in_codes)
_DELETE: Final = delete(opt_in_codes).where(*_OF_ONE)
_DELETE_ALL: Final = delete(opt_in_codes).where(_O.subject_id == bindparam("subject"))


@dataclass(frozen=True, slots=True)
class OptInCode:
    """A row.

    Attributes:
        code_hash: Keyed hash of the code with whom and what it is for; of the contact where `is_confirmed`.
        expires_at: When the code ends, or when the contact was confirmed; aware UTC.
        attempts: Number of wrong codes, or CONFIRMED.
    """

    code_hash: bytes
    expires_at: datetime
    attempts: int = 0

    @property
    def is_confirmed(self) -> bool:
        """Whether the code came back."""
        return self.attempts == CONFIRMED


def find(conn: Connection, subject_id: bytes, purpose: str) -> OptInCode | None:
    """Return the row of a person who is locked, or None."""
    row = conn.execute(_FIND, {"subject": subject_id, "name": purpose}).first()
    return None if row is None else OptInCode(row.code_hash, from_micros(row.expires_at), row.attempts)


def put(conn: Connection, subject_id: bytes, purpose: str, code: OptInCode) -> None:
    """Write the row of a person who is locked, in place of an earlier one."""
    remove(conn, subject_id, purpose)
    row = {"code_hash": code.code_hash, "expires_at": to_micros(code.expires_at), "attempts": code.attempts}
    conn.execute(_INSERT, {"subject_id": subject_id, "purpose": purpose, **row})


def remove(conn: Connection, subject_id: bytes, purpose: str) -> None:
    """Delete the row of one purpose."""
    conn.execute(_DELETE, {"subject": subject_id, "name": purpose})


def remove_all(conn: Connection, subject_id: bytes) -> None:
    """Delete all rows of a person."""
    conn.execute(_DELETE_ALL, {"subject": subject_id})


def confirmed(conn: Connection, subject_ids: list[bytes], purpose: str) -> dict[bytes, bytes]:
    """Return the hash of the confirmed contact of each of these people who has one."""
    if not subject_ids:
        return {}
    rows = conn.execute(_CONFIRMED, {"subjects": subject_ids, "name": purpose})
    return {row.subject_id: row.code_hash for row in rows}
