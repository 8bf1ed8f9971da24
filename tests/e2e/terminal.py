"""A program in a terminal of its own, which a test types into and reads."""

import os
import pty
import subprocess
import time
from contextlib import suppress
from select import select
from typing import Final

from tests.e2e.harness import RunningBot

_SECONDS: Final = 150.0


class Terminal:
    """A program in a terminal of its own.

    Attributes:
        printed: Everything that it wrote so far.
    """

    def __init__(self, command: list[str], bot: RunningBot) -> None:
        self._side, other = pty.openpty()
        environment = {
            **os.environ,
            "RASA_TELEMETRY_ENABLED": "false",
            "TERM": "xterm",
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        }
        self._process = subprocess.Popen(
            command, stdin=other, stdout=other, stderr=other, cwd=bot.folder, env=environment, close_fds=True
        )
        os.close(other)
        self.printed = b""

    def read_until(self, words: str, start: int) -> int:
        """Read until these words stand behind a place in what was printed, or fail; return the place behind them."""
        wanted, deadline = words.encode(), time.monotonic() + _SECONDS
        while (place := self.printed.find(wanted, start)) < 0:
            assert time.monotonic() < deadline, self.printed[-2_000:]
            assert self._process.poll() is None, self.printed[-2_000:]
            if select([self._side], [], [], 1)[0]:
                with suppress(OSError):  # Linux says so when the program has ended
                    self.printed += os.read(self._side, 65_536)
        return place + len(wanted)

    def wait_for(self, words: str) -> None:
        """Read until these words were printed since the last call, or fail."""
        self.read_until(words, len(self.printed))

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._side, line.encode() + b"\r")

    def end(self) -> None:
        """Stop the program."""
        self._process.terminate()
        self._process.wait(30)
        os.close(self._side)
