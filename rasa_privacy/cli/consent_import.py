"""`rasa-privacy consent import`: consents that were collected elsewhere, with their evidence, as JSON lines."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.consent.collected import MAX_LINE, Collected, Outcome, import_all, outcome, read_line
from rasa_privacy.errors import ImportLineError
from rasa_privacy.policy.counted import counted
from rasa_privacy.storage.vault import Vault

_AT_ONCE: Final = 100
_NAMED_LINES: Final = 20
_WRONG_EXIT_CODE: Final = 1
_SAID: Final = {
    "there": "are in the ledger already",
    "answered": "are left out: the person answered since",
    "erased": "are left out: the person was deleted since",
}


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes/--dry-run", help="Write. Without --yes nothing is written, and what would be is said.")
@operator_options
@bot_option
@endpoints_option
def import_consents(file: Path, *, yes: bool, bot: Path, endpoints: Path | None) -> None:
    """Record consents that were collected elsewhere.

    Each line is a JSON object with `sender`, `purpose`, `at` (when it was given), `evidence` (where the proof is,
    without personal data) and, if you like, `method` (such as paper) and `optional`, a list of the optional items that
    were agreed to as well. All lines must be right before any is written.
    It can be run again: what is there already stays as it is, and optional items that a line names only now are added.
    """
    path = file.absolute()
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "consent")
        wrong = list(_wrong_lines(vault, path))
        for number, why in wrong[:_NAMED_LINES]:
            click.echo(f"line {number}: {why}", err=True)
        if wrong:
            click.echo(f"{counted(len(wrong), 'wrong line')}; nothing was written.", err=True)
            click.get_current_context().exit(_WRONG_EXIT_CODE)
        found = _write(vault, permit, path) if yes else _look(vault, path)
    click.echo(f"{'Recorded' if yes else 'Would record'} {counted(found['new'], 'consent')}.")
    for result, said in _SAID.items():
        if found[result]:
            click.echo(f"{found[result]:,} {said}.")
    if not yes and found["new"]:
        click.echo("Nothing was written yet: run it again with --yes.")


def _wrong_lines(vault: Vault, path: Path) -> Iterator[tuple[int, str]]:
    now = vault.clock()
    for number, raw in _lines(path):
        why = _wrong(vault, raw, now)
        if why is not None:
            yield number, why


def _wrong(vault: Vault, raw: bytes, now: datetime) -> str | None:
    try:
        read_line(vault.policy, raw, now)
    except ImportLineError as error:
        return str(error)
    return None


def _look(vault: Vault, path: Path) -> Counter[str]:
    """Return what an import would do, line by line."""
    found = Counter[str]()
    seen = defaultdict[tuple[Any, ...], set[str | None]](set)
    for batch in _batches(vault, path):
        with vault.database.read() as connection:
            for each in batch:
                same = (each.sender_id, each.grant.purpose, each.grant.at, each.grant.notice_hash)
                result, items = outcome(vault, connection, each, vault.clock()), {None, *(each.grant.optional or ())}
                found["there" if result == "new" and items <= seen[same] else result] += 1
                seen[same] |= items
    return found


def _write(vault: Vault, permit: Permit, path: Path) -> Counter[str]:
    found = Counter[str]()
    now = vault.clock()
    for batch in _batches(vault, path):
        found.update(vault.database.transact(partial(_record, vault, permit, batch, now)))
    return found


def _record(vault: Vault, permit: Permit, batch: list[Collected], now: datetime, connection: Any) -> list[Outcome]:
    found = import_all(vault, connection, batch, now)
    purposes = dict.fromkeys(each.grant.purpose for each in batch)
    record(vault, connection, permit, purposes=purposes, counts=Counter[str](found))
    return found


def _batches(vault: Vault, path: Path) -> Iterator[list[Collected]]:
    now = vault.clock()
    lines = (read_line(vault.policy, raw, now) for _, raw in _lines(path))
    while batch := list(islice(lines, _AT_ONCE)):
        yield batch


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each line that is not empty; of one that is too long, its beginning."""
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(MAX_LINE + 1):
            number += 1
            if len(raw) > MAX_LINE and not raw.endswith(b"\n"):
                while (more := file.readline(MAX_LINE)) and not more.endswith(b"\n"):
                    pass
            if raw.strip():
                yield number, raw
