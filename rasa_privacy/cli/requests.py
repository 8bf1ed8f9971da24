"""`rasa-privacy requests`: what people asked for, by when it must be answered, and how it ended."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.table import Table

from rasa_privacy.access.recording import record, record_now, recording
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.senders import PERSON, chosen_sender, sender_argument
from rasa_privacy.cli.store import endpoints_file, existing_store
from rasa_privacy.errors import RequestError
from rasa_privacy.rights import extension
from rasa_privacy.rights import requests as rules
from rasa_privacy.rights.clocks import KINDS, Kind
from rasa_privacy.rights.deeds import DONE_ELSEWHERE
from rasa_privacy.rights.extension import REASONS_TO_EXTEND, extend_with_notice
from rasa_privacy.rights.reminders import SOON, due, line, remind
from rasa_privacy.rights.request_counts import count
from rasa_privacy.rights.senders import open_sender
from rasa_privacy.rights.webhooks import deliver
from rasa_privacy.storage import deliveries
from rasa_privacy.storage import requests as rows
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault

_DUE_EXIT_CODE: Final = 1
#: What is said of a request that nobody answered, since its person is gone.
_OTHERWISE_ENDED: Final = "the person was erased"

number_argument = click.argument("number")
told_option = click.option("--told", is_flag=True, required=True, help="Needed: the person was told, and why.")
notified_option = click.option(
    "--notify/--told",
    default=None,
    help="Needed: send the person the notice through privacy_sender, to a contact on file; or say that you told them.",
)


@click.group()
def requests() -> None:
    """Answer what people ask for, on time.

    See: list, show, due, stats. Do: open, take, acknowledge, identity, extend, refuse, complete.
    """


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
                    table.add_row(*_cells(each))
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
        table.add_row(_moment(step.at), step.step, step.actor, step.reason or "")
    console = Console(width=140)
    console.print(
        f"{found.number}: {found.kind}, {_state(found)}; due {_moment(found.answer_by)} by {found.regulation}"
    )
    if found.paused_at is not None:
        console.print(f"the clock has stood still since {_moment(found.paused_at)}")
    if found.acknowledge_by is not None:
        console.print(f"its receipt is to be confirmed by {_moment(found.acknowledge_by)}")
    if found.certificate is not None:
        console.print(f"certificate {found.certificate}")
    console.print(table)
    for each in told:
        console.print(f"{each.system}: {each.state}, tried {each.attempts} times")


@requests.command("open", context_settings=PERSON)
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
    click.echo(f"{opened.number}: due {_moment(opened.answer_by)} UTC by {opened.regulation}")


@requests.command()
@number_argument
@operator_options
@bot_option
@endpoints_option
def take(number: str, bot: Path, endpoints: Path | None) -> None:
    """Own a request from now on."""
    _change(bot, endpoints, lambda _vault, connection, who, now: rules.take(connection, number, who, now))


@requests.command()
@number_argument
@operator_options
@bot_option
@endpoints_option
def acknowledge(number: str, bot: Path, endpoints: Path | None) -> None:
    """Note that the person got a confirmation of receipt, which CCPA demands in 10 business days."""
    _change(bot, endpoints, lambda _vault, connection, who, now: rules.acknowledge(connection, number, who, now))


@requests.command()
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


@requests.command()
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
    click.echo(f"{_said(changed)}; the notice went to the contact on file")


@requests.command()
@number_argument
@click.option("--because", type=click.Choice(tuple(rules.REASONS_TO_REFUSE)), required=True, help="Why.")
@told_option
@operator_options
@bot_option
@endpoints_option
def refuse(number: str, *, because: str, told: bool, bot: Path, endpoints: Path | None) -> None:  # noqa: ARG001 - click demands it
    """Refuse a request, for a reason that the law knows."""
    _change(bot, endpoints, lambda vault, conn, who, now: rules.refuse(vault, conn, number, because, who, now))


@requests.command()
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


Rule = Callable[[Vault, Any, str, datetime], Request]


def _change(bot: Path, endpoints: Path | None, rule: Rule) -> None:
    """Run a rule in a transaction, and say what became of the request."""
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "requests")

        def work(connection: Any) -> Request:
            changed = rule(vault, connection, permit.operator, vault.clock())
            record(vault, connection, permit, subject_id=changed.subject_id, counts={"requests": 1})
            return changed

        changed = vault.database.transact(work)
    click.echo(_said(changed))


def _state(each: Request) -> str:
    return "ended" if each.ended_with_person else each.state


def _said(changed: Request) -> str:
    return f"{changed.number}: {_state(changed)}, due {_moment(changed.answer_by)} UTC"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _cells(each: Request) -> tuple[str, ...]:
    reason = _OTHERWISE_ENDED if each.ended_with_person else each.reason
    ended = " ".join(filter(None, (reason, each.certificate)))
    due_by = f"{_moment(each.answer_by)}{' (stands still)' if each.paused_at else ''}"
    return (
        each.number,
        each.kind,
        _state(each),
        each.owner or "",
        _moment(each.opened_at),
        due_by,
        each.regulation,
        ended,
    )
