"""`RunningBot`: a bot with both real servers, and everything that a test wants to know of it."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rasa_privacy.cli.ports import choose_port
from rasa_privacy.cli.recording_proxy import RecordingProxy
from rasa_privacy.cli.rest import Chat
from rasa_privacy.cli.run_folder import copy_bot, make_private_folder
from rasa_privacy.cli.servers import BotServers, ServerPlan
from tests.e2e.search import Sink

REPOSITORY = Path(__file__).parents[2]
EXAMPLE_BOT = REPOSITORY / "example_bot"
BUILD = REPOSITORY / ".build"


@dataclass(frozen=True)
class RunningBot:
    """A bot that answers, in a folder of its own.

    Attributes:
        folder: Fresh copy of the bot, current directory of both servers. Database, keys, logs (`run/`) and temporary
            files (`tmp/`) of both are inside it: whatever the run writes, it writes here.
        servers: Both processes: `.logs`, `.endpoints`, `.stop_actions()`, `.start_actions()`.
        proxy: What Rasa sends to the action server; `proxy.down()` and `proxy.rewriting(...)` play failures.
    """

    folder: Path
    servers: BotServers
    proxy: RecordingProxy

    def chat(self, sender: str) -> Chat:
        """Return a person; `.say(text)` and `.press(title)` return the bot's messages. Use a new sender per test."""
        return self.servers.chat(sender)

    def payloads(self, sender: str | None = None) -> list[bytes]:
        """Return what Rasa sent to the action server so far, of one sender where it is named."""
        raw = [exchange.payload for exchange in self.proxy.exchanges]
        return raw if sender is None else [payload for payload in raw if f'"{sender}"'.encode() in payload]

    def sinks(self, *, payloads: bool = True) -> list[Sink]:
        """Return every byte that this run wrote or sent to actions, for `search.assert_nowhere`.

        That is: the database with -wal, -shm and journal, key files, both logs at debug level, temporary files of both
        servers (the unpacked model among them), and each payload with its answer. The bot's own source is left out.

        Args:
            payloads: Whether what went to and came from the action server belongs to it. Before a grant it must be
                clean too; after one, values travel there by design.
        """
        files = [path for path in sorted(self.folder.rglob("*")) if path.is_file() and not self._is_source(path)]
        sinks = [Sink(str(path.relative_to(self.folder)), _read(path)) for path in files]
        if payloads:
            for number, exchange in enumerate(self.proxy.exchanges):
                name = f"payload {number} ({exchange.action})"
                sinks += [Sink(name, exchange.payload), Sink(f"answer to {name}", exchange.answer)]
        return sinks

    def _is_source(self, path: Path) -> bool:
        first = path.relative_to(self.folder).parts[0]
        return first in {
            "data",
            "domain",
            "actions",
            "domain.yml",
            "config.yml",
            "privacy.yml",
            "credentials.yml",
            "README.md",
        }


#: Starts a bot of its own for one test: `fresh_bot()`, or `fresh_bot(OTHER="variable")` for both servers' environment.
FreshBot = Callable[..., RunningBot]


@contextmanager
def running_bot(
    bot: Path, model: Path, folder: Path, *, environment: Mapping[str, str] | None = None
) -> Iterator[RunningBot]:
    """Run a fresh copy of a bot, with both servers at debug level and the proxy between them.

    Args:
        bot: Bot to copy; it is not written.
        model: Its trained model.
        folder: Where the copy goes; must not exist. On exit it is deleted.
        environment: More variables for both servers.
    """
    action_port = choose_port(None, "--action-port")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        copy_bot(bot, folder)
        temporary = make_private_folder(folder / "tmp")
        proxy = stack.enter_context(RecordingProxy(f"http://127.0.0.1:{action_port}/webhook"))
        plan = ServerPlan(
            bot=folder,
            model=model,
            run_folder=folder / "run",
            action_port=action_port,
            action_url=proxy.url,
            environment={"TMPDIR": str(temporary), **(environment or {})},
            debug=True,
        )
        yield RunningBot(folder, stack.enter_context(BotServers(plan)), proxy)


def _read(path: Path) -> bytes:
    """Return a file's content; a file that a server deletes meanwhile holds nothing any more."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
