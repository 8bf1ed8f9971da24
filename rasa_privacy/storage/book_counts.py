"""Figures of the ledger, the audit log and the certificates, counted by the database: no record leaves it one by one.

They believe the rows as they are; whether the books verify is for `verify` to say.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, case, distinct, func, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.ledger_rows import RECORDS
from rasa_privacy.storage.tables import audit, erasures, from_micros, ledger, ledger_kinds, to_micros

_DAY: Final = 24 * 60 * 60 * 1_000_000  # microseconds
_BEFORE_ALL: Final = -1  # no record has that number
_NEVER: Final = -1


def _day(column: Any) -> Any:
    """Return the beginning of a time's day, in microseconds. Databases divide in different ways; rests are the same."""
    return (column - column % _DAY).label("day")


_L: Final = ledger.c
_K: Final = ledger_kinds.c
_A: Final = audit.c
_E: Final = erasures.c
_ANSWERS: Final = (
    select(_K.purpose, _K.event, _day(_L.at), func.count())
    .select_from(RECORDS)
    .where(_K.event != "asked")
    .group_by(_K.purpose, _K.event, _day(_L.at))
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
    _A.seq > bindparam("after"),
    _A.seq <= bindparam("until"),
    _A.verb == bindparam("verb"),
    _A.outcome == "done",
    _A.details.like(bindparam("counted")),
)
_NEWEST: Final = select(_A.seq, _A.link).order_by(_A.seq.desc()).limit(1)
_LINK: Final = select(_A.link).where(_A.seq == bindparam("seq"))


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


class LastCounted:
    """When the newest record of the audit log was written that counts something of one name under a verb.

    It reads the whole log once, and from then on what came since. Where the record that it read last is another one by
    now, as after a restore, it reads the whole log anew.

    Args:
        verb: The verb.
        name: The name.
    """

    def __init__(self, verb: str, name: str) -> None:
        self._wanted = {"verb": verb, "counted": f'%"{name}":%'}  # the details are canonical JSON
        self._read: tuple[int, bytes, int] | None = None  # the newest record, its link, and when

    def at(self, connection: Connection) -> datetime | None:
        """Return when, or None for never."""
        newest = connection.execute(_NEWEST).first()
        if newest is None:
            self._read = None
            return None
        after, found = self._place(connection)
        span = {"after": after, "until": newest.seq}
        found = max(found, connection.execute(_LAST_COUNTED, {**self._wanted, **span}).scalar() or _NEVER)
        self._read = (newest.seq, bytes(newest.link), found)
        return None if found == _NEVER else from_micros(found)

    def _place(self, connection: Connection) -> tuple[int, int]:
        """Return the newest record that was read, and what was found up to it."""
        if self._read is not None:
            seq, link, found = self._read
            there = connection.execute(_LINK, {"seq": seq}).scalar()
            if there is not None and bytes(there) == link:
                return seq, found
        return _BEFORE_ALL, _NEVER


def _moment(stored: int | None) -> datetime | None:
    return None if stored is None else from_micros(stored)
