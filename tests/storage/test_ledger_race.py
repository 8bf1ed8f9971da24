"""Two writers of the ledger's first record, where each statement sees what was committed before it (PostgreSQL)."""

from datetime import datetime
from typing import Any, cast

import pytest
from sqlalchemy.engine import Connection

from rasa_privacy.storage.ledger import LedgerRecord
from rasa_privacy.storage.vault import Vault


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_a_first_record_that_comes_between_two_reads_is_no_forgery(vault: Vault, now: datetime) -> None:
    """Who found no end to lock, and then another's first record, looks again and goes on after it."""
    record = LedgerRecord(b"s" * 16, "draw", "asked", b"h" * 32, "en", "button", "rest", now)

    class Overtaken:
        """A connection behind whose first statement another one commits a record."""

        def __init__(self, conn: Connection) -> None:
            self._conn, self._is_first = conn, True

        def execute(self, *arguments: Any) -> Any:
            result = self._conn.execute(*arguments)
            if self._is_first:
                self._is_first = False
                with vault.database.write() as other:
                    vault.ledger.append(other, record)
            return result

    with vault.database.write() as conn:
        assert vault.ledger.append(cast("Connection", Overtaken(conn)), record) == 2
    with vault.database.read() as conn:
        vault.ledger.verify(conn)
