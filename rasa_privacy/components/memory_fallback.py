"""No fallback to memory: Rasa wraps a tracker store in one that goes on in memory after the first failure.

There nothing would be encrypted, minimised or erased, so our store is handed out as it is.
"""

from typing import Any

from rasa_privacy.components.rasa_api import FailSafeTrackerStore, TrackerStore, agent_module


def forbid(kind: type[TrackerStore]) -> None:
    """Keep Rasa from wrapping stores of this kind; those of others are wrapped as before."""

    def create(store: TrackerStore, *arguments: Any, **keywords: Any) -> TrackerStore:
        if isinstance(store, kind):
            return store
        return FailSafeTrackerStore(store, *arguments, **keywords)

    agent_module.FailSafeTrackerStore = create
