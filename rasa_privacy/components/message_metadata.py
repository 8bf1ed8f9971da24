"""`bounded`: the metadata of a message, as much of it as Rasa can handle.

A channel may hang anything on a message. Rasa copies it at every step and expects a mapping: a list, or a mapping in a
thousand mappings, ends the conversation. Nothing of it is stored or sent (`minimize.events`); the bot's own components
may read it while the message is handled.

1. What is no mapping is left out, and so is whatever has no form in JSON: bytes, sets, objects.
2. Below MAX_DEPTH, and after MAX_PARTS values, nothing is copied, so that a mapping which holds itself comes to an end.
"""

from collections.abc import Mapping
from typing import Any, Final

MAX_DEPTH: Final = 16
MAX_PARTS: Final = 10_000
MAX_CHARACTERS: Final = 65_536  # of one text

_LEAVES: Final = (str, int, float, bool, type(None))
_LEFT_OUT: Final = object()


class _Copy:
    """One copying; counts the values."""

    def __init__(self) -> None:
        self._left = MAX_PARTS

    def of(self, value: object, depth: int) -> object:
        """Return a copy, or `_LEFT_OUT`."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            return _LEFT_OUT
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, (list, tuple)):
            return self._list(value, depth)
        if not isinstance(value, _LEAVES) or (isinstance(value, str) and len(value) > MAX_CHARACTERS):
            return _LEFT_OUT
        return value

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept = {}
        for name, part in value.items():
            if self._left <= 0:
                break
            copied = self.of(part, depth + 1) if isinstance(name, str) else _LEFT_OUT
            if copied is not _LEFT_OUT:
                kept[name] = copied
        return kept

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        kept = []
        for part in value:
            if self._left <= 0:
                break
            copied = self.of(part, depth + 1)
            if copied is not _LEFT_OUT:
                kept.append(copied)
        return kept


def bounded(metadata: object) -> dict[str, Any] | None:
    """Return a copy of the metadata within the bounds, or None where there is none."""
    if not isinstance(metadata, Mapping):
        return None
    copied = _Copy().of(metadata, 0)
    return copied if isinstance(copied, dict) else None
