"""`rasa-privacy database`: which schema the stored data has, bringing an older one to this release, and grants."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.store import store_settings
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.grants import grant_statements, role_statements
from rasa_privacy.storage.schema import SCHEMA_REVISION, revision_of, upgrade


@click.group()
def database() -> None:
    """Show or upgrade the schema of the stored data, or print who may do what in it: status, upgrade, grants."""


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


@database.command()
@click.option("--prefix", default="rasa_privacy", show_default=True, help="What the names of the roles begin with.")
@click.option("--schema", default="public", show_default=True, help="The schema of the tables.")
@bot_option
@endpoints_option
def grants(prefix: str, schema: str, bot: Path, endpoints: Path | None) -> None:
    """Print the SQL that gives each process on PostgreSQL what it needs, and nothing else; runs none of it.

    There is a role for the Rasa server, the action server, a sweeper and the operators' console. Who owns the tables
    runs it, after the first start and after each upgrade; then give each role a password and name it in the URL of its
    process.
    """
    with store_settings(bot, endpoints) as settings:
        apart = settings.keys.url is not None
        for each in _databases(settings):
            if each.dialect != "postgresql":
                raise ConfigurationError(
                    f"{each.name}: grants are for PostgreSQL; a file of SQLite has its mode, and on MariaDB give each "
                    "process a user with rights on this database alone"
                )
        click.echo("-- Once for the whole server:")
        _print(role_statements(prefix))
        for each, keys in zip(_databases(settings), (False, True), strict=False):
            click.echo(f"-- In {each.name}:")
            _print(grant_statements(prefix=prefix, schema=schema, apart=apart, keys=keys))


def _print(statements: Iterable[str]) -> None:
    for statement in statements:
        click.echo(f"{statement};")


def _databases(settings: StoreSettings) -> Iterator[Database]:
    """Give the database of the conversations, and that of the keys where they have one."""
    for url in (settings.url, settings.keys.url):
        if url is not None:
            each = Database(url)
            try:
                yield each
            finally:
                each.close()
