"""Taking all events out of a conversation that stays: what is written anew afterwards starts at number 0.

The version goes on rising, so that a writer who read the conversation before finds out.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import bindparam, delete
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.sealing import DataKey
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import ConversationConflictError
from rasa_privacy.storage.conversation_head import service_key, verified_head
from rasa_privacy.storage.conversation_rows import ConversationRow, update_head
from rasa_privacy.storage.manifest import empty_head, seal_manifest
from rasa_privacy.storage.tables import segments, sessions

_DELETE_SEGMENTS: Final = delete(segments).where(segments.c.conversation_ref == bindparam("ref"))
_DELETE_SESSIONS: Final = delete(sessions).where(sessions.c.conversation_ref == bindparam("ref"))


def clear(
    conn: Connection,
    row: ConversationRow,
    keys: Mapping[str, DataKey],
    random_bytes: Callable[[int], bytes],
    new_key: DataKey | None = None,
) -> None:
    """Delete the events of a conversation and write an empty head.

    Args:
        conn: A connection of `Database.write` that holds the subject's lock.
        row: The conversation as it was read in this transaction.
        keys: Data keys of the subject.
        random_bytes: Source of randomness, as `os.urandom`.
        new_key: The key of `service` from now on, where it is another.

    Raises:
        ConversationConflictError: Another writer was first.
        TamperedSegmentError: The head manifest does not verify.
        KeyDestroyedError: The conversation was erased.
    """
    verified_head(row, keys)
    for statement in (_DELETE_SEGMENTS, _DELETE_SESSIONS):
        conn.execute(statement, {"ref": row.ref})
    identity = row.place.head(row.version + 1)
    sealed = seal_manifest(new_key or service_key(row, keys), empty_head(), identity, random_bytes(NONCE_BYTES))
    if not update_head(conn, row, 0, sealed):
        raise ConversationConflictError(f"conversation {row.ref}: another writer was first; read it and clear it again")
