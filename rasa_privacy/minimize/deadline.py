"""`Deadline`: work that may never come back, run in a thread of its own and given up after a while.

Rules:

1. One piece of work runs at a time; whoever waits, waits for no longer than the deadline, the waiting in line included.
2. Work that is late is left alone, since a thread cannot be ended from outside, and nothing new is begun for
   `REST_SECONDS`. After that a new thread tries again.
3. `MOST_STUCK` threads that have not come back are enough: until one does, nothing is begun any more.

The threads are daemons: one that hangs does not keep the process from ending.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from rasa_privacy.errors import DetectorError

#: Seconds for which nothing new is begun after work that was late.
REST_SECONDS: Final = 60.0

#: Threads that may be stuck at once.
MOST_STUCK: Final = 3

T = TypeVar("T")
_Queue = SimpleQueue[tuple[Callable[[], Any], "Future[Any]"] | None]


class Deadline:
    """Runs work of one kind.

    Args:
        name: What the work is called in errors.
        seconds: How long one piece of it may take.
        clock: Seconds that only rise.
    """

    def __init__(self, name: str, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._seconds = seconds
        self._clock = clock
        self._line = threading.Lock()
        self._queue: _Queue | None = None
        self._stuck: list[Future[Any]] = []
        self._rests_until = float("-inf")

    def run(self, work: Callable[[], T]) -> T:
        """Return what the work returns; what it raises is raised.

        Raises:
            DetectorError: It was not done in time, or is not begun because others were late.
        """
        end = self._clock() + self._seconds
        if not self._line.acquire(timeout=self._seconds):
            raise DetectorError(f"{self._name} was busy for {self._seconds:g} seconds; withhold the text")
        try:
            return self._run(work, end)
        finally:
            self._line.release()

    def _run(self, work: Callable[[], T], end: float) -> T:
        self._stuck = [late for late in self._stuck if not late.done()]
        now = self._clock()
        if now < self._rests_until or len(self._stuck) >= MOST_STUCK:
            raise DetectorError(
                f"{self._name} did not come back from {len(self._stuck)} texts and is not asked now; withhold the text"
            )
        future: Future[T] = Future()
        self._thread().put((work, future))
        try:
            return future.result(timeout=max(0.0, end - now))
        except LateError:
            if future.done():  # the work's own
                raise
            self._leave(future)
            raise DetectorError(f"{self._name} took more than {self._seconds:g} seconds; withhold the text") from None

    def _thread(self) -> _Queue:
        """Return the queue of the thread that is free, which is started where there is none."""
        if self._queue is None:
            self._queue = SimpleQueue()
            name = f"rasa-privacy {self._name}"
            threading.Thread(target=_serve, args=(self._queue,), name=name, daemon=True).start()
        return self._queue

    def _leave(self, late: "Future[Any]") -> None:
        """Let the thread end by itself when it comes back."""
        if self._queue is not None:
            self._queue.put(None)
        self._queue = None
        self._stuck.append(late)
        self._rests_until = self._clock() + REST_SECONDS


def _serve(queue: _Queue) -> None:
    while (job := queue.get()) is not None:
        work, future = job
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the work is waited for
            future.set_exception(error)
        else:
            future.set_result(result)
            del result
        del job, work, future  # or an idle thread would keep a text in memory
