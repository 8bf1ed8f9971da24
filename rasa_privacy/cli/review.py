"""`rasa-privacy review`: what is stored and whether it is still needed, to be acknowledged by an operator."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from rasa_privacy.access.recording import record_now
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.files import read_bytes, write_private
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.progress import progress
from rasa_privacy.cli.store import existing_store
from rasa_privacy.errors import RetentionError
from rasa_privacy.policy.slot_readers import read_readers
from rasa_privacy.retention.review import Review, make_review
from rasa_privacy.retention.review_duty import Made, acknowledge, decode, keep, kept, overdue_since
from rasa_privacy.retention.review_schedule import waited_for
from rasa_privacy.storage.vault import Vault

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def review() -> None:
    """Look again at what is stored: make, show, acknowledge. 'retention: {review_every: 6 months}' says how often."""


@review.command()
@click.option(
    "--out",
    type=_FILE,
    default=Path("review.json"),
    show_default=True,
    help="Where the review is written, for 'acknowledge'.",
)
@click.option("--when-due", is_flag=True, help="For a timer: do nothing unless one is due and not made yet.")
@operator_options
@bot_option
@endpoints_option
def make(out: Path, *, when_due: bool, bot: Path, endpoints: Path | None) -> None:
    """Open every conversation and count what is stored by purpose, item and age; no value is shown or kept.

    The newest one stays in the store too, where 'show' finds it. A server that removes what is due by itself
    makes it by itself when it is due.
    """
    out, bot = out.absolute(), bot.absolute()
    with existing_store(bot, endpoints) as vault:
        due = waited_for(vault) if when_due else None
        if when_due and due is None:
            click.echo(_needless(vault))
            return
        permit = permit_for(vault, "report")
        with vault.database.read() as connection:
            total = vault.conversations.count(connection)
        with progress("Opening conversations", total) as advance:
            found = make_review(vault, permit, read_readers(bot), advance)
        made = keep(vault, permit, found, due=due)
        if made is None:
            click.echo(_needless(vault))
            return
    _write(out, made)
    _show(made.review)
    click.echo(f"{out}: review {made.number}. When you have looked at it: rasa-privacy review acknowledge {out.name}")


@review.command()
@click.option("--out", type=_FILE, help="Write it into this file too.")
@operator_options
@bot_option
@endpoints_option
def show(out: Path | None, bot: Path, endpoints: Path | None) -> None:
    """Show the newest review, whoever made it."""
    out = None if out is None else out.absolute()
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "report")
        with vault.database.read() as connection:
            made = kept(connection)
        if made is None:
            raise RetentionError("there is no review in this store yet; make one with 'rasa-privacy review make'")
        record_now(vault, permit)
    if out is not None:
        _write(out, made)
    _show(made.review)
    click.echo(
        f"Review {made.number}, made on {made.review.made_at:%Y-%m-%d}. When you have looked at it: rasa-privacy "
        f"review acknowledge {made.number}"
    )


@review.command(name="acknowledge")
@click.argument("review")
@operator_options
@bot_option
@endpoints_option
def acknowledge_one(review: str, bot: Path, endpoints: Path | None) -> None:
    """Say that you have looked at a REVIEW, by its number or its file; the audit log keeps who, when and which."""
    file = Path(review).absolute()
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "retention")
        read = _opened(file) if file.is_file() else _kept(vault, review)
        acknowledge(vault, permit, read.review, read.number)
    click.echo(f"Review {read.number} is acknowledged.")


def _opened(file: Path) -> Made:
    try:
        return decode(read_bytes(file))
    except RetentionError as error:
        raise RetentionError(f"{file}: {error}") from None


def _kept(vault: Vault, number: str) -> Made:
    with vault.database.read() as connection:
        found = kept(connection)
    if found is None or found.number != number:
        raise RetentionError(
            f"{number}: there is no file of this name, and the newest review is "
            f"{'none' if found is None else found.number}; name one of them ('rasa-privacy review show')"
        )
    return found


def _needless(vault: Vault) -> str:
    """Return why no review has to be made now."""
    with vault.database.read() as connection:
        due, made = overdue_since(vault, connection, vault.clock()), kept(connection)
    if due is None or made is None:
        return "No review is due."
    return (
        f"Review {made.number} was made on {made.review.made_at:%Y-%m-%d}; it waits for 'rasa-privacy review "
        f"acknowledge {made.number}'."
    )


def _write(out: Path, made: Made) -> None:
    write_private(str(out), [msgspec.json.format(msgspec.json.encode(made), indent=2)])


def _show(found: Review) -> None:
    table = Table("purpose", "item", "people", "values", "oldest", "newest", "last used", box=None, pad_edge=False)
    for each in found.stored:
        counts = (f"{each.people:,}", f"{each.values:,}")
        table.add_row(each.purpose, each.item, *counts, each.oldest, each.newest, each.last_used)
    Console(width=120).print(table)
    _list("Stored, and nothing reads it (stop collecting it?)", found.never_read)
    if not found.is_source_seen:
        click.echo(
            "What nothing reads is not known: the domain or the source of the actions was not where this was made. "
            "Make a review in the bot's folder to know it."
        )
    _list("Declared, and nobody gave it", found.never_given)
    _list("Consents that end within 90 days", [f"{name} {number:,}" for name, number in found.ending.items()])


def _list(title: str, names: "list[str] | tuple[str, ...]") -> None:
    if names:
        click.echo(f"{title}: {', '.join(names)}.")
