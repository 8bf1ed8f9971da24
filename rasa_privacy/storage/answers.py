"""SQL on calls of the API that may be made again: which is being done, and what was answered.

Who called and what they said is in keyed hashes alone. The answer is sealed under a data key of its own, which ends
when the answer does.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import ID_BYTES, no_conversation
from rasa_privacy.crypto.sealing import open_sealed, seal
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import StorageError
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.tables import api_answers, to_micros

#: Purpose of the key of an answer; no purpose of privacy.yml has a colon.
PURPOSE: Final = "service:answer"
_OVER_AT_ONCE: Final = 100

_A: Final = api_answers.c
_ONE: Final = select(api_answers).where(_A.call_name == bindparam("wanted")).with_for_update()
_OVER: Final = select(_A.call_name, _A.answer_id).where(_A.lasts_until <= bindparam("now")).limit(_OVER_AT_ONCE)
_INSERT: Final = insert(api_answers)
_MINE: Final = (_A.call_name == bindparam("wanted"), _A.answer_id == bindparam("mine"))
_ANSWER: Final = update(api_answers).where(*_MINE)
_DELETE: Final = delete(api_answers).where(*_MINE)


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that is there already.

    Attributes:
        said: Keyed hash of what it said.
        answer: What was answered; None while it is being done.
    """

    said: bytes
    answer: bytes | None


def begin(  # noqa: PLR0913, PLR0917 - transaction, keys, and the call with its times
    conn: Connection, keys: DataKeys, name: bytes, said: bytes, now: datetime, patience: timedelta
) -> Begun | bytes:
    """Return what is there of a call, or note that it is being done and return the id under which it is.

    Args:
        conn: A connection of `Database.transact`; of two at once the second finds what the first noted.
        keys: Keys of answers.
        name: Keyed hash of whose call it is and how they named it.
        said: Keyed hash of what it says.
        now: The moment, aware and in UTC.
        patience: For how long it may be done; after that whoever did it is taken for dead.
    """
    row = conn.execute(_ONE, {"wanted": name}).first()
    if row is not None and row.lasts_until > to_micros(now):
        return Begun(row.said, None if row.sealed is None else _open(conn, keys, row))
    if row is not None:
        _drop(conn, keys, row)
    mine = os.urandom(ID_BYTES)
    until = to_micros(now + patience)
    conn.execute(_INSERT, {"call_name": name, "answer_id": mine, "said": said, "sealed": None, "lasts_until": until})
    return mine


def note(  # noqa: PLR0913, PLR0917 - as begin
    conn: Connection, keys: DataKeys, name: bytes, mine: bytes, answer: bytes, now: datetime, until: datetime
) -> None:
    """Seal the answer of a call that `begin` noted; where another took it over meanwhile, theirs stands."""
    key = keys.create(conn, mine, PURPOSE, now, until)
    sealed = seal(key, answer, no_conversation(mine).answer(), os.urandom(NONCE_BYTES))
    values = {"wanted": name, "mine": mine, "sealed": sealed, "lasts_until": to_micros(until)}
    if conn.execute(_ANSWER, values).rowcount != 1:
        keys.destroy(conn, mine, PURPOSE)


def forget(conn: Connection, name: bytes, mine: bytes) -> None:
    """Forget a call that failed, so that it can be made again."""
    conn.execute(_DELETE, {"wanted": name, "mine": mine})


def drop_over(conn: Connection, keys: DataKeys, now: datetime) -> None:
    """Delete some of the answers that are over, with their keys."""
    for row in conn.execute(_OVER, {"now": to_micros(now)}).all():
        _drop(conn, keys, row)


def _drop(conn: Connection, keys: DataKeys, row: Any) -> None:
    keys.destroy(conn, row.answer_id, PURPOSE)
    conn.execute(_DELETE, {"wanted": row.call_name, "mine": row.answer_id})


def _open(conn: Connection, keys: DataKeys, row: Any) -> bytes:
    key = keys.get(conn, row.answer_id, PURPOSE)
    if key is None:
        raise StorageError("the key of an answer is gone before its time; call again with another Idempotency-Key")
    return open_sealed(key, row.sealed, no_conversation(row.answer_id).answer())
