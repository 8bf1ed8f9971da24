"""`rasa-privacy demo`: a bot with both servers, and a view of what its store holds after each turn.

Each run has a private temporary folder for database, keys and logs, deleted at the end, so that it starts fresh. The
database and keys that the bot's endpoints.yml names are not touched.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import click
from rich.console import Console

from rasa_privacy.cli.demo_script import conversation
from rasa_privacy.cli.demo_session import DemoSession
from rasa_privacy.cli.ports import choose_port
from rasa_privacy.cli.processes import ending_cleanly
from rasa_privacy.cli.run_folder import fresh_store, make_private_folder
from rasa_privacy.cli.servers import BotServers, ServerPlan
from rasa_privacy.cli.training import train
from rasa_privacy.policy.settings import load_settings
from rasa_privacy.storage.vault import open_vault

_FOLDER = click.Path(file_okay=False, path_type=Path)
_PORT = click.IntRange(1, 65_535)


@click.command()
@click.option("--bot", type=_FOLDER, default=Path("example_bot"), show_default=True, help="The bot's folder.")
@click.option("--port", type=_PORT, default=None, help="Port of the Rasa server. [default: a free one]")
@click.option("--action-port", type=_PORT, default=None, help="Port of the action server. [default: a free one]")
@click.option("--models", type=_FOLDER, default=Path(".build/models"), show_default=True, help="Where models are kept.")
@click.option(
    "--chat/--script",
    default=None,
    help="Talk yourself, or watch conversation 1. [default: talk on a terminal, else watch]",
)
def demo(bot: Path, port: int | None, action_port: int | None, models: Path, chat: bool | None) -> None:  # noqa: FBT001 - click passes the flag by name
    """Talk to the example bot and watch what is stored.

    Trains the bot if needed and starts both of its servers. Exit code 0: all went well, or you left the chat; 1: a turn
    of the script did not give what it should; 2: it could not start.
    """
    talks = sys.stdin.isatty() and sys.stdout.isatty() if chat is None else chat
    console = Console()
    failed: list[str] = []
    try:
        with ending_cleanly(), _session(console, bot.resolve(), models, port, action_port) as session:
            if talks:
                session.chat(lambda: console.input("\nyou> "))
            else:
                failed = session.play(conversation(session.vault.policy.controller.policy_url))
    except KeyboardInterrupt:
        if not talks:
            raise  # a script that did not end is no success
    for line in failed:
        click.echo(line, err=True)
    if failed:
        sys.exit(1)
    console.print("\nThe servers are stopped, and this run's database and keys are deleted.")


@contextmanager
def _session(
    console: Console, bot: Path, models: Path, port: int | None, action_port: int | None
) -> Iterator[DemoSession]:
    """Train, start and open the store; stop and delete everything on the way out."""
    for wanted, option in ((port, "--port"), (action_port, "--action-port")):
        if wanted is not None:
            choose_port(wanted, option)  # said now, and not after a training
    with tempfile.TemporaryDirectory(prefix="rasa-privacy-demo-") as temporary:
        store = make_private_folder(Path(temporary) / "store")
        changes = fresh_store(bot, store)
        with _progress(console, "training the bot (about half a minute if something changed)"):
            model = train(bot, models)
        plan = ServerPlan(
            bot=bot,
            model=model,
            run_folder=Path(temporary) / "run",
            port=port,
            action_port=action_port,
            changes=changes,
            # Rasa unpacks the model there; a temporary folder of ours goes with the rest.
            environment={"TMPDIR": str(make_private_folder(Path(temporary) / "tmp"))},
        )
        with ExitStack() as stack:
            with _progress(console, "starting the Rasa server and the action server"):
                servers = stack.enter_context(BotServers(plan))
            vault = stack.enter_context(closing(open_vault(load_settings(servers.endpoints))))
            yield DemoSession(console, servers, vault, store)


@contextmanager
def _progress(console: Console, what: str) -> Iterator[None]:
    """Show that something takes its time: a moving sign on a terminal, a line elsewhere."""
    if not console.is_terminal:
        console.print(f"{what} ...")
        yield
        return
    with console.status(what):
        yield
    console.print(f"{what}: done", style="dim")
