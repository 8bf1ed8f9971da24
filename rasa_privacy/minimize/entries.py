"""Entries of personal values: apart from an event's structure when it is stored, and back in it when it is read.

An entry is `[seq, path, item, value]`: the number of the event, where in it the value stands, whose item it is, and it.
"""

import operator
from collections.abc import Iterable, Mapping
from typing import Any, Final, SupportsFloat, SupportsIndex

#: Types that are stored as they are.
_STORABLE: Final = frozenset({str, int, float, bool, type(None)})

Entry = list[Any]


def join(structure: list[dict[str, Any]], first_seq: int, values: Mapping[str, Iterable[Entry]]) -> None:
    """Put the values of all readable purposes back into the structure, in place.

    Args:
        structure: Events from `first_seq` on.
        first_seq: Number of the first event in `structure`.
        values: Entries by purpose; a value that several purposes hold is the same in each.
    """
    for entries in values.values():
        for seq, path, _item, value in entries:
            index = seq - first_seq
            if 0 <= index < len(structure):
                _put(structure[index], path, value)


def _put(event: dict[str, Any], path: list[Any], value: object) -> None:
    target: Any = event
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line for each kind of value
    """Return the value in types that have a stored form: classifiers give numpy's numbers, actions give anything."""
    if type(value) in _STORABLE:
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(part) for part in value]
    if isinstance(value, str):
        return str(value)
    item = getattr(value, "item", None)
    if callable(item) and type(item()) in _STORABLE:
        return item()
    if isinstance(value, SupportsIndex):
        return operator.index(value)
    return float(value) if isinstance(value, SupportsFloat) else str(value)
