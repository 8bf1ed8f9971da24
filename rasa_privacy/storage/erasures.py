"""`Erasures`: the certificates of erasures, and the tombstones that keep erased people from being brought back.

The caller writes the erasure journal first (`ErasureJournal.write`). Then, within its transaction: certificate, data
keys, the person's requests, tombstones, rows. What is left is two things that name no other: the certificate with the
random subject id, and a tombstone with the keyed hash of the sender id. So neither the ledger nor the certificates can
be reached from a sender id any more; only their equal times hint at each other.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.sealing import DataKey
from rasa_privacy.errors import DAMAGED, KeyProviderError, StorageError, TamperedSegmentError
from rasa_privacy.policy.topics import item_of, purpose_of
from rasa_privacy.storage import (
    handovers,
    holds,
    known_contacts,
    lasting_values,
    ledger_people,
    links,
    opt_in_codes,
    requests,
)
from rasa_privacy.storage.burying import affairs_of, stored_of
from rasa_privacy.storage.conversation_parts import ConversationParts
from rasa_privacy.storage.conversation_rows import delete_of_subject
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.query import Query, inserting
from rasa_privacy.storage.subjects import SENDER_DOMAIN
from rasa_privacy.storage.tables import erasures, from_micros, subjects, to_micros, tombstones
from rasa_privacy.storage.value_counts import destroyed_counts

_T: Final = tombstones.c
_E: Final = erasures.c
_CERTIFY: Final = inserting(erasures)
_TOMBSTONE: Final = inserting(tombstones)
_DELETE_SUBJECT: Final = Query(delete(subjects).where(subjects.c.subject_id == bindparam("subject")))
_LATEST: Final = Query(select(_T.sender_index, _T.erased_at).where(_T.sender_index == bindparam("sender")))
_FORGET: Final = Query(delete(tombstones).where(_T.sender_index == bindparam("sender")))
_ENTRY: Final = select(_E.certificate, _E.subject_id, _E.erased_at, _E.counts, _E.key_ids)
_BY_CERTIFICATE: Final = _ENTRY.where(_E.certificate == bindparam("number"))
_OWNER: Final = Query(select(_E.subject_id).where(_E.certificate == bindparam("number")))
_SINCE: Final = _ENTRY.where(_E.erased_at >= bindparam("since")).order_by(_E.erased_at, _E.certificate)
_decode_counts: Final = msgspec.json.Decoder(dict[str, Annotated[int, msgspec.Meta(ge=0)]]).decode
_decode_key_ids: Final = msgspec.json.Decoder(dict[str, str]).decode
_BY_SUBJECT: Final = Query(select(_E.certificate).where(_E.subject_id == bindparam("subject")))


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
    """What a certificate stands for.

    Attributes:
        certificate: Number of the certificate.
        subject_id: The subject that was erased.
        erased_at: Aware UTC time.
        counts: What was erased, by kind.
        key_ids: Ids of the destroyed data keys by purpose, 64 hexadecimal digits each, empty where the key was damaged;
            None where they are not known.
    """

    certificate: str
    subject_id: bytes
    erased_at: datetime
    counts: dict[str, int]
    key_ids: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an erasure destroys of a subject.

    Attributes:
        counts: How many `events`, `keys` and values there are (`destroyed_counts`).
        refs: The numbers of the conversations, to look for what is left (`remains.py`).
        is_held: Whether a legal hold keeps the person.
    """

    counts: dict[str, int]
    refs: tuple[int, ...]
    is_held: bool


