"""Somebody with the database and without its keys: changes the ledger and computes the chain anew, with plain SQL."""

from collections.abc import Callable
from typing import Any

from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.storage.ledger_record import COLUMNS, record_bytes

Sql = Callable[..., list[Any]]
#: What stands in a row after `COLUMNS`.
LINK, MAC = len(COLUMNS), len(COLUMNS) + 1


def rows_of(sql: Sql) -> list[list[Any]]:
    """Return the ledger's rows: `COLUMNS`, link and keyed hash."""
    names = ", ".join((*COLUMNS, "link", "mac"))
    return [list(row) for row in sql(f"SELECT {names} FROM ledger ORDER BY seq")]  # noqa: S608 - our own names


def write(sql: Sql, rows: list[list[Any]]) -> None:
    """Put rows in the place of the ledger's."""
    names = ", ".join((*COLUMNS, "link", "mac"))
    sql("DELETE FROM ledger")
    for row in rows:
        sql(f"INSERT INTO ledger ({names}) VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - as above


def recomputed(rows: list[list[Any]], mac: Callable[[bytes, bytes], bytes] | None = None) -> list[list[Any]]:
    """Return rows whose numbers and links fit each other; their keyed hashes too for somebody who has that key."""
    before, done = GENESIS, []
    for seq, row in enumerate(rows, start=1):
        columns = [seq, *row[1:LINK]]
        raw = record_bytes(columns)
        before = link(before, raw)
        done.append([*columns, before, row[MAC] if mac is None else mac(raw, before)])
    return done
