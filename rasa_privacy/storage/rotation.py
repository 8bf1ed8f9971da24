"""Rotation: a new key-encryption key for the data keys, while the bot runs (docs/spec/keys.md, section 6).

1. `begin_epoch` makes the new KEK and makes it the active one. From its commit on no key is wrapped in an older epoch.
2. `rewrap` wraps the keys of older epochs anew, in batches; each is a transaction, so a process that is killed leaves
   some keys old and some new, which any process can read and the next call goes on with. Segments are not touched.
3. `end_epoch` refuses an epoch that still has keys, marks it ended, and destroys its KEK. What sits in backups older
   than that cannot be read any more.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import msgspec
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import ID_BYTES
from rasa_privacy.crypto.key_ring import NO_SUBJECT, WRAPPED_BYTES, KeyEncryptionKey, Owned, Rewrapped, epoch_of
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.storage import waiting
from rasa_privacy.storage.ahead import AtOnce, Meanwhile
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.epochs import ACTIVE, ENDED, RETIRED, Epochs
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import data_keys, system_keys
from rasa_privacy.storage.waiting import Statement

#: Keys of one transaction; a turn of the bot that makes a key waits for no more than these.
BATCH: Final = 5_000

_K: Final = data_keys.c
_OLD: Final = Query(
    select(_K.subject_id, _K.purpose, _K.wrapped)
    .where(_K.epoch == bindparam("number"), _K.subject_id >= bindparam("start"))
    .order_by(_K.subject_id, _K.purpose)  # in the order of the table's key, of which each batch is a stretch
    .limit(bindparam("most"))
)
# Only a key that is still in its old epoch is changed: one that was destroyed meanwhile stays destroyed. All rows of a
# batch at once, since the drivers would send them one by one. The bounds keep a planner that knows nothing of the table
# yet from reading all of it for each batch.
# Subjects and keys go as one text of bytes each, since the driver takes as long for each part of an array as for all.
# Where the bytes of a row lie in such a text, by how many each row has.
_PIECE: Final = "(n.number - 1) * {0} + 1, {0}"
_REWRAP_POSTGRESQL: Final = (
    f"UPDATE data_keys AS k SET wrapped = substring(n.sealed, {_PIECE.format(WRAPPED_BYTES)}), epoch = %s "  # noqa: S608 - our own sizes
    "FROM (SELECT o.purpose, CAST(o.number AS INTEGER) AS number, b.subjects, b.sealed FROM "
    "unnest(%s) WITH ORDINALITY AS o(purpose, number) "
    "CROSS JOIN (SELECT CAST(%s AS BYTEA) AS subjects, CAST(%s AS BYTEA) AS sealed) AS b) AS n "
    f"WHERE k.subject_id = substring(n.subjects, {_PIECE.format(ID_BYTES)}) AND k.purpose = n.purpose AND k.epoch = %s "
    "AND k.subject_id BETWEEN %s AND %s"
)
# `STRAIGHT_JOIN`: by the table's key for each new row, and not the other way round.
_REWRAP_MARIADB: Final = (
    "UPDATE JSON_TABLE(%s, '$[*]' COLUMNS (subject CHAR(32) PATH '$[0]', "
    "purpose VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin PATH '$[1]', "
    "wrapped VARCHAR(255) PATH '$[2]')) AS n STRAIGHT_JOIN data_keys AS k "
    "ON k.subject_id = UNHEX(n.subject) AND k.purpose = n.purpose AND k.epoch = %s "
    "SET k.wrapped = UNHEX(n.wrapped), k.epoch = %s"
)
_REWRAP_SQLITE: Final = (
    "UPDATE data_keys SET wrapped = ?, epoch = %d WHERE subject_id = ? AND purpose = ? AND epoch = %d"
)
_LEFT: Final = select(func.count()).select_from(data_keys).where(_K.epoch == bindparam("number"))
_SYSTEM: Final = select(system_keys.c.name, system_keys.c.wrapped).with_for_update()
_SET_SYSTEM: Final = (
    update(system_keys).where(system_keys.c.name == bindparam("key")).values(wrapped=bindparam("sealed"))
)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Keys of one transaction, read and wrapped anew before it begins.

    Attributes:
        old: The KEK that wraps them.
        active: Epoch of the one that wraps `rewrapped`.
        rows: The keys, as they were read.
        rewrapped: The same wrapped anew, without those that are damaged.
        following: Where the next batch starts; None after the last.
    """

    old: KeyEncryptionKey
    active: int
    rows: Sequence[Owned]
    rewrapped: Sequence[Rewrapped]
    following: bytes | None


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
            numbers = [epoch.number for epoch in self._epochs.all(conn) if epoch.state == RETIRED]
        # A server writes a batch while the next one is wrapped. SQLite's driver would fight for Python's lock instead.
        with closing(Meanwhile() if self._database.dialect != "sqlite" else AtOnce()) as writer:
            for number in numbers:
                # Where somebody's keys were cut apart, the next batch was read before the first of them were written,
                # and may have met those alone; so go through the epoch until nothing more changes.
                while (yield from self._through(number, writer)):
                    pass

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

    def _through(self, number: int, writer: Meanwhile | AtOnce) -> Generator[int, None, int]:
        """Go once through the keys of an epoch, yielding how many changed; return how many those were in all."""
        start: bytes | None = b""
        changed = 0
        while start is not None:
            batch = self._prepared(number, start)
            for count in writer.results():
                changed += count
                yield count
            writer.give(partial(self._written, batch))
            start = batch.following
        for count in writer.results():
            changed += count
            yield count
        return changed

    def _prepared(self, number: int, start: bytes) -> _Batch:
        """Read one batch of an epoch and wrap it anew for the active one."""
        with self._database.read() as conn:
            new, old = self._epochs.kek(self._active(conn)), self._epochs.kek(number)
            rows: Sequence[Owned] = _OLD.rows(conn, number=number, start=start, most=BATCH)
        rewrapped = self._rewrapped(rows, old, new)
        if len(rows) < BATCH:
            return _Batch(old, new.epoch, rows, rewrapped, None)
        # The last person's keys may be cut apart. Those that stay, being damaged, must not be read for ever.
        last = rows[-1][0]
        return _Batch(old, new.epoch, rows, rewrapped, last if last != start else last + b"\x00")

    def _written(self, batch: _Batch) -> int:
        """Write a batch and return how many keys changed."""

        def write(conn: Connection) -> int:
            active = self._epochs.active(conn)  # and stays so until the end of the transaction
            rows = batch.rewrapped
            if active.epoch != batch.active:  # another rotation began meanwhile
                rows = self._rewrapped(batch.rows, batch.old, active)
            return _write(conn, rows, batch.old.epoch, active.epoch) if rows else 0

        return self._database.transact(write)

    def _rewrapped(self, rows: Sequence[Owned], old: KeyEncryptionKey, new: KeyEncryptionKey) -> list[Rewrapped]:
        """Return the rows with their keys wrapped anew, without those that are damaged."""
        return old.rewrap(rows, new, self._random_bytes(NONCE_BYTES * len(rows)))


def _write(conn: Connection, rows: Sequence[Rewrapped], number: int, active: int) -> int:
    """Write new wrapped keys in place of those of an epoch; return how many there were to change."""
    driver = conn.connection.dbapi_connection  # SQLAlchemy's handling of the parameters costs as much as the work
    if conn.dialect.name == "sqlite":
        count: int = driver.executemany(_REWRAP_SQLITE % (active, number), rows).rowcount
        return count
    if conn.dialect.name == "mysql":
        document = msgspec.json.encode([(who.hex(), name, key.hex()) for key, who, name in rows]).decode()
        statement = Statement(_REWRAP_MARIADB, (document, number, active))
    else:
        sealed, subjects, names = zip(*rows, strict=True)
        bounds = (number, subjects[0], subjects[-1])
        statement = Statement(_REWRAP_POSTGRESQL, (active, list(names), b"".join(subjects), b"".join(sealed), *bounds))
    waiting.send(conn.dialect.name, conn.connection)
    return waiting.change(conn.dialect.name, conn.connection, statement)
