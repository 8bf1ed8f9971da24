"""The processes that make an audience's lines: begun, read in order, and ended.

Rules:

1. Each opens the store for itself (`audience_worker`). It is begun anew and not forked: neither a database's connection
   nor a key provider's session may be carried over a fork.
2. What a process is ahead waits in its pipe, which holds about a run; then the process waits. Nothing is on the disk.
3. However the reading ends, no process is left: they are killed here, and each ends by itself when its input is closed,
   also where this process was killed. One that ended before it was done stops the export.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import msgspec

from rasa_privacy import errors
from rasa_privacy.errors import PrivacyError, StorageError
from rasa_privacy.rights.audience import Tally
from rasa_privacy.rights.audience_worker import COUNTS, END, ERROR, FRAME, PIECE, READY, Task, command


class Processes:
    """Some processes that share the runs of a task.

    Args:
        task: What they do together.
        count: How many, 1 or more; no more are begun than there are runs.

    Raises:
        StorageError: One cannot be started, or ended before the store was open.
        PrivacyError: One cannot open the store; what it said.
    """

    def __init__(self, task: Task, count: int) -> None:
        self._runs = task.runs
        self._children: list[Any] = []
        step = min(count, task.runs)
        try:
            for first in range(step):
                self._children.append(_begin(replace(task, first=first, step=step)))
            for child in self._children:
                _frame(child, {READY})
        except BaseException:
            self.close()
            raise

    def pieces(self, tally: Tally) -> Iterator[bytes]:
        """Yield the lines of all runs in order, and count them up as they come.

        Raises:
            StorageError: A process ended before it was done.
            PrivacyError: What went wrong in one.
        """
        for run in range(self._runs):
            child = self._children[run % len(self._children)]
            kind, body = _frame(child, {PIECE, END})
            while kind == PIECE:
                _count(tally, body)
                if len(body) > COUNTS.size:
                    yield body[COUNTS.size :]
                kind, body = _frame(child, {PIECE, END})

    def close(self) -> None:
        """End them all, finished or not."""
        for child in self._children:
            child.kill()
        for child in self._children:
            with suppress(OSError):
                child.stdin.close()
            child.stdout.close()
            child.wait()
        self._children.clear()


def _begin(task: Task) -> Any:
    try:
        child: Any = subprocess.Popen(  # noqa: S603 - the command is ours, and no shell reads it
            command(sys.path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise StorageError(f"a process of the export cannot be started ({error.strerror})") from None
    with suppress(BrokenPipeError):  # the reading says that it ended
        os.write(child.stdin.fileno(), task.to_line())
    return child


def _frame(child: Any, expected: set[bytes]) -> tuple[bytes, bytes]:
    """Return the kind and the body of a process's next frame."""
    head = child.stdout.read(FRAME.size)
    kind, length = FRAME.unpack(head) if len(head) == FRAME.size else (b"", 0)
    body = child.stdout.read(length)
    if kind == ERROR and len(body) == length:
        raise _error(body)
    if kind not in expected or len(body) != length:
        raise StorageError(
            "a process of the export ended before it was done; run it with '--workers 1' if that stays so"
        )
    return kind, body


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
