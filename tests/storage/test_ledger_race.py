"""Several writers of the ledger at once, and two of its first record."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_a_first_record_that_comes_between_two_reads_is_no_forgery(
    vault: Vault, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who found no end to lock, and then another's first record, looks again and goes on after it."""
    record = LedgerRecord(b"s" * 16, "draw", "asked", b"h" * 32, "en", "button", "rest", now)
    rows, reads = Query.rows, []

    def overtaken(self: Query, conn: Any, **parameters: Any) -> Any:
        found = rows(self, conn, **parameters)
        reads.append(found)
        if len(reads) == 1:
            with vault.database.write() as other:
                vault.ledger.append(other, record)
        return found

    with vault.database.write() as conn, monkeypatch.context() as patch:
        patch.setattr(Query, "rows", overtaken)
        assert vault.ledger.append(conn, record) == 2
    with vault.database.read() as conn:
        vault.ledger.verify(conn)


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_new_words_of_several_writers_at_once_stand_once_each(vault: Vault, now: datetime) -> None:
    """From the first record on, each has the number of its own words, and the chain is one."""
    record = LedgerRecord(b"s" * 16, "draw", "asked", b"h" * 32, "en", "button", "rest", now)

    def write(which: int) -> None:
        for number in range(5):
            said = replace(record, subject_id=bytes([which]) * 16, channel=f"channel {(which + number) % 4}")
            add(said)

    def add(said: LedgerRecord) -> None:
        vault.database.transact(lambda conn: vault.ledger.append(conn, said))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    with vault.database.read() as conn:
        assert len(list(vault.ledger.iterate(conn))) == 20
        vault.ledger.verify(conn)
        kinds = conn.execute(text("SELECT channel FROM ledger_kinds")).scalars()
        assert sorted(kinds) == [f"channel {number}" for number in range(4)]
