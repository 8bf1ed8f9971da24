"""Cuts a log line into the literals of its source code and the parts that were filled in.

Rasa formats most lines before it hands them to a logger (`logger.debug(f"... '{tracker.sender_id}'")`), so template
and values can no longer be told apart at run time. The record names file and line, however: the call is read from there
(once per file), its arguments become templates, and the text is laid against them. A text that fits none is withheld
as a whole, and so is every line whose source cannot be read: nothing is shown because it looks harmless.

Not handled: text that comes from another function (`logger.error(message)` with a parameter) has no template here.
"""

import ast
import linecache
from dataclasses import dataclass
from typing import Final

from rasa_privacy.components.log_holes import Kind, shown
from rasa_privacy.components.log_registry import WITHHELD
from rasa_privacy.components.log_source import CallSite, call_sites

MAX_FILES: Final = 2_000  # whose call sites are kept


@dataclass(frozen=True, slots=True)
class Template:
    """A text with holes: literal, hole, literal, ..., literal.

    Attributes:
        literals: One more than holes.
        holes: What fills the gaps.
    """

    literals: tuple[str, ...]
    holes: tuple[Kind, ...]

    def fit(self, text: str) -> list[str] | None:
        """Return the texts of the holes, or None if the text does not fit.

        Linear in the text: each literal is looked for once, from left to right.
        """
        first, last = self.literals[0], self.literals[-1]
        if not self.holes:
            return [] if text == first else None
        start, end = len(first), len(text) - len(last)
        if start > end or not text.startswith(first) or not text.endswith(last):
            return None
        filled: list[str] = []
        for literal in self.literals[1:-1]:
            found = text.find(literal, start, end)
            if found < 0:
                return None
            filled.append(text[start:found])
            start = found + len(literal)
        return [*filled, text[start:end]]

    def fill(self, filled: list[str]) -> str:
        """Return the text with these texts in its holes."""
        pieces = [self.literals[0]]
        for text, literal in zip(filled, self.literals[1:], strict=True):
            pieces += [text, literal]
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class _Site:
    """What is known of a line of source: the templates of its calls, and how the text is called there."""

    templates: tuple[Template, ...] = ()
    expression: str = ""


_UNKNOWN: Final = _Site()
_files: dict[str, dict[int, _Site]] = {}


def fitting(path: str, line: int, text: str) -> tuple[Template, list[str]] | None:
    """Return the template of the call at this place that the text fits, with the texts of its holes."""
    for template in _site(path, line).templates:
        filled = template.fit(text)
        if filled is not None:
            return template, filled
    return None


def scrub_fitting(path: str, line: int, text: str) -> str | None:
    """Return a foreign text with its holes as `shown`, or None if it fits no template of the call at this place."""
    fit = fitting(path, line, text)
    if fit is None:
        return None
    template, filled = fit
    return template.fill([shown(kind, hole) for kind, hole in zip(template.holes, filled, strict=True)])


def scrub_text(path: str, line: int, text: str) -> str:
    """Return a foreign text with its holes as `shown`, or `[withheld: expression]`.

    Args:
        path: Source file of the call, as in `LogRecord.pathname`.
        line: Line inside the call, from 1.
        text: The final text, formatted.
    """
    scrubbed = scrub_fitting(path, line, text) if text else text
    if scrubbed is not None:
        return scrubbed
    expression = _site(path, line).expression
    return f"[withheld: {expression}]" if expression else WITHHELD


def _site(path: str, line: int) -> _Site:
    sites = _files.get(path)
    if sites is None:
        if len(_files) >= MAX_FILES:
            _files.clear()
        _files[path] = {}  # stands while the file is read, in case reading it logs or warns
        sites = _files[path] = _read(path)
    return sites.get(line, _UNKNOWN)


def _read(path: str) -> dict[int, _Site]:
    """Return the call sites of a file by line; none if it cannot be read or parsed."""
    try:
        tree = ast.parse("".join(linecache.getlines(path)), path)
    except (SyntaxError, ValueError, RecursionError, MemoryError, Warning):
        return {}
    sites: dict[int, _Site] = {}
    for call in call_sites(tree):
        templates = _templates(call)
        for line in range(call.first_line, call.last_line + 1):
            before = sites.get(line, _UNKNOWN)
            sites[line] = _Site(before.templates + templates, before.expression or call.expression)
    return sites


def _templates(call: CallSite) -> tuple[Template, ...]:
    """Return the templates of a call; the more literal text, the earlier."""
    made: dict[Template, int] = {}
    for parts in call.texts:
        literals, holes = [""], list[Kind]()
        for part in parts:
            if isinstance(part, str):
                literals[-1] += part
            elif literals[-1] or not holes:
                holes.append(part)
                literals.append("")
            else:  # two holes side by side cannot be told apart: the stricter rule holds for both
                holes[-1] = part if part is holes[-1] else Kind.PERSONAL
        size = sum(len(literal.strip()) for literal in literals)
        if size:
            made[Template(tuple(literals), tuple(holes))] = size
    return tuple(sorted(made, key=lambda template: -made[template]))
