"""`rasa-privacy leaktest`: does what people tell this bot come out anywhere?"""

import secrets
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec
import yaml
from rich.console import Console

from rasa_privacy.cli.leak_report import as_json, report_of, show
from rasa_privacy.cli.leak_run import Plan, perform
from rasa_privacy.cli.leak_script import load_script
from rasa_privacy.cli.options import bot_option
from rasa_privacy.cli.processes import ending_cleanly
from rasa_privacy.cli.run_folder import make_private_folder
from rasa_privacy.cli.training import train
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.bot import policy_path, read_bot
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.suggest import did_you_mean, shown

_FOLDER = click.Path(file_okay=False, path_type=Path)
_SEEDS = 10**6
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@bot_option
@click.option("--model", type=_FILE, default=None, help="A trained model. [default: train one]")
@click.option("--models", type=_FOLDER, default=Path(".build/models"), show_default=True, help="Where models are kept.")
@click.option("--script", type=_FILE, default=None, help="Conversations of your own. [default: made from the forms]")
@click.option("--values", type=_FILE, default=None, help="YAML: values to say, a list for each item.")
@click.option("--keep", type=_FOLDER, default=None, help="Keep everything that was written, in this new folder.")
@click.option("--seed", type=click.IntRange(0), default=None, help="Say the same again. [default: something new]")
@click.option("--json", "wants_json", is_flag=True, help="Print the result as JSON.")
def leaktest(  # noqa: PLR0913, PLR0917 - one parameter for each option
    bot: Path,
    model: Path | None,
    models: Path,
    script: Path | None,
    values: Path | None,
    keep: Path | None,
    seed: int | None,
    wants_json: bool,  # noqa: FBT001 - click passes the flag by name
) -> None:
    """Look for what people said in everything that the bot writes and sends.

    Starts a copy of the bot with both servers at debug level. Invented people fill every form, with and without
    consent, tell everything unasked, and have their data deleted. Then the database, the logs, what the event broker
    published, what the action server and an NLG server were sent, the model, temporary and other files are searched
    for what they said: plain, in base64, URL-encoded, in UTF-16, as JSON escapes and in hexadecimal.

    The bot's actions run for real: what they call gets the invented data. Exit code 0: nothing was found; 1: something
    leaked; 2: the test could not be run.
    """
    policy = load_policy(policy_path(read_bot(bot)))
    conversations = load_script(script, policy) if script is not None else None
    own_values = _values(values, policy) if values is not None else {}
    console = Console(stderr=wants_json)
    with ExitStack() as stack:
        stack.enter_context(ending_cleanly())
        root = _root(keep, stack)
        console.print("training the bot, if something changed ...")
        trained = model or train(bot, models)
        chosen = secrets.randbelow(_SEEDS) if seed is None else seed
        console.print(f"talking to the bot: this takes a minute or two (the same again with --seed {chosen}) ...")
        plan = Plan(
            source=bot.resolve(),
            model=trained.resolve(),
            root=root,
            script=conversations,
            values=own_values,
            seed=chosen,
        )
        run = perform(plan)
        console.print("searching ...")
        report = report_of(run)
    if wants_json:
        click.echo(as_json(report))
    else:
        show(report, console)
    if not report.is_clean:
        sys.exit(1)


def _root(keep: Path | None, stack: ExitStack) -> Path:
    """Return a private folder, which goes at the end unless it was asked for."""
    if keep is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rasa-privacy-leaktest-"))).resolve()
    if keep.exists() and any(keep.iterdir()):
        raise ConfigurationError(f"{keep}: the folder holds something already; name a new one with --keep")
    return make_private_folder(keep.resolve())


def _values(path: Path, policy: Policy) -> dict[str, list[str]]:
    """Read the builder's own values.

    Raises:
        ConfigurationError: The file is no mapping of items to lists of texts.
    """
    try:
        values = msgspec.convert(yaml.safe_load(path.read_bytes()), dict[str, list[str]])
    except (OSError, yaml.YAMLError, msgspec.ValidationError, ValueError):
        message = f"{path}: write a list of texts for each item, for example 'postcode: [\"SW1A 1AA\"]'"
        raise ConfigurationError(message) from None
    for item in values:
        if item not in policy.items:
            raise ConfigurationError(f"{path}: item {shown(item)} is not declared{did_you_mean(item, policy.items)}")
    return values
