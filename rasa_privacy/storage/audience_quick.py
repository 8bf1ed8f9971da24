"""Opens what most people of an audience have: one conversation of one session, and at most one segment of the purpose.

`audience_contacts` opens everybody's, with objects for keys, places and sessions, which take half as long as AES and
SHA-256 (ADR 43). Here the same checks stand in one function. It says nothing about damage: whatever is not as most
people's, or does not open, is left to the other, which decides. A test changes every byte and compares both.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from rasa_privacy.crypto.hash_chain import GENESIS
from rasa_privacy.crypto.identity import ID_BYTES, Identities
from rasa_privacy.crypto.sealing import open_together, tag_of
from rasa_privacy.errors import KeyProviderError, PrivacyError, UnknownEpochError
from rasa_privacy.storage.audience_rows import StoredContact
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.manifest import SegmentRef, head_in
from rasa_privacy.storage.payload import entries_of

#: By the row of the conversation, and that of the segment: conversation, session and bytes.
Quick: TypeAlias = Callable[[Sequence[Any], Sequence[Any] | None], StoredContact | None]
_BOTH_IDS: Final = 2 * ID_BYTES
#: Of no segment.
_NOT_LISTED: Final = (SegmentRef(0, 1, 0, b""),)


def quick(data: DataKeys, structure: str, purpose: str) -> Quick:
    """Return what opens a conversation that has no closed session and no other segment; None is its "look closer".

    Args:
        data: Where the keys are.
        structure: Whose key sender id and manifest lie under.
        purpose: The purpose.
    """
    structure_secret, purpose_secret = data.secrets_of(structure), data.secrets_of(purpose)
    identity, dictionaries = Identities(purpose), data.dictionaries
    sender_identity, head_identity, events_identity = identity.sender, identity.head, identity.events

    def open_one(row: Sequence[Any], segment: Sequence[Any] | None) -> StoredContact | None:
        _ref, subject_id, conversation_id, sealed_sender, version, session, manifest, _, _, wrapped, wrapped_own = row
        ids = subject_id + (conversation_id or subject_id)  # as `conversation_of`
        if len(subject_id) != ID_BYTES or len(ids) != _BOTH_IDS or not version or not manifest or wrapped is None:
            return None
        try:
            sealed = (sealed_sender, sender_identity(ids)), (manifest, head_identity(ids, version))
            name, payload = open_together(structure_secret(wrapped, subject_id), dictionaries, sealed)
            head, entries = head_in(payload), []
            refs = head.purposes.get(purpose, ())
            if head.session != session or head.closed or head.chain != GENESIS:
                return None
            secret = None if wrapped_own is None else purpose_secret(wrapped_own, subject_id)
            if segment is not None and secret is not None:
                (_, first, raw), (ref, *more) = segment, refs or _NOT_LISTED
                if first != session or more or tag_of(raw) != ref.tag:
                    return None
                events = events_identity(ids, session, ref.first_seq, ref.count)
                entries = entries_of(open_together(secret, dictionaries, ((raw, events),))[0], ref.count)
            elif segment is not None or refs:
                return None
        except PrivacyError as error:
            if isinstance(error, KeyProviderError) and not isinstance(error, UnknownEpochError):
                raise  # no damage of one person: it would come again for each of the page, after a wait
            return None
        return StoredContact(name.decode("utf-8", "surrogatepass"), entries)

    return open_one
