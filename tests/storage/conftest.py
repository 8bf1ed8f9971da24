"""A vault, on each kind of database for the modules of the conformance suite, and plain SQL beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.errors import PrivacyError
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.opened_conversation import StoredConversation
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.operators import cheap_hashes

__all__ = ["cheap_hashes"]

_PRIVACY = """\
version: 1
controller: {name: Northwind Outdoor, contact: privacy@northwind.example, policy_url: https://northwind.example/privacy}
items:
  email: {slot: email, detect: email, category: contact}
purposes:
  draw: {says: {en: to enter you in the draw}, basis: consent, items: {email: required}, retain: 90 days}
  news: {says: {en: to send you our newsletter}, basis: consent, items: {email: required}, retain: until withdrawn}
"""

#: The modules that are run on SQLite, PostgreSQL and MariaDB alike.
_CONFORMANCE = {
    "test_audit",
    "test_conformance",
    "test_conversations",
    "test_erasures",
    "test_keys_and_subjects",
    "test_ledger",
    "test_processes",
    "test_query",
    "test_rotation",
    "test_schema",
    "test_tampering",
}

#: Tests within them of what only SQLite allows: a text in a column of numbers, a row without its parent, a subquery of
#: several rows, a look at the file or the driver. `test_conformance.py` does the like with values of the right type.
_SQLITE_ONLY = {
    "test_a_changed_record_is_named",
    "test_a_record_of_no_meaning_is_refused",
    "test_a_damaged_key_does_not_stop_a_rotation",
    "test_a_long_log_is_verified_page_by_page",
    "test_a_path_with_percent_signs_is_no_problem",
    "test_a_replaced_key_is_noticed",
    "test_a_store_that_is_opened_twice_keeps_what_it_writes",
    "test_a_tampered_old_session_is_not_blessed_by_a_change",
    "test_a_truncated_or_longer_row_is_noticed",
    "test_any_one_change_is_noticed_or_harmless",
    "test_changed_columns_are_noticed",
    "test_changed_old_sessions_are_noticed",
    "test_ending_an_epoch_makes_older_backups_unreadable",
    "test_keys_apart_are_in_no_copy_of_the_conversations",
    "test_not_even_sealed_bytes_are_left",
    "test_reading_the_last_session_costs_the_same_after_many",
    "test_two_halves_that_do_not_belong_together_are_refused",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of the conformance suite that has a database on each kind, unless it names the kinds itself."""
    if any(mark.args[0] == "kind" for mark in metafunc.definition.iter_markers("parametrize")):
        return
    module, name = metafunc.module.__name__.rpartition(".")[2], metafunc.function.__name__
    if "kind" in metafunc.fixturenames and module in _CONFORMANCE and name not in _SQLITE_ONLY:
        metafunc.parametrize("kind", EACH_KIND, indirect=True)


@pytest.fixture
def now() -> datetime:
    """Return the one time of a test."""
    return datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=timezone.utc)


@pytest.fixture
def settings(tmp_path: Path, url: str) -> StoreSettings:
    """Return settings of a store that is not there yet."""
    (tmp_path / "privacy.yml").write_text(_PRIVACY)
    return StoreSettings(url, KeySettings("file", tmp_path / "keys"), tmp_path / "privacy.yml")


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
    """Return a function that loads the last session or all; the last in both ways, which must agree."""

    def read(sender: str, *, all_sessions: bool = False) -> StoredConversation | None:
        with vault.database.read() as conn:
            loaded = _outcome(lambda: vault.conversations.load(conn, sender, all_sessions=all_sessions))
        if not all_sessions:
            alone = _outcome(lambda: vault.conversations.load_last(vault.database, sender))
            assert (alone == loaded) or (type(alone), str(alone)) == (type(loaded), str(loaded))
        if isinstance(loaded, Exception):
            raise loaded
        return loaded

    return read


def _outcome(load: Callable[[], StoredConversation | None]) -> StoredConversation | PrivacyError | None:
    """Return what was loaded, or the error."""
    try:
        return load()
    except PrivacyError as error:
        return error
