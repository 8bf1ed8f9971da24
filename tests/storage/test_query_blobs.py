"""What a tamperer stored in a column of bytes, read by a few rows and by many."""

from pathlib import Path

import pytest
from sqlalchemy import select

from rasa_privacy.storage.database import Database
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import meta

_ALL = Query(select(meta.c.name, meta.c.value).order_by(meta.c.name))


@pytest.mark.parametrize("rows", [1, 3, 16, 17, 100])
def test_every_blob_is_bytes_among_few_rows_and_among_many(tmp_path: Path, rows: int) -> None:
    """SQLite may hold a text or a number in any column of a table that was made anew; an empty one stays empty."""
    (tmp_path / "store.db").touch()
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    try:
        with database.write() as conn:
            conn.exec_driver_sql("CREATE TABLE meta (name TEXT, value)")
            for number in range(rows):
                conn.exec_driver_sql("INSERT INTO meta VALUES (?, ?)", (f"{number:03}", b"value"))
        with database.read() as conn:
            assert {row[1] for row in _ALL.rows(conn)} == {b"value"}
        for stored in ("text", 7, 1.5, None):
            with database.write() as conn:
                conn.exec_driver_sql("UPDATE meta SET value = ? WHERE name = ?", (stored, f"{rows - 1:03}"))
            with database.read() as conn:
                *others, last = (row[1] for row in _ALL.rows(conn))
            assert set(others) <= {b"value"}
            assert last is None if stored is None else type(last) is bytes
    finally:
        database.close()
