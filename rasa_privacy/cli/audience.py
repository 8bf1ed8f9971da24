"""`rasa-privacy audience`: who may be written to for a purpose, as JSON lines.

The file holds personal data in plain: only its owner may read it, and it is there whole or not at all.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import click

from rasa_privacy.access.recording import recording
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option, out_option
from rasa_privacy.cli.store import existing, store_settings
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.counted import counted
from rasa_privacy.rights.audience import Tally
from rasa_privacy.rights.audience_lines import lines
from rasa_privacy.rights.membership import check_purpose


@click.command()
@click.option("--purpose", required=True, help="A purpose of privacy.yml that rests on consent.")
@click.option("--item", default=None, help="An item of the purpose, such as email, to be written beside the sender id.")
@out_option
@operator_options
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=None,
    show_default="one for each core, of many people",
    help="How many processes open what is stored, this one among them; each takes some 70 MiB.",
)
@bot_option
@endpoints_option
def audience(  # noqa: PLR0913, PLR0917 - the options of the command
    purpose: str, item: str | None, out: str, workers: int | None, bot: Path, endpoints: Path | None
) -> None:
    """Export who may be written to for a purpose: one JSON object a line, with `sender` and the item.

    In are people with active, unexpired consent to the current notice who are not suppressed. Delete the file when the
    messages are out; the next export knows who has withdrawn since.
    """
    tally = Tally()
    target = None if out == "-" else Path(out)
    with store_settings(bot, endpoints) as settings, existing(settings) as vault:
        check_purpose(vault.policy, purpose)
        named = {"purposes": [purpose], "items": [] if item is None else [item]}
        permit = permit_for(vault, "audience", clear=True, **named)
        with recording(vault, permit, **named) as counts, _opened(target) as file:
            for piece in lines(vault, permit, purpose, item, vault.clock(), tally, settings, workers):
                file.write(piece)
                counts["people"] = tally.exported
    click.echo(f"{counted(tally.exported, 'person')} may be written to.", err=True)
    for number, why in _left_out(tally):
        click.echo(f"Left out, though they agreed: {counted(number, 'person')}: {why}.", err=True)


def _left_out(tally: Tally) -> Iterator[tuple[int, str]]:
    reasons = {
        "a contact of theirs is suppressed": tally.suppressed,
        "the contact on file was not confirmed by a code": tally.unconfirmed,
        "they limit the use of sensitive data": tally.limited,
        "nothing is held for the item": tally.without_value,
        "their data cannot be opened; 'rasa-privacy check --database' names the rows": tally.unreadable,
    }
    return ((number, why) for why, number in reasons.items() if number)


@contextmanager
def _opened(target: Path | None) -> Iterator[BinaryIO]:
    """Give the output, or a new file that takes the target's place when all is written.

    Raises:
        ConfigurationError: It cannot be written.
    """
    if target is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        with suppress(FileNotFoundError):
            unfinished.unlink()
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{target}: the file cannot be written ({error.strerror})") from None
