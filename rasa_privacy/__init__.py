"""Consent, data minimisation, erasure and encrypted storage for Rasa chatbots.

The public names are loaded when they are first used (PEP 562): importing `rasa_privacy` imports neither Rasa nor
TensorFlow. Rasa finds the classes by their dotted names in config.yml and endpoints.yml.
"""

import difflib
import importlib
from typing import TYPE_CHECKING, Any, Final

from rasa_privacy.errors import UnknownNameError

if TYPE_CHECKING:
    from rasa_privacy.components.channels import RestInput, SocketIOInput
    from rasa_privacy.components.consent_policy import ConsentPolicy
    from rasa_privacy.components.duckling import PrivateDuckling
    from rasa_privacy.components.event_broker import PrivateEventBroker
    from rasa_privacy.components.gate import ConsentGate
    from rasa_privacy.components.importer import PrivacyImporter
    from rasa_privacy.components.minimizer import DataMinimizer
    from rasa_privacy.components.tracker_store import EncryptedTrackerStore

__all__ = [
    "ConsentGate",
    "ConsentPolicy",
    "DataMinimizer",
    "EncryptedTrackerStore",
    "PrivacyImporter",
    "PrivateDuckling",
    "PrivateEventBroker",
    "RestInput",
    "SocketIOInput",
]

__version__ = "0.1.0"

_HOMES: Final = {
    "ConsentGate": "rasa_privacy.components.gate",
    "ConsentPolicy": "rasa_privacy.components.consent_policy",
    "DataMinimizer": "rasa_privacy.components.minimizer",
    "EncryptedTrackerStore": "rasa_privacy.components.tracker_store",
    "PrivacyImporter": "rasa_privacy.components.importer",
    "PrivateDuckling": "rasa_privacy.components.duckling",
    "PrivateEventBroker": "rasa_privacy.components.event_broker",
    "RestInput": "rasa_privacy.components.channels",
    "SocketIOInput": "rasa_privacy.components.channels",
}


def __getattr__(name: str) -> Any:
    """Load a public name.

    A misspelt class name is an `UnknownNameError` and no `AttributeError`, because Rasa takes the latter in
    endpoints.yml for a reason to go on with an in-memory tracker store.
    """
    home = _HOMES.get(name)
    if home is not None:
        return getattr(importlib.import_module(home), name)
    if name.startswith("_") or not name[0].isupper():
        raise AttributeError(f"module 'rasa_privacy' has no attribute {name!r}")
    close = difflib.get_close_matches(name, _HOMES, n=1)
    hint = f"; did you mean 'rasa_privacy.{close[0]}'?" if close else f"; it has {', '.join(sorted(_HOMES))}"
    raise UnknownNameError(f"there is no 'rasa_privacy.{name}'{hint}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
