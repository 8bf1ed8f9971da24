"""`joined`: numbers and bytes of a row as one text, so that a statement of few columns brings them (`gathered.py`)."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement

from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage.tables import Blob

#: How each database writes bytes as hexadecimal digits; CONCAT_WS came to SQLite with 3.44 only.
_HEX: Final = {"postgresql": "encode({}, 'hex')"}


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
    """Return an expression for columns of numbers and of bytes, of which none may be NULL."""
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
        raise other_kind()
    return found


def other_kind() -> TamperedSegmentError:
    """Return the error of a row that cannot be what was written."""
    return TamperedSegmentError("a conversation's row holds something of another kind; restore it from its backup")
