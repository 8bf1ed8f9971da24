"""The bot's own YAML files, read for looking only: every name with its place, every scalar as it is written.

As written means that a slot called `on` stays `on`. Anchors, aliases and merge keys work, as they do in Rasa.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.positions import Place

MAX_FILE_BYTES: Final = 16 * 2**20  # 16 MiB; domains with many responses are long
_MAX_MERGES: Final = 20
_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_NULL_TAG: Final = "tag:yaml.org,2002:null"
_FAILURES: Final = (yaml.YAMLError, ValueError, OverflowError, TypeError, AttributeError, LookupError, RecursionError)

# libyaml, where PyYAML was built with it, reads a long domain about ten times faster.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Word:
    """A name in a file."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Tree:
    """One value of a YAML file and what is below it; `node` None stands for nothing there."""

    file: str
    node: yaml.Node | None

    @property
    def place(self) -> Place:
        """Where the value begins."""
        return Place(self.file, 1, 1) if self.node is None else Place.of(self.file, self.node)

    @property
    def text(self) -> str | None:
        """The scalar as it is written, or None where the value is empty or no scalar."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.tag != _NULL_TAG:
            return str(self.node.value)
        return None

    def pairs(self) -> Iterator[tuple[Word, "Tree"]]:
        """Yield the names of a mapping with their values; nothing where this is no mapping."""
        seen: set[str] = set()
        waiting = [self.node]
        for _ in range(_MAX_MERGES):  # a merge key can name its own mapping
            node = waiting.pop(0) if waiting else None
            for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
                if key.tag == _MERGE_TAG:
                    waiting += value.value if isinstance(value, yaml.SequenceNode) else [value]
                elif isinstance(key, yaml.ScalarNode) and key.value not in seen:
                    seen.add(key.value)
                    yield Word(str(key.value), Place.of(self.file, key)), Tree(self.file, value)

    def elements(self) -> Iterator["Tree"]:
        """Yield the elements of a list; nothing where this is no list."""
        if isinstance(self.node, yaml.SequenceNode):
            for node in self.node.value:
                yield Tree(self.file, node)

    def get(self, name: str) -> "Tree":
        """Return the value of a name; an empty tree where there is none."""
        return next((value for word, value in self.pairs() if word.text == name), Tree(self.file, None))

    def has(self, name: str) -> bool:
        """Tell whether the mapping has the name, whatever its value."""
        return any(word.text == name for word, _ in self.pairs())

    def scalars(self) -> Iterator["Tree"]:
        """Yield every scalar of this value and of what is below it, each once however often it is an alias."""
        seen: set[int] = set()
        waiting = [self.node]
        while waiting:
            node = waiting.pop()
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, yaml.ScalarNode):
                yield Tree(self.file, node)
            else:
                waiting += reversed([*_below(node)])

    def names(self) -> Iterator[Word]:
        """Yield the names of a list whose elements are `name` or `name: {...}`, or of a mapping."""
        for word, _ in self.pairs():
            yield word
        for element in self.elements():
            if element.text is not None:
                yield Word(element.text, element.place)
            else:
                yield from (word for word, _ in element.pairs())


def _below(node: yaml.Node) -> Iterator[yaml.Node]:
    for each in node.value:
        yield from each if isinstance(node, yaml.MappingNode) else (each,)


def read_tree(path: Path) -> Tree:
    """Read a YAML file of the bot; an empty file gives an empty tree.

    Raises:
        ConfigurationError: The file cannot be read or is not YAML.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: the file cannot be read ({error.strerror})") from None
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigurationError(f"{path}: the file is longer than {MAX_FILE_BYTES} bytes")
    try:
        return Tree(str(path), yaml.compose(raw.decode("utf-8-sig"), Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigurationError(f"{place}: this is not YAML; mend the line named here") from None
    except _FAILURES:
        raise ConfigurationError(f"{path}: this is not YAML in UTF-8") from None
