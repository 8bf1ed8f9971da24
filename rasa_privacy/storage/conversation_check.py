"""What of one conversation must be in order: keys, sender id, all sessions, and room to go on."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE, conversation_of
from rasa_privacy.crypto.sealing import open_sealed
from rasa_privacy.errors import KeyProviderError, MalformedSegmentError, TamperedSegmentError
from rasa_privacy.storage.keyless import keyless_purposes
from rasa_privacy.storage.segment_rows import has_room
from rasa_privacy.storage.subjects import SENDER_DOMAIN
from rasa_privacy.storage.tables import conversations
from rasa_privacy.storage.vault import Vault

_C: Final = conversations.c
_THERE: Final = select(_C.version).where(_C.conversation_ref == bindparam("ref"))


def check_gone(conn: Connection, ref: int) -> None:
    """A conversation without keys is one that was erased since it was listed.

    Raises:
        TamperedSegmentError: It is still there.
    """
    if conn.execute(_THERE, {"ref": ref}).first() is not None:
        raise TamperedSegmentError("it has no key, so nothing of it can be read; finish the erasure of the person")


def check_conversation(vault: Vault, conn: Connection, row: Any, purposes: Iterable[str]) -> int:
    """Open everything of a conversation and return how many events it has.

    Args:
        vault: The open store.
        conn: A connection that reads.
        row: Number, ids, blind index and sealed sender id, as the table has them.
        purposes: The purposes of its person's keys.

    Raises:
        PrivacyError: What is wrong with it. It may have been erased since it was listed.
    """
    for purpose in purposes:
        _check_key(vault, conn, row.subject_id, purpose)
    stored = vault.conversations.load(conn, _sender_id(vault, conn, row), all_sessions=True)
    for purpose in keyless_purposes(conn, vault.data_keys, row.sender_index):
        raise TamperedSegmentError(
            f"the key of purpose '{purpose}' is missing, so its values cannot be read; restore the row of 'data_keys' "
            "from a backup, or have the person's values of that purpose deleted"
        )
    if not has_room(conn, row.conversation_ref):
        raise TamperedSegmentError(
            "a segment has a number that leaves no room for others, so nothing more can be stored; restore the rows of "
            "'segments' from a backup, or number those of each session anew in their order, from 1 on"
        )
    return 0 if stored is None else stored.event_count


def _check_key(vault: Vault, conn: Connection, subject_id: bytes, purpose: str) -> None:
    if type(purpose) is not str:  # which SQLite allows
        raise TamperedSegmentError("the purpose of a key is no text; restore the row, or erase the person")
    try:
        vault.data_keys.get(conn, subject_id, purpose)
    except (KeyProviderError, MalformedSegmentError, TamperedSegmentError) as error:
        raise type(error)(f"key of purpose '{purpose}': {error}") from None


def _sender_id(vault: Vault, conn: Connection, row: Any) -> str:
    """Return the sender id, which must be the one under which the conversation is found.

    Raises:
        TamperedSegmentError: It is not.
    """
    key = vault.data_keys.get(conn, row.subject_id, SERVICE)
    if key is None:
        raise TamperedSegmentError("the key of its structure is missing; restore the database from its backup")
    identity = conversation_of(row.subject_id, row.conversation_id).sender()
    sender_id = open_sealed(key, row.sealed_sender, identity).decode("utf-8", "surrogatepass")
    if vault.index.to_find(SENDER_DOMAIN, sender_id) != row.sender_index:
        raise TamperedSegmentError("its blind index is another sender's; restore the database from its backup")
    return sender_id
