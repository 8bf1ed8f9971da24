"""YAML as a tree in which every word knows its line and column.

Rules: a file is UTF-8 and at most `MAX_FILE_BYTES` long; a tree has at most `MAX_NODES` nodes and `MAX_DEPTH` levels,
so that no file can keep the loader busy; scalars must be real text (no lone surrogates). Nothing is constructed here:
tags are compared by `decoder`, and never call anything.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.suggest import shown

MAX_FILE_BYTES: Final = 2**20  # 1 MiB; a long privacy.yml has about 20 KiB
MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 20
MAX_PROBLEMS: Final = 50  # more than that are counted only

#: The way to a value from the top of the file: names, and indexes in lists.
KeyPath = tuple[str | int, ...]

# PyYAML's scanner lets these escape for odd input, for example ValueError for "\UFFFFFFFF".
_PARSER_FAILURES: Final = (ValueError, OverflowError, TypeError, AttributeError, LookupError, RecursionError)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    @classmethod
    def of(cls, file: str, node: yaml.Node) -> "Place":
        """Return the place where a node begins."""
        return cls(file, node.start_mark.line + 1, node.start_mark.column + 1)


@dataclass(slots=True)
class Problems:
    """Collects what is wrong, so that a builder sees all of it at once."""

    found: list[tuple[Place, str]] = field(default_factory=list)

    def add(self, place: Place, message: str) -> None:
        """Note one problem; the message is one sentence without its place."""
        self.found.append((place, message))

    def __len__(self) -> int:
        return len(self.found)

    def raise_any(self) -> None:
        """Raise everything that was noted as one error, in the order of the file.

        Raises:
            PolicyError: At least one problem was noted.
        """
        if not self.found:
            return
        ordered = sorted(set(self.found))
        lines = [f"{place}: {message}" for place, message in ordered[:MAX_PROBLEMS]]
        if len(ordered) > MAX_PROBLEMS:
            lines.append(f"{ordered[0][0].file}: and {len(ordered) - MAX_PROBLEMS} more problems")
        raise PolicyError("\n".join(lines))


class _NotAllowedError(yaml.MarkedYAMLError):
    """The text is YAML, and outside the bounds of this module."""


class _BoundedLoader(yaml.SafeLoader):
    """PyYAML's safe loader, stopped at `MAX_NODES` nodes and `MAX_DEPTH` levels."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node and what is below it, counting."""
        self._nodes += 1
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self._nodes > MAX_NODES:
            raise _NotAllowedError(problem=f"the file has more than {MAX_NODES} values", problem_mark=mark)
        if self._depth >= MAX_DEPTH:
            raise _NotAllowedError(problem=f"more than {MAX_DEPTH} levels inside each other", problem_mark=mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(node, yaml.ScalarNode) and any("\ud800" <= letter <= "\udfff" for letter in node.value):
            raise _NotAllowedError(problem="half a surrogate pair", problem_mark=mark)
        return node


def read_text(path: Path) -> str:
    """Return the text of a YAML file.

    Raises:
        PolicyError: The file is missing, unreadable, a folder, too long, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise PolicyError(f"{path}:1:1: the file does not exist; write it with 'rasa-privacy init'") from None
    except OSError as error:
        raise PolicyError(f"{path}:1:1: the file cannot be read ({error.strerror}); check its rights") from None
    if len(raw) > MAX_FILE_BYTES:
        raise PolicyError(f"{path}:1:1: the file is longer than {MAX_FILE_BYTES} bytes; is it the right one?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line_start = raw.rfind(b"\n", 0, error.start) + 1
        place = Place(str(path), raw.count(b"\n", 0, error.start) + 1, error.start - line_start + 1)
        raise PolicyError(f"{place}: the file is not UTF-8; save it in that encoding") from None


def compose(text: str, file: str) -> yaml.Node:
    """Return the tree of a YAML text.

    Args:
        text: The YAML.
        file: The name to show in messages.

    Raises:
        PolicyError: The text is empty, is not YAML, has several documents, or is larger than the bounds.
    """
    try:
        loader = _BoundedLoader(text)
        node = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(file, before.count("\n") + 1, error.position - before.rfind("\n"))
        raise PolicyError(f"{place}: this character is not allowed in YAML; remove it") from None
    except yaml.MarkedYAMLError as error:
        raise PolicyError(_explain(error, text, file)) from None
    except _PARSER_FAILURES:
        raise PolicyError(f"{file}:1:1: this is not YAML, and the reader cannot say where it goes wrong") from None
    if node is None:
        raise PolicyError(f"{file}:1:1: the file is empty; write it with 'rasa-privacy init'")
    return node


def _explain(error: yaml.MarkedYAMLError, text: str, file: str) -> str:
    """Return one line for a YAML error, with the tab named where a tab is the cause."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return f"{file}:1:1: this is not YAML: {error.problem or error.context}"
    place = Place(file, mark.line + 1, mark.column + 1)
    if text[mark.index : mark.index + 1] == "\t":
        return f"{place}: YAML is indented with spaces, and here is a tab; replace it by spaces"
    problem = " ".join(str(error.problem or error.context).split())
    if isinstance(error, _NotAllowedError):
        return f"{place}: {problem}; this is not allowed here"
    return f"{place}: this is not YAML: {shown(problem)[1:-1] if len(problem) > 200 else problem}"  # noqa: PLR2004
