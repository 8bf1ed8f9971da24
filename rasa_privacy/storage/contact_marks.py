"""How far people can be found by their contacts (`known_contacts`), in one row of the table `meta`.

Rules:

1. The row names what counts as a contact: a hash of the items that are one, as privacy.yml has them. Under another
   hash, and without a row, nobody can say that everybody is found.
2. A store that holds nobody yet is complete from then on, as long as it is opened with `identity:`. Once it is opened
   without, it is complete no more: what is stored then is not indexed.
3. Who indexes what is there already (`rights.contact_indexing`) goes by people in the order of their ids, and notes the
   last one with what was indexed.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.engine import Connection

from rasa_privacy.policy.contacts import REACHABLE
from rasa_privacy.policy.model import Policy
from rasa_privacy.storage import meta_rows
from rasa_privacy.storage.tables import subjects

_NAME: Final = "known_contacts"
_HASH_BYTES: Final = 32
#: In place of the hash where what was stored since is not indexed.
_UNKNOWN: Final = bytes(_HASH_BYTES)
_COMPLETE: Final = b"\x01"
_UNDER_WAY: Final = b"\x00"
_ANYBODY: Final = select(subjects.c.subject_id).limit(1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far people are indexed.

    Attributes:
        after: The last person who was, in the order of ids; no bytes before the first.
        is_complete: Whether everybody is.
    """

    after: bytes = b""
    is_complete: bool = False


def progress(conn: Connection, policy: Policy, *, lock: bool = False) -> Progress | None:
    """Return how far people are indexed by what privacy.yml calls a contact now, or None where nobody began.

    `lock` keeps others from changing that until the end of the transaction.
    """
    value = meta_rows.read(conn, _NAME, lock=lock)
    digest = _hash(policy)
    if value is None or value[:_HASH_BYTES] != digest:
        return None
    return Progress(value[_HASH_BYTES + 1 :], value[_HASH_BYTES : _HASH_BYTES + 1] == _COMPLETE)


def is_complete(conn: Connection, policy: Policy) -> bool:
    """Return whether everybody is found by the contacts that are held of them; so also where nobody is to be."""
    if policy.identity is None:
        return True
    found = progress(conn, policy)
    return found is not None and found.is_complete


def note(conn: Connection, policy: Policy, done: Progress) -> None:
    """Note how far people are indexed.

    Raises:
        ContentionError: Another process notes it for the first time too; `Database.transact` tries again.
    """
    meta_rows.write(conn, _NAME, _hash(policy) + (_COMPLETE if done.is_complete else _UNDER_WAY) + done.after)


def is_to_prepare(conn: Connection, policy: Policy) -> bool:
    """Return whether `prepare` has anything to do."""
    value = meta_rows.read(conn, _NAME)
    if policy.identity is None:
        return value not in (None, _UNKNOWN)
    return value is None and conn.execute(_ANYBODY).first() is None


def prepare(conn: Connection, policy: Policy) -> None:
    """Note of a store that is opened what rule 2 says."""
    if is_to_prepare(conn, policy):
        if policy.identity is None:
            meta_rows.write(conn, _NAME, _UNKNOWN)
        else:
            note(conn, policy, Progress(is_complete=True))


def _hash(policy: Policy) -> bytes:
    contacts = sorted((name, item.detect) for name, item in policy.items.items() if item.detect in REACHABLE)
    return hashlib.sha256(msgspec.json.encode(contacts)).digest()
