"""The processes that help this one to make an audience's lines: begun, given runs, read, and ended.

Rules:

1. Each opens the store for itself (`audience_worker`). It is begun anew and not forked: neither a database's connection
   nor a key provider's session may be carried over a fork.
2. This process does not wait for them: it makes runs itself from the beginning on, and gives them runs as soon as they
   are ready. One that cannot open the store gets none.
3. No run is made that is more than a few ahead of the one that is written next. Finished ones wait in memory, and a
   process whose pipe is full waits too. Nothing is on the disk.
4. However the reading ends, no process is left: they are killed here, and each ends by itself when its input is closed,
   also where this process was killed. One that ended before its runs were done stops the export.
"""

import logging
import os
import select
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any, Final

import msgspec

from rasa_privacy import errors
from rasa_privacy.errors import PrivacyError, StorageError
from rasa_privacy.rights.audience import Tally
from rasa_privacy.rights.audience_worker import COUNTS, END, ERROR, FRAME, PIECE, READY, RUN, Task, command

logger = logging.getLogger(__name__)

#: Runs that a process is given at once, so that it has one while another is read.
_GIVEN: Final = 2
#: Runs for each process that may be ahead of the one that is written next.
_AHEAD: Final = 3


@dataclass(slots=True)
class _Helper:
    """A process that helps.

    Attributes:
        process: The process itself.
        is_ready: Whether it has opened the store.
        runs: Those that it was given and that it has not finished.
        pieces: What it has made of the first of these.
    """

    process: Any
    is_ready: bool = False
    runs: deque[int] = field(default_factory=deque)
    pieces: list[bytes] = field(default_factory=list)

    def give(self, run: int) -> None:
        """Have it make a run, after those that it was given before."""
        self.runs.append(run)
        with suppress(BrokenPipeError):  # the reading says that it ended
            os.write(self.process.stdin.fileno(), RUN.pack(run))

    def end(self) -> None:
        """Wait for its end, after it was killed."""
        with suppress(OSError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Processes:
    """Some processes that share the runs of a task with this one.

    Args:
        task: What they do together.
        count: How many are begun.

    Attributes:
        task: The same.

    Raises:
        StorageError: One cannot be started.
    """

    def __init__(self, task: Task, count: int) -> None:
        self.task = task
        self._helpers: list[_Helper] = []
        self._ahead = _AHEAD * (count + 1)
        self._done: dict[int, list[bytes]] = {}
        self._next = 0
        try:
            for _ in range(count):
                self._helpers.append(_Helper(_begin(task)))
        except BaseException:
            self.close()
            raise

    def pieces(self, tally: Tally, make: Callable[[int], Iterable[bytes]]) -> Iterator[bytes]:
        """Yield the lines of all runs in order, and count them up as they come.

        Args:
            tally: Is counted up.
            make: Makes the pieces of a run in this process.

        Raises:
            StorageError: A process ended before it was done.
            PrivacyError: What went wrong in one, or here.
        """
        for run in range(self.task.runs):
            while run not in self._done:
                self._give(run)
                if self._next < min(self.task.runs, run + self._ahead):
                    self._next += 1
                    self._done[self._next - 1] = list(make(self._next - 1))
                    self._receive(0)
                else:
                    self._receive(None)
            for body in self._done.pop(run):
                _count(tally, body)
                if len(body) > COUNTS.size:
                    yield body[COUNTS.size :]

    def _give(self, run: int) -> None:
        """Give the next runs to whoever has few; nobody gets one that is too far ahead of the one that is awaited."""
        for helper in self._helpers:
            while helper.is_ready and len(helper.runs) < _GIVEN and self._next < min(self.task.runs, run + self._ahead):
                helper.give(self._next)
                self._next += 1

    def _receive(self, milliseconds: int | None) -> None:
        """Take a frame of each process that has one; where none has, wait so long for one, or for ever."""
        poll, by_number = select.poll(), {each.process.stdout.fileno(): each for each in self._helpers}
        for number in by_number:
            poll.register(number, select.POLLIN)
        for number, _ in poll.poll(milliseconds):
            self._take(by_number[number])

    def _take(self, helper: _Helper) -> None:
        try:
            kind, body = _frame(helper.process, {PIECE, END} if helper.is_ready else {READY})
        except PrivacyError as error:
            if helper.is_ready:
                raise
            logger.warning("The export goes on with a process less, which cannot open the store: %s", error)
            self._helpers.remove(helper)
            helper.process.kill()
            helper.end()
            return
        if kind == READY:
            helper.is_ready = True
        elif kind == PIECE:
            helper.pieces.append(body)
        else:
            self._done[helper.runs.popleft()], helper.pieces = helper.pieces, []

    def close(self) -> None:
        """End them all, finished or not."""
        for helper in self._helpers:
            helper.process.kill()
        for helper in self._helpers:
            helper.end()
        self._helpers.clear()


def _begin(task: Task) -> Any:
    try:
        child: Any = subprocess.Popen(  # noqa: S603 - the command is ours, and no shell reads it
            command(sys.path), bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise StorageError(f"a process of the export cannot be started ({error.strerror})") from None
    with suppress(BrokenPipeError):  # the reading says that it ended
        os.write(child.stdin.fileno(), task.to_line())
    return child


def _frame(child: Any, expected: set[bytes]) -> tuple[bytes, bytes]:
    """Return the kind and the body of a process's next frame."""
    head = _read(child.stdout, FRAME.size)
    kind, length = FRAME.unpack(head) if len(head) == FRAME.size else (b"", 0)
    body = _read(child.stdout, length)
    if kind == ERROR and len(body) == length:
        raise _error(body)
    if kind not in expected or len(body) != length:
        raise StorageError(
            "a process of the export ended before it was done; run it with '--workers 1' if that stays so"
        )
    return kind, body


def _read(pipe: Any, length: int) -> bytes:
    """Return so many bytes of a pipe without a buffer, by which nobody could wait for more; fewer at its end."""
    parts = []
    while length:
        part = pipe.read(length)
        if not part:
            break
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _error(body: bytes) -> PrivacyError:
    name, told = msgspec.json.decode(body, type=tuple[str, str])
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, PrivacyError):
        return kind(told)
    return StorageError(f"a process of the export failed ({told}); run it again, with '--workers 1' if that stays so")


def _count(tally: Tally, body: bytes) -> None:
    for one, number in zip(fields(tally), COUNTS.unpack_from(body), strict=True):
        setattr(tally, one.name, getattr(tally, one.name) + number)


def cores() -> int:
    """Return how many cores this process may use."""
    with suppress(AttributeError):  # which macOS does not tell
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
