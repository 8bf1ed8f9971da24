"""`progress`: how far a long command is, on standard error: a bar on a terminal, a line for each tenth elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINES: Final = 10

#: Called with the number of things that were done since the last call.
Advance = Callable[[int], None]


@contextmanager
def progress(title: str, total: int) -> Iterator[Advance]:
    """Show how many of `total` things are done.

    Args:
        title: What is being done, for example `Reading conversations`.
        total: Number of things; it may turn out to be more.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(title, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=total)
        yield lambda number: bar.advance(task, number)


def _lines(title: str, total: int) -> Advance:
    done = shown = 0

    def advance(number: int) -> None:
        nonlocal done, shown
        done += number
        tenth = _LINES * done // max(total, 1)
        if tenth > shown:
            shown = tenth
            click.echo(f"{title}: {done:,} of {total:,}", err=True)

    return advance
