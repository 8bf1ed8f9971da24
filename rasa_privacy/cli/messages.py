"""`rasa-privacy messages`: what people said, masked, as examples for training the bot."""

from pathlib import Path

import click

from rasa_privacy.access.recording import recording
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.files import write_private
from rasa_privacy.cli.options import bot_option, endpoints_option, out_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.policy.counted import counted
from rasa_privacy.rights.training_messages import Gathered, as_yaml, training_messages


@click.group()
def messages() -> None:
    """Look at what people say to the bot: export."""


@messages.command()
@click.option("--purpose", default=None, help="Only of people who allow this purpose; otherwise of all who allow one.")
@out_option
@operator_options
@bot_option
@endpoints_option
def export(purpose: str | None, out: str, bot: Path, endpoints: Path | None) -> None:
    """Write masked messages with the intents that were recognised, as NLU data that Rasa reads.

    Look through them before you train: an intent that was recognised wrongly stands there as it was recognised, and a
    name that no detector knows and nobody gave in a form stands there as it was said.
    """
    gathered = Gathered()
    with existing_store(bot, endpoints) as vault:
        purposes = [] if purpose is None else [purpose]
        permit = permit_for(vault, "export", purposes=purposes)
        with recording(vault, permit, purposes=purposes) as counts:
            found = training_messages(vault, permit, purpose, gathered)
            write_private(out, [as_yaml(found)])
            counts["people"] = gathered.people
    texts = sum(map(len, found.values()))
    click.echo(
        f"{counted(texts, 'different text')} of {counted(gathered.people, 'person')}, in "
        f"{counted(len(found), 'intent')}.",
        err=True,
    )
    if gathered.unreadable:
        click.echo(
            f"Data of {counted(gathered.unreadable, 'person')} cannot be opened; 'rasa-privacy check --database' names "
            "the rows.",
            err=True,
        )
