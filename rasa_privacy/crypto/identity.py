"""What sealed bytes are and where they belong (docs/spec/segment.md, section 4).

An identity is associated data: it is never stored beside the bytes, so a row that is moved does not open.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rasa_privacy.errors import IdentityError

ID_BYTES: Final = 16
SERVICE: Final = "service"  # the purpose that owns the structure of a conversation
MAX_PURPOSE_BYTES: Final = 255
_EVENTS, _HEAD, _SESSION, _SENDER, _CODE, _DELIVERY, _ANSWER = (bytes((kind,)) for kind in range(1, 8))
#: The id of no conversation: others are random, and that of what belongs to none is zeros.
_NOWHERE: Final = b"\xff" * ID_BYTES
#: Numbers behind the name of the purpose.
_NUMBERS: Final = tuple(struct.Struct(f">{count}Q") for count in range(4))


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation of a subject. Its methods give the identity of what is stored there.

    Attributes:
        subject_id: 16 bytes.
        conversation_id: 16 bytes.

    Raises:
        IdentityError: An id has the wrong length.
    """

    subject_id: bytes
    conversation_id: bytes

    def __post_init__(self) -> None:
        """Check the lengths, so that two identities cannot be the same bytes."""
        if (len(self.subject_id), len(self.conversation_id)) != (ID_BYTES, ID_BYTES):
            raise IdentityError(f"identity: subject and conversation ids are {ID_BYTES} bytes each")

    def events(self, purpose: str, session: int, first_seq: int, count: int) -> bytes:
        """Return the identity of a run of events.

        Args:
            purpose: Name of the purpose that owns the entries.
            session: Number of the first event of the session.
            first_seq: Number of the event of the first entry.
            count: Number of entries.
        """
        return self._encode(_EVENTS, purpose, session, first_seq, count)

    def head(self, version: int) -> bytes:
        """Return the identity of the head manifest of this version of the conversation."""
        return self._encode(_HEAD, SERVICE, version)

    def closed_session(self, session: int, version: int) -> bytes:
        """Return the identity of a closed session's manifest, last written in this version of the conversation."""
        return self._encode(_SESSION, SERVICE, session, version)

    def sender(self) -> bytes:
        """Return the identity of the sealed sender id of the conversation."""
        return self._encode(_SENDER, SERVICE)

    def code_contact(self, purpose: str) -> bytes:
        """Return the identity of the contact to which a one-time code for a purpose went (`no_conversation`)."""
        return self._encode(_CODE, purpose)

    def delivery(self) -> bytes:
        """Return the identity of what another system is told of an erasure; the subject is the delivery's own id."""
        return self._encode(_DELIVERY, SERVICE)

    def answer(self) -> bytes:
        """Return the identity of what a call of the API was answered; the subject is the answer's own id."""
        return self._encode(_ANSWER, SERVICE)

    def _encode(self, kind: bytes, purpose: str, *numbers: int) -> bytes:
        return kind + self.subject_id + self.conversation_id + named(purpose) + _packed(*numbers)


class Identities:
    """The identities of `Place` for many conversations, where one purpose's events are read.

    Each is made of subject id and conversation id together, of which the caller has seen that both have ID_BYTES.

    Args:
        purpose: Name of the purpose that owns the events.
    """

    def __init__(self, purpose: str) -> None:
        self._structure = named(SERVICE)
        self._events = named(purpose)

    def sender(self, ids: bytes) -> bytes:
        """Return the identity of the sealed sender id."""
        return _SENDER + ids + self._structure

    def head(self, ids: bytes, version: int) -> bytes:
        """Return the identity of the head manifest."""
        return _HEAD + ids + self._structure + _packed(version)

    def events(self, ids: bytes, session: int, first_seq: int, count: int) -> bytes:
        """Return the identity of a run of events."""
        return _EVENTS + ids + self._events + _packed(session, first_seq, count)


def _packed(*numbers: int) -> bytes:
    try:
        return _NUMBERS[len(numbers)].pack(*numbers)
    except struct.error:
        raise IdentityError("identity: a number is not within 0 and 2**64 - 1") from None


def named(purpose: str) -> bytes:
    """Return length and bytes of a purpose's name; the same few are asked for a million times.

    Raises:
        IdentityError: As `purpose_bytes`.
    """
    # A tampered row can hold what cannot be looked up.
    return _remembered(purpose) if type(purpose) is str else _named(purpose)


def _named(purpose: str) -> bytes:
    name = purpose_bytes(purpose)
    return bytes((len(name),)) + name


_remembered: Final = lru_cache(maxsize=1024)(_named)


def conversation_of(subject_id: bytes, conversation_id: bytes) -> Place:
    """Return the place of a conversation as it is stored: an empty id is that of the subject.

    Whoever has an id that cannot be one is still found, and nothing of theirs opens.

    Raises:
        IdentityError: The subject id has the wrong length.
    """
    if len(conversation_id) in (0, ID_BYTES):
        return Place(subject_id, conversation_id or subject_id)
    return Place(subject_id, _NOWHERE)


def no_conversation(subject_id: bytes) -> Place:
    """Return the place of what belongs to a subject and to no conversation: that id is zeros."""
    return Place(subject_id, bytes(ID_BYTES))


def purpose_bytes(purpose: str) -> bytes:
    """Return the UTF-8 form of a purpose name.

    Raises:
        IdentityError: It is empty, longer than 255 bytes or no valid text.
    """
    # A tampered row can hold another type than text.
    encoded = purpose.encode("utf-8", "replace") if isinstance(purpose, str) else b""
    if not 0 < len(encoded) <= MAX_PURPOSE_BYTES or encoded.decode() != purpose:
        raise IdentityError(
            f"purpose name of {len(encoded)} bytes: give it 1 to {MAX_PURPOSE_BYTES} bytes of valid text"
        )
    return encoded
