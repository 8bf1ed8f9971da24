"""`Erasures`: the journal of erasures, and the tombstones that keep erased people from being brought back.

Order within the caller's transaction: journal, data keys, tombstones, rows. What is left is two things that name no
other: the journal's entry with the random subject id, and a tombstone with the keyed hash of the sender id. So neither
the ledger nor the journal can be reached from a sender id any more; only their equal times hint at each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import StorageError
from rasa_privacy.storage.conversation_rows import delete_of_subject, sender_indexes
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.subjects import SENDER_DOMAIN
from rasa_privacy.storage.tables import erasures, from_micros, subjects, to_micros, tombstones

_T: Final = tombstones.c
_E: Final = erasures.c
_JOURNAL: Final = insert(erasures)
_TOMBSTONE: Final = insert(tombstones)
_DELETE_SUBJECT: Final = delete(subjects).where(subjects.c.subject_id == bindparam("subject"))
_SUBJECT: Final = select(subjects.c.created_at).where(subjects.c.subject_id == bindparam("subject"))
_LATEST: Final = select(_T.sender_index, _T.erased_at).where(_T.sender_index == bindparam("sender"))
_FORGET: Final = delete(tombstones).where(_T.sender_index == bindparam("sender"))
_ENTRY: Final = select(_E.certificate, _E.subject_id, _E.erased_at, _E.counts)
_BY_CERTIFICATE: Final = _ENTRY.where(_E.certificate == bindparam("number"))
_BY_SUBJECT: Final = select(_E.certificate).where(_E.subject_id == bindparam("subject"))


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What marks an erased sender.

    Attributes:
        sender_index: Blind index of the sender id.
        erased_at: When it was erased last, aware and in UTC.
    """

    sender_index: bytes
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """An entry of the journal.

    Attributes:
        certificate: Number of the certificate.
        subject_id: The subject that was erased.
        erased_at: Aware UTC time.
        counts: What was erased, by kind.
    """

    certificate: str
    subject_id: bytes
    erased_at: datetime
    counts: dict[str, int]


class Erasures:
    """Erasures in the database.

    Args:
        index: Blind index of this database.
        data_keys: Where keys are destroyed.
    """

    def __init__(self, index: BlindIndex, data_keys: DataKeys) -> None:
        self._index = index
        self._data_keys = data_keys

    def bury(
        self, conn: Connection, subject_id: bytes, erased_at: datetime, certificate: str, counts: Mapping[str, int]
    ) -> None:
        """Erase a subject. It is true after the commit; then call `Database.checkpoint`.

        Erasing again writes another entry and finds nothing more to do.

        Args:
            conn: A connection of `Database.write`.
            subject_id: Whom to erase.
            erased_at: Aware UTC time.
            certificate: Number of the certificate, not used before.
            counts: What is erased, by kind, for the certificate.

        Raises:
            StorageError: There is no such subject, and there was none.
        """
        if not self._is_known(conn, subject_id):
            raise StorageError("there is no such subject to erase; look it up again by its sender id")
        conn.execute(_JOURNAL, _entry(certificate, subject_id, erased_at, counts))
        self._data_keys.destroy_all(conn, subject_id)
        for sender_index in sender_indexes(conn, subject_id):
            conn.execute(_FORGET, {"sender": sender_index})
            conn.execute(_TOMBSTONE, {"sender_index": sender_index, "erased_at": to_micros(erased_at)})
        delete_of_subject(conn, subject_id)
        conn.execute(_DELETE_SUBJECT, {"subject": subject_id})

    def tombstone_of(self, conn: Connection, sender_id: str) -> Tombstone | None:
        """Return the latest tombstone of a sender id, or None for someone who was never erased."""
        row = conn.execute(_LATEST, {"sender": self._index.of(SENDER_DOMAIN, sender_id)}).first()
        return None if row is None else Tombstone(row.sender_index, from_micros(row.erased_at))

    def is_erased(self, conn: Connection, subject_id: bytes) -> bool:
        """Say whether the journal names this subject."""
        return conn.execute(_BY_SUBJECT, {"subject": subject_id}).first() is not None

    def certificate_of(self, conn: Connection, subject_id: bytes) -> str | None:
        """Return the number of the certificate of an erased subject, or None."""
        number: str | None = conn.execute(_BY_SUBJECT, {"subject": subject_id}).scalar()
        return number

    def certificate(self, conn: Connection, number: str) -> Erasure | None:
        """Return the journal's entry of a certificate, or None."""
        row = conn.execute(_BY_CERTIFICATE, {"number": number}).first()
        if row is None:
            return None
        counts = msgspec.json.decode(row.counts, type=dict[str, int])
        return Erasure(row.certificate, row.subject_id, from_micros(row.erased_at), counts)

    def _is_known(self, conn: Connection, subject_id: bytes) -> bool:
        there = conn.execute(_SUBJECT, {"subject": subject_id}).first() is not None
        return there or self.is_erased(conn, subject_id)


def _entry(certificate: str, subject_id: bytes, erased_at: datetime, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "certificate": certificate,
        "subject_id": subject_id,
        "erased_at": to_micros(erased_at),
        "counts": msgspec.json.encode(dict(counts)).decode(),
    }
