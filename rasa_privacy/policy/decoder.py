"""From a YAML tree to plain values that fit the structs of `model`, with a place for every mistake.

The types are read from the structs by `msgspec.inspect`, so the model stays the one description of the file. msgspec
itself stops at the first error and knows no lines; here every error is noted, and msgspec has the last word at the end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import msgspec
import yaml
from msgspec import inspect

from rasa_privacy.policy.positions import MAX_NODES, KeyPath, Place, Problems
from rasa_privacy.policy.suggest import did_you_mean, listed, shown

_TAG: Final = "tag:yaml.org,2002:"
_WHOLE_NUMBER: Final = re.compile(r"^[-+]?[0-9]{1,9}$")
_DATE: Final = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_TRUE_WORDS: Final = frozenset({"yes", "true", "on"})  # YAML 1.1, https://yaml.org/type/bool.html

#: What to call a scalar that YAML took for something else than text.
_KIND_NAMES: Final = {"int": "a number", "float": "a number", "bool": "true or false", "timestamp": "a date"}


@dataclass(slots=True)
class Decoder:
    """Walks one file. `places` and `key_places` tell afterwards where each value and each name stands."""

    file: str
    problems: Problems
    places: dict[KeyPath, Place] = field(default_factory=dict)
    key_places: dict[KeyPath, Place] = field(default_factory=dict)
    _visited: int = 0

    def decode(self, node: yaml.Node, kind: inspect.Type, path: KeyPath = ()) -> object:
        """Return the node as plain values of this kind; what is wrong is noted, and then the result means nothing."""
        self.places[path] = Place.of(self.file, node)
        self._visited += 1
        if self._visited > MAX_NODES:  # aliases can make a small file large
            self._wrong(node, path, f"has more than {MAX_NODES} values; use fewer aliases")
            return None
        chosen = _choose(node, kind)
        if isinstance(node, yaml.MappingNode) and isinstance(chosen, inspect.StructType):
            return self._struct(node, chosen, path)
        if isinstance(node, yaml.MappingNode) and isinstance(chosen, inspect.DictType):
            return {name: self.decode(below, chosen.value_type, here) for name, below, here in self._pairs(node, path)}
        if isinstance(node, yaml.SequenceNode) and isinstance(chosen, inspect.VarTupleType):
            return [self.decode(below, chosen.item_type, (*path, i)) for i, below in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and chosen is not None:
            return self._scalar(node, chosen, path)
        self._wrong(node, path, f"must be {_expected(kind)}, not {_kind_of(node)}")
        return None

    def _struct(self, node: yaml.MappingNode, kind: inspect.StructType, path: KeyPath) -> object:
        """Return a mapping whose names are the struct's fields."""
        before = len(self.problems)
        fields = {known.encode_name: known for known in kind.fields}
        values: dict[str, object] = {}
        for name, below, here in self._pairs(node, path):
            if name in fields:
                values[name] = self.decode(below, fields[name].type, here)
            else:
                where = f"in {dotted(path)}" if path else "at the top of the file"
                hint = did_you_mean(name, fields) or f"; known are {listed(fields)}"
                self.problems.add(self.key_places[here], f"{shown(name)} is not known {where}{hint}")
        missing = [name for name, known in fields.items() if known.required and name not in _names(node)]
        if missing:
            self._wrong(node, path, f"misses {listed(missing)}")
        if len(self.problems) == before:
            self._convert(node, values, kind, path)
        return values

    def _convert(self, node: yaml.Node, values: object, kind: inspect.StructType, path: KeyPath) -> None:
        """Let the struct's own checks speak (`__post_init__`)."""
        try:
            msgspec.convert(values, kind.cls)
        except msgspec.ValidationError as error:
            self._wrong(node, path, "is wrong: " + str(error).partition(" - at ")[0])

    def _pairs(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, yaml.Node, KeyPath]]:
        """Yield name, value node and path; names that are no text or stand twice are noted and left out."""
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(key, path, "has a list or a mapping in the place of a name; write 'name: value'")
            elif key.tag == _TAG + "merge":
                self._wrong(key, path, "uses a merge key ('<<'), which is not supported; write the lines out")
            elif key.tag != _TAG + "str":
                self._wrong(
                    key, path, f"has the name {shown(key.value)}, which YAML reads as {_kind_of(key)}; put it in quotes"
                )
            elif key.value in seen:
                self._wrong(key, path, f"has {shown(key.value)} twice; remove one")
            else:
                seen.add(key.value)
                here = (*path, key.value)
                self.key_places[here] = Place.of(self.file, key)
                yield key.value, value, here

    def _scalar(self, node: yaml.ScalarNode, kind: inspect.Type, path: KeyPath) -> object:
        """Return text, a whole number, a truth value or None."""
        value = _plain(node)
        if isinstance(kind, inspect.LiteralType):
            if any(type(value) is type(known) and value == known for known in kind.values):
                return value
            words = [str(known) for known in kind.values]
            text = str(node.value)
            expected = f"must be {words[0]}" if len(words) == 1 else f"must be one of {', '.join(words)}"
            message = f"{dotted(path)} {expected}{did_you_mean(text, words)}"
            self.problems.add(Place.of(self.file, node), message)
            return None
        if isinstance(kind, inspect.NoneType):
            return None
        if isinstance(kind, inspect.DateType) and _is_date(node.value):
            return str(node.value)
        expected_type = {inspect.StrType: str, inspect.IntType: int, inspect.BoolType: bool}.get(type(kind))
        if expected_type is not None and type(value) is expected_type:
            return value
        remedy = "; put it in quotes" if expected_type is str and node.value else ""
        self._wrong(node, path, f"must be {_expected(kind)}, not {_kind_of(node)}{remedy}")
        return None

    def _wrong(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self.problems.add(Place.of(self.file, node), f"{dotted(path) or 'the file'} {message}")


def dotted(path: KeyPath) -> str:
    """Return a path as people write it, for example `purposes.prize_draw.says`; odd names are cut and escaped."""
    return ".".join(shown(str(step))[1:-1] for step in path)


def _names(node: yaml.MappingNode) -> set[str]:
    return {key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)}


