"""`Expiry`: many people at once of whom nothing may be left, and who may be worked on without waiting.

What it does to one person is what `Erasures.bury` does; a test compares the two. It opens no key and no row.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage import deliveries, ledger_people, requests
from rasa_privacy.storage.due_keys import DueKeys
from rasa_privacy.storage.erasures import Erasure, row_of
from rasa_privacy.storage.expiry_at_once import bury_at_once
from rasa_privacy.storage.many import ManyDelete, ManySelect
from rasa_privacy.storage.tables import (
    conversations,
    erasures,
    lasting_values,
    opt_in_codes,
    segments,
    sessions,
    subjects,
    to_micros,
    tombstones,
)

_S: Final = subjects.c
_C: Final = conversations.c
_THERE: Final = ManySelect(_S.subject_id, select(_S.subject_id).where)
_FREE: Final = ManySelect(
    _S.subject_id,
    lambda wanted: select(_S.subject_id).where(wanted).order_by(_S.subject_id).with_for_update(skip_locked=True),
)
_CONVERSATIONS: Final = ManySelect(_C.subject_id, select(_C.conversation_ref, _C.sender_index, _C.subject_id).where)
_FORGET: Final = ManyDelete(tombstones.c.sender_index)
_DELETE_CODES: Final = ManyDelete(opt_in_codes.c.subject_id)
_DELETE_LASTING: Final = ManyDelete(lasting_values.c.subject_id)
_DELETE_SEGMENTS: Final = ManyDelete(segments.c.conversation_ref)
_DELETE_SESSIONS: Final = ManyDelete(sessions.c.conversation_ref)
_DELETE_CONVERSATIONS: Final = ManyDelete(conversations.c.conversation_ref)
_DELETE_SUBJECTS: Final = ManyDelete(subjects.c.subject_id)


class Expiry:
    """Removes people whose data is all due.

    Args:
        due_keys: Their keys.
    """

    def __init__(self, due_keys: DueKeys) -> None:
        self._due_keys = due_keys

    def lock_free(self, conn: Connection, subject_ids: Collection[bytes]) -> list[bytes]:
        """Lock those of these people whom no other transaction holds, and return them in their order."""
        return [row[0] for row in _FREE.rows(conn, subject_ids)]

    def there(self, conn: Connection, subject_ids: Collection[bytes]) -> set[bytes]:
        """Return those of these people who exist."""
        return {row[0] for row in _THERE.rows(conn, subject_ids)}

    def bury(
        self, conn: Connection, subject_ids: Sequence[bytes], at: datetime, certificate: Callable[[], str]
    ) -> None:
        """Remove people who are locked, with a certificate and tombstones for each; true after the commit.

        Keys that lie apart stay: no journal names these people, and without a due key nobody would find rows that a
        process which died had left. Destroy them after the commit (`DueKeys.destroy_all`); one that is left then is
        due, and belongs to nobody.

        Args:
            conn: A connection of `Database.transact`.
            subject_ids: Whom to remove.
            at: Aware UTC time.
            certificate: Makes the number of a certificate.
        """
        if not self._due_keys.apart:
            self._due_keys.destroy_all(conn, subject_ids)
        self._bury(conn, {each: Erasure(certificate(), each, at, {}) for each in subject_ids})

    def bury_all(self, conn: Connection, done: Sequence[Erasure]) -> None:
        """Remove people who are locked and whom no hold keeps, keys first, with what their certificates say.

        The journal has them already, so that the next start completes what a process which died had begun.
        """
        numbers = {each.subject_id: each for each in done}
        self._due_keys.destroy_all(conn, numbers)
        self._bury(conn, numbers)

    @staticmethod
    def _bury(conn: Connection, numbers: Mapping[bytes, Erasure]) -> None:
        if not numbers:
            return
        for who in requests.who_waits(conn, numbers):
            its = numbers[who]
            waiting = deliveries.is_waiting(conn, its.certificate)
            requests.close_all(conn, who, its.erased_at, its.certificate, is_waiting=waiting)
        bury = bury_at_once if conn.dialect.name == "postgresql" else _bury_in_turn
        bury(conn, numbers)


def _bury_in_turn(conn: Connection, numbers: Mapping[bytes, Erasure]) -> None:
    """Do what `bury_at_once` does, table by table."""
    conn.execute(insert(erasures), [row_of(each) for each in numbers.values()])
    _DELETE_CODES.run(conn, numbers)
    _DELETE_LASTING.run(conn, numbers)
    found = _CONVERSATIONS.rows(conn, numbers)
    if found:
        refs, senders = [row[0] for row in found], {row[1]: to_micros(numbers[row[2]].erased_at) for row in found}
        _FORGET.run(conn, list(senders))
        conn.execute(insert(tombstones), [{"sender_index": who, "erased_at": at} for who, at in senders.items()])
        for statement in (_DELETE_SEGMENTS, _DELETE_SESSIONS, _DELETE_CONVERSATIONS):
            statement.run(conn, refs)
    ledger_people.outlive_all(conn, list(numbers))
    _DELETE_SUBJECTS.run(conn, numbers)
