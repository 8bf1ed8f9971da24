"""`rasa-privacy retention`: what is due, removing it, and why something is still there."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Final

import click

from rasa_privacy.access.recording import record_now
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.progress import progress
from rasa_privacy.cli.senders import PERSON, chosen_sender, known_subject, sender_argument
from rasa_privacy.cli.store import existing_store
from rasa_privacy.policy.counted import counted
from rasa_privacy.retention.explanation import explain as explanation_of
from rasa_privacy.retention.explanation import rule_of, words
from rasa_privacy.retention.plan import plan as plan_of
from rasa_privacy.retention.runs import run as run_sweep
from rasa_privacy.retention.sweep import GENTLY

_LEFT_EXIT_CODE: Final = 1
#: One waits for the database while the other computes.
_WORKERS: Final = 2
_MOST_WORKERS: Final = 8
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def retention() -> None:
    """Look after what is kept too long: plan, run, explain.

    Servers remove what is due by themselves, as 'retention: {every: 1 hour}' in privacy.yml says; with 'every: never'
    a timer runs 'rasa-privacy retention run' (config/ has one for cron, systemd and Kubernetes).
    """


@retention.command()
@click.option("--at", type=_DAY, help="Count what is due at the beginning of this day (UTC) instead of now.")
@operator_options
@bot_option
@endpoints_option
def plan(at: datetime | None, bot: Path, endpoints: Path | None) -> None:
    """Show in numbers what a sweep would remove; nothing is removed."""
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "report")
        now = vault.clock() if at is None else at.replace(tzinfo=timezone.utc)
        with vault.database.read() as connection:
            found = plan_of(vault, connection, now)
        record_now(vault, permit, purposes=found.purposes, items=found.items, counts={"due": found.number})
        for purpose, people in found.purposes.items():
            click.echo(f"{purpose}: {counted(people, 'person')} ({rule_of(vault.policy, purpose)})")
        for item, people in found.items.items():
            click.echo(f"item {item}: {counted(people, 'person')} (keep: {vault.policy.items[item].keep})")
    click.echo(
        f"In all {counted(found.keys, 'purpose')} of people; nothing would be left of "
        f"{counted(found.people, 'person')}."
    )
    if found.next_at is not None:
        click.echo(f"The next is due on {found.next_at:%Y-%m-%d at %H:%M} (UTC).")


@retention.command()
@click.option(
    "--gently",
    is_flag=True,
    help="Work a twentieth of the time, so that a live bot is not slowed; without it half of the time on SQLite.",
)
@click.option("--clock-is-right", is_flag=True, help="Say that somebody has looked at this computer's clock.")
@click.option(
    "--workers",
    type=click.IntRange(1, _MOST_WORKERS),
    help="How many remove at once on PostgreSQL and MariaDB. [default: 2; with --gently 1]",
)
@operator_options
@bot_option
@endpoints_option
def run(*, gently: bool, clock_is_right: bool, workers: int | None, bot: Path, endpoints: Path | None) -> None:
    """Remove what is due, while the bot goes on. One that was interrupted is gone on with by the next.

    Several may run at once, on one or more computers; on SQLite one. Exit code 0: nothing that was due is left; 1:
    something is, damaged or held by another process, and 'check --database' says what; 2: it could not be run.
    """
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "retention")
        with vault.database.read() as connection:
            total = plan_of(vault, connection, vault.clock()).number
        with progress("Removing", total) as advance:
            done = run_sweep(
                vault,
                permit,
                advance=advance,
                rest=GENTLY if gently else 0.0,
                trusted=clock_is_right,
                workers=workers or (1 if gently else _WORKERS),
            )
    click.echo(
        f"Removed {counted(done.purposes, 'purpose')} of people; nothing is left of {counted(done.people, 'person')}. "
        f"{f'Values that lasted for some time: of {done.items:,}. ' if done.items else ''}"
        f"{f'Put off by a day, as values hang on it or for a legal hold: {done.put_off:,}. ' if done.put_off else ''}"
        f"Looked again: {done.left:,} left of what was due."
    )
    if done.left:
        click.get_current_context().exit(_LEFT_EXIT_CODE)


@retention.command(context_settings=PERSON)
@sender_argument
@operator_options
@bot_option
@endpoints_option
def explain(sender: tuple[str, ...], *, sender_stdin: bool, bot: Path, endpoints: Path | None) -> None:
    """Say why what is stored of a person is still there, item by item, for what your role reaches; without values."""
    sender_id = chosen_sender(sender, sender_stdin=sender_stdin)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "view")
        subject_id = known_subject(vault, sender_id, permit)
        with vault.database.read() as connection:
            found = explanation_of(vault, connection, sender_id, permit)
        # Without their names: no value is shown, and to a review it would look as if somebody had read them.
        record_now(vault, permit, subject_id=subject_id, counts={"explained": len(found)})
    for each in found:
        click.echo(words(each))
