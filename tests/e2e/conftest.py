"""Fixtures for tests that drive a real Rasa server and action server.

How to write a test::

    pytestmark = [pytest.mark.e2e]

    def test_refusing_keeps_the_bot_useful(bot: RunningBot) -> None:
        ana = bot.chat("refuser-1")                      # a sender id that no other test of the module uses
        messages = ana.say("I want to enter the draw")   # list of BotMessage(text, buttons)
        ana.press("No, thanks")                          # a button of the last turn, by title or a part of it
        assert_nowhere(["Canary-Name-7"], bot.sinks())   # every byte written or sent, in many alphabets

    def test_grant_while_actions_are_down(bot: RunningBot) -> None:
        with bot.proxy.down(): ...                       # Rasa gets no answer from the action server
        with bot.proxy.rewriting(change): ...            # the action server's answers are changed on their way

Rules: `bot` is shared by the tests of one module (starting takes 10 to 20 s), so each test uses senders of its own;
`fresh_bot()` starts one for a test that stops servers or reads the whole store. Models are trained once into `.build/`,
whatever the number of workers, and again only when the bot or the package changed. Run with
`pytest -n 2 --dist loadfile`, so that a module's tests stay with its servers.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rasa_privacy.cli.training import train
from tests.e2e.harness import BUILD, EXAMPLE_BOT, FreshBot, RunningBot, running_bot


@pytest.fixture(scope="session")
def model() -> Path:
    """The example bot's model: one for all workers, trained only when the bot or the package changed."""
    return train(EXAMPLE_BOT, BUILD / "models")


@pytest.fixture(scope="module")
def bot(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBot]:
    """The example bot with both servers, in a fresh folder, for all tests of one module."""
    with running_bot(EXAMPLE_BOT, model, tmp_path_factory.mktemp("bot") / "bot") as running:
        yield running


@pytest.fixture
def fresh_bot(model: Path, tmp_path: Path) -> Iterator[FreshBot]:
    """A function that starts the example bot for one test only; it is stopped when the test ends."""
    with ExitStack() as stack:

        def start(**environment: str) -> RunningBot:
            number = sum(1 for _ in tmp_path.glob("bot-*"))
            folder = tmp_path / f"bot-{number}"
            return stack.enter_context(running_bot(EXAMPLE_BOT, model, folder, environment=environment))

        yield start
    shutil.rmtree(tmp_path, ignore_errors=True)
