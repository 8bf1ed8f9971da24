"""Writing to a conversation whose row and keys were read in the same transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import DataKey
from rasa_privacy.errors import StorageError
from rasa_privacy.storage.batch import assign_values, needs_old_sessions, parts_of
from rasa_privacy.storage.conversation_head import service_key
from rasa_privacy.storage.conversation_reader import verified_closed
from rasa_privacy.storage.conversation_rows import ConversationRow
from rasa_privacy.storage.conversation_writer import ConversationWriter
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.manifest import Head


def add_keys(  # noqa: PLR0913, PLR0917 - transaction, whose keys, and which
    conn: Connection,
    data_keys: DataKeys,
    row: ConversationRow,
    keys: dict[str, DataKey],
    purposes: Iterable[str],
    now: datetime,
) -> None:
    """Make the data keys that are missing for these purposes."""
    service_key(row, keys)  # values must not be stored for someone who was erased
    for purpose in purposes:
        if purpose == SERVICE:
            raise StorageError("purpose 'service' owns the structure; give values another purpose")
        if purpose not in keys:
            keys[purpose] = data_keys.get_or_create(conn, row.place.subject_id, purpose, now)


def append_to(  # noqa: PLR0913, PLR0917 - as `Conversations.append`
    conn: Connection,
    row: ConversationRow,
    keys: Mapping[str, DataKey],
    random_bytes: Callable[[int], bytes],
    structure: Sequence[Any],
    values: Mapping[str, Sequence[Any]],
    session_starts: Sequence[int],
    tails: Mapping[str, tuple[int, bytes]] = MappingProxyType({}),
    head: Head | None = None,
) -> int:
    """Write to a conversation for whose purposes there are keys, and return its new version."""
    writer = ConversationWriter(conn, row, keys, random_bytes, tails, head)
    head = writer.head
    event_count = head.event_count + len(structure)
    old = needs_old_sessions(head.session, values, event_count)
    firsts = [closed.session for closed in verified_closed(conn, row, head)] if old else []
    parts = parts_of(head.event_count, head.session, structure, session_starts)
    writer.append(assign_values(parts, firsts, values, event_count))
    return writer.finish()
