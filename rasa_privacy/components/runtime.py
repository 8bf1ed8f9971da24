"""What the components of one Rasa process share: the open store, and what it knows of each live tracker.

The tracker store is made once, before the model is loaded, and puts itself here. A component that finds nothing here
runs in a process without our store: it lets nothing be collected.

`Handle` hangs on the tracker that the store handed out. Rasa copies a tracker before each action, and the copy has no
handle, so that nothing but the store, the minimizer and the gate ever acts on one.

Components decide within Rasa's event loop, where the database must not be read. So consent is read ahead, in a thread
(`read_ahead.py`), and holds for the step that follows (`foresee`, `forget`). A step that nobody read ahead for reads it
itself.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from rasa_privacy.components.history import settle
from rasa_privacy.components.patience import Patience
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.state import ConsentState
from rasa_privacy.errors import PrivacyError
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.policy.needs import Needs
from rasa_privacy.rights.suppression import suppressed
from rasa_privacy.storage.vault import Vault

_ATTRIBUTE: Final = "_rasa_privacy_handle"


@dataclass(slots=True)
class Handle:
    """What the store knows of a tracker that it handed out.

    Attributes:
        subject_id: The person when the tracker was read; None for nobody yet.
        version: Version of the stored conversation, 0 for none.
        numbers: Number in the conversation of each event that the tracker had when it was read or saved; None for one
            that may not be stored. The last is that of the last such event, also where the tracker let go of others.
        held: Items that each purpose holds a value of.
    """

    subject_id: bytes | None
    version: int
    numbers: list[int | None]
    held: dict[str, frozenset[str]]


@dataclass(slots=True)
class Runtime:
    """One process's open store, where its work runs, and the splitters for its domain.

    Attributes:
        vault: The open store.
        splitter: What is kept of an event.
        needs: Which items an action or a response is sent.
        language: The language in which there is no other word from the person.
        patience: Where database work runs.
        outgoing: What leaves through an event broker: texts masked at least; None where there is no broker.
    """

    vault: Vault
    splitter: EventSplitter
    needs: Needs
    language: str
    patience: Patience
    outgoing: EventSplitter | None = field(default=None)


_current: Runtime | None = None


def install(runtime: Runtime) -> None:
    """Make this the process's store."""
    global _current  # noqa: PLW0603 - Rasa builds its components itself, and hands them nothing of ours
    _current = runtime


def current() -> Runtime | None:
    """Return the process's store, or None where there is none."""
    return _current


def attach(tracker: Any, handle: Handle, settled: int | None = None) -> None:
    """Hang a handle on a tracker, and count the first of its fresh events as stored, or all of them."""
    setattr(tracker, _ATTRIBUTE, handle)
    settle(tracker, settled)


def handle_of(tracker: Any) -> Handle | None:
    """Return the tracker's handle, or None where it did not come from our store."""
    handle = getattr(tracker, _ATTRIBUTE, None)
    return handle if isinstance(handle, Handle) else None


class Standing(NamedTuple):
    """How a person stands to the bot.

    Attributes:
        consent: What they allow.
        is_suppressed: Whether they said STOP; looked up where the bot asks by itself.
    """

    consent: ConsentState
    is_suppressed: bool


_foreseen: ContextVar[tuple[str, Standing | None] | None] = ContextVar("rasa_privacy_standing", default=None)
_heard_on: ContextVar[str | None] = ContextVar("rasa_privacy_channel", default=None)


def foresee(sender_id: str, standing: Standing | None) -> None:
    """Let the next step of this task use what was read just now."""
    _foreseen.set((sender_id, standing))


def forget() -> None:
    """End the step: what was read ahead does not hold any more."""
    _foreseen.set(None)


def heard_on(channel: str | None) -> None:
    """Say on which channel the message came that is read next; None where nobody can tell."""
    _heard_on.set(channel)


def in_window() -> bool:
    """Return whether the message came from a window on a web page, where "end" alone closes the chat (`opt_out:`)."""
    running = current()
    return running is not None and _heard_on.get() in running.vault.policy.opt_out.chat_windows


def consent_of(tracker: Any) -> ConsentState | None:
    """Return what the person behind a tracker allows; None where nobody can tell, which means no consent."""
    standing = standing_of(tracker)
    return standing.consent if standing is not None else None


def standing_of(tracker: Any) -> Standing | None:
    """Return how the person behind a tracker stands to the bot; None where nobody can tell."""
    return standing_of_sender(tracker.sender_id) if handle_of(tracker) is not None else None


def consent_of_sender(sender_id: str) -> ConsentState | None:
    """Return what a person allows; None where nobody can tell, which means no consent."""
    standing = standing_of_sender(sender_id)
    return standing.consent if standing is not None else None


def standing_of_sender(sender_id: str) -> Standing | None:
    """Return how a person stands to the bot; None where nobody can tell."""
    foreseen = _foreseen.get()
    if foreseen is not None and foreseen[0] == sender_id:
        return foreseen[1]
    running = current()
    try:
        return read_standing(running, sender_id) if running is not None else None
    except PrivacyError:
        return None


def read_standing(running: Runtime, sender_id: str) -> Standing:
    """Read the ledger, and the suppressions where the bot asks by itself.

    Raises:
        PrivacyError: One of them cannot be read.
    """
    vault = running.vault
    consent = read_consent(running, sender_id)
    if not vault.policy.asked_unbidden():
        return Standing(consent, is_suppressed=False)
    with vault.database.read() as connection:
        return Standing(consent, is_suppressed=suppressed(vault, connection, sender_id) is not None)


def read_consent(running: Runtime, sender_id: str) -> ConsentState:
    """Read the ledger.

    Raises:
        PrivacyError: It cannot be read.
    """
    vault = running.vault
    with vault.database.read() as connection:
        return state_of(vault, connection, vault.subjects.find(connection, sender_id), vault.clock())
