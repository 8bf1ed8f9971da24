"""Deleted means deleted on the disk too: while the database's log keeps the bytes, nothing is claimed."""

from pathlib import Path

import pytest

from rasa_privacy.errors import StorageError
from rasa_privacy.rights import clearing
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, evidence, give, grant


@pytest.fixture(autouse=True)
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the reader of a test, who does not end by itself."""
    monkeypatch.setattr(clearing, "_PATIENCE_SECONDS", 0.0)


def test_the_log_is_emptied(vault: Vault, tmp_path: Path) -> None:
    """Nothing stays in the write-ahead log."""
    grant(vault, "draw")
    empty_log(vault)
    assert (tmp_path / "c.db-wal").stat().st_size == 0


def test_while_somebody_reads_nothing_is_claimed(vault: Vault) -> None:
    """The erasure is committed and not confirmed; asking again confirms that nothing is stored, once it is true."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    with vault.database.read() as reader:
        assert vault.conversations.exists(reader, SENDER)
        for _ in range(2):
            with pytest.raises(StorageError, match="could not be emptied"):
                erase(vault, SENDER, evidence(vault))
    assert erase(vault, SENDER, evidence(vault)) is None
