"""Who runs a command, and why: the permit under which it touches personal data."""

from collections.abc import Callable
from typing import Any, Final

import click

from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.permit import Permit
from rasa_privacy.storage.vault import Vault

_REASON: Final = "rasa_privacy.reason"


def operator_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --reason, which `permit_for` reads."""
    return click.option(
        "--reason",
        default="",
        envvar="RASA_PRIVACY_REASON",
        expose_value=False,
        callback=_remember,
        help="Why, for the audit log: a ticket for example, and no personal data.",
    )(command)


def permit_for(vault: Vault, verb: str) -> Permit:
    """Return the permit of who runs this command.

    Raises:
        AccessError: They may not do that.
    """
    return admit_local(vault, verb, click.get_current_context().meta.get(_REASON, ""))


def _remember(ctx: click.Context, _parameter: click.Parameter, value: str) -> None:
    ctx.meta[_REASON] = value
