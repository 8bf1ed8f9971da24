"""`rasa-privacy check`: reads a bot's folder, or its stored data, and says what is wrong or forgotten."""

import sys
from pathlib import Path

import click

from rasa_privacy.cli.additions import explained
from rasa_privacy.cli.options import bot_option, domain_option, endpoints_option
from rasa_privacy.cli.sarif import as_json, as_sarif
from rasa_privacy.policy.bot import policy_path, read_bot
from rasa_privacy.policy.counted import counted
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.linter import lint_all
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.policy.model import Policy


@click.command()
@bot_option
@domain_option
@endpoints_option
@click.option("--database", is_flag=True, help="Open everything that is stored, instead of reading the bot's files.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="How findings are written; SARIF 2.1.0 is for code hosts and editors.",
)
def check(bot: Path, domain: Path | None, endpoints: Path | None, *, database: bool, form: str) -> None:
    """Say what is wrong or forgotten in a bot's privacy settings, or in its stored data.

    Reads privacy.yml, the domain, config.yml, the endpoints and the actions; runs nothing. Where privacy.yml
    asks for reviews, the store is asked when the last one was, and nothing else. Prints the lines that are
    still to be added. With --database it opens every conversation, key, ledger record and notice instead, and names
    what is damaged by row number; the server may go on meanwhile. Exit code 0: no errors; 1: errors were found; 2: a
    file or the database cannot be read, or privacy.yml itself is wrong.
    """
    if database:
        from rasa_privacy.cli.check_database import check_database  # noqa: PLC0415 - opens the store, which takes longer

        sys.exit(check_database(bot, endpoints))
    files = read_bot(bot, domain, endpoints)
    path = policy_path(files)
    policy = load_policy(path)
    found = lint_all(files, policy, str(path), more=_of_the_store(bot, endpoints, policy, str(path)))
    findings = [finding for finding in found if not finding.waived]
    errors = sum(finding.severity == "error" for finding in findings)
    if form == "text":
        _print(found, f"{path}: {counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}")
        for line in explained(files):
            click.echo(line)
    else:
        click.echo(as_json(found) if form == "json" else as_sarif(found, bot))
    if errors:
        sys.exit(1)


def _of_the_store(bot: Path, endpoints: Path | None, policy: Policy, file: str) -> list[Finding]:
    if policy.retention.review_every is None:
        return []
    from rasa_privacy.cli.check_review import overdue_review  # noqa: PLC0415 - imports the database's driver

    return list(overdue_review(bot, endpoints, policy, file))


def _print(found: list[Finding], summary: str) -> None:
    for finding in found:
        click.echo(_shown(finding))
    waived = sum(bool(finding.waived) for finding in found)
    click.echo(f"{summary}{f', {waived} waived' if waived else ''}.")


def _shown(finding: Finding) -> str:
    """Return a finding as two lines: what, and what to do."""
    last = f"waived: {finding.waived}" if finding.waived else f"-> {finding.remedy}"
    return f"{finding.severity} {finding.code} {finding.place}\n  {finding.why}\n  {last}"
