"""The keys of a store: made together with a new database, and checked whenever it is opened.

Rules, in order:

1. A key-encryption key is made only for a database that holds nothing. For one that has keys, a missing one is never
   replaced: what it wrapped could not be opened again, and a new key would hide that.
2. Conversations and data keys may lie in two databases; both carry the same random store id, and a store whose two
   halves differ is refused.
3. Of two processes that found a store at once, the second finds what the first has made.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.derive import KEY_BYTES
from rasa_privacy.crypto.key_ring import NO_SUBJECT, epoch_of
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import KeyProviderError, TamperedSegmentError
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.epochs import FIRST_EPOCH, Epochs
from rasa_privacy.storage.tables import data_keys, meta, subjects, system_keys

#: Name of the index key, which is its purpose when it is wrapped.
INDEX: Final = "index"
#: Name of the store id in `meta`.
STORE_ID: Final = "store_id"
STORE_ID_BYTES: Final = 16
_GET_META: Final = select(meta.c.value).where(meta.c.name == bindparam("key"))
_PUT_META: Final = insert(meta)
_GET_KEY: Final = select(system_keys.c.wrapped).where(system_keys.c.name == bindparam("key"))
_PUT_KEY: Final = insert(system_keys)
_ANY_SUBJECT: Final = select(subjects.c.subject_id).limit(1)
_ANY_KEY: Final = select(data_keys.c.subject_id).limit(1)


def open_keys(
    database: Database, keys: Database, epochs: Epochs, random_bytes: Callable[[int], bytes], now: datetime
) -> BlindIndex:
    """Return the index of a store, founding the store where there is none.

    Args:
        database: The database of the conversations.
        keys: The database of the data keys; the same object where there is one database.
        epochs: The epochs in `keys`.
        random_bytes: Source of randomness, as `os.urandom`.
        now: Aware UTC time.

    Raises:
        KeyProviderError: A key is missing, is another database's, or the two databases do not belong together.
        TamperedSegmentError: The database's own key was changed.
    """
    with keys.read() as conn:
        founded = bool(epochs.all(conn))
    if not founded:
        _refuse_old(database, keys)
        keys.transact(lambda conn: _found(conn, epochs, random_bytes, now))
    if database is not keys:
        _tie(database, keys)
    with keys.read() as conn:
        # Every epoch that still has keys must be there now, and not when somebody comes back who wrote then.
        for number in epochs.in_use(conn):
            epochs.kek(number)
        return _open_index(conn, epochs, keys)


def _refuse_old(database: Database, keys: Database) -> None:
    """Keys are not made anew for people who are there already."""
    with database.read() as conn:
        if database is keys and (conn.execute(_ANY_SUBJECT).first() or conn.execute(_ANY_KEY).first()):
            raise KeyProviderError(
                f"{keys.name}: there are people and no key-encryption keys; somebody emptied a table. Restore the "
                "database from its backup"
            )
        if database is not keys and conn.execute(_GET_META, {"key": STORE_ID}).scalar() is not None:
            raise KeyProviderError(
                f"{keys.name}: it holds no keys, but {database.name} has conversations; correct keys.url, or restore "
                "the key database from its backup"
            )


def _found(conn: Connection, epochs: Epochs, random_bytes: Callable[[int], bytes], now: datetime) -> None:
    if epochs.all(conn, lock=True):
        return  # another process was first
    kek = epochs.provider.create(FIRST_EPOCH)
    epochs.begin(conn, kek, now)
    wrapped = kek.wrap(random_bytes(KEY_BYTES), NO_SUBJECT, INDEX, random_bytes(NONCE_BYTES))
    conn.execute(_PUT_KEY, {"name": INDEX, "wrapped": wrapped})
    conn.execute(_PUT_META, {"name": STORE_ID, "value": random_bytes(STORE_ID_BYTES)})


def _tie(database: Database, keys: Database) -> None:
    """See that both databases are of one store, and finish the founding of a new one."""
    with keys.read() as conn:
        wanted = conn.execute(_GET_META, {"key": STORE_ID}).scalar()
        used = conn.execute(_ANY_KEY).first() is not None

    def tie(conn: Connection) -> None:
        found = conn.execute(_GET_META, {"key": STORE_ID}).scalar()
        if found == wanted and wanted is not None:
            return
        if found is not None or used or wanted is None or conn.execute(_ANY_SUBJECT).first() is not None:
            raise KeyProviderError(
                f"{keys.name}: its keys are not those of {database.name}; correct keys.url or tracker_store.url, or "
                "restore the one that is missing from its backup"
            )
        conn.execute(_PUT_META, {"name": STORE_ID, "value": wanted})

    database.transact(tie)


def _open_index(conn: Connection, epochs: Epochs, keys: Database) -> BlindIndex:
    wrapped = conn.execute(_GET_KEY, {"key": INDEX}).scalar()
    if wrapped is None:
        raise TamperedSegmentError(f"{keys.name}: the index key is missing; restore the database from its backup")
    return BlindIndex(epochs.kek(epoch_of(wrapped)).unwrap(wrapped, NO_SUBJECT, INDEX))
