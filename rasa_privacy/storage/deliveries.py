"""The outbox: what other systems are still to be told of an erasure, and what they answered.

A row names the erased person only in `sealed`, under a data key of its own, which is destroyed with the answer. That
key lies among the others, under the row's random id, so that it is wrapped anew with them and ends after KEPT at last.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import ID_BYTES, no_conversation
from rasa_privacy.crypto.sealing import open_sealed, seal
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import PrivacyError, TamperedSegmentError
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import deliveries, from_micros, to_micros

logger = logging.getLogger(__name__)

#: Purpose of the key of a row; no purpose of privacy.yml has a colon.
PURPOSE: Final = "service:delivery"
#: How long a system may be away. After that nobody can tell it any more, and the request says so.
KEPT: Final = timedelta(days=30)
PENDING: Final = "pending"
#: Begins the number of what is no erasure, which has no certificate.
_NUMBER: Final = "told-"
#: States in which a system has not said yet that it did its part.
UNDONE: Final = frozenset((PENDING, "failed"))
#: What a system may answer.
ANSWERS: Final = ("done", "nothing_held", "failed")

_D: Final = deliveries.c
_WAITING: Final = _D.state == PENDING
_DUE: Final = (
    select(deliveries).where(_WAITING, _D.next_at <= bindparam("now")).order_by(_D.next_at).limit(bindparam("most"))
)
_ONE: Final = select(deliveries).where(_D.delivery_id == bindparam("wanted"))
_LOCK: Final = _ONE.with_for_update()
_OF: Final = select(deliveries).where(_D.certificate == bindparam("number")).order_by(_D.system)
_STATES: Final = Query(select(_D.state).where(_D.certificate == bindparam("number")))
_PENDING: Final = select(func.count()).select_from(deliveries).where(_WAITING)
_INSERT: Final = insert(deliveries)
_UPDATE: Final = update(deliveries).where(_D.delivery_id == bindparam("wanted"))


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a system is told that is no erasure.

    Attributes:
        of: `correction`, `withdrawal` or `retention`.
        subject_id: The person, 16 random bytes; empty for somebody of whom nothing is left.
        purposes: The purposes concerned.
        items: The items concerned.
        senders: Sender ids of somebody of whom nothing is left.
    """

    of: str
    subject_id: bytes
    purposes: list[str] = []
    items: list[str] = []
    senders: list[bytes] = []


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one system is told of one erasure.

    Attributes:
        delivery_id: 16 random bytes, the same at each attempt.
        system: Name of the system in privacy.yml.
        certificate: Number of the erasure's certificate.
        erased_at: When it was erased, aware and in UTC.
        state: PENDING or one of ANSWERS.
        attempts: How often it was tried.
        next_at: When it is tried next.
        answered_at: When it was answered, or None.
    """

    delivery_id: bytes
    system: str
    certificate: str
    erased_at: datetime
    state: str
    attempts: int
    next_at: datetime
    answered_at: datetime | None


def put(  # noqa: PLR0913, PLR0917 - transaction, keys, and what is told to whom
    conn: Connection, keys: DataKeys, system: str, certificate: str, sender_ids: Sequence[str], at: datetime
) -> None:
    """Note that a system is to be told, in the transaction that erases."""
    # As bytes: a sender id may hold a half of a surrogate pair, which no text of MessagePack may.
    _put(conn, keys, system, certificate, [each.encode("utf-8", "surrogatepass") for each in sender_ids], at)


def put_told(conn: Connection, keys: DataKeys, system: str, told: Told, at: datetime) -> None:
    """Note that a system is to be told of something else than an erasure, in the transaction that does it."""
    _put(conn, keys, system, f"{_NUMBER}{os.urandom(ID_BYTES).hex()}", told, at)


def _put(  # noqa: PLR0913, PLR0917 - as put
    conn: Connection, keys: DataKeys, system: str, number: str, content: list[bytes] | Told, at: datetime
) -> None:
    delivery_id = os.urandom(ID_BYTES)
    key = keys.create(conn, delivery_id, PURPOSE, at, at + KEPT)
    payload = msgspec.msgpack.encode(content)
    sealed = seal(key, payload, no_conversation(delivery_id).delivery(), os.urandom(NONCE_BYTES))
    row = {"delivery_id": delivery_id, "system": system, "certificate": number, "sealed": sealed}
    times = {"erased_at": to_micros(at), "next_at": to_micros(at)}
    conn.execute(_INSERT, {**row, **times, "state": PENDING, "attempts": 0})


def put_failed(conn: Connection, system: str, certificate: str, at: datetime) -> None:
    """Note that a system cannot be told, so that the certificate says it and a request stays open for staff."""
    row = {"delivery_id": os.urandom(ID_BYTES), "system": system, "certificate": certificate, "attempts": 0}
    times = dict.fromkeys(("erased_at", "next_at", "answered_at"), to_micros(at))
    conn.execute(_INSERT, {**row, **times, "sealed": None, "state": "failed"})


def claim(conn: Connection, now: datetime, most: int, until: datetime) -> list[Delivery]:
    """Return what is due, and keep it from others until then; who dies meanwhile loses nothing.

    A damaged one is kept back too, or many such would stand before all others for ever.
    """
    claimed: list[Delivery] = []
    for each in conn.execute(_DUE, {"now": to_micros(now), "most": most}).all():
        row = conn.execute(_LOCK, {"wanted": each.delivery_id}).first()
        if row is not None and row.state == PENDING and row.next_at <= to_micros(now):
            conn.execute(_UPDATE, {"wanted": each.delivery_id, "next_at": to_micros(until)})
            claimed += _undamaged((each,))
    return claimed


def _undamaged(rows: Iterable[Any]) -> Iterator[Delivery]:
    for row in rows:
        try:
            yield _delivery(row)
        except TamperedSegmentError:  # noqa: PERF203 - there are few
            logger.error(  # noqa: TRY400 - it says all there is
                "The row of delivery %s was changed, so nobody is told of it; restore the table 'deliveries' from a "
                "backup.",
                row.delivery_id.hex(),
            )


def whom(conn: Connection, keys: DataKeys, delivery_id: bytes) -> list[str] | Told | None:
    """Return what a delivery is about: of an erasure the person's sender ids; None where nobody can tell any more."""
    row = conn.execute(_ONE, {"wanted": delivery_id}).first()
    try:
        key = keys.get(conn, delivery_id, PURPOSE)
        if row is None or row.sealed is None or key is None:
            return None
        raw = open_sealed(key, row.sealed, no_conversation(delivery_id).delivery())
        found = msgspec.msgpack.decode(raw, type=list[bytes] | Told)
        return found if isinstance(found, Told) else names(found)
    except (PrivacyError, msgspec.MsgspecError, ValueError):
        return None


