"""SQL on the requests of people: what each asks for, by when, in which state, and every step that it went.

No row holds personal data: a subject is a random id, an actor is a word or the name of a member of staff, and reasons
are words of a closed list. So rows stay when the person is erased; `close_all` then ends what was open.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.paging import Pages
from rasa_privacy.storage.query import Query, inserting
from rasa_privacy.storage.tables import from_micros, request_steps, requests, to_micros

#: States in which nothing is to be done any more.
CLOSED: Final = ("done", "refused")
#: `reason` of a request that ended because its person was erased.
ERASED: Final = "erased"
#: Kinds that erasing the person answers.
_BY_ERASURE: Final = ("erasure", "item_erasure")
#: `actor` of what this package does by itself.
AUTOMATIC: Final = "automatic"
#: Why a request is done that was answered with what it asked for.
ANSWERED: Final = "answered"

_R: Final = requests.c
_S: Final = request_steps.c
_FIND: Final = select(requests).where(_R.number == bindparam("wanted"))
_LOCK: Final = _FIND.with_for_update()
_OPEN: Final = select(requests).where(_R.closed_at.is_(None)).order_by(_R.answer_by, _R.number)
_OPEN_OF: Final = Query(_OPEN.where(_R.subject_id == bindparam("subject")))
_ENDING_OF: Final = Query(
    select(_R.number, _R.kind)
    .where(_R.closed_at.is_(None), _R.subject_id == bindparam("subject"))
    .order_by(_R.answer_by, _R.number)
)
_WAITING: Final = ManySelect(_R.subject_id, select(_R.subject_id).where(_R.closed_at.is_(None)).distinct().where)
_ALL: Final = select(requests).order_by(_R.opened_at, _R.number)
_PAGES: Final = Pages(select(requests), _R.number)
_OF: Final = _ALL.where(_R.subject_id == bindparam("subject"))
_OF_CERTIFICATE: Final = _ALL.where(_R.certificate == bindparam("wanted"))
_INSERT: Final = inserting(requests)
_UPDATE: Final = update(requests).where(_R.number == bindparam("wanted"))
_GONE_HERE: Final = Query(_UPDATE.values(state=bindparam("now"), certificate=bindparam("by")))
_GONE: Final = Query(
    _UPDATE.values(
        state=bindparam("now"), closed_at=bindparam("at"), reason=bindparam("why"), certificate=bindparam("by")
    )
)
_STEPS: Final = select(request_steps).where(_S.number == bindparam("wanted")).order_by(_S.seq)
_COUNT: Final = Query(select(func.count()).select_from(request_steps).where(_S.number == bindparam("wanted")))
_ADD_STEP: Final = inserting(request_steps)
_NAMES: Final = tuple(column.name for column in _R)
_TEXTS: Final = ("number", "kind", "regulation", "state")
_TIMES: Final = ("opened_at", "answer_by", "acknowledge_by", "paused_at", "extended_at", "closed_at")


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        number: `RQ-` and three groups of four characters, random.
        kind: What is asked for.
        subject_id: Whose it is, 16 random bytes; None for somebody of whom nothing is stored.
        regulation: Whose clock it runs by.
        state: `received`, `identity`, `in_progress`, `extended`, `done` or `refused`.
        opened_at: When it was received; this and all other times are aware and in UTC.
        answer_by: By when it must be answered.
        acknowledge_by: By when its receipt must be confirmed; None for no such duty, or once it is done.
        owner: The member of staff who sees to it, or None.
        paused_at: Since when the clock stands still, or None.
        extended_at: When it was extended, or None.
        closed_at: When it was answered, or None.
        reason: A word for how it ended, or None.
        certificate: Number of the certificate of the erasure that it led to, or None.
    """

    number: str
    kind: str
    subject_id: bytes | None
    regulation: str
    state: str
    opened_at: datetime
    answer_by: datetime
    acknowledge_by: datetime | None = None
    owner: str | None = None
    paused_at: datetime | None = None
    extended_at: datetime | None = None
    closed_at: datetime | None = None
    reason: str | None = None
    certificate: str | None = None

    @property
    def ended_with_person(self) -> bool:
        """Whether it ended since its person was erased, and asked for something else: nobody answered it."""
        return self.reason == ERASED and self.kind not in _BY_ERASURE

    @property
    def is_open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.state not in CLOSED


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a request.

    Attributes:
        at: Aware UTC time.
        step: What was done: the state that it came to, or a word such as `taken`.
        actor: AUTOMATIC, `person`, or the name of a member of staff.
        reason: A word of a closed list, or None.
    """

    at: datetime
    step: str
    actor: str
    reason: str | None


class Ending(NamedTuple):
    """A request that ends.

    Attributes:
        number: Its number.
        kind: What is asked for.
        steps: How many steps it has.
    """

    number: str
    kind: str
    steps: int


def add(conn: Connection, request: Request, actor: str) -> None:
    """Store a new request with its first step."""
    _INSERT.later(conn, number=request.number, **_columns(request))
    _put_step(conn, request.number, 1, Step(request.opened_at, request.state, actor, None))


def find(conn: Connection, number: str) -> Request | None:
    """Return a request, or None."""
    row = conn.execute(_FIND, {"wanted": number}).first()
    return None if row is None else _request(row)


def find_for_update(conn: Connection, number: str) -> Request | None:
    """Return a request and keep others from changing it until this transaction ends, or None."""
    row = conn.execute(_LOCK, {"wanted": number}).first()
    return None if row is None else _request(row)


def replace(conn: Connection, request: Request, step: Step) -> None:
    """Write a request that is locked as it is now, with the step that led there."""
    conn.execute(_UPDATE, {"wanted": request.number, **_columns(request)})
    add_step(conn, request.number, step)


def add_step(conn: Connection, number: str, step: Step) -> None:
    """Add a step to a request that is locked or new."""
    _put_step(conn, number, int(_COUNT.scalar(conn, wanted=number) or 0) + 1, step)


def _put_step(conn: Connection, number: str, seq: int, step: Step) -> None:
    row = {"at": to_micros(step.at), "step": step.step, "actor": step.actor, "reason": step.reason}
    _ADD_STEP.later(conn, number=number, seq=seq, **row)


def steps_of(conn: Connection, number: str) -> list[Step]:
    """Return what happened to a request, the first thing first."""
    rows = conn.execute(_STEPS, {"wanted": number})
    return [Step(from_micros(row.at), row.step, row.actor, row.reason) for row in rows]


def extended_because(conn: Connection, number: str) -> str | None:
    """Return the reason for which a request was extended, or None for one that was not."""
    return next((each.reason for each in steps_of(conn, number) if each.step == "extended"), None)


def open_ones(conn: Connection) -> list[Request]:
    """Return all that wait for an answer, the most urgent first."""
    return [_request(row) for row in conn.execute(_OPEN)]


def open_of(conn: Connection, subject_id: bytes) -> list[Request]:
    """Return what waits for an answer of one person, the most urgent first."""
    return [_request(row) for row in _OPEN_OF.rows(conn, subject=subject_id)]


def who_waits(conn: Connection, subject_ids: Collection[bytes]) -> list[bytes]:
    """Return those of these people who wait for an answer."""
    return [row[0] for row in _WAITING.rows(conn, subject_ids)]


def all_of(conn: Connection, subject_id: bytes) -> list[Request]:
    """Return every request of one person, the oldest first."""
    return [_request(row) for row in conn.execute(_OF, {"subject": subject_id})]


def iterate(conn: Connection) -> Iterator[Request]:
    """Yield every request, the oldest first."""
    return (_request(row) for row in conn.execute(_ALL))


def each(conn: Connection) -> Iterator[Request]:
    """Yield every request in no meaningful order, page by page, so that the memory stays flat."""
    return (_request(row) for row in _PAGES.rows(conn, ""))


def of_certificate(conn: Connection, certificate: str) -> list[Request]:
    """Return the requests that an erasure ended."""
    return [_request(row) for row in conn.execute(_OF_CERTIFICATE, {"wanted": certificate})]


def close_all(conn: Connection, subject_id: bytes, at: datetime, certificate: str, *, is_waiting: bool = False) -> None:
    """End what is open of a person who is being erased: there is nobody left to answer to.

    Args:
        conn: The transaction that erases.
        subject_id: The person.
        at: Aware UTC time.
        certificate: Number of the certificate.
        is_waiting: Whether other systems must answer before the request to be erased is done.
    """
    ending = [
        Ending(number, kind, int(_COUNT.scalar(conn, wanted=number) or 0))
        for number, kind in _ENDING_OF.rows(conn, subject=subject_id)
    ]
    end(conn, ending, at, certificate, is_waiting=is_waiting)


def end(conn: Connection, ending: Iterable[Ending], at: datetime, certificate: str, *, is_waiting: bool) -> None:
    """End these requests of a person, as `close_all` does."""
    for request in ending:
        if request.kind == "erasure" and is_waiting:
            _GONE_HERE.later(conn, wanted=request.number, now="in_progress", by=certificate)
            step = Step(at, "erased_here", AUTOMATIC, None)
        else:
            _GONE.later(conn, wanted=request.number, now="done", at=to_micros(at), why=ERASED, by=certificate)
            step = Step(at, "done", AUTOMATIC, ERASED)
        _put_step(conn, request.number, request.steps + 1, step)


def close_part(
    conn: Connection, subject_id: bytes, at: datetime, certificate: str, *, received_by: datetime | None = None
) -> None:
    """End the open request of a person to erase a part, which was erased.

    Args:
        conn: A connection of `Database.transact`.
        subject_id: The person, who is locked.
        at: When the part was erased.
        certificate: Number of the certificate.
        received_by: One that was received later stays open, since it asks for something else; None for now.
    """
    for each in open_of(conn, subject_id):
        if each.kind == "item_erasure" and (received_by is None or each.opened_at <= received_by):
            ended = changed(each, state="done", reason=ANSWERED, closed_at=at, paused_at=None, certificate=certificate)
            replace(conn, ended, Step(at, "done", AUTOMATIC, ANSWERED))


def _columns(request: Request) -> dict[str, Any]:
    times = {name: getattr(request, name) for name in _TIMES}
    return {
        "kind": request.kind,
        "subject_id": request.subject_id,
        "regulation": request.regulation,
        "state": request.state,
        "owner": request.owner,
        "reason": request.reason,
        "certificate": request.certificate,
        **{name: None if time is None else to_micros(time) for name, time in times.items()},
    }


def _request(row: Any) -> Request:
    values = dict(zip(_NAMES, row, strict=True))
    if any(type(values[name]) is not str for name in _TEXTS):  # which SQLite allows
        raise TamperedSegmentError("the row of a request was changed; restore the table of requests from a backup")
    times = {name: None if values[name] is None else from_micros(values[name]) for name in _TIMES}
    return Request(**{**values, **times})
