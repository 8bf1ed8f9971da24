"""SQL of the audience: who may belong to it, in pages of bounded size, and what is stored of each of them.

A page is a number of answers in the order of the ledger's index of people, each person's all together. It is a superset
of the audience: the fold over the answers decides. It begins where the last ended, so it may be a transaction of its
own, and its cost does not depend on where it lies.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import open_sealed
from rasa_privacy.storage.conversation_head import service_key, verified_head
from rasa_privacy.storage.conversation_reader import open_every
from rasa_privacy.storage.conversation_rows import by_subject
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.ledger_rows import RECORDS
from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import conversations, from_micros, ledger, ledger_kinds, suppressions

_L: Final = ledger.c
_K: Final = ledger_kinds.c
# Parts of the text: `Query` knows named parameters only.
_GRANTED: Final = literal_column("'granted'")
_ASKED: Final = literal_column("'asked'")
_REACHABLE: Final = ManySelect(
    conversations.c.subject_id,
    lambda wanted: (
        select(conversations.c.subject_id)
        .select_from(
            conversations.outerjoin(suppressions, suppressions.c.contact_index == conversations.c.sender_index)
        )
        .where(wanted)
        .group_by(conversations.c.subject_id)
        .having(func.count(suppressions.c.contact_index) < literal_column("1"))
    ),
)
_METHODS: Final = (
    select(_L.subject_id, _K.method)
    .select_from(RECORDS)
    .where(
        _L.subject_id.in_(bindparam("subjects", expanding=True)),
        _K.purpose == bindparam("purpose"),
        _K.event == _GRANTED,
    )
    .order_by(_L.seq)
)


class Answer(NamedTuple):
    """An answer of somebody in a page, as the fold reads it.

    Attributes:
        subject_id: The person, 16 bytes.
        purpose: Its purpose.
        event: A word of the ledger, never `asked`.
        notice_hash: Hash of the notice that was shown.
        method: How it was answered.
        at: When, aware and in UTC.
    """

    subject_id: bytes
    purpose: str
    event: str
    notice_hash: bytes
    method: str
    at: datetime


#: What an `Answer` is made of; the time as it is stored.
Row: TypeAlias = Sequence[Any]


def answer_of(row: Row) -> Answer:
    """Return the answer in a row.

    Raises:
        TamperedSegmentError: Its time is none.
    """
    who, purpose, event, digest, method, at = row
    return Answer(who, purpose, event, digest, method, from_micros(at))


class StoredContact(NamedTuple):
    """What is stored of one conversation of a person.

    Attributes:
        sender_id: Rasa's conversation key.
        entries: Value entries of the purpose: event number, path, item, value.
    """

    sender_id: str
    entries: list[Any]


def answers_after(
    conn: Connection, deciding: Sequence[str], between: tuple[bytes, bytes], most: int
) -> tuple[list[Row], bytes | None]:
    """Return a page of answers, person by person, each person's oldest first and all of them.

    They come as they are stored, since most need not be made an `Answer`: see `answer_of`.

    Args:
        conn: A connection that reads.
        deciding: Purposes whose records decide.
        between: The last subject id of the page before, no bytes for the first page; and the last that is asked for.
        most: Number of answers in the page; more only where one person gave more.

    Returns:
        The answers, and the last person of the page; None where nobody comes after it.
    """
    named = {f"deciding_{number}": name for number, name in enumerate(deciding)}
    while True:
        rows = list(_answers(len(deciding)).rows(conn, after=between[0], until=between[1], most=most, **named))
        if len(rows) < most:
            return rows, None
        last = rows[-1][0]  # whose answers may go on behind the page
        whole = next((place for place in range(most - 1, 0, -1) if rows[place - 1][0] != last), 0)
        if whole:
            return rows[:whole], rows[whole - 1][0]
        most *= 2


def reachable(conn: Connection, subject_ids: Collection[bytes]) -> frozenset[bytes]:
    """Return those of these people who have a conversation, and none of whose senders is suppressed."""
    return frozenset(row[0] for row in _REACHABLE.rows(conn, subject_ids))


def methods_of(conn: Connection, purpose: str, subject_ids: list[bytes]) -> dict[bytes, str]:
    """Return how each of these people said yes the last time."""
    if not subject_ids:
        return {}
    return {row.subject_id: row.method for row in conn.execute(_METHODS, {"subjects": subject_ids, "purpose": purpose})}


def contacts_of(conn: Connection, data_keys: DataKeys, subject_id: bytes, purpose: str) -> list[StoredContact]:
    """Return each conversation of a person with the values that this purpose holds.

    Raises:
        TamperedSegmentError: What is stored is not what was written.
        MalformedSegmentError: What is stored does not follow the format.
        KeyDestroyedError: The person was erased.
    """
    keys = data_keys.of_subject(conn, subject_id)
    needed = {name: key for name, key in keys.items() if name in (SERVICE, purpose)}
    contacts = []
    for row in by_subject(conn, subject_id):
        name = open_sealed(service_key(row, needed), row.sealed_sender, row.place.sender())
        head = verified_head(row, needed)
        stored = open_every(conn, row, head, needed) if row.version else {}
        contacts.append(StoredContact(name.decode("utf-8", "surrogatepass"), stored.get(purpose, [])))
    return contacts


@lru_cache(maxsize=16)
def _answers(deciding: int) -> Query:
    """Return the query of a page of answers for a number of deciding purposes."""
    names = [bindparam(f"deciding_{number}") for number in range(deciding)]
    return Query(
        select(_L.subject_id, _K.purpose, _K.event, _K.notice_hash, _K.method, _L.at)
        .select_from(RECORDS)
        .where(
            _K.purpose.in_(names),
            _K.event != _ASKED,
            _L.subject_id > bindparam("after"),
            _L.subject_id <= bindparam("until"),
        )
        .order_by(_L.subject_id, _L.seq)
        .limit(bindparam("most"))
    )
