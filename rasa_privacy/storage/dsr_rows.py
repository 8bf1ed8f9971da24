"""SQL on what came by OpenDSR: which request of ours is whose there, and who was told of which state.

A row holds the sender's random UUID, our random number, and URLs of endpoints.yml; nothing of a person.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.storage.tables import dsr_requests, from_micros, requests, to_micros

_D: Final = dsr_requests.c
_ONE: Final = select(dsr_requests).where(_D.dsr_id == bindparam("wanted"))
_LOCK: Final = _ONE.with_for_update()
_CHANGED: Final = (
    select(dsr_requests)
    .join(requests, requests.c.number == _D.number)
    .where(_D.next_at <= bindparam("now"), _D.told != requests.c.state)
    .order_by(_D.next_at)
    .limit(bindparam("most"))
)
_INSERT: Final = insert(dsr_requests)
_UPDATE: Final = update(dsr_requests).where(_D.dsr_id == bindparam("wanted"))


@dataclass(frozen=True, slots=True)
class DsrRow:
    """One request that came by OpenDSR.

    Attributes:
        dsr_id: Its `subject_request_id`.
        kind: `access`, `portability` or `erasure`.
        number: Number of our request.
        is_first: Whether it opened ours, which nobody had asked for before.
        received_at: When it came, aware and in UTC.
        callbacks: URLs that are told of each change.
        told: The state of ours that was told last.
        attempts: How often telling failed since.
        next_at: When telling is tried next; None where nothing is to be told any more.
    """

    dsr_id: UUID
    kind: str
    number: str
    is_first: bool
    received_at: datetime
    callbacks: tuple[str, ...]
    told: str
    attempts: int = 0
    next_at: datetime | None = None


def add(conn: Connection, row: DsrRow) -> None:
    """Write a new one."""
    fixed = {"dsr_id": row.dsr_id.bytes, "kind": row.kind, "number": row.number, "is_first": int(row.is_first)}
    times = {"received_at": to_micros(row.received_at), "next_at": _micros(row.next_at)}
    rest = {"callbacks": json.dumps(row.callbacks), "told": row.told, "attempts": row.attempts}
    conn.execute(_INSERT, {**fixed, **times, **rest})


def find(conn: Connection, dsr_id: UUID, *, lock: bool = False) -> DsrRow | None:
    """Return one, or None."""
    row = conn.execute(_LOCK if lock else _ONE, {"wanted": dsr_id.bytes}).first()
    return None if row is None else _row(row)


def claim(conn: Connection, now: datetime, most: int, until: datetime) -> list[DsrRow]:
    """Return those of which a change is to be told, and keep them from others until then."""
    claimed = []
    for each in conn.execute(_CHANGED, {"now": to_micros(now), "most": most}).all():
        row = conn.execute(_LOCK, {"wanted": each.dsr_id}).first()
        if row is not None and row.next_at is not None and row.next_at <= to_micros(now):
            conn.execute(_UPDATE, {"wanted": row.dsr_id, "next_at": to_micros(until)})
            claimed.append(_row(row))
    return claimed


def note(conn: Connection, dsr_id: UUID, told: str, attempts: int, next_at: datetime | None) -> None:
    """Write what was told, how often it failed since, and when it is tried next."""
    changed = {"told": told, "attempts": attempts, "next_at": _micros(next_at)}
    conn.execute(_UPDATE, {"wanted": dsr_id.bytes, **changed})


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _row(row: Any) -> DsrRow:
    return DsrRow(
        dsr_id=UUID(bytes=bytes(row.dsr_id)),
        kind=row.kind,
        number=row.number,
        is_first=bool(row.is_first),
        received_at=from_micros(row.received_at),
        callbacks=tuple(json.loads(row.callbacks)),
        told=row.told,
        attempts=row.attempts,
        next_at=None if row.next_at is None else from_micros(row.next_at),
    )
