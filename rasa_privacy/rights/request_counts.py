"""Figures on requests, without a person: what the annual report of 11 CCR 7102(a) asks for, and more."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from rasa_privacy.rights.deeds import DONE_ELSEWHERE
from rasa_privacy.storage.requests import Request


@dataclass(frozen=True, slots=True)
class KindCount:
    """Figures of one kind of request.

    Attributes:
        received: Number of requests.
        open: How many wait for an answer.
        overdue: How many wait although their date is over.
        done: How many were answered, also with "nothing is held".
        ended: How many ended without an answer, since their person was erased.
        elsewhere: How many of those that are done were done elsewhere, by the word of staff.
        refused: How many were refused, or taken back.
        late: How many were closed after their date.
        median_days: Median time to the answer in days; None where none is closed.
    """

    received: int
    open: int
    overdue: int
    done: int
    ended: int
    elsewhere: int
    refused: int
    late: int
    median_days: float | None


@dataclass(slots=True)
class _Sum:
    """One kind, while it is counted. Of each closed request eight bytes stay, for the median."""

    received: int = 0
    open: int = 0
    overdue: int = 0
    done: int = 0
    ended: int = 0
    elsewhere: int = 0
    refused: int = 0
    late: int = 0
    days: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, request: Request, now: datetime) -> None:
        """Count one request."""
        self.received += 1
        self.open += request.is_open
        self.overdue += request.is_open and request.paused_at is None and request.answer_by < now
        self.done += request.state == "done" and not request.ended_with_person
        self.ended += request.ended_with_person
        self.elsewhere += request.state == "done" and request.reason in DONE_ELSEWHERE
        self.refused += request.state == "refused"
        if request.closed_at is None:
            return
        self.late += request.closed_at > request.answer_by
        if not request.ended_with_person:
            self.days.append((request.closed_at - request.opened_at) / timedelta(days=1))


def count(requests: Iterable[Request], now: datetime) -> dict[str, KindCount]:
    """Return figures for each kind that there is, sorted by its name; the requests may come in any order."""
    kinds: dict[str, _Sum] = {}
    for request in requests:
        kinds.setdefault(request.kind, _Sum()).add(request, now)
    return {kind: _figures(kinds[kind]) for kind in sorted(kinds)}


def _figures(counted: _Sum) -> KindCount:
    return KindCount(
        received=counted.received,
        open=counted.open,
        overdue=counted.overdue,
        done=counted.done,
        ended=counted.ended,
        elsewhere=counted.elsewhere,
        refused=counted.refused,
        late=counted.late,
        median_days=round(median(counted.days), 2) if counted.days else None,
    )
