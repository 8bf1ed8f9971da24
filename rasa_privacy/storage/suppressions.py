"""SQL on the suppressions: keyed hashes of contacts and sender ids that must not be written to again.

A row names nobody: without the index key the hash says nothing. Erasing a person leaves it there, on purpose.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import from_micros, suppressions, to_micros

_S: Final = suppressions.c
_AMONG: Final = _S.contact_index.in_(bindparam("indexes", expanding=True))
_FOUND: Final = ManySelect(_S.contact_index, select(_S.contact_index, _S.reason, _S.at).where)
_ANY: Final = select(_S.reason).limit(1)
_SOME: Final = select(_S.contact_index).limit(bindparam("most")).subquery()
_COUNT: Final = Query(select(func.count()).select_from(_SOME))
_ALL: Final = Query(select(_S.contact_index, _S.reason, _S.at))
_INSERT: Final = insert(suppressions)
_REASON: Final = update(suppressions).where(_S.contact_index == bindparam("row")).values(reason=bindparam("new"))
_DELETE: Final = delete(suppressions).where(_AMONG)
_DELETE_REASON: Final = _DELETE.where(_S.reason == bindparam("only"))
#: As many values as every database takes in one statement.
_AT_ONCE: Final = 500


def put(conn: Connection, indexes: Iterable[bytes], reason: str, at: datetime, *, over: str | None = None) -> int:
    """Suppress; one that is suppressed already stays, with its reason and time.

    Args:
        conn: A connection of `Database.transact`.
        indexes: Blind indexes, 32 bytes each.
        reason: A word of at most 32 characters.
        at: Aware UTC time.
        over: An earlier reason that this one takes the place of.

    Returns:
        The number of new rows.

    Raises:
        ContentionError: Another transaction wrote the same row (raised at the end of the transaction at last).
    """
    wanted = dict.fromkeys(indexes)
    there = reasons_of(conn, wanted)
    for row in (index for index, earlier in there.items() if earlier == over != reason):
        conn.execute(_REASON, {"row": row, "new": reason})
    new = [{"contact_index": each, "reason": reason, "at": to_micros(at)} for each in wanted if each not in there]
    if new:
        conn.execute(_INSERT, new)
    return len(new)


def is_any(conn: Connection) -> bool:
    """Return whether anybody is suppressed."""
    return conn.execute(_ANY).first() is not None


def all_of_few(conn: Connection, few: int) -> dict[bytes, tuple[str, int]] | None:
    """Return reason and stored time of all that are suppressed, or None where there are more than a few.

    Whoever asks for many is answered faster by `found_in` these than by `found_of`, unless these are more still.
    """
    if _COUNT.scalar(conn, most=few + 1) > few:
        return None
    return {index: (reason, at) for index, reason, at in _ALL.rows(conn)}


def found_in(few: Mapping[bytes, tuple[str, int]], indexes: Collection[bytes]) -> dict[bytes, tuple[str, datetime]]:
    """Return what `found_of` says of these; a row that is not asked for is not looked at."""
    return {index: (few[index][0], from_micros(few[index][1])) for index in few.keys() & indexes}


def reasons_of(conn: Connection, indexes: Collection[bytes]) -> dict[bytes, str]:
    """Return the reason of each of these that is suppressed."""
    return {index: reason for index, (reason, _) in found_of(conn, indexes).items()}


def found_of(conn: Connection, indexes: Collection[bytes]) -> dict[bytes, tuple[str, datetime]]:
    """Return the reason of each of these that is suppressed, and since when."""
    found: dict[bytes, tuple[str, datetime]] = {}
    for part in _parts(indexes):
        found.update((index, (reason, from_micros(at))) for index, reason, at in _FOUND.rows(conn, part))
    return found


def remove(conn: Connection, indexes: Collection[bytes], only: str | None = None) -> int:
    """Lift the suppression of these, or of those of them that have one reason; return how many there were."""
    removed = 0
    for part in _parts(indexes):
        statement, named = (_DELETE, {}) if only is None else (_DELETE_REASON, {"only": only})
        removed += conn.execute(statement, {"indexes": part, **named}).rowcount
    return removed


def _parts(indexes: Collection[bytes]) -> Iterable[list[bytes]]:
    every = list(indexes)
    return (every[first : first + _AT_ONCE] for first in range(0, len(every), _AT_ONCE))
