"""`share_pages`: what is due, handed out page by page to some threads that work at once.

A database's server and this process take turns otherwise: one waits while the other computes. Pages go forward in one
order, and none is given to two.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Source(Generic[T]):
    """Where the pages come from."""

    read: Callable[[T | None], list[T]]
    most: int
    is_over: Callable[[], bool]
    last: T | None = None
    ended: bool = False
    stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> list[T]:
        """Return the next page; an empty one where there is none, or no time for it."""
        with self.lock:
            if self.ended or self.stopped:
                return []
            if self.is_over():
                self.stopped = True
                return []
            page = self.read(self.last)
            self.ended = len(page) < self.most
            self.last = page[-1] if page else None
            return page


def share_pages(
    read: Callable[[T | None], list[T]],
    most: int,
    work: Callable[[list[T]], None],
    is_over: Callable[[], bool],
    workers: int,
) -> bool:
    """Deal with all pages and return whether that came to its end.

    Args:
        read: Returns the page behind a row; the first page for None.
        most: Number of rows of a full page; after one that is not full nothing is asked for.
        work: Deals with one page; called by several threads at once where there is more than one worker.
        is_over: Whether no further page is to be begun.
        workers: Number of threads; 1 for the caller's own.

    Raises:
        Exception: What `read` or `work` raised; the others finish the page that they are at.
    """
    source = _Source(read, most, is_over)

    def deal() -> None:
        try:
            while page := source.next():
                work(page)
        except BaseException:
            source.stopped = True
            raise

    if workers == 1:
        deal()
    else:
        with ThreadPoolExecutor(workers, "rasa-privacy-sweep") as threads:
            for each in [threads.submit(deal) for _ in range(workers)]:
                each.result()
    return source.ended
