"""`rasa-privacy subject`: what staff do with one person's data."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.bulk_erase import erase_many, moment
from rasa_privacy.cli.erase_part import erase_part_of
from rasa_privacy.cli.files import write_private
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.senders import PERSON, chosen_sender, sender_argument
from rasa_privacy.cli.store import existing_store
from rasa_privacy.crypto.archive import checked_passphrase
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.counted import counted
from rasa_privacy.rights import staff_access, staff_erasure, staff_rectification, staff_restriction
from rasa_privacy.rights.bulk_run import Bulk
from rasa_privacy.rights.handover import offer_by_staff
from rasa_privacy.rights.portability import copy_chunks
from rasa_privacy.rights.stock_tables import purge
from rasa_privacy.storage.kept import Kept

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")

clear_option = click.option("--clear", is_flag=True, help="Values as they are, not masked; an operator needs --reason.")


@click.group()
def subject() -> None:
    """Find, show, export, rectify, restrict and erase one person's data. What destroys is previewed without --yes."""


_LINKED: Final = "linked conversations, which are seen, copied and erased with it: {:,}"


@subject.command(context_settings=PERSON)
@sender_argument
@operator_options
@bot_option
@endpoints_option
def find(sender: tuple[str, ...], *, sender_stdin: bool, bot: Path, endpoints: Path | None) -> None:
    """Say whether something is stored of a sender, for which purposes, and what waits for an answer."""
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        found = staff_access.find(vault, sender_id, permit_for(vault, "view"))
    if found is None:
        raise _nobody()
    click.echo(f"person {found.subject_id.hex()}")
    click.echo(f"purposes that hold data: {', '.join(found.purposes) or 'none'}")
    for each in found.requests:
        click.echo(f"{each.number}: {each.kind}, due {each.answer_by:%Y-%m-%d}")
    if found.linked:
        click.echo(_LINKED.format(found.linked))
    if found.is_held:
        click.echo("under a legal hold")


@subject.command(context_settings=PERSON)
@sender_argument
@clear_option
@operator_options
@bot_option
@endpoints_option
def show(sender: tuple[str, ...], *, sender_stdin: bool, clear: bool, bot: Path, endpoints: Path | None) -> None:
    """Show what is held of a person: the latest value of each item, as far as your role goes."""
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        held = staff_access.show(vault, sender_id, permit_for(vault, "view", clear=clear), clear=clear)
    if held is None:
        raise _nobody()
    table = Table("item", "value", "purpose", "kept until (UTC)", box=None)
    for each in held.values:
        until = "until withdrawn" if each.expires is None else f"{each.expires:%Y-%m-%d %H:%M}"
        table.add_row(each.item, _shown(each.value), each.purpose, until)
    Console(width=140).print(table)
    click.echo(f"{counted(held.events, 'event')} of the conversation")


@subject.command(context_settings=PERSON)
@sender_argument
@click.option("--out", required=True, help="Zip file to write, readable for you alone.")
@click.option("--passphrase-stdin", is_flag=True, help="Encrypt it to the next line of the input (AES-256).")
@operator_options
@bot_option
@endpoints_option
def export(  # noqa: PLR0913 - one parameter for each option
    sender: tuple[str, ...],
    *,
    sender_stdin: bool,
    out: str,
    passphrase_stdin: bool,
    bot: Path,
    endpoints: Path | None,
) -> None:
    """Write the whole copy for a person: JSON with its schema, and a page, in one zip.

    It is in the clear unless --passphrase-stdin is given. Tell the passphrase another way than the file goes.
    """
    sender_id, target = chosen_sender(sender, sender_stdin=sender_stdin), str(Path(out).absolute())
    passphrase = None
    if passphrase_stdin:
        passphrase = checked_passphrase(sys.stdin.buffer.readline().decode("utf-8", "replace").strip())
    with existing_store(bot, endpoints) as vault:
        made = staff_access.hand_out(vault, sender_id, permit_for(vault, "export", clear=True))
        if not made:
            raise _nobody()
        write_private(target, copy_chunks(made, passphrase))
    values, events = sum(len(each.facts["data"]) for each in made), sum(each.event_count for each in made)
    click.echo(f"Written: {counted(values, 'value')} and {counted(events, 'event')}.")


