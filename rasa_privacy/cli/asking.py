"""Asking before something is destroyed: a question to whoever sits there, or an error that says what to pass."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
    with somebody("nothing was done; add --yes, or run it in a terminal"):
        agreed = click.confirm(question)
    if not agreed:
        click.echo(otherwise)
        click.get_current_context().exit(_REFUSED_EXIT_CODE)


@contextmanager
def somebody(otherwise: str) -> Iterator[None]:
    """Within, questions are asked that need somebody who answers; where nobody is there, the input ends.

    Args:
        otherwise: What that means, and what to do instead.

    Raises:
        ConfigurationError: Nobody is there to answer.
    """
    try:
        yield
    except click.Abort:
        if sys.stdin is not None and sys.stdin.isatty():
            raise  # somebody pressed Ctrl-C
        raise ConfigurationError(f"nobody is there to answer, so {otherwise}") from None