def _is_date(text: str) -> bool:
    """Tell whether a scalar is a day, quoted or not."""
    if not _DATE.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _plain(node: yaml.ScalarNode) -> object:
    """Return a scalar's value, or a value of no expected type where YAML took it for something else."""
    tag = node.tag.removeprefix(_TAG)
    if tag == "str":
        return str(node.value)
    if tag == "int" and _WHOLE_NUMBER.match(node.value):
        return int(node.value)
    if tag == "bool":
        return node.value.lower() in _TRUE_WORDS
    return None


def _choose(node: yaml.Node, kind: inspect.Type) -> inspect.Type | None:
    """Return the alternative of a union that fits the node's form, or None."""
    alternatives = list(kind.types) if isinstance(kind, inspect.UnionType) else [kind]
    mappings = (inspect.StructType, inspect.DictType)
    fits: list[inspect.Type]
    if isinstance(node, yaml.MappingNode):
        fits = [one for one in alternatives if isinstance(one, mappings) and node.tag == _TAG + "map"]
    elif isinstance(node, yaml.SequenceNode):
        fits = [one for one in alternatives if isinstance(one, inspect.VarTupleType) and node.tag == _TAG + "seq"]
    else:
        fits = [one for one in alternatives if not isinstance(one, (*mappings, inspect.VarTupleType))]
        null = node.tag == _TAG + "null"
        fits.sort(key=lambda one: isinstance(one, inspect.NoneType) is not null)
    return fits[0] if fits else None


def _kind_of(node: yaml.Node) -> str:
    """Say what YAML read."""
    if isinstance(node, yaml.ScalarNode):
        if node.tag == _TAG + "null":
            return "nothing"
        tag = node.tag.removeprefix(_TAG)
        return _KIND_NAMES.get(tag, "text" if tag == "str" else f"the tag {shown(node.tag)}")
    if node.tag not in (_TAG + "map", _TAG + "seq"):
        return f"the tag {shown(node.tag)}"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping ('name: value')"


def _expected(kind: inspect.Type) -> str:
    """Say what the model wants."""
    if isinstance(kind, inspect.UnionType):
        wanted = [_expected(one) for one in kind.types if not isinstance(one, inspect.NoneType)]
        return " or ".join(wanted)
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(str(value) for value in kind.values)
    if isinstance(kind, inspect.StructType) and len(kind.fields) == 1:
        return f"a mapping such as {{{kind.fields[0].encode_name}: 3}}"
    names = {inspect.StrType: "text", inspect.IntType: "a whole number", inspect.BoolType: "true or false"}
    names |= {inspect.VarTupleType: "a list", inspect.NoneType: "empty", inspect.DateType: "a day such as 2025-03-01"}
    return names.get(type(kind), "a mapping ('name: value')")
