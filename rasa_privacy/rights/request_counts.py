"""Figures on requests, without a person: what the annual report of 11 CCR 7102(a) asks for, and more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from rasa_privacy.storage.requests import Request


@dataclass(frozen=True, slots=True)
class KindCount:
    """Figures of one kind of request.

    Attributes:
        received: Number of requests.
        open: How many wait for an answer.
        overdue: How many wait although their date is over.
        done: How many were answered, also with "nothing is held".
        refused: How many were refused, or taken back.
        late: How many were closed after their date.
        median_days: Median time to the answer in days; None where none is closed.
    """

    received: int
    open: int
    overdue: int
    done: int
    refused: int
    late: int
    median_days: float | None


def count(requests: Iterable[Request], now: datetime) -> dict[str, KindCount]:
    """Return figures for each kind that there is, sorted by its name."""
    kinds: dict[str, list[Request]] = {}
    for request in requests:
        kinds.setdefault(request.kind, []).append(request)
    return {kind: _count(kinds[kind], now) for kind in sorted(kinds)}


def _count(requests: list[Request], now: datetime) -> KindCount:
    waiting = [request for request in requests if request.is_open]
    closed = [(request, request.closed_at) for request in requests if request.closed_at is not None]
    days = [(end - request.opened_at) / timedelta(days=1) for request, end in closed]
    return KindCount(
        received=len(requests),
        open=len(waiting),
        overdue=sum(request.answer_by < now for request in waiting if request.paused_at is None),
        done=sum(request.state == "done" for request in requests),
        refused=sum(request.state == "refused" for request in requests),
        late=sum(end > request.answer_by for request, end in closed),
        median_days=round(median(days), 2) if days else None,
    )
