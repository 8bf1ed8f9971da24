"""A real tracker store, and Rasa as it was before after each test. Rasa is imported when the first test needs it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
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
        (side.rasa_api.agent_module, "MessageProcessor"),
        (side.rasa_api.action_module, "RemoteAction"),
        (side.rasa_api.forms_module, "RemoteAction"),
        (side.rasa_api.forms_module, "FormAction"),
        (side.rasa_api.lock_store_module, "RedisLockStore"),
        (side.rasa_api.nlg_module, "CallbackNaturalLanguageGenerator"),
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
def url(tmp_path: Path) -> str:
    """Return where the test's database is; a module that needs other kinds of database has a fixture of its own."""
    return f"sqlite:///{tmp_path}/c.db"


@pytest.fixture
def open_store(
    untouched: Any, tmp_path: Path, clock: Clock, url: str
) -> Iterator[Callable[..., "EncryptedTrackerStore"]]:
    """Return a function that opens the test's database as another process would."""
    vaults: list[Vault] = []

    def make(messages: str = "masked", broker: Any = None) -> "EncryptedTrackerStore":
        vaults.append(open_vault(replace(settings_in(tmp_path, messages), url=url), clock))
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


@pytest.fixture
def bot_of(untouched: Any) -> Callable[..., Any]:
    """Return a function that makes a bot in this process around a store."""
    from tests.support import one_process  # noqa: PLC0415 - imports rasa

    assert untouched.ModelMetadata
    return one_process.Bot
