"""Conversations of people whom nobody reads: rows as wide as real ones, under random ids and as random bytes."""

import os
from collections.abc import Sequence
from typing import Any, Final

from rasa_privacy.crypto.blind_index import FOUND_BY_BYTES
from rasa_privacy.storage.tables import conversations, data_keys, segments, subjects
from rasa_privacy.storage.vault import Vault

_CHUNK: Final = 5_000
_FIRST_REF: Final = 1_000_000_000
_MANIFEST_BYTES: Final = 160
_SEGMENT_BYTES: Final = 1_400  # of what happened
_VALUES_BYTES: Final = 200
_NEVER: Final = 2**60


def add_crowd(vault: Vault, start: int, end: int, purposes: Sequence[str], due: int | None = None) -> None:
    """Add conversations from number `start` on, each with a key and a segment of each purpose.

    Args:
        vault: Of the database that gets them.
        start: Number of the first.
        end: Number after the last.
        purposes: `service` first.
        due: Microseconds since 1970 since which they are due, one a microsecond; None for not due.
    """
    for first in range(start, end, _CHUNK):
        people = [(number, os.urandom(16)) for number in range(first, min(first + _CHUNK, end))]
        with vault.database.write() as conn:
            conn.execute(subjects.insert(), [{"subject_id": each, "created_at": 0} for _, each in people])
            conn.execute(
                data_keys.insert(),
                [
                    _key(each, name, _NEVER if due is None else due + number)
                    for number, each in people
                    for name in purposes
                ],
            )
            conn.execute(conversations.insert(), [_conversation(*each) for each in people])
            conn.execute(
                segments.insert(),
                [_segment(number, row, name) for number, _ in people for row, name in enumerate(purposes, start=1)],
            )
    vault.database.checkpoint()


def _key(subject_id: bytes, purpose: str, due: int) -> dict[str, Any]:
    return {"subject_id": subject_id, "purpose": purpose, "epoch": 1, "wrapped": os.urandom(68), "due_at": due}


def _conversation(number: int, subject_id: bytes) -> dict[str, Any]:
    return {
        "conversation_ref": _FIRST_REF + number,
        "conversation_id": b"",
        "subject_id": subject_id,
        "sender_index": os.urandom(FOUND_BY_BYTES),
        "sealed_sender": os.urandom(90),
        "version": 9,
        "session": 0,
        "manifest": os.urandom(_MANIFEST_BYTES),
    }


def _segment(number: int, row: int, purpose: str) -> dict[str, Any]:
    sealed = os.urandom(_SEGMENT_BYTES if row == 1 else _VALUES_BYTES)
    return {"conversation_ref": _FIRST_REF + number, "session": 0, "number": row, "purpose": purpose, "sealed": sealed}
