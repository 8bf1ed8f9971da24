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
from rasa_privacy.errors import ConfigurationError, RetentionError
from rasa_privacy.policy.action_slots import readings
from rasa_privacy.policy.bot import read_domain
from rasa_privacy.policy.responses import asked_slots, shown_slots
from rasa_privacy.policy.yaml_tree import read_tree
from rasa_privacy.retention.review import Review, acknowledge, make_review, overdue_since
from rasa_privacy.storage.vault import Vault


class _File(msgspec.Struct, frozen=True):
    """A review as a file, with its number."""

    number: str
    review: Review


@click.group()
def review() -> None:
    """Look again at what is stored: make, acknowledge. 'retention: {review_every: 6 months}' says how often."""


@review.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("review.json"),
    show_default=True,
    help="Where the review is written, for 'acknowledge'.",
)
@click.option("--when-due", is_flag=True, help="For a timer: do nothing unless one is due and not made yet.")
@operator_options
@bot_option
@endpoints_option
def make(out: Path, *, when_due: bool, bot: Path, endpoints: Path | None) -> None:
    """Open every conversation and count what is stored by purpose, item and age; no value is shown or kept."""
    out, bot = out.absolute(), bot.absolute()
    with existing_store(bot, endpoints) as vault:
        if when_due and (needless := _needless(vault, out)):
            click.echo(needless)
            return
        permit = permit_for(vault, "report")
        with vault.database.read() as connection:
            total = vault.conversations.count(connection)
        with progress("Opening conversations", total) as advance:
            made = make_review(vault, permit, _read_slots(bot), advance)
        record_now(vault, permit, counts={"conversations": made.conversations})
    write_private(str(out), [msgspec.json.format(msgspec.json.encode(_File(made.number, made)), indent=2)])
    table = Table("purpose", "item", "people", "values", "oldest", "last used", box=None, pad_edge=False)
    for each in made.stored:
        table.add_row(each.purpose, each.item, f"{each.people:,}", f"{each.values:,}", each.oldest, each.last_used)
    Console(width=120).print(table)
    _list("Stored, and nothing reads it (stop collecting it?)", made.never_read)
    _list("Declared, and nobody gave it", made.never_given)
    _list("Consents that end within 90 days", [f"{name} {number:,}" for name, number in made.ending.items()])
    click.echo(f"{out}: review {made.number}. When you have looked at it: rasa-privacy review acknowledge {out.name}")


@review.command(name="acknowledge")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@operator_options
@bot_option
@endpoints_option
def acknowledge_one(file: Path, bot: Path, endpoints: Path | None) -> None:
    """Say that you have looked at a review; the audit log keeps who, when and which."""
    read = _opened(file)
    with existing_store(bot, endpoints) as vault:
        acknowledge(vault, permit_for(vault, "retention"), read.review, read.number)
    click.echo(f"Review {read.number} is acknowledged.")


def _opened(file: Path) -> _File:
    try:
        return msgspec.json.decode(read_bytes(file), type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RetentionError(f"{file}: this is no review; make one with 'rasa-privacy review make'") from None


def _needless(vault: Vault, out: Path) -> str:
    """Return why no review has to be made now, or nothing."""
    with vault.database.read() as connection:
        due = overdue_since(vault, connection, vault.clock())
    if due is None:
        return "No review is due."
    if out.exists() and (made := _opened(out).review.made_at) >= due:
        return f"{out}: made on {made:%Y-%m-%d}; it waits for 'rasa-privacy review acknowledge {out.name}'."
    return ""


def _list(title: str, names: "list[str] | tuple[str, ...]") -> None:
    if names:
        click.echo(f"{title}: {', '.join(names)}.")


def _read_slots(bot: Path) -> set[str]:
    """Return the slots that the bot's actions and responses name, as far as its files say."""
    found = {each.slot for each in readings(bot)}
    path = bot / "domain.yml" if (bot / "domain.yml").exists() else bot / "domain"
    try:
        read_domain(path)
    except ConfigurationError:
        return found
    for file in [path] if path.is_file() else sorted(path.rglob("*.yml")):
        tree = read_tree(file)
        found.update(slot for _, slot, _ in shown_slots(tree))
        found.update(asked_slots(tree))
    return found
