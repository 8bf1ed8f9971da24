"""`rasa-privacy consent`: the group and its commands about one person; others: `consent_ledger`, `consent_import`."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from rasa_privacy.access.recording import record_now
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.asking import confirm
from rasa_privacy.cli.consent_import import import_consents
from rasa_privacy.cli.consent_ledger import check_receipt, checkpoint, export, public_key, stats, verify
from rasa_privacy.cli.files import write_private
from rasa_privacy.cli.options import bot_option, endpoints_option, out_option
from rasa_privacy.cli.senders import PERSON, chosen_sender, known_subject, nobody_known, sender_argument
from rasa_privacy.cli.store import existing_store
from rasa_privacy.consent.receipts import FORMS, Form, sign_receipt
from rasa_privacy.consent.receipts import receipt as receipt_of
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.topics import purpose_of
from rasa_privacy.rights.staff_consents import consents_of, end_consents


@click.group()
def consent() -> None:
    """Look into consents, prove them, and end them.

    Of one person: show, history, receipt, revoke. Of all: stats, verify, checkpoint, public-key, export, import.
    """


for _command in (stats, verify, checkpoint, public_key, export, import_consents, check_receipt):
    consent.add_command(_command)


@consent.command(context_settings=PERSON)
@sender_argument
@operator_options
@bot_option
@endpoints_option
def show(sender: tuple[str, ...], *, sender_stdin: bool, bot: Path, endpoints: Path | None) -> None:
    """Show what a person allows now, purpose by purpose."""
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "view")
        found = consents_of(vault, sender_id, permit)
        if found is None:
            raise nobody_known(vault, sender_id)
    table = Table("purpose", "status", "since (UTC)", "until (UTC)", "may be used", box=None, pad_edge=False)
    for name, each in found.purposes.items():
        since, until = (f"{day:%Y-%m-%d %H:%M}" if day else "" for day in (each.since, each.expires))
        table.add_row(name, each.status, since, until, "yes" if name in found.active else "no")
    Console(width=120).print(table)


@consent.command(context_settings=PERSON)
@sender_argument
@operator_options
@bot_option
@endpoints_option
def history(sender: tuple[str, ...], *, sender_stdin: bool, bot: Path, endpoints: Path | None) -> None:
    """Show everything that the ledger says of a person, the oldest first."""
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    table = Table("record", "at (UTC)", "purpose", "event", "method", "channel", "language", "version", box=None)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "view")
        subject_id = known_subject(vault, sender_id, permit)
        with vault.database.read() as connection:
            for seq, each in vault.ledger.entries_of(connection, subject_id):
                if not permit.covers_purpose(purpose_of(each.purpose)):
                    continue
                stored = vault.notices.get(connection, each.notice_hash)
                version = stored.version if stored is not None else ""
                said = (each.purpose, each.event, each.method, each.channel, each.language, version)
                table.add_row(str(seq), f"{each.at:%Y-%m-%d %H:%M:%S}", *said)
        record_now(vault, permit, subject_id=subject_id, counts={"records": table.row_count})
    Console(width=140).print(table)


@consent.command(context_settings=PERSON)
@sender_argument
@click.option("--purpose", required=True, help="The purpose.")
@click.option(
    "--form", type=click.Choice(FORMS), default="27560", show_default=True, help="ISO/IEC TS, or Kantara 1.1."
)
@out_option
@operator_options
@bot_option
@endpoints_option
def receipt(  # noqa: PLR0913 - one parameter for each option
    sender: tuple[str, ...],
    *,
    sender_stdin: bool,
    purpose: str,
    form: Form,
    out: str,
    bot: Path,
    endpoints: Path | None,
) -> None:
    """Write a receipt of a person's consent, for the person: as JSON, and signed as JWS."""
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "export", purposes=[purpose])
        subject_id = known_subject(vault, sender_id, permit)
        with vault.database.read() as connection:
            made = receipt_of(vault, connection, subject_id, purpose, vault.clock(), form)
        written = msgspec.json.format(
            msgspec.json.encode({"receipt": made, "jws": sign_receipt(vault, made)}), indent=2
        )
        record_now(vault, permit, subject_id=subject_id, purposes=[purpose], counts={"receipts": 1})
    write_private(out, [written + b"\n"])


@consent.command(context_settings=PERSON)
@sender_argument
@click.option("--purpose", "purposes", multiple=True, help="A purpose; may be given more than once. [default: all]")
@click.option("--yes", is_flag=True, help="Do not ask.")
@operator_options
@bot_option
@endpoints_option
def revoke(  # noqa: PLR0913 - one parameter for each option
    sender: tuple[str, ...],
    *,
    sender_stdin: bool,
    purposes: tuple[str, ...],
    yes: bool,
    bot: Path,
    endpoints: Path | None,
) -> None:
    """End a person's consent, also in linked conversations, and destroy what only it allowed.

    The bot obeys from the next turn on.
    """
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "consent", purposes=purposes or vault.policy.purposes)
        unknown = [name for name in purposes if name not in vault.policy.purposes]
        if unknown:
            raise ConfigurationError(f"privacy.yml has no purpose '{unknown[0]}'; see 'rasa-privacy notice show'")
        known_subject(vault, sender_id, permit)
        if not yes:
            confirm("End the consent and destroy the data that only it allowed?", "Nothing was ended.")
        done = end_consents(vault, sender_id, purposes or vault.policy.purposes, permit)
    click.echo(f"Ended: {', '.join(done.purposes) or 'nothing, there was no consent to end'}.")
    if done.removed:
        click.echo(f"Destroyed: {', '.join(done.removed)}.")
