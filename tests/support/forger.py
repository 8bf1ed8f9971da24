"""Somebody with the database and without its keys: changes the ledger and computes the chain anew, with plain SQL."""

from collections.abc import Callable
from typing import Any

from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.storage.ledger_record import COLUMNS, MAC_BYTES, record_bytes
from rasa_privacy.storage.vault import Vault

Sql = Callable[..., list[Any]]
#: What stands in a row after `COLUMNS`.
LINK, MAC = len(COLUMNS), len(COLUMNS) + 1
#: The columns that stand in `ledger_kinds`.
WORDS = ("purpose", "event", "notice_hash", "language", "method", "channel")
_ROWS = "FROM ledger LEFT JOIN ledger_kinds ON ledger_kinds.kind = ledger.kind"
_OWN = ("seq", "subject_id", "at", "link", "mac")


def rows_of(sql: Sql) -> list[list[Any]]:
    """Return the ledger's rows: `COLUMNS`, link and keyed hash."""
    names = ", ".join((*COLUMNS, "link", "mac"))
    return [list(row) for row in sql(f"SELECT {names} {_ROWS} ORDER BY seq")]


def write(sql: Sql, rows: list[list[Any]]) -> None:
    """Put rows in the place of the ledger's."""
    sql("DELETE FROM ledger")
    for row in rows:
        named = dict(zip((*COLUMNS, "link", "mac"), row, strict=True))
        _insert(sql, "ledger", {name: named[name] for name in _OWN} | {"kind": kind_of(sql, named)})


def kind_of(sql: Sql, named: dict[str, Any]) -> int:
    """Return the number of a kind, which is added where it is not there."""
    same = " AND ".join(f"{name} = ?" for name in WORDS)
    words = tuple(named[name] for name in WORDS)
    found = sql(f"SELECT kind FROM ledger_kinds WHERE {same}", words)  # noqa: S608 - as above
    if found:
        return int(found[0][0])
    ((kind,),) = sql("SELECT coalesce(max(kind), 0) + 1 FROM ledger_kinds")
    _insert(sql, "ledger_kinds", dict(zip(WORDS, words, strict=True)) | {"kind": kind})
    return int(kind)


def falsify(sql: Sql, seq: int, column: str, value: Any) -> None:
    """Change one column of one record, as it was when each record had all of them, and of no other record."""
    if column in WORDS:
        names = ", ".join(WORDS)
        (row,) = sql(f"SELECT {names} {_ROWS} WHERE seq = ?", (seq,))
        column, value = "kind", kind_of(sql, {**dict(zip(WORDS, row, strict=True)), column: value})
    sql(f"UPDATE ledger SET {column} = ? WHERE seq = ?", (value, seq))  # noqa: S608 - as above


def recomputed(rows: list[list[Any]], mac: Callable[[bytes], bytes] | None = None) -> list[list[Any]]:
    """Return rows whose numbers rise by one; their keyed hashes fit too for somebody who has that key."""
    numbered = [[seq, *row[1:]] for seq, row in enumerate(rows, start=1)]
    return [[*row[:MAC], row[MAC] if mac is None else mac(record_bytes(row[:LINK]))] for row in numbered]


def with_links(rows: list[list[Any]]) -> list[list[Any]]:
    """Return rows with their links in them, as they were stored up to schema 23."""
    before, done = GENESIS, []
    for row in rows:
        before = link(before, record_bytes(row[:LINK]))
        done.append([*row[:LINK], before, row[MAC]])
    return done


def make_older(vault: Vault, sql: Sql) -> None:
    """Make the ledger one of schema 23: links in the rows, keyed hashes over them, and a head without its link."""
    rows = with_links(rows_of(sql))
    for row in rows:
        row[MAC] = vault.index.of_bytes("ledger record", row[LINK] + record_bytes(row[:LINK]))[:MAC_BYTES]
    write(sql, rows)
    head = vault.index.of("ledger head", f"{len(rows)}:{rows[-1][LINK].hex()}")
    sql("UPDATE meta SET value = ? WHERE name = 'ledger_head'", (head,))


def _insert(sql: Sql, table: str, named: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(named))
    sql(f"INSERT INTO {table} ({', '.join(named)}) VALUES ({marks})", tuple(named.values()))  # noqa: S608 - as above
