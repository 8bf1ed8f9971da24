"""`rasa shell` in a real terminal, on a store that holds somebody else: what it prints is this conversation."""

import os
import pty
import subprocess
import sys
import time
from contextlib import suppress
from select import select

import pytest

from rasa_privacy.cli.ports import choose_port
from tests.e2e.harness import RunningBot
from tests.e2e.people import new_person, stored_values
from tests.e2e.search import Sink, assert_nowhere

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

_SECONDS = 150.0


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

    def wait_for(self, words: str) -> None:
        """Read until these words were printed since the last call, or fail."""
        start, deadline = len(self.printed), time.monotonic() + _SECONDS
        while words.encode() not in self.printed[start:]:
            assert time.monotonic() < deadline, self.printed[-2_000:]
            if select([self._side], [], [], 1)[0]:
                with suppress(OSError):  # Linux says so when the program has ended
                    self.printed += os.read(self._side, 65_536)
            assert self._process.poll() is None, self.printed[-2_000:]

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._side, line.encode() + b"\r")

    def end(self) -> None:
        """Stop the program."""
        self._process.terminate()
        self._process.wait(30)
        os.close(self._side)


def test_the_shell_prints_nothing_of_anybody_else(bot: RunningBot) -> None:
    """At debug level, with the store's own words about what is known of the person who types."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    chat.press("Yes, I agree")
    chat.press("Yes, that too")
    for answer in (person.name, person.email, person.postcode):
        chat.say(answer)
    assert stored_values(bot, person.sender)
    command = [sys.executable, "-m", "rasa", "shell", "-vv", "-m", str(bot.servers.plan.model)]
    command += ["--endpoints", str(bot.servers.endpoints), "--conversation-id", "shell-visitor"]
    command += ["--port", str(choose_port(None, "--port"))]
    terminal = Terminal(command, bot)
    try:
        terminal.wait_for("Your input ->")
        terminal.type("hello")
        terminal.wait_for("Northwind Outdoor")
        terminal.type("what do you know about me?")
        terminal.wait_for("Your input ->")
    finally:
        terminal.end()
    assert_nowhere(person.marks, [Sink("terminal", terminal.printed), *bot.sinks(payloads=False)])
