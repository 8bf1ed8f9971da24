"""What the components of one Rasa process share: the open store, and what it knows of each live tracker.

The tracker store is made once, before the model is loaded, and puts itself here. A component that finds nothing here
runs in a process without our store: it lets nothing be collected.

`Handle` hangs on the tracker that the store handed out. Rasa copies a tracker before each action, and the copy has no
handle, so that nothing but the store, the minimizer and the gate ever acts on one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.state import ConsentState
from rasa_privacy.errors import PrivacyError
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.storage.vault import Vault

_ATTRIBUTE: Final = "_rasa_privacy_handle"


@dataclass(slots=True)
class Handle:
    """What the store knows of a tracker that it handed out.

    Attributes:
        subject_id: The person when the tracker was read; None for nobody yet.
        version: Version of the stored conversation, 0 for none.
        numbers: Number in the conversation of each of the tracker's first events; None for one that may not be stored.
            Events behind these are new.
        held: Items that each purpose holds a value of.
    """

    subject_id: bytes | None
    version: int
    numbers: list[int | None]
    held: dict[str, frozenset[str]]


@dataclass(slots=True)
class Runtime:
    """One process's open store and the splitter for its domain."""

    vault: Vault
    splitter: EventSplitter
    language: str
    swept_at: datetime | None = field(default=None)


_current: Runtime | None = None


def install(runtime: Runtime) -> None:
    """Make this the process's store."""
    global _current  # noqa: PLW0603 - Rasa builds its components itself, and hands them nothing of ours
    _current = runtime


def current() -> Runtime | None:
    """Return the process's store, or None where there is none."""
    return _current


def attach(tracker: Any, handle: Handle) -> None:
    """Hang a handle on a tracker."""
    setattr(tracker, _ATTRIBUTE, handle)


def handle_of(tracker: Any) -> Handle | None:
    """Return the tracker's handle, or None where it did not come from our store."""
    handle = getattr(tracker, _ATTRIBUTE, None)
    return handle if isinstance(handle, Handle) else None


def consent_of(tracker: Any) -> ConsentState | None:
    """Read the ledger for the person behind a tracker; None where that cannot be done, which means no consent."""
    runtime = current()
    if runtime is None or handle_of(tracker) is None:
        return None
    vault = runtime.vault
    try:
        with vault.database.read() as connection:
            return state_of(vault, connection, vault.subjects.find(connection, tracker.sender_id), vault.clock())
    except PrivacyError:
        return None
