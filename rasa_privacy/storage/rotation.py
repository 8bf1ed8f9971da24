"""Rotation: a new key-encryption key for the data keys, while the bot runs (docs/spec/keys.md, section 6).

1. `begin_epoch` makes the new KEK and makes it the active one. From its commit on no key is wrapped in an older epoch.
2. `rewrap` wraps the keys of older epochs anew, in batches; each is a transaction, so a process that is killed leaves
   some keys old and some new, which any process can read and the next call goes on with. Segments are not touched.
3. `end_epoch` refuses an epoch that still has keys, marks it ended, and destroys its KEK. What sits in backups older
   than that cannot be read any more.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.key_ring import NO_SUBJECT, KeyEncryptionKey, epoch_of
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import ConfigurationError, MalformedSegmentError, TamperedSegmentError
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.epochs import ACTIVE, ENDED, Epochs
from rasa_privacy.storage.tables import data_keys, system_keys

#: Keys of one transaction; a turn of the bot that makes a key waits for no more than these.
BATCH: Final = 5_000

_K: Final = data_keys.c
_OLD: Final = (
    select(_K.subject_id, _K.purpose, _K.wrapped)
    .where(_K.epoch == bindparam("number"), _K.subject_id >= bindparam("start"))
    .order_by(_K.epoch, _K.subject_id)
    .limit(bindparam("most"))
)
# Only a key that is still in its old epoch is changed: one that was destroyed meanwhile stays destroyed.
_REWRAP: Final = (
    update(data_keys)
    .where(_K.subject_id == bindparam("subject"), _K.purpose == bindparam("name"), _K.epoch == bindparam("number"))
    .values(wrapped=bindparam("sealed"), epoch=bindparam("active"))
)
# The same for all rows of a batch at once: PostgreSQL's driver would send them one by one. The bounds keep a planner
# that knows nothing of the table yet from reading all of it for each batch.
_REWRAP_MANY: Final = text(
    "UPDATE data_keys AS k SET wrapped = n.wrapped, epoch = :active "
    "FROM unnest(:subjects, :names, :sealed) AS n(subject_id, purpose, wrapped) "
    "WHERE k.subject_id = n.subject_id AND k.purpose = n.purpose AND k.epoch = :number "
    "AND k.subject_id BETWEEN :first AND :last"
)
_REWRAP_SQLITE: Final = "UPDATE data_keys SET wrapped = ?, epoch = ? WHERE subject_id = ? AND purpose = ? AND epoch = ?"
_LEFT: Final = select(func.count()).select_from(data_keys).where(_K.epoch == bindparam("number"))
_SYSTEM: Final = select(system_keys.c.name, system_keys.c.wrapped).with_for_update()
_SET_SYSTEM: Final = (
    update(system_keys).where(system_keys.c.name == bindparam("key")).values(wrapped=bindparam("sealed"))
)


class Rotation:
    """Rotates the keys of one database.

    Args:
        database: The database of the data keys.
        epochs: Its epochs.
        random_bytes: Source of randomness, as `os.urandom`.
    """

    def __init__(self, database: Database, epochs: Epochs, random_bytes: Callable[[int], bytes]) -> None:
        self._database = database
        self._epochs = epochs
        self._random_bytes = random_bytes

    def begin_epoch(self, now: datetime) -> int:
        """Make a new KEK the active one and return its epoch.

        Raises:
            KeyProviderError: The provider cannot make it, or does not have it yet (`env`).
        """

        def begin(conn: Connection) -> int:
            known = self._epochs.all(conn, lock=True)
            kek = self._epochs.provider.create(known[-1].number + 1)
            self._epochs.begin(conn, kek, now)
            return kek.epoch

        return self._database.transact(begin)

    def old_keys(self) -> int:
        """Return how many data keys are wrapped in an epoch that is not the active one."""
        with self._database.read() as conn:
            active = self._active(conn)
            return sum(count for number, count in self._epochs.key_counts(conn).items() if number != active)

    def rewrap(self) -> Iterator[int]:
        """Wrap the keys of all older epochs anew, yielding how many after each batch.

        A key that was changed or moved stays as it is, in its epoch; `check --database` names it.

        Raises:
            KeyProviderError: The KEK of an epoch cannot be had.
        """
        self._database.transact(self._rewrap_system)
        with self._database.read() as conn:
            active = self._active(conn)
            numbers = [number for number in self._epochs.key_counts(conn) if number != active]
        for number in numbers:
            start: bytes | None = b""
            while start is not None:
                count, start = self._database.transact(lambda conn, n=number, s=start: self._batch(conn, n, s))  # type: ignore[misc]
                yield count

    def end_epoch(self, number: int, now: datetime) -> None:
        """End a retired epoch and destroy its KEK. Doing it again finishes what was interrupted.

        Raises:
            ConfigurationError: There is no such epoch, it is the active one, or it still has keys.
            KeyProviderError: The provider cannot destroy the KEK; the message says who can.
        """

        def end(conn: Connection) -> None:
            states = {epoch.number: epoch.state for epoch in self._epochs.all(conn, lock=True)}
            if number not in states:
                raise ConfigurationError(f"{self._database.name}: there is no epoch {number}; see `keys status`")
            if states[number] == ACTIVE:
                raise ConfigurationError(f"epoch {number} is the active one; run `rasa-privacy keys rotate` first")
            if states[number] == ENDED:
                return
            wrapped = conn.execute(_SYSTEM).all()
            if conn.execute(_LEFT, {"number": number}).scalar() or any(epoch_of(key) == number for _, key in wrapped):
                raise ConfigurationError(
                    f"epoch {number} still has keys; run `rasa-privacy keys rotate` again first. Keys that stay are "
                    "damaged: `rasa-privacy check --database` names them, and deleting their people removes them"
                )
            self._epochs.end(conn, number, now)

        self._database.transact(end)
        # The old wrapped keys still stand in the log of the database; they go before their KEK is said to be gone.
        self._database.checkpoint()
        self._epochs.forget(number)

    def _active(self, conn: Connection) -> int:
        return next(epoch.number for epoch in self._epochs.all(conn) if epoch.state == ACTIVE)

    def _rewrap_system(self, conn: Connection) -> None:
        kek = self._epochs.active(conn)
        for name, wrapped in conn.execute(_SYSTEM).all():
            if epoch_of(wrapped) != kek.epoch:
                secret = self._epochs.kek(epoch_of(wrapped)).unwrap(wrapped, NO_SUBJECT, name)
                sealed = kek.wrap(secret, NO_SUBJECT, name, self._random_bytes(NONCE_BYTES))
                conn.execute(_SET_SYSTEM, {"key": name, "sealed": sealed})

    def _batch(self, conn: Connection, number: int, start: bytes) -> tuple[int, bytes | None]:
        """Wrap one batch of an epoch anew; return how many keys were read, and where the next one starts or None."""
        new, old = self._epochs.active(conn), self._epochs.kek(number)
        rows = conn.execute(_OLD, {"number": number, "start": start, "most": BATCH}).all()
        changed = [
            row for row in (self._rewrapped((row[0], row[1], row[2]), old, new) for row in rows) if row is not None
        ]
        if changed:
            _write(conn, changed, number, new.epoch)
        if len(rows) < BATCH:
            return len(changed), None
        # The last person's keys may be cut apart. Those that stay, being damaged, must not be read for ever.
        last: bytes = rows[-1][0]
        return len(changed), last if last != start else last + b"\x00"

    def _rewrapped(
        self, row: tuple[bytes, str, bytes], old: KeyEncryptionKey, new: KeyEncryptionKey
    ) -> tuple[bytes, str, bytes] | None:
        """Return subject, purpose and the key wrapped anew, or None for a damaged one."""
        subject_id, purpose, wrapped = row
        try:
            secret = old.unwrap(wrapped, subject_id, purpose)
        except (MalformedSegmentError, TamperedSegmentError):
            return None
        return subject_id, purpose, new.wrap(secret, subject_id, purpose, self._random_bytes(NONCE_BYTES))


def _write(conn: Connection, rows: list[tuple[bytes, str, bytes]], number: int, active: int) -> None:
    subjects, names, sealed = (list(column) for column in zip(*rows, strict=True))
    if conn.dialect.name == "postgresql":
        bounds = {"first": subjects[0], "last": subjects[-1], "number": number, "active": active}
        conn.execute(_REWRAP_MANY, {"subjects": subjects, "names": names, "sealed": sealed, **bounds})
        return
    if conn.dialect.name == "sqlite":
        # SQLAlchemy's handling of the parameters costs as much as SQLite's work.
        conn.connection.dbapi_connection.executemany(
            _REWRAP_SQLITE, [(key, active, subject, name, number) for subject, name, key in rows]
        )
        return
    conn.execute(
        _REWRAP,
        [
            {"subject": subject, "name": name, "sealed": key, "number": number, "active": active}
            for subject, name, key in rows
        ],
    )
