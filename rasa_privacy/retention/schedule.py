"""Sweeps inside a server: a thread that removes what is due at intervals, until the server or its store is.

It works a twentieth of the time and rests after each transaction, so that a live bot is not slowed. What fails is
logged and tried again at the next interval.
"""

import logging
import threading
import weakref
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from rasa_privacy.access.admission import admit_server
from rasa_privacy.errors import PrivacyError
from rasa_privacy.policy.counted import counted
from rasa_privacy.policy.durations import duration_seconds
from rasa_privacy.policy.model import NEVER
from rasa_privacy.retention.runs import run_scheduled
from rasa_privacy.retention.sweep import GENTLY, SweepResult
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: How long a server may sweep before it serves; the thread does the rest.
AT_START_SECONDS: Final = 5.0
#: How often the thread looks whether the server is still there, and whether it is time.
_LOOK_SECONDS: Final = 30.0


def sweep_once(vault: Vault, every: timedelta, *, seconds: float | None = None) -> SweepResult | None:
    """Sweep where it is this process's turn; a failure is logged, since a bot goes on without."""
    try:
        permit = admit_server("scheduled sweep")
        result = run_scheduled(vault, permit, every, rest=0.0 if seconds else GENTLY, seconds=seconds)
    except PrivacyError:
        logger.exception("Removing data that is due failed; it is tried again.")
        return None
    if result is not None and result.purposes:
        removed = (counted(result.purposes, "purpose"), counted(result.people, "person"))
        logger.info("Removed data that was due: %s, %s.", *removed)
    return result


def interval(vault: Vault) -> timedelta | None:
    """Return how often privacy.yml wants servers to sweep; None for never, where a timer does it."""
    every = vault.policy.retention.every
    return None if every == NEVER else timedelta(seconds=duration_seconds(every))


def start(
    owner: Any, vault_of: Callable[[Any], Vault], then: Callable[[Vault], object] = lambda _: None
) -> threading.Thread | None:
    """Sweep at once, at least for a while, and then at intervals in a thread that ends with its owner or the store.

    Args:
        owner: Whose end ends the thread; only a weak reference to it is kept.
        vault_of: Returns the owner's open store.
        then: What this server does after each sweep of its own.

    Returns:
        The thread, or None where privacy.yml says that servers do not sweep.
    """
    vault = vault_of(owner)
    every = interval(vault)
    if every is None:
        return None
    first = sweep_once(vault, timedelta(0), seconds=AT_START_SECONDS)
    if first is not None:
        then(vault)
    thread = threading.Thread(
        target=_keep_sweeping,
        args=(weakref.ref(owner), vault_of, then, every, _next(first, every)),
        name="rasa-privacy-sweep",
        daemon=True,
    )
    thread.start()
    return thread


def _next(result: SweepResult | None, every: timedelta) -> timedelta:
    """Return the interval to the next sweep: none after one that was stopped before its end."""
    return every if result is None or result.is_done else timedelta(0)


def _keep_sweeping(
    owner: "weakref.ref[Any]",
    vault_of: Callable[[Any], Vault],
    then: Callable[[Vault], object],
    every: timedelta,
    first: timedelta,
) -> None:
    wait_for = first
    waiting = threading.Event()
    while True:
        here = owner()
        if here is None:
            return
        vault = vault_of(here)
        if vault.database.is_closed:
            return
        result = sweep_once(vault, wait_for)
        wait_for = _next(result, every)
        if result is not None:
            then(vault)
        del here, vault  # what waits must not keep the server alive
        waiting.wait(min(_LOOK_SECONDS, every.total_seconds()))
