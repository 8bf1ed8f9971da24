"""What a log line shows of values that are handed over by name: structlog's keywords and the `extra` of a record.

The name decides with the value, by the rules of `log_holes`: numbers under names of quantities, known words.
Of events, lists and mappings only the types and sizes are shown, and the parts of a mapping that pass by themselves.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from rasa_privacy.components.log_exceptions import describe
from rasa_privacy.components.log_holes import Kind, kind_of, shown
from rasa_privacy.components.log_registry import VOCABULARY, WITHHELD

MAX_SHOWN_ENTRIES: Final = 10  # of a mapping

#: Keys inside a mapping that are part of Rasa's own format.
_FORMAT_KEYS: Final = frozenset(
    {"name", "confidence", "intent", "entity", "role", "group", "extractor", "action", "event", "policy"}
)


class Shown(str):
    """A text that has been scrubbed already."""

    __slots__ = ()


def shown_value(name: str, value: Any) -> Any:
    """Return what may be shown of a value: itself, a `Shown` text, or `[withheld]`.

    Args:
        name: The keyword or attribute that it was given under.
        value: Anything.
    """
    if value is None or isinstance(value, (bool, Shown)):
        return value
    if isinstance(value, (int, float)):
        return value if shown(kind_of(name), str(value)) != WITHHELD else Shown(WITHHELD)
    if isinstance(value, str):
        return Shown(shown(kind_of(name), value))
    return Shown(_summary(value))


def _summary(value: Any) -> str:
    """Return what a value is, without its content."""
    if isinstance(value, BaseException):
        return describe(value)
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return _collection(value)
    return f"<{type(value).__name__}>"


def _mapping(value: Mapping[Any, Any]) -> str:
    entries = []
    for key, entry in list(value.items())[:MAX_SHOWN_ENTRIES]:
        if isinstance(key, str) and (key in _FORMAT_KEYS or key in VOCABULARY):
            entries.append(f"{key}: {_entry(key, entry)}")
    rest = len(value) - len(entries)
    return "{" + ", ".join([*entries, f"{rest} more"] if rest else entries) + "}"


def _entry(key: str, entry: Any) -> str:
    """Return one entry of a mapping. A truth value is shown of a keyword but not of an entry: it may be a slot's."""
    if isinstance(entry, (str, int, float)) and not isinstance(entry, bool):
        return shown(kind_of(key) if key in _FORMAT_KEYS else Kind.OTHER, str(entry))
    return WITHHELD


def _collection(value: list[Any] | tuple[Any, ...] | set[Any] | frozenset[Any]) -> str:
    types = Counter(type(entry).__name__ for entry in value)
    return f"[{', '.join(f'{count} {name}' for name, count in types.most_common(MAX_SHOWN_ENTRIES))}]"
