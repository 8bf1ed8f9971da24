"""`rasa interactive` in a real terminal, on a store that holds somebody else: it shows what was typed, and no value."""

import os
import struct
import sys
import time
from fcntl import ioctl
from termios import TIOCSWINSZ

import pytest

from rasa_privacy.cli.ports import choose_port
from tests.e2e.harness import RunningBot
from tests.e2e.people import enter_draw, new_person, stored_values
from tests.e2e.search import Sink, assert_nowhere, occurrences
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

_INPUT = "Your input ->"
_UNANSWERED = "(Y/n)"
_ANSWERED = "Yes"
_ACCEPTED = "\x1b[?2004l"  # the terminal's mode for pasting ends with the line
_CTRL_C = "\x03"
_EXPORTED = ("data/stories.yml", "data/nlu.yml", "domain.yml")


class Session(Terminal):
    """`rasa interactive` as one person."""

    def __init__(self, bot: RunningBot, sender: str) -> None:
        command = [sys.executable, "-m", "rasa", "interactive", "-vv", "-m", str(bot.servers.plan.model)]
        command += ["--endpoints", str(bot.servers.endpoints), "--conversation-id", sender, "--skip-visualization"]
        super().__init__([*command, "--port", str(choose_port(None, "--port"))], bot)
        ioctl(self._side, TIOCSWINSZ, struct.pack("HHHH", 50, 250, 0, 0))  # wide enough to break no question
        self._seen = 0

    def wait_for_next(self, word: str) -> None:
        """Read until this was printed after what was waited for last, or fail."""
        self._seen = self.read_until(word, self._seen)

    def press(self, keys: str) -> None:
        """Press keys, once the question had a moment to listen."""
        time.sleep(0.3)
        os.write(self._side, keys.encode())

    def say(self, text: str) -> int:
        """Type a message, and return where the printing after its echo begins."""
        self.press(text + "\r")
        self.wait_for_next(_ACCEPTED)
        return self._seen

    def agree(self) -> None:
        """Say yes to the question that is open."""
        self.press("y")
        self.wait_for_next(_ANSWERED)

    def agree_until_listening(self) -> None:
        """Say yes to intent and actions; the question whether to listen is left open."""
        self.wait_for_next(_UNANSWERED)
        while b"'action_listen'" not in self.printed[self._seen - 100 : self._seen]:
            self.agree()
            self.wait_for_next(_UNANSWERED)

    def export(self) -> None:
        """Leave with Ctrl-C, which asks whether to stop; a second one exports and quits."""
        self.press(_CTRL_C)
        self.wait_for_next("Do you want to stop?")
        self.press(_CTRL_C)
        for question in ("Export stories to", "Export NLU data to", "Export domain file to"):
            self.wait_for_next(question)
            self.press("\r")
        self.wait_for_next("Successfully wrote stories and NLU data")


def test_a_session_prints_and_exports_no_value(bot: RunningBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """At debug level: neither another person's, nor one that was typed before the consent, but for its echo."""
    monkeypatch.setenv("PROMPT_TOOLKIT_NO_CPR", "1")  # nobody here tells where the cursor is
    entered, trainer = new_person(), new_person()
    session = Session(bot, trainer.sender)
    try:
        enter_draw(bot, entered)
        session.wait_for_next(_INPUT)
        session.say("what are the prizes?")
        session.agree_until_listening()
        session.agree()
        session.wait_for_next(_INPUT)
        start = session.say(f"I am {trainer.name}, {trainer.email}, {trainer.phone}")
        session.agree_until_listening()
        session.export()
    finally:
        session.end()
    exported = [Sink(name, (bot.folder / name).read_bytes()) for name in _EXPORTED]
    assert b"utter_prizes" in session.printed
    assert occurrences(trainer.values, [Sink("echo", session.printed[:start])]), "the search does not read a terminal"
    assert_nowhere(entered.marks, [Sink("terminal", session.printed), *exported, *bot.sinks(payloads=False)])
    assert_nowhere(trainer.values, [Sink("terminal", session.printed[start:]), *exported, *bot.sinks()])


def test_nobody_is_asked_in_a_session(bot: RunningBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The consent question is no action that may be named from outside, which is how a session runs actions."""
    monkeypatch.setenv("PROMPT_TOOLKIT_NO_CPR", "1")
    trainer = new_person()
    session = Session(bot, trainer.sender)
    try:
        session.wait_for_next(_INPUT)
        session.say("I want to enter the prize draw")
        session.wait_for_next(_UNANSWERED)
        session.agree()
        session.wait_for_next("The bot wants to run 'action_privacy_ask_consent'")
        session.wait_for_next(_UNANSWERED)
        session.agree()
        session.wait_for_next("failed to execute action!")
        session.wait_for_next("An exception occurred while recording messages.")
    finally:
        session.end()
    assert not stored_values(bot, trainer.sender)
