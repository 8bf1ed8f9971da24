"""`rasa-privacy subject erase --senders-file` and `--before`: many people at once, previewed without --yes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

import click
import msgspec

from rasa_privacy.cli.files import write_private
from rasa_privacy.cli.progress import Advance, progress
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.counted import counted
from rasa_privacy.rights.bulk_erasure import erase_before, erase_listed, lines_of
from rasa_privacy.rights.bulk_run import Bulk, Line

_WORDS: Final = {
    "erased": "erased and read back",
    "unknown": "of whom nothing is stored",
    "held": "under a legal hold, kept",
    "must_stay": "of whom some data must be kept by law, kept",
    "beyond_role": "with data beyond this role, kept",
    "changed": "found by rows that somebody changed, kept; see `check --database`",
    "in_use": "in use by another process, kept; run it again",
}


def erase_many(bulk: Bulk, senders_file: Path | None, before: datetime | None, report: str | None) -> None:
    """Erase whom the file or the day names, write the report, and say what was done.

    Raises:
        ConfigurationError: The file cannot be read, or the report cannot be written; or somebody stays who was named.
    """
    lines: list[Line] = []
    if report is not None:
        write_private(report, [])  # before anything is erased
        bulk.note = lines.append
    try:
        if senders_file is not None:
            with _reading(senders_file) as (total, senders), progress("Erasing", total) as advance:
                erase_listed(bulk, _one_by_one(senders, advance))
        elif before is not None:
            erase_before(bulk, before)
    finally:
        # Also where it broke off: the certificates of who is gone are in no other file.
        if report is not None:
            write_private(report, map(_line, sorted(lines, key=lambda line: line.number)))
    _say(bulk)


def moment(text: str) -> datetime:
    """Return the beginning of a day in UTC.

    Raises:
        ConfigurationError: The text is no day.
    """
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except ValueError:
        raise ConfigurationError("--before is no day; write it as 2026-01-31") from None


def _say(bulk: Bulk) -> None:
    for outcome, words in _WORDS.items():
        number = bulk.counts.get(outcome, 0)
        if number or outcome == "erased":
            shown = "who would be erased" if bulk.is_preview and outcome == "erased" else words
            click.echo(f"{counted(number, 'person')} {shown}")
    if bulk.linked:
        click.echo(
            f"{counted(bulk.linked, 'linked conversation')} of theirs {'would go' if bulk.is_preview else 'went'} "
            "with them"
        )
    if bulk.kept:
        click.echo(f"What a legal obligation keeps of {bulk.kept:,} of them stays, apart, until its time is over")
    if bulk.is_preview:
        click.echo("Nothing was deleted: say --yes to erase them.")


def _line(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


@contextmanager
def _reading(path: Path) -> Iterator[tuple[int, Iterator[str]]]:
    """Open a list of sender ids and yield how many there are, and each of them."""
    try:
        with path.open("rb") as counting:
            total = sum(1 for _ in counting)
        with path.open("rb") as file:
            yield total, lines_of(file)
    except OSError as error:
        raise ConfigurationError(f"the list of senders cannot be read ({error.strerror}); name a file") from None


def _one_by_one(senders: Iterator[str], advance: Advance) -> Iterator[str]:
    for each in senders:
        yield each
        advance(1)
