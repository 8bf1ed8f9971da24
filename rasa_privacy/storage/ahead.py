"""Work that is done while the next piece of it is prepared, or at once where that would not be faster."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor


class AtOnce:
    """Does what it is given, at once."""

    def __init__(self) -> None:
        self._results: list[int] = []

    def give(self, work: Callable[[], int]) -> None:
        """Do the work."""
        self._results.append(work())

    def results(self) -> Iterator[int]:
        """Yield what the work gave that was not asked for yet."""
        while self._results:
            yield self._results.pop(0)

    def close(self) -> None:
        """Have nothing to end."""


class Meanwhile:
    """Does what it is given in a thread, one piece of work at a time."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rasa-privacy-rotation")
        self._pending: list[Future[int]] = []

    def give(self, work: Callable[[], int]) -> None:
        """Begin the work."""
        self._pending.append(self._thread.submit(work))

    def results(self) -> Iterator[int]:
        """Wait for the work that was given, and yield what it gave."""
        while self._pending:
            yield self._pending.pop(0).result()

    def close(self) -> None:
        """Finish the work and end the thread."""
        self._thread.shutdown()
