"""Figures of the ledger, the audit log and the certificates, counted by the database: no record leaves it one by one.

They believe the rows as they are; whether the books verify is for `verify` to say.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, case, distinct, func, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.tables import audit, erasures, from_micros, ledger, to_micros

_DAY: Final = 24 * 60 * 60 * 1_000_000  # microseconds


def _day(column: Any) -> Any:
    """Return the beginning of a time's day, in microseconds. Databases divide in different ways; rests are the same."""
    return (column - column % _DAY).label("day")


_L: Final = ledger.c
_A: Final = audit.c
_E: Final = erasures.c
_ANSWERS: Final = (
    select(_L.purpose, _L.event, _day(_L.at), func.count())
    .where(_L.event != "asked")
    .group_by(_L.purpose, _L.event, _day(_L.at))
)
_ERASED: Final = select(_day(_E.erased_at), func.count()).group_by(_day(_E.erased_at))
_BY_THEMSELVES: Final = case((_A.operator == bindparam("person"), 1), else_=0).label("themselves")
_ACCESSES: Final = select(_BY_THEMSELVES, _A.role, _A.verb, _A.outcome, func.count()).group_by(
    _BY_THEMSELVES, _A.role, _A.verb, _A.outcome
)
_CHANGED: Final = select(func.count(distinct(_L.subject_id))).where(
    _L.at >= bindparam("since"), _L.at < bindparam("until")
)
_TOUCHED: Final = select(func.count(distinct(_A.subject_id))).where(
    _A.at >= bindparam("since"),
    _A.at < bindparam("until"),
    _A.outcome != "refused",
    _A.operator != bindparam("person"),
)
_BEGUN: Final = tuple(select(each.at).order_by(each.seq).limit(1) for each in (_L, _A))
_LAST_COUNTED: Final = select(func.max(_A.at)).where(
    _A.verb == bindparam("verb"), _A.outcome == "done", _A.details.like(bindparam("counted"))
)


class Answers(NamedTuple):
    """How many answers of one kind there were on a day.

    Attributes:
        purpose: The purpose, or the question beside one.
        event: A word of the ledger.
        day: The day's beginning, aware and in UTC.
        number: How many.
    """

    purpose: str
    event: str
    day: datetime
    number: int


class Accesses(NamedTuple):
    """How many records of one kind the audit log has.

    Attributes:
        by_themselves: Whether people acted on their own data.
        role: The role, or empty.
        verb: What was done.
        outcome: How it ended.
        number: How many.
    """

    by_themselves: bool
    role: str
    verb: str
    outcome: str
    number: int


def answers_by_day(conn: Connection) -> Iterator[Answers]:
    """Yield the answers of the ledger by purpose, kind and day; in no order."""
    for purpose, event, day, number in conn.execute(_ANSWERS).all():
        yield Answers(purpose, event, from_micros(int(day)), number)


def erased_by_day(conn: Connection) -> Iterator[tuple[datetime, int]]:
    """Yield each day and how many people were erased on it; in no order."""
    for day, number in conn.execute(_ERASED).all():
        yield from_micros(int(day)), number


def accesses(conn: Connection, person: str) -> Iterator[Accesses]:
    """Yield the records of the audit log by kind.

    Args:
        conn: A connection that reads.
        person: Label of people who act on their own data.
    """
    for themselves, *kind in conn.execute(_ACCESSES, {"person": person}).all():
        yield Accesses(bool(themselves), *kind)


def people_changed(conn: Connection, since: datetime, until: datetime) -> int:
    """Return of how many people the ledger has records from `since` on and before `until`."""
    return int(conn.execute(_CHANGED, {"since": to_micros(since), "until": to_micros(until)}).scalar_one())


def people_touched(conn: Connection, since: datetime, until: datetime, person: str) -> int:
    """Return how many people others did something with that the audit log names one by one, refusals left out."""
    values = {"since": to_micros(since), "until": to_micros(until), "person": person}
    return int(conn.execute(_TOUCHED, values).scalar_one())


def begun(connection: Connection) -> datetime | None:
    """Return when the first record of the ledger or of the audit log was written, or None where both are empty."""
    found = (_moment(connection.execute(each).scalar()) for each in _BEGUN)
    return min((at for at in found if at is not None), default=None)


def last_counted(connection: Connection, verb: str, name: str) -> datetime | None:
    """Return when the newest record of the audit log was written that counts something of this name under a verb."""
    given = {"verb": verb, "counted": f'%"{name}":%'}  # the details are canonical JSON
    return _moment(connection.execute(_LAST_COUNTED, given).scalar())


def _moment(stored: int | None) -> datetime | None:
    return None if stored is None else from_micros(stored)
