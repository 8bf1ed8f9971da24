"""`Threads`: where database work runs, beside Rasa's event loop.

The standard library's executor does the same and takes 0.1 to 0.2 ms for each piece of work to get there and back,
which is a third of reading a short conversation; a queue in C and one call into the loop take 0.05 ms.

Work that has begun is finished when the interpreter ends, as with the executor.
"""

import asyncio
import atexit
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final, TypeVar

T = TypeVar("T")

_Job = tuple[Callable[..., Any], tuple[Any, ...], "asyncio.Future[Any]", asyncio.AbstractEventLoop]
_Queue = SimpleQueue[_Job | None]


class _Load:
    """How many pieces of work wait or run."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.jobs = 0


class Threads:
    """Up to so many threads, each started when there is work and none that is free.

    Args:
        most: How many.
        name: What the threads are called.
    """

    def __init__(self, most: int, name: str = "rasa-privacy") -> None:
        self._most = most
        self._name = name
        self._queue: _Queue = SimpleQueue()
        self._load = _Load()
        self._started: list[threading.Thread] = []
        # Threads hold the queue and not this object, so that they end with it.
        weakref.finalize(self, _end, self._queue, self._started).atexit = False
        _all.add(self)

    def run(self, work: Callable[..., T], *arguments: Any) -> "asyncio.Future[T]":
        """Run work in a thread and return what a task can wait for; to be called in a running event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._load.lock:
            self._load.jobs += 1
            if len(self._started) < min(self._load.jobs, self._most):
                self._start()
        self._queue.put((work, arguments, future, loop))
        return future

    def close(self) -> None:
        """Finish the work that was given, and end the threads."""
        with self._load.lock:
            started = self._started[:]
            _end(self._queue, self._started)
        for thread in started:
            thread.join()

    def _start(self) -> None:
        # A daemon, since the interpreter would wait for others before `_finish` tells them to end.
        number = len(self._started)
        thread = threading.Thread(
            target=_serve, args=(self._queue, self._load), name=f"{self._name}-{number}", daemon=True
        )
        self._started.append(thread)
        thread.start()


_all: Final[weakref.WeakSet[Threads]] = weakref.WeakSet()


@atexit.register
def _finish() -> None:
    for threads in list(_all):
        threads.close()


def _end(queue: _Queue, started: list[threading.Thread]) -> None:
    for _ in started:
        queue.put(None)
    started.clear()


def _serve(queue: _Queue, load: _Load) -> None:
    """Work until told to end."""
    while (job := queue.get()) is not None:
        work, arguments, future, loop = job
        try:
            result, error = work(*arguments), None
        except BaseException as raised:  # noqa: BLE001 - it is raised again where the work is waited for
            result, error = None, raised
        with load.lock:
            load.jobs -= 1
        with suppress(RuntimeError):  # the loop is closed, so nobody waits any more
            loop.call_soon_threadsafe(_deliver, future, result, error)
        del job, work, arguments, future, result, error  # or an idle thread would keep a conversation in memory


def _deliver(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():  # who waited was cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
