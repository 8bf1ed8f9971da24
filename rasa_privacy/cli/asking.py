"""Asking before something is destroyed: a question to whoever sits there, or an error that says what to pass."""

import sys

import click

from rasa_privacy.errors import ConfigurationError

_REFUSED_EXIT_CODE = 1


def confirm(question: str, otherwise: str) -> None:
    """Return where somebody says yes; end the command where they say no.

    Args:
        question: What is to be done.
        otherwise: What is said to somebody who says no.

    Raises:
        ConfigurationError: Nobody is there to answer.
    """
    try:
        agreed = click.confirm(question)
    except click.Abort:
        if sys.stdin is not None and sys.stdin.isatty():
            raise  # somebody pressed Ctrl-C
        raise ConfigurationError(
            "nobody is there to answer, so nothing was done; add --yes, or run it in a terminal"
        ) from None
    if not agreed:
        click.echo(otherwise)
        click.get_current_context().exit(_REFUSED_EXIT_CODE)
