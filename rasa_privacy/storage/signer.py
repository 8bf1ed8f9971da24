"""`Signer`: which store this is, and its Ed25519 key (docs/spec/ledger.md, section 4).

A store of schema 1 has no id; it gets one. The private key is made once, wrapped like the index key, and wrapped anew
with it when the epoch changes. It is made for a store that never signed anything; for one that has checkpoints a
missing key is never replaced, since that would hide a forgery.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.derive import KEY_BYTES
from rasa_privacy.crypto.key_ring import NO_SUBJECT, epoch_of
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.crypto.signing import SigningKey
from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.epochs import Epochs
from rasa_privacy.storage.founding import STORE_ID, STORE_ID_BYTES
from rasa_privacy.storage.tables import audit_checkpoints, checkpoints, meta, system_keys

#: Name of the signing key, which is its purpose when it is wrapped.
SIGNING: Final = "signing"
_STORE: Final = select(meta.c.value).where(meta.c.name == STORE_ID)
_GET: Final = select(system_keys.c.wrapped).where(system_keys.c.name == bindparam("key"))
_PUT_STORE: Final = insert(meta)
_PUT: Final = insert(system_keys)
_ANY_CHECKPOINT: Final = (select(checkpoints.c.number).limit(1), select(audit_checkpoints.c.number).limit(1))


@dataclass(frozen=True, slots=True)
class Signer:
    """What a store signs with.

    Attributes:
        store_id: 16 random bytes that name the store.
        key: Its signing key.
    """

    store_id: bytes
    key: SigningKey = field(repr=False)


def open_signer(database: Database, keys: Database, epochs: Epochs, random_bytes: Callable[[int], bytes]) -> Signer:
    """Return the signer of a founded store, making its key where there is none yet.

    Args:
        database: The database of the conversations.
        keys: The database of the data keys; the same object where there is one database.
        epochs: The epochs in `keys`.
        random_bytes: Source of randomness, as `os.urandom`.

    Raises:
        TamperedSegmentError: The key was removed or changed.
        KeyProviderError: The KEK that wraps it cannot be had.
    """
    with database.read() as conn:
        store_id = conn.execute(_STORE).scalar()
    with keys.read() as conn:
        wrapped = conn.execute(_GET, {"key": SIGNING}).scalar()
    if store_id is None:
        _refuse_lost(database, database, "the store's id")
        store_id = database.transact(lambda conn: _name(conn, random_bytes))
    if wrapped is None:
        _refuse_lost(database, keys, "the signing key")
        wrapped = keys.transact(lambda conn: _make(conn, epochs, random_bytes))
    return Signer(store_id, SigningKey(epochs.kek(epoch_of(wrapped)).unwrap(wrapped, NO_SUBJECT, SIGNING)))


def _refuse_lost(database: Database, where: Database, what: str) -> None:
    with database.read() as conn:
        if any(conn.execute(query).first() is not None for query in _ANY_CHECKPOINT):
            raise TamperedSegmentError(
                f"{where.name}: {what} is missing, but the consent ledger or the audit log has checkpoints; restore "
                "the database from its backup"
            )


def _name(conn: Connection, random_bytes: Callable[[int], bytes]) -> bytes:
    """Return the id of a store that had none; of two processes the later one runs again and finds the other's."""
    found: bytes | None = conn.execute(_STORE).scalar()
    if found is not None:
        return found
    made = random_bytes(STORE_ID_BYTES)
    conn.execute(_PUT_STORE, {"name": STORE_ID, "value": made})
    return made


def _make(conn: Connection, epochs: Epochs, random_bytes: Callable[[int], bytes]) -> bytes:
    kek = epochs.active(conn)
    found: bytes | None = conn.execute(_GET, {"key": SIGNING}).scalar()
    if found is not None:
        return found  # another process was first
    wrapped = kek.wrap(random_bytes(KEY_BYTES), NO_SUBJECT, SIGNING, random_bytes(NONCE_BYTES))
    conn.execute(_PUT, {"name": SIGNING, "wrapped": wrapped})
    return wrapped
