"""All columns of a SELECT in the form that each database gives fastest."""

from typing import Any

import pytest

from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage.gathered import Gathered
from rasa_privacy.storage.tables import conversations, data_keys, segments

#: A number and bytes, of another table a name and bytes, of a third a number and bytes.
_COLUMNS = Gathered(
    conversations.c.version,
    conversations.c.subject_id,
    data_keys.c.purpose,
    data_keys.c.wrapped,
    segments.c.number,
    segments.c.sealed,
    parts=(2, 4),
)
_NAME = "two wörds"
_IN_DIGITS = _NAME.encode().hex()
#: The same row as SQLite, PostgreSQL and MariaDB give it.
_ROWS: list[tuple[Any, ...]] = [
    (7, b"\n\xff", _NAME, b"", 3, b"a b \x00"),
    (f"7 0aff {_IN_DIGITS}  3", b"a b \x00"),
    (f"7 0AFF {_IN_DIGITS.upper()}  3 a b \x00".encode(),),
]


@pytest.mark.parametrize("row", _ROWS)
def test_each_form_is_read_as_what_it_was_made_of(row: tuple[Any, ...]) -> None:
    """Bytes may be empty, a name and what comes last may have blanks, and reading may begin behind some columns."""
    assert _COLUMNS.parted(row) == [7, b"\n\xff", _NAME, b"", 3, b"a b \x00"]
    assert _COLUMNS.parted(row, 4) == [3, b"a b \x00"]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ((7, b"a", None, None, None, None), [7, b"a"]),
        (("7 61", None), [7, b"a"]),
        ((b"7 61",), [7, b"a"]),
        ((7, b"a", "n", b"k", None, None), [7, b"a", "n", b"k"]),
        (("7 61 6e 6b", None), [7, b"a", "n", b"k"]),
        ((b"7 61 6e 6b",), [7, b"a", "n", b"k"]),
    ],
)
def test_of_a_table_without_a_row_there_is_nothing(row: tuple[Any, ...], found: list[Any]) -> None:
    """An outer join gives NULL for all of its columns."""
    assert _COLUMNS.parted(row) == found
    assert _COLUMNS.parted(row, 2) == found[2:]


@pytest.mark.parametrize(
    "row",
    [
        (None,),
        (5,),
        (b"",),
        (b"7",),
        (b"7 61 6e",),
        (b"7 61 6e 6b 3",),
        (b"x 61 6e 6b 3 a",),
        (b"7 6 6e 6b 3 a",),
        (b"7 61 ff 6b 3 a",),
        (b"7 61 6e zz 3 a",),
        (None, None),
        (b"7 61", None),
        ("7 61 6e 6b 3", None),
        ("7 61 6e 6b", b"a"),
        ("7 61 6e 6b 3 4", b"a"),
        ("7 1.5 6e 6b 3", b"a"),
        (7, None, None, None, None, None),
        (None, None, None, None, None, None),
        ("7", b"a", "n", b"k", 3, b"a"),
        (7.0, b"a", "n", b"k", 3, b"a"),
        (7, b"a", "n", None, None, None),
        (7, b"a", "n", b"k", 3, None),
        (7, b"a", "n", b"k", b"3", b"a"),
        (7, b"a"),
    ],
)
def test_what_a_tamperer_stored_of_another_kind_is_refused(row: tuple[Any, ...]) -> None:
    """Too few words or too many, no number, no bytes, no name, nothing where there must be something."""
    with pytest.raises(TamperedSegmentError, match="another kind"):
        _COLUMNS.parted(row)


def test_bytes_that_a_tamperer_stored_as_a_text_are_bytes_that_cannot_verify() -> None:
    """As in every other statement (`tables.Blob`)."""
    assert _COLUMNS.parted((7, "text", "n", 5, 3, "sealed")) == [7, b"text", "n", b"5", 3, b"sealed"]
