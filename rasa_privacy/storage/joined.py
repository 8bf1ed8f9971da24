"""`joined`: numbers and bytes of a row as one text, so that a statement of few columns brings them.

To read a conversation is one statement, of which each column is described to the driver and each value unpacked again:
PyMySQL takes longer for that than MariaDB for the statement.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement

from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage.tables import Blob

#: How each database writes bytes as hexadecimal digits; CONCAT_WS came to SQLite with 3.44 only.
_HEX: Final = {"postgresql": "encode({}, 'hex')"}

T = TypeVar("T")


class _Joined(ColumnElement):  # type: ignore[misc]  # SQLAlchemy 1.4 has no type hints
    """Columns in one text, with blanks between them."""

    inherit_cache = False  # a `Query` compiles it once
    type = String()

    def __init__(self, columns: Sequence[Any]) -> None:
        self.columns = columns


@compiles(_Joined)  # type: ignore[untyped-decorator]  # SQLAlchemy 1.4 has no type hints
def _compiled(joined: _Joined, compiler: Any, **options: Any) -> str:
    name, parts = compiler.dialect.name, []
    for column in joined.columns:
        sql = compiler.process(column, **options)
        parts.append(_HEX.get(name, "hex({})").format(sql) if isinstance(column.type, Blob) else sql)
    return " || ' ' || ".join(parts) if name == "sqlite" else f"concat_ws(' ', {', '.join(parts)})"


def joined(*columns: Any) -> Any:
    """Return an expression for columns of numbers and of bytes, and a name as the last one.

    None may be NULL, or all are, where a row of an outer join has no partner: then it is NULL or empty.
    """
    return _Joined(columns)


def parted(text: Any, numbers: int, blobs: int) -> list[Any]:
    """Return so many numbers and then so many bytes that were joined.

    Raises:
        TamperedSegmentError: A column holds something else.
    """
    try:
        words = text.split(" ")
        found = [*map(int, words[:numbers]), *map(bytes.fromhex, words[numbers:])]
    except (AttributeError, TypeError, ValueError):
        found = []
    if len(found) != numbers + blobs:
        raise _other_kind()
    return found


def named(text: Any, read: Callable[[str], T]) -> tuple[T, str]:
    """Return what a number or bytes and a name, which may have blanks, were joined of.

    Args:
        text: The column.
        read: Makes the first of them of its text: `int` or `bytes.fromhex`.

    Raises:
        TamperedSegmentError: The column holds something else.
    """
    try:
        first, name = text.split(" ", 1)
        return read(first), name
    except (AttributeError, TypeError, ValueError):
        raise _other_kind() from None


def _other_kind() -> TamperedSegmentError:
    return TamperedSegmentError("a conversation's row holds something of another kind; restore it from its backup")
