"""`rasa-privacy check`: reads a bot's folder, or its stored data, and says what is wrong or forgotten."""

import sys
from pathlib import Path

import click

from rasa_privacy.cli.additions import explained
from rasa_privacy.cli.options import bot_option, domain_option, endpoints_option
from rasa_privacy.policy.bot import read_bot
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.linter import lint, policy_path
from rasa_privacy.policy.loader import load_policy


@click.command()
@bot_option
@domain_option
@endpoints_option
@click.option("--database", is_flag=True, help="Open everything that is stored, instead of reading the bot's files.")
def check(bot: Path, domain: Path | None, endpoints: Path | None, *, database: bool) -> None:
    """Say what is wrong or forgotten in a bot's privacy settings, or in its stored data.

    Reads privacy.yml, the domain, config.yml, the endpoints and the actions; runs nothing. Prints the lines that are
    still to be added. With --database it opens every conversation, key, ledger record and notice instead, and names
    what is damaged by row number; the server may go on meanwhile. Exit code 0: no errors; 1: errors were found; 2: a
    file or the database cannot be read, or privacy.yml itself is wrong.
    """
    if database:
        from rasa_privacy.cli.check_database import check_database  # noqa: PLC0415 - opens the store, which takes longer

        sys.exit(check_database(bot, endpoints))
    files = read_bot(bot, domain, endpoints)
    path = policy_path(files)
    findings = lint(files, load_policy(path), str(path))
    for finding in findings:
        click.echo(_shown(finding))
    errors = sum(finding.severity == "error" for finding in findings)
    click.echo(f"{path}: {_counted(errors, 'error')}, {_counted(len(findings) - errors, 'warning')}.")
    for line in explained(files):
        click.echo(line)
    if errors:
        sys.exit(1)


def _shown(finding: Finding) -> str:
    """Return a finding as two lines: what, and what to do."""
    return f"{finding.severity} {finding.code} {finding.place}\n  {finding.why}\n  -> {finding.remedy}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
