"""A vault on disk, and plain SQL beside it."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.conversations import StoredConversation
from rasa_privacy.storage.vault import Vault, open_vault

_PRIVACY = """\
version: 1
controller: {name: Northwind Outdoor, contact: privacy@northwind.example, policy_url: https://northwind.example/privacy}
items:
  email: {slot: email, detect: email, category: contact}
purposes:
  draw: {says: {en: to enter you in the draw}, basis: consent, items: {email: required}, retain: 90 days}
  news: {says: {en: to send you our newsletter}, basis: consent, items: {email: required}, retain: until withdrawn}
"""


@pytest.fixture
def now() -> datetime:
    """Return the one time of a test."""
    return datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=timezone.utc)


@pytest.fixture
def settings(tmp_path: Path) -> StoreSettings:
    """Return settings of a store that is not there yet."""
    (tmp_path / "privacy.yml").write_text(_PRIVACY)
    return StoreSettings(f"sqlite:///{tmp_path}/c.db", KeySettings("file", tmp_path / "keys"), tmp_path / "privacy.yml")


@pytest.fixture
def vault(settings: StoreSettings, now: datetime) -> Iterator[Vault]:
    """Return an open vault."""
    opened = open_vault(settings, clock=lambda: now)
    yield opened
    opened.close()


@pytest.fixture
def save(vault: Vault, now: datetime) -> Callable[..., int]:
    """Return a function that appends after whatever is stored."""

    def append(
        sender: str,
        structure: Sequence[Any] = (),
        values: Mapping[str, Sequence[Any]] | None = None,
        starts: Sequence[int] = (),
        version: int | None = None,
    ) -> int:
        with vault.database.write() as conn:
            expected = vault.conversations.head(conn, sender)[0] if version is None else version
            return vault.conversations.append(conn, sender, expected, structure, values or {}, starts, now)

    return append


@pytest.fixture
def load(vault: Vault) -> Callable[..., StoredConversation | None]:
    """Return a function that loads the last session or all."""

    def read(sender: str, *, all_sessions: bool = False) -> StoredConversation | None:
        with vault.database.read() as conn:
            return vault.conversations.load(conn, sender, all_sessions=all_sessions)

    return read


@pytest.fixture
def sql(tmp_path: Path) -> Callable[..., list[Any]]:
    """Return a function that runs plain SQL, as somebody with the file and without the key could."""

    def run(statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        with closing(sqlite3.connect(tmp_path / "c.db")) as connection, connection:
            return connection.execute(statement, parameters).fetchall()

    return run
