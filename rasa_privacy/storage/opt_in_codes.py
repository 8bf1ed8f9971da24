"""SQL on one-time codes: the one that waits for each person and purpose, or the contact that was confirmed by one.

Of codes only keyed hashes are stored, and of a contact only its sealed form, while the code waits. A row is either a
code that waits (`attempts` counts the wrong ones), one that nothing can answer any more (no contact; it keeps the
counts), or, once it was given back, the confirmation of the contact that it had been sent to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import code_mails, from_micros, opt_in_codes, to_micros

#: `attempts` of a row that confirms a contact.
CONFIRMED: Final = -1
_O: Final = opt_in_codes.c
_OF_ONE: Final = (_O.subject_id == bindparam("subject"), _O.purpose == bindparam("name"))
_FIND: Final = select(_O.code_hash, _O.expires_at, _O.attempts, _O.contact).where(*_OF_ONE)
_LIVE: Final = select(_O.purpose).where(
    _O.subject_id == bindparam("subject"),
    _O.attempts != CONFIRMED,
    _O.contact.is_not(None),
    _O.expires_at > bindparam("now"),
)
_DELETE_OVER: Final = delete(opt_in_codes).where(_O.attempts != CONFIRMED, _O.expires_at <= bindparam("now"))
_M: Final = code_mails.c
_COUNT_MAILS: Final = select(func.count()).where(
    _M.contact_index.in_(bindparam("contacts", expanding=True)), _M.sent_at > bindparam("since")
)
_DELETE_MAILS: Final = delete(code_mails).where(_M.sent_at <= bindparam("since"))
_INSERT_MAIL: Final = insert(code_mails)
_CONFIRMED: Final = select(_O.subject_id, _O.code_hash).where(
    _O.subject_id.in_(bindparam("subjects", expanding=True)),
    _O.purpose == bindparam("name"),
    _O.attempts == CONFIRMED,
)
_INSERT: Final = insert(opt_in_codes)
_DELETE: Final = delete(opt_in_codes).where(*_OF_ONE)
_DELETE_ALL: Final = Query(delete(opt_in_codes).where(_O.subject_id == bindparam("subject")))


@dataclass(frozen=True, slots=True)
class OptInCode:
    """A row.

    Attributes:
        code_hash: Keyed hash of the code with whom and what it is for; of the contact where `is_confirmed`.
        expires_at: When the code ends, or when the contact was confirmed; aware UTC.
        attempts: Number of wrong codes, or CONFIRMED.
        contact: Where the code went, sealed; None where it waits no more.
    """

    code_hash: bytes
    expires_at: datetime
    attempts: int = 0
    contact: bytes | None = field(default=None, repr=False)

    @property
    def is_confirmed(self) -> bool:
        """Whether the code came back."""
        return self.attempts == CONFIRMED


def find(conn: Connection, subject_id: bytes, purpose: str) -> OptInCode | None:
    """Return the row of a person who is locked, or None."""
    row = conn.execute(_FIND, {"subject": subject_id, "name": purpose}).first()
    return None if row is None else OptInCode(row.code_hash, from_micros(row.expires_at), row.attempts, row.contact)


def put(conn: Connection, subject_id: bytes, purpose: str, code: OptInCode) -> None:
    """Write the row of a person who is locked, in place of an earlier one."""
    remove(conn, subject_id, purpose)
    row = {"code_hash": code.code_hash, "expires_at": to_micros(code.expires_at), "attempts": code.attempts}
    conn.execute(_INSERT, {"subject_id": subject_id, "purpose": purpose, "contact": code.contact, **row})


def remove(conn: Connection, subject_id: bytes, purpose: str) -> None:
    """Delete the row of one purpose."""
    conn.execute(_DELETE, {"subject": subject_id, "name": purpose})


def remove_all(conn: Connection, subject_id: bytes) -> None:
    """Delete all rows of a person."""
    _DELETE_ALL.later(conn, subject=subject_id)


def live(conn: Connection, subject_id: bytes, now: datetime) -> frozenset[str]:
    """Return the purposes for which a code of this person waits to come back."""
    return frozenset(conn.execute(_LIVE, {"subject": subject_id, "now": to_micros(now)}).scalars())


def remove_over(conn: Connection, now: datetime, mailed_since: datetime) -> None:
    """Delete codes that ended, and what is known of mails until a moment."""
    conn.execute(_DELETE_OVER, {"now": to_micros(now)})
    conn.execute(_DELETE_MAILS, {"since": to_micros(mailed_since)})


def mails_to(conn: Connection, contacts: Sequence[bytes], since: datetime) -> int:
    """Return how many codes went to a contact, given by its keyed hashes, after a moment."""
    return int(conn.execute(_COUNT_MAILS, {"contacts": list(contacts), "since": to_micros(since)}).scalar_one())


def note_mail(conn: Connection, mail_id: bytes, contact: bytes, now: datetime) -> None:
    """Note under 16 random bytes that a code goes to a contact, given by its first keyed hash."""
    conn.execute(_INSERT_MAIL, {"mail_id": mail_id, "contact_index": contact, "sent_at": to_micros(now)})


def confirmed(conn: Connection, subject_ids: list[bytes], purpose: str) -> dict[bytes, bytes]:
    """Return the hash of the confirmed contact of each of these people who has one."""
    if not subject_ids:
        return {}
    rows = conn.execute(_CONFIRMED, {"subjects": subject_ids, "name": purpose})
    return {row.subject_id: row.code_hash for row in rows}
