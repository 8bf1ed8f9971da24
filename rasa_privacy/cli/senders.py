"""How commands about one person are told who it is, so that the sender id is echoed nowhere.

As an argument it stands in the shell's history and in the list of processes; `--sender-stdin` keeps it out of both.
"""

import sys
from collections.abc import Callable
from typing import Any

import click

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record_unknown
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.storage.vault import Vault

#: An id such as `-5` is no option, and click would quote what it does not know.
PERSON = {"ignore_unknown_options": True}


def sender_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument SENDER and the option --sender-stdin."""
    option = click.option("--sender-stdin", is_flag=True, help="Read the sender id from the first line of the input.")
    return click.argument("sender", nargs=-1, type=click.UNPROCESSED)(option(command))


def chosen_sender(sender: tuple[str, ...], *, sender_stdin: bool) -> str:
    """Return the sender id that was given one way or the other.

    Raises:
        ConfigurationError: None was given, or several.
    """
    given = [sys.stdin.buffer.readline().decode("utf-8", "replace").strip()] if sender_stdin else []
    given += sender
    if len(given) != 1 or not given[0]:
        raise ConfigurationError(
            "name one sender id: as the argument, between quotes where it has spaces, or with --sender-stdin on the "
            "first line of the input; check the spelling of the options too"
        )
    return given[0]


def known_subject(vault: Vault, sender_id: str, permit: Permit) -> bytes:
    """Return the subject id behind a sender id; that somebody looked for nobody is recorded. Not in a transaction.

    Raises:
        ConfigurationError: There is nobody (any more).
    """
    with vault.database.read() as connection:
        found = vault.subjects.find(connection, sender_id)
    if found is not None:
        return found
    record_unknown(vault, permit)
    raise nobody_known(vault, sender_id)


def nobody_known(vault: Vault, sender_id: str) -> ConfigurationError:
    """Return the error for a sender of whom nothing is stored, which is recorded before."""
    with vault.database.read() as connection:
        tombstone = vault.erasures.tombstone_of(connection, sender_id)
    when = "was never stored" if tombstone is None else f"was deleted on {tombstone.erased_at:%Y-%m-%d}"
    return ConfigurationError(f"{vault.database.name}: this sender {when}; there is nothing to show or to change")
