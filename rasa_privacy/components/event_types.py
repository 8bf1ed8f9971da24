"""From a stored dict to a Rasa event, by a map made once.

Rasa's own `Event.resolve_by_type` walks all subclasses for each event; that is most of the stock store's read time.
"""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from rasa_privacy.components.rasa_api import Event, all_subclasses
from rasa_privacy.minimize.event_fields import NAME

logger = logging.getLogger(__name__)


@cache
def _types() -> dict[str, type[Event]]:
    return {cls.type_name: cls for cls in reversed(all_subclasses(Event))}


def event_from(parameters: Mapping[str, Any]) -> Event | None:
    """Return the event, or None for a type or a content that Rasa does not know (any more)."""
    kind = parameters.get("event")
    cls = _types().get(kind) if isinstance(kind, str) else None
    if cls is None:
        _miss(kind if isinstance(kind, str) and NAME.fullmatch(kind) else "without a name")
        return None
    try:
        return cls._from_parameters(dict(parameters))
    except (ValueError, TypeError, LookupError, AttributeError):
        return None  # as an action without a name; it stays stored, and does not keep the others from being read


@cache
def _miss(kind: str) -> None:
    """Say once that events of this type are left out."""
    logger.warning(
        "Stored events of the type '%s' are left out of conversations, since this server has no class for it. They "
        "stay stored; to have them back, install the version or the plug-in that wrote them.",
        kind,
    )
