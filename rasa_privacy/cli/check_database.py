"""`rasa-privacy check --database`: opens everything that is stored and names what is damaged, by row number."""

from pathlib import Path
from typing import Final

import click

from rasa_privacy.access.recording import recording
from rasa_privacy.cli.acting import permit_for
from rasa_privacy.cli.progress import progress
from rasa_privacy.cli.store import existing_store
from rasa_privacy.policy.counted import counted
from rasa_privacy.retention.review_duty import overdue_since
from rasa_privacy.storage import contact_marks
from rasa_privacy.storage.inspection import Damage, Inspection, count_conversations, inspect_store
from rasa_privacy.storage.schema import SCHEMA_REVISION
from rasa_privacy.storage.stock_database import has_stock_table

_DAMAGED: Final = 1


def check_database(bot: Path, endpoints: Path | None) -> int:
    """Look at everything, print what is damaged and what was seen, and return the exit code."""
    with existing_store(bot, endpoints) as vault:
        with (
            recording(vault, permit_for(vault, "report")) as counts,
            progress("Opening conversations", count_conversations(vault)) as advance,
        ):
            seen = inspect_store(vault, _show, advance)
            counts |= {"conversations": seen.conversations, "damaged": seen.damaged}
        click.echo(f"{vault.database.name}: schema {SCHEMA_REVISION}; {_summary(seen)}.")
        with vault.database.read() as connection:
            overdue = overdue_since(vault, connection, vault.clock())
            beside = has_stock_table(connection)
            is_indexed = contact_marks.is_complete(connection, vault.policy)
    if overdue is not None:
        click.echo(
            f"warning: a review of what is stored is overdue since {overdue:%Y-%m-%d}; run 'rasa-privacy review make'."
        )
    if beside:
        click.echo(
            "warning: this database also holds a table 'events' of Rasa's own, in which conversations stand in plain; "
            "name it under 'erasure: stock_tables:' and run 'rasa-privacy old-tables purge', or take it over with "
            "'import'."
        )
    if not is_indexed:
        click.echo(
            "warning: contacts that were stored before 'identity:' are not known to be indexed, so a proof of identity "
            "may not find all conversations; run 'rasa-privacy identity index'."
        )
    if seen.damages:
        click.echo("The other conversations go on. Restore what is damaged from a backup, or erase those people.")
    return _DAMAGED if seen.damages else 0


def _show(damage: Damage) -> None:
    click.echo(f"error {damage.place}: {damage.why}")


def _summary(seen: Inspection) -> str:
    return (
        f"{seen.damaged:,} of {counted(seen.conversations, 'conversation')} damaged, {counted(seen.damages, 'error')}; "
        f"opened: {counted(seen.events, 'event')}, {counted(seen.keys, 'key')}, "
        f"{counted(seen.records, 'ledger record')} with {counted(seen.checkpoints, 'checkpoint')}, "
        f"{counted(seen.audit, 'audit record')} and {counted(seen.notices, 'notice')}"
    )
