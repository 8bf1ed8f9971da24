"""SQL on links by which people collect their copy: whose each is, until when, and that it is used once.

Of what stands in a link only a keyed hash is stored.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import handovers, to_micros

_H: Final = handovers.c
_INSERT: Final = insert(handovers)
_OVER: Final = delete(handovers).where(_H.expires_at <= bindparam("now"))
_DELETE_OF: Final = delete(handovers).where(_H.subject_id == bindparam("subject"))
_FORGET: Final = Query(_DELETE_OF)
_LIVE: Final = (_H.token_hash == bindparam("wanted"), _H.used_at.is_(None), _H.expires_at > bindparam("now"))
_FIND: Final = select(_H.subject_id).where(*_LIVE)
_USE: Final = update(handovers).where(*_LIVE).values(used_at=bindparam("at"))
_WHOSE: Final = select(_H.subject_id).where(_H.token_hash == bindparam("wanted"))


def put(conn: Connection, token_hash: bytes, subject_id: bytes, now: datetime, expires_at: datetime) -> None:
    """Add the link of a person who is locked, in place of those of before; what is over goes too."""
    conn.execute(_DELETE_OF, {"subject": subject_id})
    put_beside(conn, token_hash, subject_id, now, expires_at)


def put_beside(conn: Connection, token_hash: bytes, subject_id: bytes, now: datetime, expires_at: datetime) -> None:
    """Add a link of a person who is locked beside those of before; what is over goes."""
    conn.execute(_OVER, {"now": to_micros(now)})
    conn.execute(_INSERT, {"token_hash": token_hash, "subject_id": subject_id, "expires_at": to_micros(expires_at)})


def is_live(conn: Connection, token_hash: bytes, now: datetime) -> bool:
    """Return whether a link can be used."""
    return conn.execute(_FIND, {"wanted": token_hash, "now": to_micros(now)}).first() is not None


def use(conn: Connection, token_hash: bytes, now: datetime) -> bytes | None:
    """Use a link and return whose it is; None where it is none, was used, or is over. Of two at once one gets it."""
    micros = to_micros(now)
    if conn.execute(_USE, {"wanted": token_hash, "now": micros, "at": micros}).rowcount != 1:
        return None
    subject_id: bytes | None = conn.execute(_WHOSE, {"wanted": token_hash}).scalar()
    return subject_id


def remove_all(conn: Connection, subject_id: bytes) -> None:
    """Delete the links of a person."""
    _FORGET.later(conn, subject=subject_id)
