"""Pages are shared between threads: each is dealt with once, an error stops all, and time can be over."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.errors import StorageError
from rasa_privacy.retention.pages import share_pages


def rows_after(rows: list[int], most: int) -> Callable[[int | None], list[int]]:
    """Return what reads pages of these rows."""
    return lambda last: [row for row in rows if last is None or row > last][:most]


@given(st.integers(0, 60), st.integers(1, 7), st.integers(1, 4))
def test_each_row_is_dealt_with_once(number: int, most: int, workers: int) -> None:
    """Whatever the number of rows, the size of a page and the number of threads."""
    done: list[int] = []
    assert share_pages(rows_after(list(range(number)), most), most, done.extend, lambda: False, workers)
    assert sorted(done) == list(range(number))


def test_two_work_at_the_same_time() -> None:
    """Each waits within its page for the other, so that one alone would not come to the end."""
    both = threading.Barrier(2, timeout=20)

    def work(_: list[int]) -> None:
        both.wait()

    assert share_pages(rows_after([1, 2], 1), 1, work, lambda: False, 2)


def test_no_page_is_begun_when_time_is_over() -> None:
    """What was begun is finished, and the caller hears that more is left."""
    done: list[int] = []
    assert not share_pages(rows_after(list(range(10)), 2), 2, done.extend, lambda: len(done) >= 4, 1)
    assert done == [0, 1, 2, 3]


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_stops_all(workers: int) -> None:
    """Nobody begins another page, and the error comes out."""
    done: list[int] = []

    def work(page: list[int]) -> None:
        if page[0] == 4:
            raise StorageError("away")
        done.extend(page)

    with pytest.raises(StorageError, match="away"):
        share_pages(rows_after(list(range(10_000)), 2), 2, work, lambda: False, workers)
    assert len(done) < 10_000
