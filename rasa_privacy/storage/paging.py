"""`Pages`: a table that is read in pages, so that the memory stays flat on every driver, however long the table is."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import bindparam
from sqlalchemy.engine import Connection

_PAGE_ROWS: Final = 1000


class Pages:
    """A SELECT in pages, in the order of a key.

    Args:
        statement: Of all rows. The key is one of its columns, under its own name.
        key: What no two of the rows have in common.
    """

    def __init__(self, statement: Any, key: Any) -> None:
        self._statement = statement.where(key > bindparam("after")).order_by(key).limit(bindparam("most"))
        self._key = key.name

    def read(self, conn: Connection, after: Any) -> Iterator[Sequence[Any]]:
        """Yield the rows after a key, within the connection's transaction; no page is empty."""
        most = _PAGE_ROWS
        while page := conn.execute(self._statement, {"after": after, "most": most}).all():
            yield page
            if len(page) < most:
                return
            after = getattr(page[-1], self._key)

    def rows(self, conn: Connection, after: Any) -> Iterator[Any]:
        """Yield the rows one by one."""
        for page in self.read(conn, after):
            yield from page
