"""`rasa shell` in a real terminal, on a store that holds somebody else: what it prints is this conversation."""

import sys

import pytest

from rasa_privacy.cli.ports import choose_port
from tests.e2e.harness import RunningBot
from tests.e2e.people import enter_draw, new_person
from tests.e2e.search import Sink, assert_nowhere
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.soak]


def test_the_shell_prints_nothing_of_anybody_else(bot: RunningBot) -> None:
    """At debug level, with the store's own words about what is known of the person who types."""
    person = new_person()
    enter_draw(bot, person)
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
