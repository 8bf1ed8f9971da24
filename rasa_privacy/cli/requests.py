"""`rasa-privacy requests`: the group, and what people asked for and what is due; `request_steps` answers it."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.table import Table

from rasa_privacy.access.recording import record_now, recording
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.request_lines import cells, moment, state_of
from rasa_privacy.cli.request_steps import (
    acknowledge,
    complete,
    extend,
    identity,
    number_argument,
    open_one,
    refuse,
    take,
)
from rasa_privacy.cli.store import endpoints_file, existing_store
from rasa_privacy.errors import RequestError
from rasa_privacy.rights.clocks import KINDS
from rasa_privacy.rights.reminders import SOON, due, line, remind
from rasa_privacy.rights.request_counts import count
from rasa_privacy.rights.senders import open_sender
from rasa_privacy.rights.webhooks import deliver
from rasa_privacy.storage import deliveries
from rasa_privacy.storage import requests as rows

_DUE_EXIT_CODE: Final = 1


@click.group()
def requests() -> None:
    """Answer what people ask for, on time.

    See: list, show, due, stats. Do: open, take, acknowledge, identity, extend, refuse, complete.
    """


for _command in (open_one, take, acknowledge, identity, extend, refuse, complete):
    requests.add_command(_command)


@requests.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that are closed.")
@click.option("--kind", type=click.Choice(KINDS), default=None, help="Only this kind.")
@click.option("--owner", default=None, help="Only those of this member of staff.")
@operator_options
@bot_option
@endpoints_option
def list_requests(*, every: bool, kind: str | None, owner: str | None, bot: Path, endpoints: Path | None) -> None:
    """List the requests that wait for an answer, the most urgent first."""
    table = Table("number", "kind", "state", "owner", "received (UTC)", "due (UTC)", "by", "ended", box=None)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "requests")
        with vault.database.read() as connection:
            found = rows.iterate(connection) if every else iter(rows.open_ones(connection))
            for each in found:
                if kind in {None, each.kind} and owner in {None, each.owner}:
                    table.add_row(*cells(each))
        record_now(vault, permit, counts={"requests": table.row_count})
    Console(width=140).print(table)


@requests.command()
@number_argument
@operator_options
@bot_option
@endpoints_option
def show(number: str, bot: Path, endpoints: Path | None) -> None:
    """Show a request and every step that it went."""
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "requests")
        with vault.database.read() as connection:
            found = rows.find(connection, number)
            steps = rows.steps_of(connection, number)
            certificate = found.certificate if found is not None else None
            told = deliveries.of_certificate(connection, certificate) if certificate is not None else []
        if found is None:
            raise RequestError("there is no request of this number; 'rasa-privacy requests list --all' shows them")
        record_now(vault, permit, subject_id=found.subject_id, counts={"requests": 1})
    table = Table("at (UTC)", "step", "by", "reason", box=None)
    for step in steps:
        table.add_row(moment(step.at), step.step, step.actor, step.reason or "")
    console = Console(width=140)
    console.print(
        f"{found.number}: {found.kind}, {state_of(found)}; due {moment(found.answer_by)} by {found.regulation}"
    )
    if found.paused_at is not None:
        console.print(f"the clock has stood still since {moment(found.paused_at)}")
    if found.acknowledge_by is not None:
        console.print(f"its receipt is to be confirmed by {moment(found.acknowledge_by)}")
    if found.certificate is not None:
        console.print(f"certificate {found.certificate}")
    console.print(table)
    for each in told:
        console.print(f"{each.system}: {each.state}, tried {each.attempts} times")


@requests.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@bot_option
@endpoints_option
def stats(*, as_json: bool, bot: Path, endpoints: Path | None) -> None:
    """Show how many requests there were, how they ended, and how long that took."""
    with existing_store(bot, endpoints) as vault, vault.database.read() as connection:
        found = count(rows.each(connection), vault.clock())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    names = ("received", "open", "overdue", "done", "ended", "elsewhere", "refused or taken back", "late")
    table = Table("kind", *names, "median days", box=None)
    for kind, each in found.items():
        days = "" if each.median_days is None else f"{each.median_days:.1f}"
        figures = (
            each.received,
            each.open,
            each.overdue,
            each.done,
            each.ended,
            each.elsewhere,
            each.refused,
            each.late,
        )
        table.add_row(kind, *(f"{figure:,}" for figure in figures), days)
    Console(width=120).print(table)


@requests.command("due")
@click.option("--within", default=SOON.days, show_default=True, type=click.IntRange(0, 365), help="Days from now.")
@click.option("--remind", "mail", is_flag=True, help="Send the officer a mail through privacy_sender, once a day.")
@bot_option
@endpoints_option
def due_ones(*, within: int, mail: bool, bot: Path, endpoints: Path | None) -> None:
    """Show what is due soon or overdue; exit code 1 if something is. Let a scheduler run it every day."""
    span, file = timedelta(days=within), endpoints_file(bot, endpoints)
    with existing_store(bot, endpoints) as vault:
        now = vault.clock()
        with vault.database.read() as connection:
            found = due(connection, now, span)
        for each in found:
            click.echo(line(each))
        if mail and found:
            sent = remind(vault, open_sender(file), now, span)
            click.echo("The officer was reminded." if sent else "The officer was reminded earlier today.", err=True)
    if found:
        click.get_current_context().exit(_DUE_EXIT_CODE)
    click.echo("Nothing is due.")


@requests.command("deliver")
@operator_options
@bot_option
@endpoints_option
def deliver_due(bot: Path, endpoints: Path | None) -> None:
    """Tell your other systems of erasures, as far as it is due; exit code 1 if one has not answered yet.

    Servers do it too, about once an hour and after each deletion in the chat. Let a scheduler run it every minute.
    """
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "requests")
        with recording(vault, permit) as counts:
            counts["answers"] = answered = deliver(vault, vault.clock())
        with vault.database.read() as connection:
            waiting = deliveries.pending(connection)
    click.echo(f"{answered:,} answered; {waiting:,} wait for an answer.")
    if waiting:
        click.get_current_context().exit(_DUE_EXIT_CODE)