def names(senders: Sequence[bytes]) -> list[str]:
    """Return sender ids as texts."""
    return [each.decode("utf-8", "surrogatepass") for each in senders]


def again(conn: Connection, delivery_id: bytes, attempts: int, at: datetime) -> None:
    """Note that an attempt failed, and when the next one is."""
    conn.execute(_UPDATE, {"wanted": delivery_id, "attempts": attempts, "next_at": to_micros(at)})


def answer(conn: Connection, keys: DataKeys, delivery_id: bytes, state: str, at: datetime) -> None:
    """Note the answer, and destroy what named the person."""
    conn.execute(_UPDATE, {"wanted": delivery_id, "state": state, "answered_at": to_micros(at), "sealed": None})
    keys.destroy(conn, delivery_id, PURPOSE)


def of_certificate(conn: Connection, number: str) -> list[Delivery]:
    """Return what was told of an erasure, by system."""
    return [_delivery(row) for row in conn.execute(_OF, {"number": number})]


def is_waiting(conn: Connection, number: str) -> bool:
    """Return whether a system is to be told of an erasure and has not answered yet that it did its part."""
    return any(state in UNDONE for (state,) in _STATES.rows(conn, number=number))


def pending(conn: Connection) -> int:
    """Return how many answers are waited for."""
    number: int = conn.execute(_PENDING).scalar_one()
    return number


def _delivery(row: Any) -> Delivery:
    return Delivery(
        row.delivery_id,
        row.system,
        row.certificate,
        from_micros(row.erased_at),
        row.state,
        row.attempts,
        from_micros(row.next_at),
        None if row.answered_at is None else from_micros(row.answered_at),
    )
