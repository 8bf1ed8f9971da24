"""Two writers of the ledger's first record, where each statement sees what was committed before it (PostgreSQL)."""

from datetime import datetime
from typing import Any

import pytest

from rasa_privacy.storage.ledger import LedgerRecord
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.vault import Vault


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
