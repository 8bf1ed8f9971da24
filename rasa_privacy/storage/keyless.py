"""Purposes of which a conversation has values and the person no key: somebody deleted the row of the key by hand.

Where both lie in one database, what ends a purpose takes the key and the values in one transaction. Keys that lie apart
may be gone before the values are, and stay gone when the conversations are put back from a backup; so those are not
looked at.
"""

from sqlalchemy.engine import Connection

from rasa_privacy.storage.conversation_head import closed_manifest, verified_head
from rasa_privacy.storage.conversation_reader import verified_closed
from rasa_privacy.storage.conversation_rows import by_sender
from rasa_privacy.storage.data_keys import DataKeys


def keyless_purposes(conn: Connection, data_keys: DataKeys, sender_index: bytes) -> list[str]:
    """Return the purposes that the manifests of a conversation list and that have no data key.

    Args:
        conn: A connection that reads, with which the conversation was found to be in order.
        data_keys: Where the keys are.
        sender_index: Blind index of the sender id.

    Raises:
        TamperedSegmentError: What is stored is not what was written.
        MalformedSegmentError: What is stored does not follow the format.
        KeyDestroyedError: The key of the structure is gone.
    """
    row = None if data_keys.apart else by_sender(conn, sender_index)
    if row is None:
        return []
    keys = data_keys.of_subject(conn, row.place.subject_id)
    head = verified_head(row, keys)
    listed = set(head.purposes)
    for closed in verified_closed(conn, row, head):
        listed |= closed_manifest(row, keys, closed).keys()
    return sorted(listed - keys.keys())
