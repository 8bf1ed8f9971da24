"""Which slots the bot's own actions read, as far as their source says it.

Found are `tracker.get_slot("email")`, `tracker.slots["email"]` and `tracker.slots.get("email")` in a class whose `name`
returns a text. Not found: names that are put together at run time, and what a class inherits. Nothing is run.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Reading:
    """One place where an action reads a slot.

    Attributes:
        action: The name that Rasa calls it by.
        slot: The slot.
        place: File and line.
    """

    action: str
    slot: str
    place: str


def readings(folder: Path) -> Iterator[Reading]:
    """Yield what the actions of a bot (`actions/` or `actions.py`) read; a file that is no Python has none."""
    for file, tree in action_modules(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield from _of_class(node, file)


def action_modules(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the files with a bot's actions and their syntax, without those that cannot be read or are no Python."""
    package = folder / "actions"
    for file in sorted(package.rglob("*.py")) if package.is_dir() else [folder / "actions.py"]:
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        yield file, tree


def _of_class(node: ast.ClassDef, file: Path) -> Iterator[Reading]:
    action = _name(node)
    for inner in ast.walk(node) if action is not None else ():
        slot = slot_read(inner)
        if slot is not None and isinstance(inner, ast.expr):
            yield Reading(str(action), slot, f"{file}:{inner.lineno}")


def _name(node: ast.ClassDef) -> str | None:
    """Return the text that the method `name` returns, or None."""
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "name":
            for inner in ast.walk(method):
                if isinstance(inner, ast.Return):
                    return text_of(inner.value)
    return None


def slot_read(node: ast.AST) -> str | None:
    """Return the slot that an expression reads, or None for one that reads none."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        reads = node.func.attr == "get_slot" or (node.func.attr == "get" and _is_slots(node.func.value))
        return text_of(node.args[0]) if reads else None
    if isinstance(node, ast.Subscript) and _is_slots(node.value):
        return text_of(node.slice)
    return None


def _is_slots(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "slots"


def text_of(node: ast.AST | None) -> str | None:
    """Return a text that stands in the source, or None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
