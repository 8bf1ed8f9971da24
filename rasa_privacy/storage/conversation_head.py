"""From a conversation's row to its verified head and closed sessions."""

from collections.abc import Iterable, Mapping, Sequence

from rasa_privacy.crypto.hash_chain import GENESIS
from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import DataKey
from rasa_privacy.errors import KeyDestroyedError, MalformedSegmentError, TamperedSegmentError
from rasa_privacy.storage.conversation_rows import ClosedSession, ConversationRow
from rasa_privacy.storage.manifest import Head, Purposes, chain_closed, empty_head, open_head, open_purposes


def service_key(row: ConversationRow, keys: Mapping[str, DataKey]) -> DataKey:
    """Return the key of the structure.

    Raises:
        KeyDestroyedError: It was destroyed, so that nothing of the conversation can be read.
    """
    key = keys.get(SERVICE)
    if key is None:
        raise KeyDestroyedError(f"conversation {row.ref}: its key was destroyed; finish the erasure of the subject")
    return key


def verified_head(row: ConversationRow, keys: Mapping[str, DataKey]) -> Head:
    """Return the head manifest of the row's version.

    Raises:
        TamperedSegmentError: Row and manifest do not belong together.
        MalformedSegmentError: The manifest does not follow the format.
        KeyDestroyedError: The conversation was erased.
    """
    if row.version == 0 and row.manifest is None:
        return empty_head()
    key = service_key(row, keys)
    try:
        head = open_head(key, row.manifest, row.place.head(row.version))
    except (MalformedSegmentError, TamperedSegmentError) as error:
        raise type(error)(f"conversation {row.ref}, head manifest: {error}") from None
    if head.session != row.session:
        raise TamperedSegmentError(f"conversation {row.ref}: its row names another session than its manifest")
    return head


def keyless(head: Head, keys: Mapping[str, DataKey]) -> frozenset[str]:
    """Return the purposes of which a conversation has values and the person no key."""
    return frozenset({*head.purposes, *(head.values or ())} - keys.keys())


def verify_closed(row: ConversationRow, head: Head, closed: Sequence[ClosedSession]) -> None:
    """Check that these are all the closed sessions, unchanged and in order.

    Raises:
        TamperedSegmentError: One is missing, foreign, exchanged or changed.
    """
    if len(closed) != head.closed or chain_of(closed) != head.chain:
        raise TamperedSegmentError(
            f"conversation {row.ref}: its closed sessions are not the {head.closed} that the head manifest knows; "
            "restore the database from its backup"
        )


def chain_of(closed: Iterable[ClosedSession]) -> bytes:
    """Return the link over the manifests of closed sessions."""
    chain = GENESIS
    for each in closed:
        chain = chain_closed(chain, each.session, each.manifest)
    return chain


def closed_manifest(row: ConversationRow, keys: Mapping[str, DataKey], closed: ClosedSession) -> Purposes:
    """Return the manifest of a closed session.

    Raises:
        TamperedSegmentError: It is not the one of this session and version.
        MalformedSegmentError: It does not follow the format.
        KeyDestroyedError: The conversation was erased.
    """
    identity = row.place.closed_session(closed.session, closed.version)
    try:
        return open_purposes(service_key(row, keys), closed.manifest, identity)
    except (MalformedSegmentError, TamperedSegmentError) as error:
        raise type(error)(f"conversation {row.ref}, manifest of session {closed.session}: {error}") from None
