"""`rasa-privacy database`: which schema the stored data has, and bringing an older one to this release."""

from collections.abc import Iterator
from pathlib import Path

import click

from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.store import store_settings
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.schema import SCHEMA_REVISION, revision_of, upgrade


@click.group()
def database() -> None:
    """Show or upgrade the schema of the stored data."""


@database.command()
@bot_option
@endpoints_option
def status(bot: Path, endpoints: Path | None) -> None:
    """Say which schema each database has, and which this release needs."""
    with store_settings(bot, endpoints) as settings:
        for each in _databases(settings):
            revision = revision_of(each)
            what = "no store yet" if revision is None else f"schema {revision}"
            click.echo(f"{each.name}: {what}; this release needs {SCHEMA_REVISION}.")


@database.command(name="upgrade")
@bot_option
@endpoints_option
def upgrade_command(bot: Path, endpoints: Path | None) -> None:
    """Bring an older schema to this release. Stop the servers and make a backup first.

    It does nothing where the schema is this release's already. Interrupted, it can be run again.
    """
    with store_settings(bot, endpoints) as settings:
        for each in _databases(settings):
            before = upgrade(each)
            done = "nothing to do" if before == SCHEMA_REVISION else f"upgraded from {before} to {SCHEMA_REVISION}"
            click.echo(f"{each.name}: {done}; schema {SCHEMA_REVISION}.")


def _databases(settings: StoreSettings) -> Iterator[Database]:
    """Give the database of the conversations, and that of the keys where they have one."""
    for url in (settings.url, settings.keys.url):
        if url is not None:
            each = Database(url)
            try:
                yield each
            finally:
                each.close()
