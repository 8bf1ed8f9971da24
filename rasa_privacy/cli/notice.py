"""`rasa-privacy notice`: what each purpose promises now, and what changed since people agreed to it."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.policy_file import policy_file
from rasa_privacy.cli.store import existing_store
from rasa_privacy.consent.notice_changes import older_versions, policy_changes
from rasa_privacy.consent.statistics import count_consents
from rasa_privacy.consent.terms import terms_version
from rasa_privacy.policy.counted import counted
from rasa_privacy.policy.loader import load_policy


@click.group()
def notice() -> None:
    """Look at the notices: show, diff. A purpose's notice has a new version when what it promises changes."""


@notice.command()
@bot_option
@endpoints_option
def show(bot: Path, endpoints: Path | None) -> None:
    """Show the version of each purpose's terms, and how many people agreed to it or to an older one."""
    table = Table("purpose", "version", "agreed to it", "to an older one", "what it says", box=None, pad_edge=False)
    with existing_store(bot, endpoints) as vault, vault.database.read() as connection:
        for counts in count_consents(vault, connection, vault.clock()):
            if counts.is_declared and counts.is_purpose:
                version = terms_version(vault.policy, counts.purpose)
                now = counts.versions.get(version, 0)
                older = sum(counts.versions.values()) - now
                says = next(iter(vault.policy.purposes[counts.purpose].says.values()), "")
                table.add_row(counts.purpose, version, f"{now:,}", f"{older:,}", says)
    Console(width=160).print(table)


@notice.command()
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another privacy.yml, such as an older one, to compare with instead of what people agreed to.",
)
@bot_option
@endpoints_option
def diff(against: Path | None, bot: Path, endpoints: Path | None) -> None:
    """Show what changed, field by field, since people agreed, and how many people will be asked again."""
    other = None if against is None else load_policy(against.absolute(), policy_file(bot, endpoints).parent)
    with existing_store(bot, endpoints) as vault:
        if other is not None:
            _show(policy_changes(other, vault.policy))
            return
        with vault.database.read() as connection:
            older = list(older_versions(vault, connection, vault.clock()))
    for each in older:
        click.echo(f"{each.purpose}: {counted(each.people, 'person')} agreed to version {each.version}.")
        for line in each.changes if each.changes is not None else ("its terms were not kept by that release",):
            click.echo(f"  {line}")
    if not older:
        click.echo("Everybody who agreed, agreed to what privacy.yml says now.")


def _show(found: dict[str, list[str]]) -> None:
    for purpose, lines in found.items():
        click.echo(f"{purpose}:")
        for line in lines:
            click.echo(f"  {line}")
    if not found:
        click.echo("Nothing changed that people are told.")
