"""`rasa-privacy suppression`: who must not be written to again.

Contacts come in by standard input, one a line, so that they stand in no shell history and no list of processes. None is
ever written out.
"""

import io
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record, record_now
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.errors import ContactError
from rasa_privacy.policy.counted import counted
from rasa_privacy.rights import suppression as rules
from rasa_privacy.storage.vault import Vault

_AT_ONCE: Final = 500
_FOUND_EXIT_CODE: Final = 1
_NAMED_LINES: Final = 20

sender_option = click.option("--sender", is_flag=True, help="The lines are sender ids and not contacts.")


@click.group()
def suppression() -> None:
    """Look after who must not be written to again: add, check, remove, import.

    Give email addresses or phone numbers by standard input, one a line. Only keyed hashes of them are stored; they
    outlive the deletion of a person.
    """


@suppression.command()
@sender_option
@operator_options
@bot_option
@endpoints_option
def add(*, sender: bool, bot: Path, endpoints: Path | None) -> None:
    """Suppress contacts. A line that is none stops it; the lines before it are done."""
    new = total = 0
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "suppress")
        for numbered in _batches(_lines()):
            for number, line in numbered:
                new += vault.database.transact(_recorded(vault, permit, _adding(vault, number, line, sender=sender)))
            total += len(numbered)
    click.echo(f"{new:,} of {total:,} were added; the others were suppressed already.")


@suppression.command()
@sender_option
@operator_options
@bot_option
@endpoints_option
def check(*, sender: bool, bot: Path, endpoints: Path | None) -> None:
    """Say of each line by its number whether it is suppressed; exit code 1 if one is."""
    any_found = False
    lines = list(_lines())  # first, so that a slow hand holds no transaction open
    with existing_store(bot, endpoints) as vault:
        record_now(vault, permit_for(vault, "suppress"), counts={"looked_at": len(lines)})
        with vault.database.read() as connection:
            for number, line in lines:
                if not sender:
                    _valid(vault, number, line)
                reason = rules.suppressed(vault, connection, line if sender else None, () if sender else (line,))
                click.echo(f"line {number}: {'not suppressed' if reason is None else f'suppressed ({reason})'}")
                any_found = any_found or reason is not None
    if any_found:
        click.get_current_context().exit(_FOUND_EXIT_CODE)


@suppression.command()
@sender_option
@click.option("--yes", is_flag=True, required=True, help="Needed: they may be written to again afterwards.")
@operator_options
@bot_option
@endpoints_option
def remove(*, sender: bool, yes: bool, bot: Path, endpoints: Path | None) -> None:  # noqa: ARG001 - click demands it
    """Lift the suppression of these, whatever its reason was."""
    removed = total = 0
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "suppress")
        for number, line in _lines():
            work = _removing(vault, number, line, sender=sender)
            removed += vault.database.transact(_recorded(vault, permit, work, "removed"))
            total += 1
    click.echo(f"{removed:,} of {total:,} were suppressed and are so no longer.")


@suppression.command("import")
@operator_options
@bot_option
@endpoints_option
def import_list(bot: Path, endpoints: Path | None) -> None:
    """Suppress the contacts of a list. A line that is none is passed over and named by its number; exit code 1 then.

    It can be run again: what is there already stays as it is.
    """
    new = total = 0
    bad: list[int] = []
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "suppress")
        for numbered in _batches(_lines()):
            good = [line for number, line in numbered if _is_contact(vault, number, line, bad)]
            new += vault.database.transact(_recorded(vault, permit, _importing(vault, good)))
            total += len(numbered)
    click.echo(f"{new:,} of {total:,} were added, {total - new - len(bad):,} were suppressed already.")
    if bad:
        named = ", ".join(map(str, bad[:_NAMED_LINES])) + (" and others" if len(bad) > _NAMED_LINES else "")
        click.echo(f"Passed over {counted(len(bad), 'line')} without a contact: {named}", err=True)
        click.get_current_context().exit(_FOUND_EXIT_CODE)


def _lines() -> Iterator[tuple[int, str]]:
    """Yield number and text of each line of standard input that is not empty."""
    stream = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", errors="replace")
    return ((number, line.strip()) for number, line in enumerate(stream, start=1) if line.strip())


def _batches(lines: Iterator[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    while batch := list(islice(lines, _AT_ONCE)):
        yield batch


def _valid(vault: Vault, number: int, line: str) -> None:
    """Check that a line is a contact.

    Raises:
        ContactError: It is none; names the line.
    """
    try:
        rules.contact_indexes(vault, line)
    except ContactError as error:
        raise ContactError(f"line {number}: {error}") from None


def _is_contact(vault: Vault, number: int, line: str, bad: list[int]) -> bool:
    try:
        _valid(vault, number, line)
    except ContactError:
        bad.append(number)
        return False
    return True


def _recorded(vault: Vault, permit: Permit, work: Callable[[Any], int], what: str = "added") -> Callable[[Any], int]:
    """Return work that is recorded in its own transaction, with the number that it returns."""

    def done(connection: Any) -> int:
        number = work(connection)
        record(vault, connection, permit, counts={what: number})
        return number

    return done


def _adding(vault: Vault, number: int, line: str, *, sender: bool) -> Any:
    if sender:
        return lambda connection: int(rules.suppress(vault, connection, line, rules.OPERATOR, vault.clock()))
    _valid(vault, number, line)
    return lambda connection: rules.suppress_contacts(vault, connection, [line], rules.OPERATOR, vault.clock())


def _removing(vault: Vault, number: int, line: str, *, sender: bool) -> Any:
    if sender:
        return lambda connection: int(rules.remove_sender(vault, connection, line))
    _valid(vault, number, line)
    return lambda connection: rules.remove_contacts(vault, connection, [line])


def _importing(vault: Vault, good: list[str]) -> Any:
    return lambda connection: rules.suppress_contacts(vault, connection, good, rules.IMPORTED, vault.clock())
