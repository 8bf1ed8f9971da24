"""The stores that these tests share: one on SQLite, and one on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.operators import cheap_hashes
from tests.support.vaults import Clock, clock, privacy_text, sql, vault

__all__ = ["cheap_hashes", "clock", "sql", "vault"]


@pytest.fixture
def settings(url: str, tmp_path: Path) -> StoreSettings:
    """Return the settings of a store on the database of this test."""
    (tmp_path / "privacy.yml").write_text(privacy_text(), encoding="utf-8")
    return StoreSettings(url, KeySettings("file", tmp_path / "keys"), tmp_path / "privacy.yml")


@pytest.fixture
def store(settings: StoreSettings, clock: Clock) -> Iterator[Vault]:
    """Return an open store on the database of this test, by the real time, which servers compare with theirs."""
    clock.now = clock.real()
    opened = open_vault(settings, clock)
    yield opened
    opened.close()
