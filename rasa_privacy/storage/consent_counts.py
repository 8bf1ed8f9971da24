"""How many people gave which last answer, counted by the database: no row of a person leaves it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import and_, bindparam, case, func, not_, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.ledger_rows import RECORDS
from rasa_privacy.storage.tables import ledger, ledger_kinds, to_micros

_L: Final = ledger.c
_K: Final = ledger_kinds.c
_PURPOSES: Final = select(_K.purpose).distinct().order_by(_K.purpose)
# As in the fold: a question is no answer, and a yes from the future opens nothing.
_LAST: Final = (
    select(func.max(_L.seq).label("seq"))
    .select_from(RECORDS)
    .where(
        _K.purpose == bindparam("purpose"),
        _K.event != "asked",
        not_(and_(_K.event == "granted", _L.at > bindparam("latest"))),
    )
    .group_by(_L.subject_id)
    .subquery()
)
_OVER: Final = case((_L.at <= bindparam("ended"), 1), else_=0).label("is_over")
_COUNTS: Final = (
    select(_K.event, _K.notice_hash, _OVER, func.count().label("people"))
    .select_from(RECORDS.join(_LAST, _LAST.c.seq == _L.seq))
    .group_by(_K.event, _K.notice_hash, _OVER)
)


class Count(NamedTuple):
    """People with the same last answer.

    Attributes:
        event: That answer, a word of the ledger.
        notice_hash: The notice that they answered.
        is_over: Whether they gave it so long ago that a yes has ended.
        people: How many they are.
    """

    event: str
    notice_hash: bytes
    is_over: bool
    people: int


def purposes(conn: Connection) -> list[str]:
    """Return every purpose that the ledger knows."""
    found: list[str] = conn.execute(_PURPOSES).scalars().all()
    return found


def last_answers(conn: Connection, purpose: str, latest: datetime, ended: datetime | None) -> Iterator[Count]:
    """Yield the counts of a purpose.

    Args:
        conn: A connection that reads.
        purpose: The purpose.
        latest: A yes after this moment does not count.
        ended: A yes up to this moment has ended; None where it does not end by itself.
    """
    known = {"purpose": purpose, "latest": to_micros(latest), "ended": -1 if ended is None else to_micros(ended)}
    for event, notice_hash, is_over, people in conn.execute(_COUNTS, known).all():
        yield Count(event, notice_hash, bool(is_over), people)
