"""`rasa-privacy requests`: the commands that open a request, and lead it from step to step until it is answered."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from rasa_privacy.access.recording import record
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.request_lines import moment, said
from rasa_privacy.cli.senders import PERSON, chosen_sender, sender_argument
from rasa_privacy.cli.store import endpoints_file, existing_store
from rasa_privacy.rights import extension
from rasa_privacy.rights import requests as rules
from rasa_privacy.rights.clocks import KINDS, Kind
from rasa_privacy.rights.deeds import DONE_ELSEWHERE
from rasa_privacy.rights.extension import REASONS_TO_EXTEND, extend_with_notice
from rasa_privacy.rights.senders import open_sender
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault

Rule = Callable[[Vault, Any, str, datetime], Request]

number_argument = click.argument("number")
told_option = click.option("--told", is_flag=True, required=True, help="Needed: the person was told, and why.")
notified_option = click.option(
    "--notify/--told",
    default=None,
    help="Needed: send the person the notice through privacy_sender, to a contact on file; or say that you told them.",
)


@click.command("open", context_settings=PERSON)
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What is asked for.")
@sender_argument
@operator_options
@bot_option
@endpoints_option
def open_one(kind: Kind, sender: tuple[str, ...], *, sender_stdin: bool, bot: Path, endpoints: Path | None) -> None:
    """Open a request that came by another way, such as a letter. Its clock begins now."""
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "requests")

        def work(connection: Any) -> Request:
            subject_id = vault.subjects.find_for_update(connection, sender_id)
            new = rules.open_request(vault, connection, kind, subject_id, vault.clock(), permit.operator)
            record(vault, connection, permit, subject_id=subject_id, counts={"requests": 1})
            return new

        opened = vault.database.transact(work)
    click.echo(f"{opened.number}: due {moment(opened.answer_by)} UTC by {opened.regulation}")


@click.command()
@number_argument
@operator_options
@bot_option
@endpoints_option
def take(number: str, bot: Path, endpoints: Path | None) -> None:
    """Own a request from now on."""
    _change(bot, endpoints, lambda _vault, connection, who, now: rules.take(connection, number, who, now))


@click.command()
@number_argument
@operator_options
@bot_option
@endpoints_option
def acknowledge(number: str, bot: Path, endpoints: Path | None) -> None:
    """Note that the person got a confirmation of receipt, which CCPA demands in 10 business days."""
    _change(bot, endpoints, lambda _vault, connection, who, now: rules.acknowledge(connection, number, who, now))


@click.command()
@number_argument
@click.option("--asked/--proven", "asked", required=True, help="The person was asked to prove who they are, or did.")
@operator_options
@bot_option
@endpoints_option
def identity(number: str, *, asked: bool, bot: Path, endpoints: Path | None) -> None:
    """Note that a proof of identity, or a clarification, is waited for, or came. For UK GDPR the clock stops."""

    def step(vault: Vault, connection: Any, who: str, now: datetime) -> Request:
        if asked:
            return rules.ask_for_proof(vault, connection, number, who, now)
        return rules.proven(connection, number, who, now)

    _change(bot, endpoints, step)


@click.command()
@number_argument
@click.option("--because", type=click.Choice(REASONS_TO_EXTEND), required=True, help="Why.")
@notified_option
@operator_options
@bot_option
@endpoints_option
def extend(number: str, *, because: str, notify: bool | None, bot: Path, endpoints: Path | None) -> None:
    """Put the date off, once and before it is over, where the law allows it.

    With --notify the person gets a notice with the reason and the new date; one that cannot be sent puts nothing off.
    """
    if notify is None:
        raise click.UsageError("say --notify, or --told where you told the person in another way")
    if not notify:
        _change(bot, endpoints, lambda vault, conn, who, now: extension.extend(vault, conn, number, because, who, now))
        return
    file = endpoints_file(bot, endpoints)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "requests")
        changed = extend_with_notice(vault, number, because, permit, lambda: open_sender(file))
    click.echo(f"{said(changed)}; the notice went to the contact on file")


@click.command()
@number_argument
@click.option("--because", type=click.Choice(tuple(rules.REASONS_TO_REFUSE)), required=True, help="Why.")
@told_option
@operator_options
@bot_option
@endpoints_option
def refuse(number: str, *, because: str, told: bool, bot: Path, endpoints: Path | None) -> None:  # noqa: ARG001 - click demands it
    """Refuse a request, for a reason that the law knows."""
    _change(bot, endpoints, lambda vault, conn, who, now: rules.refuse(vault, conn, number, because, who, now))


@click.command()
@number_argument
@click.option("--done-elsewhere", "elsewhere", type=click.Choice(tuple(DONE_ELSEWHERE)), help="Why no record tells.")
@operator_options
@bot_option
@endpoints_option
def complete(number: str, *, elsewhere: str | None, bot: Path, endpoints: Path | None) -> None:
    """Note that a request was answered, where the records tell that what it asks for was done.

    One to be deleted completes itself when the person is erased.
    """
    _change(bot, endpoints, lambda vault, conn, who, now: rules.complete(vault, conn, number, who, now, elsewhere))


def _change(bot: Path, endpoints: Path | None, rule: Rule) -> None:
    """Run a rule in a transaction, and say what became of the request."""
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "requests")

        def work(connection: Any) -> Request:
            changed = rule(vault, connection, permit.operator, vault.clock())
            record(vault, connection, permit, subject_id=changed.subject_id, counts={"requests": 1})
            return changed

        changed = vault.database.transact(work)
    click.echo(said(changed))
