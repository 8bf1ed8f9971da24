"""SQL of the rows of the consent ledger, as they are laid out (docs/spec/ledger.md, section 2).

What records say beside who and when - purpose, event, notice, language, method, channel - are a few dozen combinations.
Each stands once in `ledger_kinds`, and a record has its number there. Nobody trusts that table: a record's keyed hash
is made over the words that the number leads to, so a changed, exchanged or missing kind is a changed record.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.storage.ledger_people import COUNTED, with_counts
from rasa_privacy.storage.ledger_record import COLUMNS
from rasa_privacy.storage.many import ManySelect
from rasa_privacy.storage.paging import Pages
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import ledger, ledger_kinds

_L: Final = ledger.c
_K: Final = ledger_kinds.c
_WORDS: Final = ("purpose", "event", "notice_hash", "language", "method", "channel")
_OWN: Final = ("seq", "at", "subject_id", "mac")
#: The records with their words; of a record whose kind is missing these are NULL, and its keyed hash is wrong.
RECORDS: Final = ledger.outerjoin(ledger_kinds, _K.kind == _L.kind)
#: The columns of a record in the order in which its link covers them.
FIELDS: Final = tuple(_K[name] if name in _WORDS else _L[name] for name in COLUMNS)

_SAID: Final = {name: bindparam(f"said_{name}", type_=_K[name].type) for name in _WORDS}
# What is compared and what is written are parameters of their own: PostgreSQL takes a text for two types otherwise.
_NEW: Final = {name: bindparam(f"new_{name}", type_=_K[name].type) for name in _WORDS}
_SAME: Final = and_(*(_K[name] == said for name, said in _SAID.items()))
# One row at most, unless somebody added another by hand.
_KIND: Final = select(func.min(_K.kind)).where(_SAME)
_NEXT: Final = select(func.coalesce(func.max(_K.kind), 0) + 1).scalar_subquery()
_GET_KIND: Final = Query(_KIND)
# Nobody else writes at this time: who appends holds the lock on the end of the ledger.
_ADD_KIND: Final = Query(
    insert(ledger_kinds).from_select(
        ["kind", *_WORDS], select(_NEXT, *_NEW.values()).where(~select(_K.kind).where(_SAME).exists())
    )
)
_INSERT: Final = Query(
    insert(ledger).values({**{name: bindparam(name) for name in _OWN}, "kind": _KIND.scalar_subquery()}).inline()
)
_INSERT_MANY: Final = insert(ledger)

_SELECT: Final = select(*FIELDS, _L.link, _L.mac).select_from(RECORDS)
_COUNTED: Final = select(*FIELDS, _L.link, _L.mac, COUNTED).select_from(with_counts(RECORDS)).order_by(_L.seq)
_OF_SUBJECT: Final = Query(_COUNTED.where(_L.subject_id == bindparam("subject")))
_OF_MANY: Final = ManySelect(_L.subject_id, _COUNTED.where)
_PAGES: Final = Pages(_SELECT, _L.seq)
_LAST: Final = Query(_SELECT.order_by(_L.seq.desc()).limit(1))
_ANY_MAC: Final = select(_L.seq).where(_L.mac.is_not(None)).limit(1)
_SET_MAC: Final = update(ledger).where(_L.seq == bindparam("number")).values(mac=bindparam("digest"))


def add(conn: Connection, row: dict[str, Any]) -> None:
    """Write a row: the columns of its record, and `mac`. The caller holds the lock on the end of the ledger."""
    said = _named("said", row)
    _ADD_KIND.later(conn, **said, **_named("new", row))
    _INSERT.later(conn, **_own(row), **said)


def add_all(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write many rows in a few statements."""
    kinds: dict[tuple[Any, ...], int] = {}
    for row in rows:
        words = tuple(row[name] for name in _WORDS)
        if words not in kinds:
            said = _named("said", row)
            _ADD_KIND.change(conn, **said, **_named("new", row))
            kinds[words] = _GET_KIND.scalar(conn, **said)
    conn.execute(_INSERT_MANY, [{**_own(row), "kind": kinds[tuple(row[name] for name in _WORDS)]} for row in rows])


def last(conn: Connection) -> Any:
    """Return the last row, or None: the columns of its record in the order of COLUMNS, its link, and its `mac`."""
    return _LAST.first(conn)


def of_subject(conn: Connection, subject_id: bytes) -> Sequence[Any]:
    """Return the rows of a person in order; behind each the hash of how many they are (`ledger_people`)."""
    return _OF_SUBJECT.rows(conn, subject=subject_id)


def of_many(conn: Connection, subject_ids: Collection[bytes]) -> Iterable[Any]:
    """Return the rows of many people as `of_subject` does, those of each in order."""
    return _OF_MANY.rows(conn, subject_ids)


def iterate(conn: Connection, after: int = 0) -> Iterator[Any]:
    """Yield all rows after a number in order, as `last` returns one."""
    return _PAGES.rows(conn, after)


def pages(conn: Connection) -> Iterator[Sequence[Any]]:
    """Yield all rows in order, many at a time."""
    return _PAGES.read(conn, 0)


def has_mac(conn: Connection) -> bool:
    """Return whether some record has its `mac`, which those of the oldest releases have not."""
    return conn.execute(_ANY_MAC).first() is not None


def set_macs(conn: Connection, macs: Mapping[int, bytes]) -> None:
    """Give records their `mac`, by their numbers; at least one."""
    conn.execute(_SET_MAC, [{"number": number, "digest": digest} for number, digest in macs.items()])


def _named(prefix: str, row: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": row[name] for name in _WORDS}


def _own(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _OWN}
