"""SQL of the rows of the consent ledger, as they are laid out (docs/spec/ledger.md, section 2).

What records say beside who and when - purpose, event, notice, language, method, channel - are a few dozen combinations.
Each stands once in `ledger_kinds`, and a record has its number there. Nobody trusts that table: a record's keyed hash
is made over the words that the number leads to, so a changed, exchanged or missing kind is a changed record.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.ledger_record import COLUMNS
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


def _named(prefix: str, row: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": row[name] for name in _WORDS}


def _own(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _OWN}
