"""`rasa-privacy old-tables`: the tables of Rasa's own that a bot wrote before, which stand in plain."""

from contextlib import closing
from pathlib import Path

import click

from rasa_privacy.access.recording import record_now
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.progress import progress
from rasa_privacy.cli.senders import PERSON, chosen_sender, sender_argument
from rasa_privacy.cli.store import existing_store
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.counted import counted
from rasa_privacy.policy.operations import StockTable
from rasa_privacy.rights.stock_tables import open_table, purge, url_of
from rasa_privacy.storage.stock import StockStore
from rasa_privacy.storage.stock_database import has_stock_table
from rasa_privacy.storage.vault import Vault


@click.group("old-tables")
def old_tables() -> None:
    """Find and empty the tables 'events' of Rasa's own SQL stores: show, purge.

    privacy.yml names them under 'erasure: stock_tables:'. Who is deleted is removed from them by itself.
    """


@old_tables.command()
@operator_options
@bot_option
@endpoints_option
def show(bot: Path, endpoints: Path | None) -> None:
    """Say how many rows each old table has, and whether the store's own database holds one that nobody named."""
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "report")
        counts = {}
        for table in vault.policy.erasure.stock_tables:
            with closing(open_table(table)) as old:
                counts[table.name] = old.count()
        with vault.database.read() as connection:
            beside = has_stock_table(connection)
        record_now(vault, permit, counts={"tables": len(counts), "rows": sum(counts.values())})
    for name, number in counts.items():
        click.echo(f"{name}: {counted(number, 'row')}")
    if not counts:
        click.echo("privacy.yml names no old table; write them under 'erasure: stock_tables:'")
    if beside:
        click.echo(f"{vault.database.name}: there is a table 'events' of Rasa's own in this database, in plain")


@old_tables.command("purge", context_settings=PERSON)
@sender_argument
@click.option("--table", "name", help="Empty this whole table, instead of removing one person from all of them.")
@click.option("--yes/--dry-run", help="Do it. Without --yes nothing is deleted, and what would be is said.")
@operator_options
@bot_option
@endpoints_option
def purge_rows(  # noqa: PLR0913 - one parameter for each option
    sender: tuple[str, ...],
    *,
    sender_stdin: bool,
    name: str | None,
    yes: bool,
    bot: Path,
    endpoints: Path | None,
) -> None:
    """Remove one person from every old table, or empty one of them, and read back. Without --yes it only counts."""
    if name is not None and (sender or sender_stdin):
        raise ConfigurationError("give a sender or --table, not both")
    sender_id = None if name is not None else chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "erase")
        if not yes:
            _count(vault, name, sender_id)
        elif sender_id is not None:
            for table, rows in purge(vault, sender_id, permit).items():
                click.echo(f"{table}: {counted(rows, 'row')} removed and read back")
        else:
            record_now(vault, permit, outcome="begun")
            rows = _empty(_named(vault, name))
            record_now(vault, permit, counts={"rows": rows})
            click.echo(f"{name}: removed {counted(rows, 'row')}, and the table was rebuilt. Backups still hold them.")


def _count(vault: Vault, name: str | None, sender_id: str | None) -> None:
    tables = vault.policy.erasure.stock_tables if name is None else (_named(vault, name),)
    for table in tables:
        with closing(open_table(table)) as old:
            rows = old.count() if sender_id is None else old.count_of([sender_id])
        click.echo(f"{table.name}: would remove {counted(rows, 'row')}")
    click.echo("Nothing was deleted: say --yes to remove them.")


def _empty(table: StockTable) -> int:
    with closing(StockStore(url_of(table))) as stock, progress("Deleting rows", stock.rows) as advance:
        stock.scrub(advance)
        return stock.rows


def _named(vault: Vault, name: str | None) -> StockTable:
    for table in vault.policy.erasure.stock_tables:
        if table.name == name:
            return table
    raise ConfigurationError("privacy.yml names no old table of this name under 'erasure: stock_tables:'")
