"""The store that these tests share, on each kind of database for those that ask for one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import sql
from tests.support.vaults import Clock, clock, settings_in

__all__ = ["clock", "sql"]


@pytest.fixture
def vault(tmp_path: Path, clock: Clock, url: str) -> Iterator[Vault]:
    """Return an open store."""
    opened = open_vault(replace(settings_in(tmp_path), url=url), clock)
    yield opened
    opened.close()
