"""A real tracker store, and Rasa as it was before after each test. Rasa is imported when the first test needs it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import Clock, clock, settings_in, sql

if TYPE_CHECKING:
    from rasa_privacy.components.tracker_store import EncryptedTrackerStore

__all__ = ["clock", "sql"]


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Undo after the test what a store changes in Rasa and in the process; logging is not touched at all."""
    from tests.support import rasa_side as side  # noqa: PLC0415 - takes seconds, and only some tests need it

    for owner, name in (
        (side.rasa_api.agent_module, "FailSafeTrackerStore"),
        (side.rasa_api.default_recipe_module, "DefaultPolicyPredictionEnsemble"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    monkeypatch.setattr(side.runtime, "_current", None)
    monkeypatch.setattr(side.log_scrubbing, "install", lambda: None)
    manager = side.rasa_api.plugin_manager()
    had = manager.get_plugin("rasa_privacy")
    yield side
    if had is None and manager.has_plugin("rasa_privacy"):
        manager.unregister(name="rasa_privacy")


@pytest.fixture
def open_store(untouched: Any, tmp_path: Path, clock: Clock) -> Iterator[Callable[..., "EncryptedTrackerStore"]]:
    """Return a function that opens the test's database as another process would."""
    vaults: list[Vault] = []

    def make(messages: str = "masked", broker: Any = None) -> "EncryptedTrackerStore":
        vaults.append(open_vault(settings_in(tmp_path, messages), clock))
        made: EncryptedTrackerStore = untouched.tracker_store.EncryptedTrackerStore.__new__(
            untouched.tracker_store.EncryptedTrackerStore
        )
        made._open(vaults[-1], untouched.domain(), broker)
        return made

    yield make
    for vault in vaults:
        vault.close()


@pytest.fixture
def store(open_store: Callable[..., "EncryptedTrackerStore"]) -> "EncryptedTrackerStore":
    """Return a real store with masked messages."""
    return open_store()
