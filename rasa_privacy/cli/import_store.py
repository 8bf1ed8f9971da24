"""`rasa-privacy import`: takes over the conversations of Rasa's own SQL store, and can then delete them there."""

import sys
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

import click

from rasa_privacy.access.recording import recording
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.asking import somebody
from rasa_privacy.cli.options import bot_option, domain_option, endpoints_option
from rasa_privacy.cli.progress import progress
from rasa_privacy.cli.store import existing_store, store_settings
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.policy.bot import Domain, read_bot
from rasa_privacy.policy.counted import counted
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.lint_domain import imported
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.rights.coarsening import aids_of
from rasa_privacy.rights.takeover import Takeover, require_declaration, take_over
from rasa_privacy.storage.stock import StockStore
from rasa_privacy.storage.vault import Vault, open_vault

#: The URL may hold a password, which other users of the machine can see in a command line.
FROM_VARIABLE: Final = "RASA_PRIVACY_IMPORT_FROM"
_INCOMPLETE: Final = 1
_WORDS: Final = {
    "taken": "taken over, read back and compared",
    "already": "taken over before",
    "without_consent": "left out: no consent that can be shown",
    "due": "left out: past their retention",
    "erased": "left out: erased here",
    "empty": "left out: no readable event",
    "other": "not touched: here with other events",
    "damaged": "not touched: damaged here",
}


@click.command(name="import")
@click.option(
    "--from",
    "source",
    required=True,
    envvar=FROM_VARIABLE,
    metavar="URL",
    help=f"The old store, for example sqlite:///rasa.db. With a password, set {FROM_VARIABLE} instead.",
)
@click.option("--scrub", is_flag=True, help="Then delete the old table's rows, if all of them are accounted for.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@bot_option
@domain_option
@operator_options
@endpoints_option
def import_store(  # noqa: PLR0913 - one argument per option
    source: str, bot: Path, domain: Path | None, endpoints: Path | None, *, scrub: bool, yes: bool
) -> None:
    """Take over the conversations of Rasa's own SQL store ('type: SQL' in the old endpoints.yml).

    Stop the old bot first. What may be taken over is what privacy.yml declares under 'import'; everything else is left
    out. It can be stopped and run again: who is here already is recognised. Exit code 0: everything is accounted
    for; 1: something is named that is not; 2: nothing could be done.
    """
    # Before the folder changes: the URL counts from where the command was typed.
    with closing(StockStore(source)) as stock:
        done = _take_over(stock, bot, domain, endpoints)
        _report(stock, done)
        if not (done.is_complete and stock.is_unchanged()):
            _refuse(stock, scrub=scrub)
        if scrub:
            _scrub(stock, done, bot, endpoints, yes=yes)
        elif stock.rows:
            click.echo("The old table still holds all of it in plain. Run this again with --scrub to delete it there.")


def _take_over(stock: StockStore, bot: Path, domain: Path | None, endpoints: Path | None) -> Takeover:
    files = read_bot(bot, domain, endpoints)
    with store_settings(bot, endpoints) as settings:
        require_declaration(load_policy(settings.privacy), datetime.now(timezone.utc))  # before a store is made
        vault = open_vault(settings)
        try:
            _require_slots(list(imported(files, vault.policy, str(settings.privacy))))
            permit = permit_for(vault, "import")
            with (
                recording(vault, permit) as counts,
                progress("Taking over people", stock.people) as advance,
            ):
                done = take_over(vault, permit, _splitter(vault, files.domain), stock, _show, advance)
                counts |= {"events": done.events, "values": done.values, **done.people}
                return done
        finally:
            vault.close()


def _require_slots(findings: list[Finding]) -> None:
    """Refuse a slot that nobody has: with it, nobody would have consented, and --scrub would delete everybody."""
    if findings:
        raise ConfigurationError(f"{findings[0].place}: {findings[0].why}; {findings[0].remedy}")


def _splitter(vault: Vault, domain: Domain) -> EventSplitter:
    """Return the splitter that the server makes of the same domain."""
    entity_slots: dict[str, set[str]] = {}
    for name, slot in domain.slots.items():
        for entity in slot.entities:
            entity_slots.setdefault(entity, set()).add(name)
    return EventSplitter(vault.policy, entity_slots, aids_of(vault), {*domain.intents, *domain.runnable()})


def _show(row: int, why: str) -> None:
    click.echo(f"row {row}: {why}")


def _report(stock: StockStore, done: Takeover) -> None:
    click.echo(f"{stock.name}: {counted(stock.rows, 'event')} of {counted(done.people.total(), 'person')}.")
    for outcome, words in _WORDS.items():
        if done.people[outcome]:
            click.echo(f"{done.people[outcome]:>12,}  {words}")
    click.echo(
        f"{done.events:>12,}  {'event' if done.events == 1 else 'events'} and {counted(done.values, 'personal value')} "
        "written"
    )
    if done.unreadable:
        click.echo(f"{done.unreadable:>12,}  rows that cannot be read, named above")


def _refuse(stock: StockStore, *, scrub: bool) -> None:
    if not stock.is_unchanged():
        click.echo("The old store was written meanwhile: stop the old bot, and run this again.")
    if scrub:
        click.echo("Nothing is deleted there: mend or delete the rows that are named above, and run this again.")
    sys.exit(_INCOMPLETE)


def _scrub(stock: StockStore, done: Takeover, bot: Path, endpoints: Path | None, *, yes: bool) -> None:
    """Delete the old rows after a question, and claim it only when it was read back."""
    left_out = done.people["without_consent"] + done.people["due"] + done.people["erased"] + done.people["empty"]
    of_others = counted(left_out, "person")
    question = f"Delete all of {stock.name} ({counted(stock.rows, 'row')}), with those of {of_others} left out?"
    with somebody("nothing was deleted; run it again with --scrub --yes, or in a terminal"):
        agreed = yes or click.confirm(question)
    if not agreed:
        click.echo("Nothing was deleted.")
        return
    with existing_store(bot, endpoints) as vault, recording(vault, permit_for(vault, "import")) as counts:
        with progress("Deleting rows", stock.rows) as advance:
            stock.scrub(advance)
        counts["scrubbed_rows"] = stock.rows
    click.echo(
        f"{stock.name}: the rows are gone, and the table was rebuilt without them. Backups of it and a database "
        "server's own logs still hold them."
    )
