"""The store that these tests share, with roles in its privacy.yml."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import sql
from tests.support.operators import cheap_hashes, with_roles
from tests.support.vaults import Clock, clock, settings_in

__all__ = ["cheap_hashes", "clock", "sql"]


@pytest.fixture
def vault(tmp_path: Path, clock: Clock, url: str) -> Iterator[Vault]:
    """Return an open store."""
    opened = open_vault(replace(settings_in(tmp_path), url=url), clock)
    yield with_roles(opened)
    opened.close()
