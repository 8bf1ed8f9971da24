"""`Gathered`: all columns of a SELECT, in the form that takes the way from its database in the least time.

To read a conversation is one statement, of which each column is described to the driver and each value unpacked again:
PyMySQL takes longer for that than MariaDB for the statement. So:

1. SQLite gives the columns as they are, since nothing lies between.
2. PostgreSQL gives all but the last one as one text of words, in which bytes and names are hexadecimal digits. The last
   one, which may be long, comes apart, since to join it is to copy it.
3. MariaDB gives all as one value of such words, and behind them the last one as it is.
"""

from binascii import unhexlify
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement

from rasa_privacy.storage.joined import other_kind
from rasa_privacy.storage.tables import Blob, as_bytes

#: How servers write what is no number as a word.
_DIGITS: Final[Mapping[str, Mapping[type, str]]] = {
    "postgresql": {bytes: "encode({}, 'hex')", str: "encode(convert_to({}, 'UTF8'), 'hex')"},
    "mysql": {bytes: "hex({})", str: "hex({})"},
}


class Gathered(ColumnElement):  # type: ignore[misc]  # SQLAlchemy 1.4 has no type hints
    """The columns of a SELECT that has no others.

    Args:
        columns: Columns of numbers, bytes and names, the last one of bytes. None may be NULL.
        parts: Where tables of an outer join begin, each of which has NULL in all of them where it has no row.
    """

    inherit_cache = False  # a `Query` compiles it once
    type = String()

    def __init__(self, *columns: Any, parts: Sequence[int] = ()) -> None:
        self.columns = columns
        ends = (*parts, len(columns))
        self._parts = tuple(zip((0, *parts), ends, strict=True))[::-1]
        self._ends = frozenset(ends)
        kinds = [kind_of(column) for column in columns]
        self._plain = [_PLAIN[kind] for kind in kinds]
        self._words = [*(_WORDS[kind] for kind in kinds[:-1]), bytes]

    def parted(self, row: Sequence[Any], begin: int = 0) -> list[Any]:
        """Return the values of a row, without those of the last tables that have none for it.

        Args:
            row: As the driver gives it.
            begin: The first column that is read.

        Raises:
            TamperedSegmentError: A column holds something of another kind than it was written with.
        """
        try:
            if len(row) == len(self.columns):
                words, readers = self._there(row), self._plain
            elif len(row) == 1:
                words, readers = row[0].split(b" ", len(self.columns) - 1), self._words
            else:
                text, last = row
                words, readers = text.split(" "), self._words
                if last is not None:
                    words.append(last)
            if len(words) in self._ends:
                return [read(word) for read, word in zip(readers[begin:], words[begin:])]  # noqa: B905 - fewer words
        except (AttributeError, TypeError, ValueError):
            pass
        raise other_kind()

    def _there(self, row: Sequence[Any]) -> Sequence[Any]:
        """Return the columns of the tables that have a row."""
        for begin, end in self._parts:
            if row[begin] is not None:
                return row[:end]
        return ()


@compiles(Gathered)  # type: ignore[untyped-decorator]  # SQLAlchemy 1.4 has no type hints
def _compiled(gathered: Gathered, compiler: Any, **options: Any) -> str:
    name = compiler.dialect.name
    *columns, last = [compiler.process(column, **options) for column in gathered.columns]
    if name == "sqlite":
        return ", ".join([*columns, last])
    digits, kinds = _DIGITS[name], map(kind_of, gathered.columns)
    words = ", ".join(digits.get(kind, "{}").format(sql) for kind, sql in zip(kinds, columns))  # noqa: B905 - one is last
    return f"concat_ws(' ', {words}, {last})" if name == "mysql" else f"concat_ws(' ', {words}), {last}"


def kind_of(column: Any) -> type:
    """Return what a column holds: `bytes`, `str` or `int`."""
    return bytes if isinstance(column.type, Blob) else str if isinstance(column.type, String) else int


def _number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _bytes(value: Any) -> bytes:
    if value is None:
        raise TypeError
    return value if type(value) is bytes else as_bytes(value) or b""


def _name(value: Any) -> Any:
    return value  # which is looked up where names are, and not found


#: How a value is read that comes as it is, and one that comes as a word.
_PLAIN: Final[Mapping[type, Callable[[Any], Any]]] = {int: _number, bytes: _bytes, str: _name}
_WORDS: Final[Mapping[type, Callable[[Any], Any]]] = {
    int: int,
    bytes: unhexlify,
    str: lambda word: unhexlify(word).decode(),
}
