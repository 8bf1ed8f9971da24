"""Reads the log calls of a source file: which texts they can produce, as literals and holes.

Understood are plain and f-strings, `+`, `%`, `str.format`, the arguments of a logger, conditional expressions, and
names that the same file assigns such an expression. Everything else is a hole, so that a mistake here withholds and
never shows.
"""

import ast
import itertools
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rasa_privacy.components.log_holes import Kind, kind_of

MAX_ALTERNATIVES: Final = 8  # texts of one argument: conditional expressions multiply
MAX_DEPTH: Final = 3  # of names that stand for other names
MAX_EXPRESSION_CHARS: Final = 60  # of the source that is shown for a text without template

_LOG_CALL: Final = re.compile(r"log|warn|debug|info|error|critical|exception|fatal|msg", re.IGNORECASE)
_PERCENT: Final = re.compile(r"%(\(\w+\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?([diouxXeEfFgGcrsa%])")

Part = str | Kind
Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class CallSite:
    """One log call.

    Attributes:
        first_line: Where it begins, from 1.
        last_line: Where it ends.
        texts: Each text that one of its arguments can be.
        expression: The source of its text where that is not written in the call; without the strings in it.
    """

    first_line: int
    last_line: int
    texts: tuple[Parts, ...]
    expression: str


def call_sites(tree: ast.AST) -> Iterator[CallSite]:
    """Yield the calls of a file whose name sounds like a log call; which ones are is known only at run time."""
    nodes = list(ast.walk(tree))
    reader = _Reader(nodes)
    for node in nodes:
        if isinstance(node, ast.Call) and _LOG_CALL.search(_called(node)):
            texts = tuple(dict.fromkeys(reader.texts(node)))
            yield CallSite(node.lineno, node.end_lineno or node.lineno, texts, _expression(node))


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _expression(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    if not isinstance(first, (ast.Name, ast.Attribute, ast.Call)):
        return ""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "...", ast.unparse(first))[:MAX_EXPRESSION_CHARS]


class _Reader:
    """Turns expressions of one file into literals and holes."""

    def __init__(self, nodes: Sequence[ast.AST]) -> None:
        self._assigned: dict[str, list[ast.expr]] = {}
        for node in nodes:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._assigned.setdefault(node.targets[0].id, []).append(node.value)

    def texts(self, call: ast.Call) -> Iterator[Parts]:
        """Yield what each argument of a call can be; a template also with the arguments that follow it."""
        for index, argument in enumerate(call.args):
            for parts in self._parts(argument, 0):
                yield parts
                if len(call.args) > index + 1:
                    yield from _percent(parts, call.args[index + 1 :])
        for keyword in call.keywords:
            yield from self._parts(keyword.value, 0)

    def _parts(self, node: ast.expr, depth: int) -> list[Parts]:
        """Return the alternatives of an expression."""
        found: list[Parts] = []
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = [(node.value,)]
        elif isinstance(node, ast.JoinedStr):
            found = _product([self._parts(value, depth) for value in node.values])
        elif isinstance(node, ast.FormattedValue):
            found = self._formatted(node, depth)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            found = _product([self._parts(node.left, depth), self._parts(node.right, depth)])
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            found = [parts for left in self._parts(node.left, depth) for parts in _percent(left, values)]
        elif isinstance(node, ast.IfExp):
            found = self._parts(node.body, depth) + self._parts(node.orelse, depth)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            found = [parts for left in self._parts(node.func.value, depth) for parts in _braces(left, node)]
        elif isinstance(node, ast.Name) and depth < MAX_DEPTH:
            found = [parts for value in self._assigned.get(node.id, ()) for parts in self._parts(value, depth + 1)]
            found = [parts for parts in found if parts and not isinstance(parts[0], Kind)]
        return found[:MAX_ALTERNATIVES] or [(kind_of(ast.unparse(node)),)]

    def _formatted(self, node: ast.FormattedValue, depth: int) -> list[Parts]:
        """Return the text of `{expression!r:.2f}`: a hole, unless it is another template without a format."""
        if node.format_spec is None and node.conversion == -1 and not isinstance(node.value, ast.Name):
            return self._parts(node.value, depth)
        return [(kind_of(ast.unparse(node.value)),)]


def _product(choices: Sequence[list[Parts]]) -> list[Parts]:
    """Return the concatenations of one alternative of each, at most MAX_ALTERNATIVES."""
    combined = itertools.islice(itertools.product(*choices), MAX_ALTERNATIVES)
    return [tuple(itertools.chain.from_iterable(parts)) for parts in combined]


def _percent(parts: Parts, values: Sequence[ast.expr]) -> Iterator[Parts]:
    """Yield the text that `literal % values` gives, if the parts are one literal with a `%` in it."""
    if len(parts) != 1 or not isinstance(parts[0], str) or "%" not in parts[0]:
        return
    literal, made, position = parts[0], list[Part](), 0
    remaining = iter(values)
    for match in _PERCENT.finditer(literal):
        made.append(literal[position : match.start()])
        position = match.end()
        if match[2] == "%":
            made.append("%")
            continue
        value = None if match[1] else next(remaining, None)
        made.append(kind_of(match[1] or "" if value is None else ast.unparse(value)))
    yield (*made, literal[position:])


def _braces(parts: Parts, call: ast.Call) -> Iterator[Parts]:
    """Yield the text that `literal.format(...)` gives, if the parts are one literal."""
    if len(parts) != 1 or not isinstance(parts[0], str):
        return
    made = list[Part]()
    remaining = iter(call.args)
    try:
        for literal, field, _, _ in string.Formatter().parse(parts[0]):
            made.append(literal)
            if field is not None:
                made.append(_field(field, call, remaining))
    except ValueError:
        return
    yield tuple(made)


def _field(field: str, call: ast.Call, remaining: Iterator[ast.expr]) -> Kind:
    """Return the kind of a replacement field of `str.format`."""
    if not field:
        value = next(remaining, None)
    elif field.isdigit():
        value = call.args[int(field)] if int(field) < len(call.args) else None
    else:
        value = next((keyword.value for keyword in call.keywords if keyword.arg == field), None)
    return kind_of(field if value is None else ast.unparse(value))
