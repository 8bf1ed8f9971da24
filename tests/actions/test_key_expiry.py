"""Keys leave the memory of an action server that nobody calls."""

from contextlib import closing
from pathlib import Path

import pytest

from rasa_privacy.actions import base
from tests.support.key_threads import key_threads
from tests.support.vaults import PRIVACY, settings_in


def test_an_action_server_lets_go_of_keys_beside_its_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From when its store is open."""
    settings_in(tmp_path)
    (tmp_path / "privacy.yml").write_text(PRIVACY, encoding="utf-8")
    (tmp_path / "endpoints.yml").write_text(
        f"tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///{tmp_path}/c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RASA_PRIVACY_ENDPOINTS", str(tmp_path / "endpoints.yml"))
    before = key_threads()
    with closing(base.vault.__wrapped__()):
        assert len(key_threads() - before) == 1
