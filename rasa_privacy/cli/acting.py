"""Who runs a command, and why: the permit under which it touches personal data.

The token comes from `RASA_PRIVACY_TOKEN`, never as an argument, which would stand in the shell's history.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import click

from rasa_privacy.access.admission import admit, break_glass
from rasa_privacy.access.login import Operator, local_operator, login
from rasa_privacy.access.permit import Permit
from rasa_privacy.cli.alarm import raise_alarm
from rasa_privacy.storage.vault import Vault

TOKEN_VARIABLE: Final = "RASA_PRIVACY_TOKEN"  # noqa: S105 - the name of a variable
_REASON: Final = "rasa_privacy.reason"
_BREAK_GLASS: Final = "rasa_privacy.break_glass"
_FOLDER: Final = "rasa_privacy.folder"


def operator_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options --reason and --break-glass, which `permit_for` reads."""
    reason = click.option(
        "--reason",
        default="",
        envvar="RASA_PRIVACY_REASON",
        expose_value=False,
        callback=_remember_reason,
        help="Why, for the audit log: a ticket for example, and no personal data.",
    )
    glass = click.option(
        "--break-glass",
        is_flag=True,
        expose_value=False,
        callback=_remember_glass,
        help="In an emergency: go beyond your role. Raises an alarm, and somebody else reviews it.",
    )
    return reason(glass(command))


def acting(vault: Vault) -> Operator:
    """Return who runs this command: the operator of the token, or the user of this machine.

    Raises:
        AccessError: The token is not accepted.
    """
    token = os.environ.get(TOKEN_VARIABLE)
    return local_operator() if not token else login(vault, token)


def permit_for(
    vault: Vault, verb: str, *, clear: bool = False, purposes: Iterable[str] = (), items: Iterable[str] = ()
) -> Permit:
    """Return the permit of who runs this command.

    Args:
        vault: The open store.
        verb: What the command does.
        clear: Whether it hands out values in the clear.
        purposes: The purposes that it was told.
        items: The items that it was told.

    Raises:
        AccessError: They may not do that.
    """
    meta = click.get_current_context().meta
    operator, reason = acting(vault), meta.get(_REASON, "")
    if meta.get(_BREAK_GLASS):
        return break_glass(vault, operator, verb, reason, raise_alarm(vault, meta[_FOLDER]))
    return admit(vault, operator, verb, reason=reason, clear=clear, purposes=purposes, items=items)


def _remember_reason(ctx: click.Context, _parameter: click.Parameter, value: str) -> None:
    ctx.meta[_REASON] = value
    ctx.meta[_FOLDER] = Path.cwd()  # before the store is opened in the bot's folder


def _remember_glass(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    ctx.meta[_BREAK_GLASS] = value
