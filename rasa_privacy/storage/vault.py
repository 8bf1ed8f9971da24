"""`open_vault`: everything that the store knows, opened in one go and checked in order.

1. privacy.yml can be read.
2. The database can be reached and has this release's schema.
3. The key is there, and is this database's own.

A key is made only together with a new database. For a database that has one, a missing key is never replaced: what it
wrapped could not be opened again, and a new key would hide that.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.derive import KEY_BYTES
from rasa_privacy.crypto.identity import SERVICE as SERVICE  # noqa: PLC0414 - rooms above name it from here
from rasa_privacy.crypto.key_file import FileKeyProvider
from rasa_privacy.crypto.key_ring import NO_SUBJECT, KeyEncryptionKey
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import ConfigurationError, KeyProviderError, TamperedSegmentError
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.conversations import Conversations
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.erasures import Erasures
from rasa_privacy.storage.ledger import ConsentLedger
from rasa_privacy.storage.notices import Notices
from rasa_privacy.storage.schema import ensure_schema
from rasa_privacy.storage.subjects import Subjects
from rasa_privacy.storage.tables import meta, system_keys

_FINGERPRINT: Final = "kek_fingerprint"
_INDEX: Final = "index"
_GET_META: Final = select(meta.c.value).where(meta.c.name == bindparam("key"))
_GET_KEY: Final = select(system_keys.c.wrapped).where(system_keys.c.name == bindparam("key"))


def utc_now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class Vault:
    """The open store. Each aggregate's methods take a connection of `database.read()` or `database.write()`.

    Attributes:
        policy: What privacy.yml says.
        database: Connections and transactions.
        kek: The key-encryption key.
        index: Blind index of this database.
        data_keys: Keys of subjects and purposes.
        subjects: Who chats.
        conversations: Their events.
        ledger: Their consent.
        notices: What they were shown.
        erasures: Who was erased.
        clock: Current time, aware and in UTC.
    """

    policy: Policy
    database: Database
    kek: KeyEncryptionKey = field(repr=False)
    index: BlindIndex = field(repr=False)
    data_keys: DataKeys
    subjects: Subjects
    conversations: Conversations
    ledger: ConsentLedger
    notices: Notices
    erasures: Erasures
    clock: Callable[[], datetime]

    @property
    def keys(self) -> DataKeys:
        """Short name of `data_keys`."""
        return self.data_keys

    def close(self) -> None:
        """Close the database connections."""
        self.database.close()


def open_vault(
    settings: StoreSettings,
    clock: Callable[[], datetime] = utc_now,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Vault:
    """Open the store that the settings name, making database and key where there is neither.

    Args:
        settings: The `tracker_store:` block of endpoints.yml.
        clock: Current time, aware and in UTC.
        random_bytes: Source of randomness.

    Raises:
        PolicyError: privacy.yml is wrong.
        ConfigurationError: The URL or the key provider is not supported.
        StorageError: The database cannot be reached.
        SchemaVersionError: It has the schema of another release.
        KeyProviderError: The key is missing, open to others, damaged, or another database's.
        TamperedSegmentError: The database's own key was changed.
    """
    policy = load_policy(settings.privacy)
    database = Database(settings.url)
    try:
        database.create_file()
        ensure_schema(database)
        kek, index = _open_keys(database, _provider(settings.keys, random_bytes), random_bytes)
    except BaseException:
        database.close()
        raise
    data_keys = DataKeys(kek, random_bytes)
    subjects = Subjects(index, data_keys, random_bytes)
    return Vault(
        policy=policy,
        database=database,
        kek=kek,
        index=index,
        data_keys=data_keys,
        subjects=subjects,
        conversations=Conversations(index, data_keys, subjects, random_bytes),
        ledger=ConsentLedger(index),
        notices=Notices(),
        erasures=Erasures(index, data_keys),
        clock=clock,
    )


def _provider(settings: KeySettings, random_bytes: Callable[[int], bytes]) -> FileKeyProvider:
    if settings.provider != "file":
        raise ConfigurationError("tracker_store.keys.provider must be `file` in this version (docs/LIMITATIONS.md)")
    return FileKeyProvider(settings.path, random_bytes)


def _open_keys(
    database: Database, provider: FileKeyProvider, random_bytes: Callable[[int], bytes]
) -> tuple[KeyEncryptionKey, BlindIndex]:
    with database.read() as conn:
        fingerprint = _fingerprint(conn)
    if fingerprint is None:
        # Under the write lock, so that two processes that start at once agree on one key.
        with database.write() as conn:
            fingerprint = _fingerprint(conn)
            if fingerprint is None:
                fingerprint = _found(conn, provider.load(create=True), random_bytes)
    kek = provider.load(create=False)
    if kek.fingerprint() != fingerprint:
        raise KeyProviderError(
            f"{provider.path}: the key file is not the one of {database.path}; put that database's key file back from "
            "its backup, or name its directory in keys.path"
        )
    with database.read() as conn:
        return kek, _open_index(conn, kek, database)


def _fingerprint(conn: Connection) -> bytes | None:
    fingerprint: bytes | None = conn.execute(_GET_META, {"key": _FINGERPRINT}).scalar()
    return fingerprint


def _found(conn: Connection, kek: KeyEncryptionKey, random_bytes: Callable[[int], bytes]) -> bytes:
    """Tie a new database to a key and give it an index key."""
    wrapped = kek.wrap(random_bytes(KEY_BYTES), NO_SUBJECT, _INDEX, random_bytes(NONCE_BYTES))
    conn.execute(insert(system_keys), {"name": _INDEX, "wrapped": wrapped})
    fingerprint = kek.fingerprint()
    conn.execute(insert(meta), {"name": _FINGERPRINT, "value": fingerprint})
    return fingerprint


def _open_index(conn: Connection, kek: KeyEncryptionKey, database: Database) -> BlindIndex:
    wrapped = conn.execute(_GET_KEY, {"key": _INDEX}).scalar()
    if wrapped is None:
        raise TamperedSegmentError(f"{database.path}: the index key is missing; restore the database from its backup")
    return BlindIndex(kek.unwrap(wrapped, NO_SUBJECT, _INDEX))
