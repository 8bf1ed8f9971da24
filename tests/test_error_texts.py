"""What the messages of our errors are filled in with, in every source of the package: never what people said."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import rasa_privacy
from rasa_privacy import errors

PACKAGE: Final = Path(rasa_privacy.__file__).parent
OURS: Final = frozenset(name for name in vars(errors) if name.endswith("Error"))
#: Names that hold what people say or who they are, as they are called in this package and in Rasa.
PERSONAL: Final = frozenset(
    {
        "answer",
        "body",
        "contact",
        "email",
        "entity",
        "message",
        "payload",
        "phone",
        "sender",
        "sender_id",
        "spoken",
        "text",
        "texts",
        "tracker",
        "utterance",
        "value",
    }
)


def holes(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and source of whatever fills the message of an error of ours; lengths tell nothing."""
    tree = ast.parse(source)
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in OURS:
            for argument in node.args:
                for part in named.get(argument.id, []) if isinstance(argument, ast.Name) else [argument]:
                    yield from _filled(part)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else str(getattr(call.func, "attr", ""))


def _filled(expression: ast.expr) -> Iterator[tuple[int, str]]:
    for node in ast.walk(expression):
        if isinstance(node, ast.FormattedValue) and not ast.unparse(node.value).startswith("len("):
            yield node.lineno, ast.unparse(node.value)


def names_in(source: str) -> set[str]:
    """Return the names and attributes of an expression."""
    nodes = list(ast.walk(ast.parse(source)))
    return {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }


def test_no_message_of_an_error_is_filled_with_what_people_said() -> None:
    """Lengths, names of the builder's files and of the bot, and no more."""
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {source}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, source in holes(path.read_text(encoding="utf-8"))
        if names_in(source) & PERSONAL
    ]
    assert found == []


def test_a_message_with_a_value_would_be_noticed() -> None:
    """Written in the call, or in a name before it."""
    source = 'note = f"no {tracker.sender_id}"\nraise StorageError(note)\nraise EmitError(f"bad {text!r}, {len(text)}")'
    assert [hole for hole in holes(source) if names_in(hole[1]) & PERSONAL] == [(1, "tracker.sender_id"), (3, "text")]
