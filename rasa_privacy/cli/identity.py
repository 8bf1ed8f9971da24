"""`rasa-privacy identity`: letting people be found by contacts that were stored before `identity:` was written."""

from pathlib import Path

import click

from rasa_privacy.access.recording import recording
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.progress import progress
from rasa_privacy.cli.store import existing_store
from rasa_privacy.policy.counted import counted
from rasa_privacy.rights.contact_indexing import Indexed, index_contacts


@click.group()
def identity() -> None:
    """Look after how a proof of identity finds a person's other conversations: index."""


@identity.command()
@operator_options
@bot_option
@endpoints_option
def index(bot: Path, endpoints: Path | None) -> None:
    """Index the contacts that were stored before `identity:` stood in privacy.yml. The bot may go on running.

    Start all servers anew with that privacy.yml first. Stopped, it goes on where it was when it is run again.
    """
    with existing_store(bot, endpoints) as vault:
        permit, done = permit_for(vault, "keys"), Indexed()
        with vault.database.read() as connection:
            total = vault.conversations.count(connection)
        with recording(vault, permit) as counts, progress("Indexing contacts", total) as advance:
            try:
                index_contacts(vault, permit, done, advance)
            finally:
                counts |= {"people": done.people, "contacts": done.contacts, "unreadable": done.unreadable}
    click.echo(f"Looked at {counted(done.people, 'person')}; indexed {counted(done.contacts, 'contact')}.")
    if done.unreadable:
        click.echo(
            f"{counted(done.unreadable, 'person')} cannot be read, nor be found; `check --database` names the rows."
        )
