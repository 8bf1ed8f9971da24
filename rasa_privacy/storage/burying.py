"""What an erasure ends and destroys of a person, read in one statement before it begins, and once more within it.

To a server the way costs as much as the work, so nothing of it is asked one by one.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import bindparam, func, literal_column, null, select, union_all
from sqlalchemy.engine import Connection

from rasa_privacy.storage.conversation_rows import COLUMNS, ConversationRow, row_of
from rasa_privacy.storage.deliveries import UNDONE
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.requests import Ending
from rasa_privacy.storage.tables import (
    conversations,
    data_keys,
    deliveries,
    erasures,
    holds,
    request_steps,
    requests,
    subjects,
)

_C: Final = conversations.c
_K: Final = data_keys.c
_R: Final = requests.c
_E: Final = erasures.c
_D: Final = deliveries.c
_SUBJECT: Final = bindparam("subject")
_CERTIFICATE: Final = bindparam("certificate")
_NO_NUMBER: Final = literal_column("0")
_ROW, _KEY, _HOLD, _REQUEST, _PERSON, _CERTIFIED, _OWNER, _DELIVERY, _SENDER = range(9)


def _kind(number: int) -> Any:
    return literal_column(str(number))


#: The columns of the conversations, then purpose or matter; the other parts put theirs where the type is right.
_STORED: Final = Query(
    union_all(
        select(_kind(_ROW), literal_column("''"), *COLUMNS).where(_C.subject_id == _SUBJECT),
        select(_kind(_KEY), _K.purpose, _NO_NUMBER, null(), null(), _K.wrapped, _NO_NUMBER, _NO_NUMBER, null()).where(
            _K.subject_id == _SUBJECT
        ),
        select(_kind(_HOLD), holds.c.name, _NO_NUMBER, *[null()] * 3, _NO_NUMBER, _NO_NUMBER, null()).where(
            holds.c.subject_id == _SUBJECT
        ),
    )
)
_STEPS: Final = (
    select(func.count()).select_from(request_steps).where(request_steps.c.number == _R.number).scalar_subquery()
)
#: Kind, two texts, bytes and a number.
_ENDING: Final = Query(
    union_all(
        select(_kind(_REQUEST), _R.number, _R.kind, _R.subject_id, _STEPS).where(
            _R.subject_id == _SUBJECT, _R.closed_at.is_(None)
        ),
        select(_kind(_PERSON), null(), null(), subjects.c.subject_id, _NO_NUMBER).where(
            subjects.c.subject_id == _SUBJECT
        ),
        select(_kind(_CERTIFIED), _E.certificate, null(), null(), _NO_NUMBER).where(_E.subject_id == _SUBJECT),
        select(_kind(_OWNER), null(), null(), _E.subject_id, _NO_NUMBER).where(_E.certificate == _CERTIFICATE),
        select(_kind(_DELIVERY), _D.state, null(), null(), _NO_NUMBER).where(_D.certificate == _CERTIFICATE),
        select(_kind(_SENDER), null(), null(), _C.sender_index, _NO_NUMBER).where(_C.subject_id == _SUBJECT),
        select(_kind(_KEY), _K.purpose, null(), _K.wrapped, _NO_NUMBER).where(_K.subject_id == _SUBJECT),
    )
)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a person.

    Attributes:
        rows: Their conversations.
        keys: Purpose and wrapped key of each data key in this database.
        is_held: Whether a legal hold keeps the person.
    """

    rows: list[ConversationRow] = field(repr=False)
    keys: list[tuple[str, bytes]] = field(repr=False)
    is_held: bool


@dataclass(frozen=True, slots=True)
class Affairs:
    """What ends with a person.

    Attributes:
        is_known: Whether there is or was such a person.
        owner: Whose the certificate's number is already, or None.
        is_waiting: Whether another system has not said yet that it did its part.
        requests: The requests that are open.
        senders: Blind indexes of their sender ids.
        keys: Purpose and wrapped key of each data key in this database.
    """

    is_known: bool
    owner: bytes | None
    is_waiting: bool
    requests: list[Ending]
    senders: list[bytes] = field(repr=False)
    keys: list[tuple[str, bytes]] = field(repr=False)


def stored_of(conn: Connection, subject_id: bytes) -> Stored:
    """Return what is stored of a person who is locked."""
    found = _by_kind(_STORED.rows(conn, subject=subject_id))
    rows = [row_of(columns) for _, *columns in found[_ROW]]
    keys = [(purpose, columns[_WRAPPED]) for purpose, *columns in found[_KEY]]
    return Stored(sorted(rows, key=lambda row: row.ref), keys, bool(found[_HOLD]))


def affairs_of(conn: Connection, subject_id: bytes, certificate: str) -> Affairs:
    """Return what ends with a person who is locked, and what there is of their certificate."""
    found = _by_kind(_ENDING.rows(conn, subject=subject_id, certificate=certificate))
    return Affairs(
        is_known=bool(found[_PERSON] or found[_CERTIFIED]),
        owner=next((owner for _, _, owner, _ in found[_OWNER]), None),
        is_waiting=any(state in UNDONE for state, *_ in found[_DELIVERY]),
        requests=[Ending(number, kind, steps) for number, kind, _, steps in found[_REQUEST]],
        senders=[sender for _, _, sender, _ in found[_SENDER]],
        keys=[(purpose, wrapped) for purpose, _, wrapped, _ in found[_KEY]],
    )


#: Where a wrapped key stands among the columns of a conversation.
_WRAPPED: Final = COLUMNS.index(_C.sealed_sender)


def _by_kind(rows: Sequence[Any]) -> dict[int, list[Any]]:
    found = defaultdict[int, list[Any]](list)
    for kind, *columns in rows:
        found[kind].append(columns)
    return found
