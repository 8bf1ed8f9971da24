"""Tables: printed for who runs a benchmark, and kept in docs/benchmarks.md for who reads about it."""

import importlib.metadata
import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = Path(os.environ.get("BENCH_DOCUMENT", ROOT / "docs" / "benchmarks.md"))

_PACKAGES: Final = ("rasa_privacy", "rasa", "SQLAlchemy", "cryptography", "msgspec", "zstandard", "phonenumbers")
_START: Final = """# Benchmarks

What the budgets of the project come to. `make bench` measures them anew and replaces the tables here. All figures are
of one run on one small machine: the ratios say more than the milliseconds. Rows that miss their goal say so.
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and what one must know to read it.

    Attributes:
        title: Heading.
        method: How it was measured, in whole sentences.
        head: Names of the columns.
        rows: Cells, as many in each row as there are columns.
    """

    title: str
    method: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """Return the table with columns that line up, so that it reads well in a terminal too."""
        widths = [max(len(row[column]) for row in (self.head, *self.rows)) for column in range(len(self.head))]
        rule = ["-" * width for width in widths]
        lines = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
            for row in (self.head, rule, *self.rows)
        ]
        return "\n".join(lines)


def verdict(*, met: bool) -> str:
    """Return the word for a goal that was met or missed."""
    return "met" if met else "MISSED"


def publish(name: str, table: Table) -> None:
    """Print a table and put it into the document in place of the one with the same name."""
    print(f"\n{table.title}\n\n{table.markdown()}\n\n{table.method}")
    section = "\n".join(
        (
            f"<!-- {name} -->",
            f"## {table.title}",
            "",
            f"{date.today().isoformat()}, {_versions()}; {_load()}.",  # noqa: DTZ011 - a day for readers, wherever they are
            "",
            table.markdown(),
            "",
            table.method,
            f"<!-- end of {name} -->",
        )
    )
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else _START
    pattern = re.compile(rf"<!-- {name} -->.*?<!-- end of {name} -->", re.DOTALL)
    text = pattern.sub(lambda _: section, text) if pattern.search(text) else f"{text}\n{section}\n"
    DOCUMENT.write_text(text, encoding="utf-8")


def milliseconds(seconds: float) -> str:
    """Return a time with three digits that count."""
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds * 1000:.0f} ms"


def _versions() -> str:
    packages = [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
    return ", ".join((f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}", *packages))


def _load() -> str:
    """Return how busy the machine was: with more than its cores can do, the times say little and the ratios less."""
    return f"load average {os.getloadavg()[0]:.1f} at the end, on {os.cpu_count()} cores"
