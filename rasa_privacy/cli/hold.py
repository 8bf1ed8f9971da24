"""`rasa-privacy hold`: of whom nothing may be destroyed, for a legal matter."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from rasa_privacy.access.recording import record_now
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.senders import PERSON, chosen_sender, known_subject, sender_argument
from rasa_privacy.cli.store import existing_store
from rasa_privacy.rights import holds as rules
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.storage import holds as rows

for_option = click.option("--for", "name", required=True, help="The matter, such as case-17; no personal data.")


@click.group()
def hold() -> None:
    """Keep what is stored of a person for a legal matter: add, release, list.

    Nobody who is held is deleted. A consent that is taken back ends all the same: what it held is kept and not used.
    """


@hold.command(context_settings=PERSON)
@sender_argument
@for_option
@click.option("--silent", is_flag=True, help="The law forbids to disclose it: only roles that may `retention` see it.")
@operator_options
@bot_option
@endpoints_option
def add(  # noqa: PLR0913 - one parameter for each option
    sender: tuple[str, ...], *, sender_stdin: bool, name: str, silent: bool, bot: Path, endpoints: Path | None
) -> None:
    """Hold a person. Retention, staff and the person themselves delete nothing until it is released.

    They are told so, unless it is --silent: then only that some data must be kept by law.
    """
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "retention")
        known_subject(vault, sender_id, permit)
        new = vault.database.transact(lambda conn: rules.add(vault, conn, sender_id, name, permit, silent=silent))
    how = ", which is not disclosed" if silent else ""
    click.echo(f"Held for {name}{how}." if new else f"Was held for {name} already{how}.")


@hold.command(context_settings=PERSON)
@sender_argument
@click.option("--everybody", is_flag=True, help="Everybody whom this matter holds, instead of one person.")
@for_option
@operator_options
@bot_option
@endpoints_option
def release(  # noqa: PLR0913 - one parameter for each option
    sender: tuple[str, ...], *, sender_stdin: bool, everybody: bool, name: str, bot: Path, endpoints: Path | None
) -> None:
    """Let go of a person, or of everybody whom a matter holds. What nothing else allows to keep is deleted at once."""
    sender_id = None if everybody and not sender else chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "retention")
        done = vault.database.transact(lambda connection: rules.release(vault, connection, name, permit, sender_id))
        empty_log(vault)
    click.echo(f"{done.people:,} released from {name}.")
    for number in done.waiting:
        click.echo(f"{number}: asked to be deleted meanwhile, and is not yet")


@hold.command("list")
@operator_options
@bot_option
@endpoints_option
def list_holds(bot: Path, endpoints: Path | None) -> None:
    """Show each matter, whom it holds by random id, since when, and who added it."""
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "retention")
        with vault.database.read() as connection:
            found = rows.every(connection)
        record_now(vault, permit, counts={"holds": len(found)})
    table = Table("matter", "person", "since (UTC)", "by", "disclosed", box=None)
    for each in found:
        disclosed = "no" if each.is_silent else "yes"
        table.add_row(each.name, each.subject_id.hex(), f"{each.added_at:%Y-%m-%d %H:%M}", each.added_by, disclosed)
    Console(width=120).print(table)
