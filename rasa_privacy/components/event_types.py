"""From a stored dict to a Rasa event, by a map made once.

Rasa's own `Event.resolve_by_type` walks all subclasses for each event; that is most of the stock store's read time.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from rasa_privacy.components.rasa_api import Event, all_subclasses


@cache
def _types() -> dict[str, type[Event]]:
    return {cls.type_name: cls for cls in reversed(all_subclasses(Event))}


def event_from(parameters: Mapping[str, Any]) -> Event | None:
    """Return the event, or None for a type or a content that Rasa does not know (any more)."""
    kind = parameters.get("event")
    cls = _types().get(kind) if isinstance(kind, str) else None
    if cls is None:
        return None
    try:
        return cls._from_parameters(dict(parameters))
    except (ValueError, TypeError, LookupError, AttributeError):
        return None  # as an action without a name; it stays stored, and does not keep the others from being read
