"""`Process`: one child with its own process group and log file, and no way to be left behind.

Rules:
    1. Each child leads a session of its own, so that Ctrl-C and a closed terminal reach it only through `stop`.
    2. `stop` sends SIGTERM to the group and, after a grace time, SIGKILL; also when it is itself interrupted.
    3. `lifeline` ends the child when this process is killed without a chance to call `stop` (Linux). The kernel
       watches the thread that starts the child, so start it from one that lives on, such as the main thread.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from rasa_privacy.cli import lifeline
from rasa_privacy.errors import ServerError

GRACE_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05
_LOG_MODE: Final = 0o600  # a log at debug level shows what people say
_MAX_TAIL_BYTES: Final = 64 * 1024
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


class Process:
    """A running child process.

    Attributes:
        name: What people call it, for messages.
        log: File that receives its standard output and error.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the command in the folder.

        Args:
            name: What people call it, for messages.
            command: Program and arguments; no shell reads them.
            folder: Current directory of the child.
            log: File to append the output to, made with mode 0600.
            environment: Variables to add to this process's own.

        Raises:
            ServerError: The program or the folder does not exist, or the log cannot be written.
        """
        self.name = name
        self.log = log
        self._stopped = False  # once the group is gone, its number may belong to someone else
        # `-I`: else modules of this folder would be found before Python's own, such as `operator`.
        watched = [sys.executable, "-I", lifeline.__file__, str(os.getpid()), *command]
        try:
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _LOG_MODE), "ab") as output:
                self._child = subprocess.Popen(  # noqa: S603 - the command is ours, and no shell reads it
                    watched,
                    cwd=folder,
                    env={**os.environ, **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise ServerError(f"{name} could not be started in {folder}: {error.strerror}") from error

    @property
    def pid(self) -> int:
        """The process id, which is the id of its process group too."""
        return self._child.pid

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the child runs."""
        return self._child.poll()

    def wait(self, seconds: float | None = None) -> int | None:
        """Return the exit code once there is one, or None when the time is over."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._child.wait(seconds)
        return None

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """End the child and its whole group. Doing it twice is no error.

        Args:
            grace_seconds: Time to end by itself after SIGTERM, before SIGKILL.
        """
        try:
            self.terminate()
            deadline = time.monotonic() + grace_seconds
            while self._group_lives() and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
        finally:
            # A second Ctrl-C may interrupt the grace time; what is left goes at once then.
            self._signal_group(signal.SIGKILL)
            self._child.wait()
            self._stopped = True

    def terminate(self) -> None:
        """Ask the whole group to end, and do not wait."""
        self._signal_group(signal.SIGTERM)

    def last_lines(self, count: int = 20) -> str:
        """Return the end of the log without colours, for the person who started this and not for another log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - _MAX_TAIL_BYTES))
                text = _COLOUR.sub("", log.read().decode(errors="replace"))
                lines = deque(text.splitlines(), maxlen=count)
        except OSError:
            return "(no log)"
        return "\n".join(lines) or "(the log is empty)"

    def _group_lives(self) -> bool:
        self._child.poll()  # reap the leader, or the group would seem alive for ever
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _signal_group(self, number: signal.Signals) -> None:
        if self._stopped:
            return
        # macOS answers EPERM for a group of which only a zombie is left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def stop_all(processes: Sequence[Process], grace_seconds: float = GRACE_SECONDS) -> None:
    """Stop each process, all at the same time; an interruption while one stops does not spare the others."""
    with contextlib.ExitStack() as stack:
        for process in processes:
            stack.callback(process.stop, grace_seconds)
        for process in processes:
            process.terminate()


@contextlib.contextmanager
def ending_cleanly() -> Iterator[None]:
    """Turn SIGTERM, SIGINT and a closed terminal into an exit that runs every `finally`.

    By default the first and the last end Python at once, and the children of this process would stay; a process that
    a script starts in the background ignores SIGINT. Main thread only.
    """
    before = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