def delete_rows(conn: Connection, subject_id: bytes) -> None:
    """Delete what the tables hold of a subject, whose keys are destroyed; its certificates and books stay."""
    for table in (holds, lasting_values, known_contacts, links, handovers):
        table.remove_all(conn, subject_id)
    delete_of_subject(conn, subject_id)
    ledger_people.outlive(conn, subject_id)
    _DELETE_SUBJECT.later(conn, subject=subject_id)


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

        Erasing again finds nothing more to do; with another certificate that one is registered too.

        Args:
            conn: A connection of `Database.transact`, in which the subject is locked.
            subject_id: Whom to erase.
            erased_at: Aware UTC time.
            certificate: Number of the certificate, not used for anybody else.
            counts: What is erased, by kind, for the certificate.

        Raises:
            StorageError: There is no such subject, and there was none.
        """
        found = affairs_of(conn, subject_id, certificate)
        if not found.is_known:
            raise StorageError("there is no such subject to erase; look it up again by its sender id")
        key_ids = self._data_keys.destroy_all(conn, subject_id, () if self._data_keys.apart else found.keys)
        if found.owner != subject_id:
            _register(conn, subject_id, erased_at, certificate, counts, key_ids)
        opt_in_codes.remove_all(conn, subject_id)
        requests.end(conn, found.requests, erased_at, certificate, is_waiting=found.is_waiting)
        for sender_index in found.senders:
            _FORGET.later(conn, sender=sender_index)
            _TOMBSTONE.later(conn, sender_index=sender_index, erased_at=to_micros(erased_at))
        delete_rows(conn, subject_id)

    def certify(  # noqa: PLR0913, PLR0917 - transaction, subject and the fields of a certificate
        self,
        conn: Connection,
        subject_id: bytes,
        erased_at: datetime,
        certificate: str,
        counts: Mapping[str, int],
        key_ids: Mapping[str, bytes] | None = None,
    ) -> None:
        """Register a certificate; one that this subject has already stays as it is.

        Raises:
            StorageError: The number is another subject's (raised at the end of the transaction at last).
        """
        if _OWNER.scalar(conn, number=certificate) != subject_id:
            _register(conn, subject_id, erased_at, certificate, counts, key_ids)

    def inventory(self, conn: Connection, subject_id: bytes) -> Inventory:
        """Return what an erasure destroys of a subject who is locked, and where that is looked for afterwards."""
        found = stored_of(conn, subject_id)
        wrapped = self._data_keys.wrapped_of(conn, subject_id) if self._data_keys.apart else found.keys
        keys = self._opened(subject_id, wrapped)
        counts = destroyed_counts(found.rows, keys, [purpose for purpose, _ in wrapped], conn)
        return Inventory(counts, tuple(row.ref for row in found.rows), found.is_held)

    def _opened(self, subject_id: bytes, wrapped: Iterable[tuple[str, bytes]]) -> dict[str, DataKey]:
        """Return the keys that can be opened, up to one for which the key provider does not answer."""
        found: dict[str, DataKey] = {}
        with suppress(KeyProviderError):
            for row in wrapped:
                with suppress(*DAMAGED):
                    found |= self._data_keys.unwrap_all(subject_id, (row,))
        return found

    def tombstone_of(self, conn: Connection, sender_id: str) -> Tombstone | None:
        """Return the latest tombstone of a sender id, or None for someone who was never erased."""
        row = _LATEST.first(conn, sender=self._index.to_find(SENDER_DOMAIN, sender_id))
        if row is None:
            return None
        sender_index, erased_at = row
        return Tombstone(sender_index, from_micros(erased_at))

    def is_erased(self, conn: Connection, subject_id: bytes) -> bool:
        """Say whether a certificate names this subject."""
        return _BY_SUBJECT.first(conn, subject=subject_id) is not None

    def certificate_of(self, conn: Connection, subject_id: bytes) -> str | None:
        """Return the number of the certificate of an erased subject, or None."""
        number: str | None = _BY_SUBJECT.scalar(conn, subject=subject_id)
        return number

    def certificate(self, conn: Connection, number: str) -> Erasure | None:
        """Return what a certificate stands for, or None."""
        row = conn.execute(_BY_CERTIFICATE, {"number": number}).first()
        return None if row is None else _erasure(row)

    def since(self, conn: Connection, since: datetime | None) -> list[Erasure]:
        """Return the erasures from this time on, the oldest first; all of them where it is None."""
        rows = conn.execute(_SINCE, {"since": 0 if since is None else to_micros(since)})
        return [_erasure(row) for row in rows]


def _register(  # noqa: PLR0913, PLR0917 - as `certify`
    conn: Connection,
    subject_id: bytes,
    erased_at: datetime,
    certificate: str,
    counts: Mapping[str, int],
    key_ids: Mapping[str, bytes] | None,
) -> None:
    named = None if key_ids is None else {name: key_id.hex() for name, key_id in key_ids.items()}
    _CERTIFY.later(conn, **row_of(Erasure(certificate, subject_id, erased_at, dict(counts), named)))


def destroy_purpose(
    parts: ConversationParts, data_keys: DataKeys, conn: Connection, subject_id: bytes, purpose: str
) -> bool:
    """Destroy the key and the values of one purpose of a subject that is locked.

    A damaged conversation does not stand in the way: the key goes all the same, which is what counts, and rows that
    cannot be taken out of its manifest stay behind, unreadable.

    Returns:
        Whether there was a key.
    """
    with suppress(*DAMAGED, KeyProviderError):
        parts.drop_purpose(conn, subject_id, purpose)
    return data_keys.destroy(conn, subject_id, purpose)


def destroy_topic(  # noqa: PLR0913, PLR0917 - the two aggregates, the transaction, and what is destroyed when
    parts: ConversationParts,
    data_keys: DataKeys,
    conn: Connection,
    subject_id: bytes,
    topic: str,
    now: datetime,
    *,
    is_journalled: bool = True,
) -> bool:
    """Destroy what is held for a topic of the ledger: a purpose as a whole, or one optional item of it.

    Where a conversation is damaged, an item goes with its whole purpose: better too much than what was refused. Whoever
    has not told the erasure journal says so: nothing was refused then, so nothing but the item goes, and a key that
    lies apart goes on (`ConversationParts`).

    Returns:
        Whether there was something.

    Raises:
        PrivacyError: A conversation cannot be opened, and the journal was told nothing. Nothing was destroyed.
    """
    purpose, item = purpose_of(topic), item_of(topic)
    if item:
        try:
            return parts.drop_item(conn, subject_id, purpose, item, now, is_journalled=is_journalled)
        except (*DAMAGED, KeyProviderError):
            if not is_journalled:
                raise
    return destroy_purpose(parts, data_keys, conn, subject_id, purpose)


def _erasure(row: Any) -> Erasure:
    try:
        counts = _decode_counts(row.counts)
        key_ids = None if row.key_ids is None else _decode_key_ids(row.key_ids)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError):
        raise TamperedSegmentError(
            "the row of a certificate was changed; restore the table of erasures from a backup"
        ) from None
    return Erasure(row.certificate, row.subject_id, from_micros(row.erased_at), counts, key_ids)


def row_of(erasure: Erasure) -> dict[str, Any]:
    """Return the row of a certificate."""
    named = None if erasure.key_ids is None else dict(sorted(erasure.key_ids.items()))
    return {
        "key_ids": None if named is None else msgspec.json.encode(named).decode(),
        "certificate": erasure.certificate,
        "subject_id": erasure.subject_id,
        "erased_at": to_micros(erasure.erased_at),
        "counts": msgspec.json.encode(erasure.counts).decode(),
    }
