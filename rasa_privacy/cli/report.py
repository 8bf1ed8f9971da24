"""`rasa-privacy report` and `status`: what the controller shows others, and how things stand."""

import os
from pathlib import Path

import click
import msgspec

from rasa_privacy.access.recording import record_now
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.files import write_private
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.errors import ConfigurationError, PolicyError
from rasa_privacy.policy.bot import policy_path, read_bot
from rasa_privacy.policy.linter import lint_all
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.report.facts import Report
from rasa_privacy.report.gathering import gather
from rasa_privacy.report.page import page
from rasa_privacy.report.status import status_lines

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--out", type=_FILE, default=Path("privacy-report.html"), show_default=True, help="The HTML file.")
@click.option("--json", "json_file", type=_FILE, help="A file for the same as JSON.")
@operator_options
@bot_option
@endpoints_option
def report(out: Path, json_file: Path | None, bot: Path, endpoints: Path | None) -> None:
    """Write the report for the officer and for auditors: one HTML file without outside assets, made to be printed.

    Record of processing, inventory, consent, requests, retention, access, keys, training, findings, and whether the
    chains verify. Counts only; the file holds no name and no message.
    """
    out, json_file = out.absolute(), None if json_file is None else json_file.absolute()
    made = _made(bot.absolute(), endpoints)
    write_private(str(out), [page(made).encode()])
    click.echo(f"{out}: written.")
    if json_file is not None:
        write_private(str(json_file), [msgspec.json.format(msgspec.json.encode(made), indent=2)])
        click.echo(f"{json_file}: written.")


@click.command()
@operator_options
@bot_option
@endpoints_option
def status(bot: Path, endpoints: Path | None) -> None:
    """Say in ten lines how things stand; a line that needs somebody begins with '!'."""
    for line in status_lines(_made(bot.absolute(), endpoints)):
        click.echo(line)


def _made(bot: Path, endpoints: Path | None) -> Report:
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "report")
        found = gather(vault, permit, vault.clock(), _findings(bot, endpoints))
        record_now(vault, permit, counts={"conversations": found.conversations})
    return found


def _findings(bot: Path, endpoints: Path | None) -> list[str] | None:
    """Return what `check` says, or None where the bot's files are not here."""
    try:
        files = read_bot(bot, None, endpoints)
        path = policy_path(files)
        found = lint_all(files, load_policy(path), path.name)
    except (ConfigurationError, PolicyError):
        return None
    # Others read it, whom the folders of this computer tell nothing.
    said = [f"{each}{f' (waived: {each.waived})' if each.waived else ''}" for each in found]
    return [line.replace(f"{bot}{os.sep}", "") for line in said]
