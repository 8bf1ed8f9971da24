"""What holds of both books, the consent ledger and the audit log, on any database."""

from collections.abc import Callable
from typing import Any

import pytest

from rasa_privacy.storage.books import Book


def check_removals(book: Book, table: str, sql: Callable[..., list[Any]], verify: Callable[[], object]) -> None:
    """Remove of five records one in the middle, then the end, then all, and see that each is named."""
    for which, message in (
        ("WHERE seq = 3", "record 3 is missing"),
        ("WHERE seq > 2", "record 2 is not its true end"),
        ("", "record 0 is not its true end"),
    ):
        sql(f"DELETE FROM {table} {which}")  # noqa: S608 - our own names
        with pytest.raises(book.error, match=message):
            verify()
