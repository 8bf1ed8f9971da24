"""The alarm when somebody broke the glass: a mail to the data protection officer, where endpoints.yml has a sender."""

import os
from pathlib import Path
from typing import Final

import click

from rasa_privacy.access.admission import Alarm
from rasa_privacy.policy.endpoints_file import ENDPOINTS_VARIABLE, read_endpoints
from rasa_privacy.rights.senders import ONE_ADDRESS, hand_over, open_sender
from rasa_privacy.storage.vault import Vault

_SUBJECT: Final = "Break-glass access to personal data"
_TEXT: Final = """\
Operator {operator} went beyond their role to do this: {verb}.

It is record {number} of the audit log, with the reason: rasa-privacy audit show --verb break_glass
Look at what they did then, and say that you did: rasa-privacy audit review {number}
"""


def raise_alarm(vault: Vault, folder: Path) -> Alarm:
    """Return what tells the officer; where that is not possible, the person at the terminal is told so.

    Args:
        vault: The open store.
        folder: Where the command was called, from which its paths count.

    Raises (when called):
        ConfigurationError: The block `privacy_sender` is wrong.
        SenderError: The mail could not be handed over.
    """

    def alarm(operator: str, verb: str, number: int) -> None:
        click.echo(f"The glass is broken: record {number} of the audit log. It will be reviewed.", err=True)
        endpoints, to = _endpoints(folder), vault.policy.controller.officer or vault.policy.controller.contact
        content = read_endpoints(endpoints)
        if not isinstance(content, dict) or "privacy_sender" not in content or ONE_ADDRESS.fullmatch(to) is None:
            click.echo("No mail went out: endpoints.yml has no privacy_sender, or the officer no address.", err=True)
            return
        hand_over(open_sender(endpoints), to, _SUBJECT, _TEXT.format(operator=operator, verb=verb, number=number))

    return alarm


def _endpoints(folder: Path) -> Path:
    """Return the endpoints file of this command, which runs in the bot's folder by now (`cli.store`)."""
    named = click.get_current_context().params.get("endpoints") or os.environ.get(ENDPOINTS_VARIABLE)
    return folder / named if named else Path("endpoints.yml")