@subject.command(context_settings=PERSON)
@sender_argument
@operator_options
@bot_option
@endpoints_option
def link(sender: tuple[str, ...], *, sender_stdin: bool, bot: Path, endpoints: Path | None) -> None:
    """Make a link by which the person collects their copy, once. See that it reaches nobody else."""
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        made = offer_by_staff(vault, sender_id, permit_for(vault, "export", clear=True))
    click.echo(made.url)
    click.echo(f"It works once, until {made.expires_at:%Y-%m-%d %H:%M} UTC.")


@subject.command(context_settings=PERSON)
@sender_argument
@click.option("--item", required=True, help="The item of privacy.yml.")
@click.option("--yes/--dry-run", help="Do it. Without --yes nothing is changed.")
@operator_options
@bot_option
@endpoints_option
def rectify(  # noqa: PLR0913 - one parameter for each option
    sender: tuple[str, ...], *, sender_stdin: bool, item: str, yes: bool, bot: Path, endpoints: Path | None
) -> None:
    """Correct an item wherever it is held, with the next line of the input. The wrong value is destroyed."""
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    value = sys.stdin.buffer.readline().decode("utf-8", "replace").strip()
    if not value:
        raise ConfigurationError("give the right value on the next line of the input")
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "rectify", items=[item])
        if not yes:
            click.echo("Nothing was changed: say --yes to correct it.")
            return
        purposes = staff_rectification.rectify(vault, sender_id, item, value, permit)
    click.echo(f"Corrected for {', '.join(purposes)}.")


@subject.command(context_settings=PERSON)
@sender_argument
@click.option("--senders-file", type=click.Path(path_type=Path), help="Erase many: one sender id a line.")
@click.option("--before", help="Erase whoever was last heard of before this day, such as 2026-01-31 (UTC).")
@click.option("--report", help="File for what became of each line, with the numbers of the certificates.")
@click.option("--item", "items", multiple=True, help="Only this item, wherever it is held; also several times.")
@click.option("--purpose", "purposes", multiple=True, help="Only what this purpose holds, whose consent ends with it.")
@click.option("--yes/--dry-run", help="Do it. Without --yes nothing is deleted, and what would be is said.")
@operator_options
@bot_option
@endpoints_option
def erase(  # noqa: PLR0913 - one parameter for each option
    sender: tuple[str, ...],
    *,
    sender_stdin: bool,
    senders_file: Path | None,
    before: str | None,
    report: str | None,
    items: tuple[str, ...],
    purposes: tuple[str, ...],
    yes: bool,
    bot: Path,
    endpoints: Path | None,
) -> None:
    """Erase a person, or many, verified by reading back. Without --yes it only says what would go.

    With --senders-file or --before it can be stopped and run again: who is gone is passed over. With --item or
    --purpose a part of one person goes, and the person stays.
    """
    many, part = senders_file is not None or before is not None, bool(items or purposes)
    if many:
        if part:
            raise ConfigurationError("--item and --purpose are for one sender")
        if sender or sender_stdin or (senders_file is not None and before is not None):
            raise ConfigurationError("give one of a sender, --senders-file and --before")
        day = None if before is None else moment(before)
        listed = None if senders_file is None else senders_file.absolute()
        target = None if report is None else str(Path(report).absolute())
        with existing_store(bot, endpoints) as vault:
            bulk = Bulk(vault, permit_for(vault, "erase"), is_preview=not yes)
            erase_many(bulk, listed, day, target)
        return
    if report is not None:
        raise ConfigurationError("--report is for --senders-file and --before")
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    if part:
        with existing_store(bot, endpoints) as vault:
            erase_part_of(vault, sender_id, items, purposes, yes=yes)
        return
    _erase_one(sender_id, yes=yes, bot=bot, endpoints=endpoints)


