"""`Epochs`: which key-encryption key (KEK) is used, and which were (docs/spec/keys.md, section 6).

States: one epoch is `active` and wraps new keys; a `retired` one only opens what it wrapped; of an `ended` one the KEK
is destroyed. The fingerprint of each KEK stands in the database, so a wrong key is recognised before it is used.
"""

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.key_provider import KeyProvider
from rasa_privacy.crypto.key_ring import KeyEncryptionKey
from rasa_privacy.errors import ContentionError, KeyProviderError, UnknownEpochError
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.tables import data_keys, epochs, from_micros, to_micros

FIRST_EPOCH: Final = 1
ACTIVE: Final = "active"
RETIRED: Final = "retired"
ENDED: Final = "ended"

_C: Final = epochs.c
_ALL: Final = select(_C.epoch, _C.fingerprint, _C.state, _C.created_at, _C.ended_at).order_by(_C.epoch)
_ACTIVE: Final = select(_C.epoch).where(_C.state == ACTIVE)
_ENDED: Final = select(_C.epoch).where(_C.state == ENDED)
# Shared: many writers make keys at once, and none while the state of the epoch changes.
_ACTIVE_SHARED: Final = _ACTIVE.with_for_update(read=True)
_LOCKED: Final = _ALL.with_for_update()
_KNOWN: Final = select(_C.fingerprint, _C.state).where(_C.epoch == bindparam("number"))
_INSERT: Final = insert(epochs)
_SET_STATE: Final = (
    update(epochs).where(_C.epoch == bindparam("number")).values(state=bindparam("new"), ended_at=bindparam("ended"))
)
_USED: Final = select(data_keys.c.epoch).distinct()
_COUNT: Final = select(data_keys.c.epoch, func.count()).group_by(data_keys.c.epoch)


@dataclass(frozen=True, slots=True)
class Epoch:
    """The life of one KEK.

    Attributes:
        number: 1 or more.
        fingerprint: 32 bytes that recognise the KEK.
        state: `active`, `retired` or `ended`.
        created_at: Aware UTC time.
        ended_at: Aware UTC time, or None.
    """

    number: int
    fingerprint: bytes
    state: str
    created_at: datetime
    ended_at: datetime | None


class Epochs:
    """Epochs in the database that holds the data keys.

    Args:
        database: That database.
        provider: Where the KEKs are.
    """

    def __init__(self, database: Database, provider: KeyProvider) -> None:
        self._database = database
        self.provider = provider
        self._keks: dict[int, KeyEncryptionKey] = {}
        self._lock = threading.Lock()

    def all(self, conn: Connection, *, lock: bool = False) -> list[Epoch]:
        """Return all epochs, the oldest first; locked until the transaction ends where the caller will change them."""
        return [
            Epoch(number, fingerprint, state, from_micros(created), None if ended is None else from_micros(ended))
            for number, fingerprint, state, created, ended in conn.execute(_LOCKED if lock else _ALL)
        ]

    def kek(self, number: int) -> KeyEncryptionKey:
        """Return the KEK of an epoch; asks the provider the first time only.

        Raises:
            UnknownEpochError: This database has no such epoch, or it has ended and its KEK is not there any more.
            KeyProviderError: It cannot be had, or is not the one of this database.
        """
        with self._lock:
            found = self._keks.get(number)
        if found is not None:
            return found
        with self._database.read() as conn:
            known = conn.execute(_KNOWN, {"number": number}).first()
        if known is None:
            raise UnknownEpochError(
                f"{self._database.name}: a key was wrapped in epoch {number}, which it does not know; restore "
                "the database from its backup"
            )
        try:
            kek = self._checked(number, known.fingerprint)
        except KeyProviderError as error:
            if known.state == ENDED:
                raise UnknownEpochError(str(error)) from error
            raise
        with self._lock:
            self._keks[number] = kek
        return kek

    def _checked(self, number: int, fingerprint: bytes) -> KeyEncryptionKey:
        kek = self.provider.load(number)
        if kek.fingerprint() != fingerprint:
            raise KeyProviderError(
                f"{self.provider.name}: the key of epoch {number} is not the one of {self._database.name}; put that "
                "database's key back from its backup, or correct the block `keys` in endpoints.yml"
            )
        return kek

    def active(self, conn: Connection) -> KeyEncryptionKey:
        """Return the KEK that wraps new keys. It stays the active one until the transaction ends.

        Raises:
            ContentionError: The epoch has just changed.
            KeyProviderError: The KEK cannot be had.
        """
        number = conn.execute(_ACTIVE_SHARED).scalar()
        if number is None:
            raise ContentionError("the epoch of the key-encryption key has just changed; try again")
        return self.kek(number)

    def begin(self, conn: Connection, kek: KeyEncryptionKey, now: datetime) -> None:
        """Make this the active epoch; the one before it is retired. Lock the epochs first (`all(lock=True)`)."""
        for number in conn.execute(_ACTIVE).scalars().all():
            self._set(conn, number, RETIRED, None)
        row = {
            "epoch": kek.epoch,
            "fingerprint": kek.fingerprint(),
            "state": ACTIVE,
            "created_at": to_micros(now),
            "ended_at": None,
        }
        conn.execute(_INSERT, row)

    def end(self, conn: Connection, number: int, now: datetime) -> None:
        """Mark a retired epoch as ended. Its KEK is destroyed after the commit (`forget`)."""
        self._set(conn, number, ENDED, to_micros(now))

    def forget(self, number: int) -> None:
        """Destroy the KEK of an ended epoch, here and at the provider.

        Raises:
            KeyProviderError: The provider cannot do that; the message says who can.
        """
        with self._lock:
            self._keks.pop(number, None)
        self.provider.destroy(number)

    def forget_ended(self) -> None:
        """Let go of the KEKs whose epoch another process ended. Asks the database only where there are several.

        A store that was closed is not opened again for it.

        Raises:
            StorageError: The database cannot be read.
        """
        if len(self._keks) < 2 or self._database.is_closed:  # noqa: PLR2004 - the one that is used
            return
        with self._database.read() as conn:
            ended = conn.execute(_ENDED).scalars().all()
        with self._lock:
            for number in ended:
                self._keks.pop(number, None)

    def in_use(self, conn: Connection) -> list[int]:
        """Return the epochs whose KEK is needed: the active one, and older ones that still have keys."""
        known = self.all(conn)
        others = any(epoch.state != ACTIVE for epoch in known)
        used = set(conn.execute(_USED).scalars()) if others else set()  # this reads the whole table
        return [epoch.number for epoch in known if epoch.state == ACTIVE or epoch.number in used]

    def key_counts(self, conn: Connection) -> dict[int, int]:
        """Return the number of data keys by epoch."""
        return dict(conn.execute(_COUNT).all())

    @staticmethod
    def _set(conn: Connection, number: int, state: str, ended: int | None) -> None:
        conn.execute(_SET_STATE, {"number": number, "new": state, "ended": ended})
