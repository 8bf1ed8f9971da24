"""`rasa-privacy keys`: which keys wrap the data keys, and how they are changed (docs/spec/keys.md, section 6)."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from rasa_privacy.access.recording import recording
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.asking import confirm
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.progress import progress
from rasa_privacy.cli.store import existing_store
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.counted import counted
from rasa_privacy.storage.epochs import ACTIVE, ENDED, RETIRED
from rasa_privacy.storage.replay import Replayed, replay
from rasa_privacy.storage.vault import Vault


@click.group()
def keys() -> None:
    """Look after the keys: status, rotate, end-epoch, replay-erasures.

    A key-encryption key (KEK) lives for one epoch and wraps the data keys of people and purposes. The bot may go on
    running during all of these.
    """


@keys.command()
@bot_option
@endpoints_option
def status(bot: Path, endpoints: Path | None) -> None:
    """Show the epochs, how many data keys each still wraps, and where the KEKs are."""
    with existing_store(bot, endpoints) as vault, vault.key_database.read() as connection:
        epochs = vault.epochs.all(connection)
        counts = vault.epochs.key_counts(connection)
        there = vault.epochs.provider.epochs()
    table = Table("epoch", "state", "data keys", "since", "KEK", box=None, pad_edge=False)
    for epoch in epochs:
        kek = "at the provider" if epoch.number in there else "gone"
        row = (str(epoch.number), epoch.state, f"{counts.get(epoch.number, 0):,}", f"{epoch.created_at:%Y-%m-%d}", kek)
        table.add_row(*row)
    Console(width=100).print(table)
    click.echo(f"Provider: {vault.epochs.provider.name}. Data keys in: {vault.key_database.name}.")
    for line in _advice(vault, {epoch.number: epoch.state for epoch in epochs}, counts, there):
        click.echo(line)


def _advice(vault: Vault, states: dict[int, str], counts: dict[int, int], there: list[int]) -> list[str]:
    """Return what is left to do, as lines."""
    lines = []
    for number, state in states.items():
        if state == RETIRED and counts.get(number):
            lines.append(
                f"Epoch {number} still wraps keys: a rotation was interrupted; run `rasa-privacy keys rotate --resume`."
            )
        elif state == RETIRED:
            lines.append(
                f"Epoch {number} wraps nothing any more: `rasa-privacy keys end-epoch {number}` destroys its KEK."
            )
        elif state == ENDED and number in there:
            lines.append(
                f"Epoch {number} is ended and its KEK is still there; run `rasa-privacy keys end-epoch {number}`."
            )
    extra = [number for number in there if number not in states]
    if extra:
        lines.append(f"{vault.epochs.provider.name} also has keys of epochs that this store does not use: {extra}.")
    return lines


@keys.command()
@click.option("--resume", is_flag=True, help="Make no new epoch; finish a rotation that was interrupted.")
@operator_options
@bot_option
@endpoints_option
def rotate(*, resume: bool, bot: Path, endpoints: Path | None) -> None:
    """Make a new KEK and wrap all data keys with it. Conversations are not touched.

    The old KEK stays, so that backups can still be read; `end-epoch` destroys it.
    """
    with existing_store(bot, endpoints) as vault, recording(vault, permit_for(vault, "keys")) as counts:
        if not resume:
            counts["begun_epoch"] = number = vault.rotation.begin_epoch(vault.clock())
            click.echo(f"Epoch {number} is active: new keys are wrapped with its KEK.")
        counts["wrapped_keys"] = rewrap(vault)
    click.echo("Back up the keys now: older copies of them do not open this store any more.")


def rewrap(vault: Vault) -> int:
    """Wrap the keys of older epochs anew, with a progress bar, and return how many were."""
    before = vault.rotation.old_keys()
    with progress("Wrapping data keys anew", before) as advance:
        for count in vault.rotation.rewrap():
            advance(count)
    vault.checkpoint()
    left = vault.rotation.old_keys()
    click.echo(f"Wrapped anew: {counted(before - left, 'data key')}.")
    if left:
        raise ConfigurationError(
            f"{counted(left, 'data key')} could not be opened, left in the old epoch; `check --database` names "
            "the people's rows"
        )
    return before


@keys.command("end-epoch")
@click.argument("epoch", type=click.IntRange(min=1), required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@operator_options
@bot_option
@endpoints_option
def end_epoch(epoch: int | None, *, yes: bool, bot: Path, endpoints: Path | None) -> None:
    """Destroy the KEK of an old epoch, or of the present one after moving its keys to a new one.

    What sits in backups from the time of that KEK cannot be read any more, by anybody: this is how deletions reach
    backups. Make a new backup afterwards.
    """
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "keys")
        with vault.key_database.read() as connection:
            states = {each.number: each.state for each in vault.epochs.all(connection)}
        number = epoch or _oldest(states)
        if states.get(number) in {ACTIVE, RETIRED}:
            _confirm(number, yes=yes)
        with recording(vault, permit) as counts:
            if states.get(number) == ACTIVE:
                counts["begun_epoch"] = begun = vault.rotation.begin_epoch(vault.clock())
                click.echo(f"Epoch {begun} is active.")
            if states.get(number) in {ACTIVE, RETIRED}:
                counts["wrapped_keys"] = rewrap(vault)
            vault.rotation.end_epoch(number, vault.clock())
            counts["ended_epoch"] = number
    click.echo(f"Epoch {number} is ended and its KEK is destroyed. Backups from its time cannot be read any more.")
    click.echo("Back up the keys and the database now.")


def _oldest(states: dict[int, str]) -> int:
    """Return the oldest epoch that is not ended."""
    return min(number for number, state in states.items() if state != ENDED)


def _confirm(number: int, *, yes: bool) -> None:
    if not yes:
        confirm(
            f"Destroy the KEK of epoch {number}? Backups from its time cannot be read afterwards.",
            "Nothing was destroyed.",
        )


@keys.command("replay-erasures")
@operator_options
@bot_option
@endpoints_option
def replay_erasures(bot: Path, endpoints: Path | None) -> None:
    """Delete again who was deleted after the backup that was restored.

    Every start of the bot does this by itself; the command says what it did.
    """
    with existing_store(bot, endpoints) as vault, recording(vault, permit_for(vault, "keys")) as counts:
        again = replay(vault, everything=True)
        counts |= {"erased": again.erased, "withdrawn": again.withdrawn}
        done = Replayed(vault.replayed.erased + again.erased, vault.replayed.withdrawn + again.withdrawn)
    click.echo(
        f"Deleted again: {counted(done.erased, 'person')}; destroyed again: "
        f"{counted(done.withdrawn, 'withdrawn purpose')}."
    )