def _erase_one(sender_id: str, *, yes: bool, bot: Path, endpoints: Path | None) -> None:
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "erase")
        if not yes:
            found = staff_access.find(vault, sender_id, permit_for(vault, "view"))
            if found is None:
                raise _nobody()
            purposes = ", ".join(found.purposes) or "no purpose"
            click.echo(f"Nothing was deleted: say --yes to erase person {found.subject_id.hex()} ({purposes}).")
            if found.linked:
                click.echo(_LINKED.format(found.linked))
            if found.is_held:
                click.echo("A legal hold keeps this person.")
            _say_kept(found.kept, "stays")
            return
        done = staff_erasure.erase_person(vault, sender_id, permit)
        if vault.policy.erasure.stock_tables:
            for table, rows in purge(vault, sender_id, permit).items():
                click.echo(f"{table}: {counted(rows, 'row')} removed and read back")
    if done is None:
        click.echo("Nothing is stored of this sender.")
        return
    click.echo(f"Erased and read back: certificate {done.number}, {counted(done.counts.get('events', 0), 'event')}.")
    _say_kept(done.kept, "stays apart")
    for number in done.also:
        click.echo(f"A linked conversation of the same person too: certificate {number}.")


def _say_kept(kept: Sequence[Kept], words: str) -> None:
    for each in kept:
        items = ", ".join(each.items)
        click.echo(f"{items} ({each.purpose}) {words}: a legal obligation, until {each.until:%Y-%m-%d}.")


@subject.command(context_settings=PERSON)
@sender_argument
@click.option("--purpose", "purposes", multiple=True, help="A purpose; may be given more than once. [default: all]")
@click.option("--lift", is_flag=True, help="Let it go on.")
@click.option("--objection", is_flag=True, help="The person objected (GDPR Art. 21) instead of asking to restrict.")
@click.option("--do-not-sell", is_flag=True, help="No sale and no sharing (CCPA), instead of a purpose.")
@click.option("--limit-sensitive", is_flag=True, help="Limit the use of sensitive data (CCPA), instead of a purpose.")
@operator_options
@bot_option
@endpoints_option
def restrict(  # noqa: PLR0913 - one parameter for each option
    sender: tuple[str, ...],
    *,
    sender_stdin: bool,
    purposes: tuple[str, ...],
    lift: bool,
    objection: bool,
    do_not_sell: bool,
    limit_sensitive: bool,
    bot: Path,
    endpoints: Path | None,
) -> None:
    """Stop the use of a person's data while it stays; the bot obeys from the next turn on."""
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    if do_not_sell and (purposes or lift or objection):
        raise ConfigurationError("--do-not-sell is about every purpose that shares; leave the other options out")
    if limit_sensitive and (purposes or objection or do_not_sell):
        raise ConfigurationError("--limit-sensitive is about every purpose; leave the other options but --lift out")
    with existing_store(bot, endpoints) as vault:
        if do_not_sell:
            new = staff_restriction.do_not_sell(vault, sender_id, permit_for(vault, "restrict"))
            click.echo("Neither sold nor shared from now on." if new else "That was so already.")
            return
        if limit_sensitive:
            new = staff_restriction.limit_sensitive(vault, sender_id, permit_for(vault, "restrict"), lift=lift)
            said = "No longer limited." if lift else "Sensitive data is used for what needs it alone."
            click.echo(said if new else "That was so already.")
            return
        wanted = purposes or tuple(vault.policy.purposes)
        permit = permit_for(vault, "restrict", purposes=purposes)
        changed = staff_restriction.restrict(vault, sender_id, wanted, permit, lift=lift, objection=objection)
    click.echo(f"{'Lifted' if lift else 'Restricted'}: {', '.join(changed) or 'nothing new'}.")


def _shown(value: object) -> Text:
    """Return a value as a cell: without markup, and with escapes for what would steer a terminal."""
    return Text(_CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), str(value)))


def _nobody() -> ConfigurationError:
    return ConfigurationError("nothing is stored of this sender")
