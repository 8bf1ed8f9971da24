"""`rasa-privacy identity index`, and how `check --database` and `status` say that it was not run."""

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.policy.settings import load_settings
from rasa_privacy.rights.identity import whom
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import PRIVACY, give, grant

ENDPOINTS = """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///{folder}/c.db
  keys: {{provider: file, path: {folder}/keys}}
  privacy: {folder}/privacy.yml
"""


def run(bot: Path, *arguments: str) -> Result:
    """Run the command as a person would."""
    return CliRunner().invoke(main, [*arguments, "--bot", str(bot)])


def opened(bot: Path) -> Vault:
    """Open the store of that bot."""
    return open_vault(load_settings(bot / "endpoints.yml"))


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot that had people before it had `identity:`."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    (tmp_path / "privacy.yml").write_text(PRIVACY, encoding="utf-8")
    (tmp_path / "endpoints.yml").write_text(ENDPOINTS.format(folder=tmp_path), encoding="utf-8")
    with closing(opened(tmp_path)) as vault:
        grant(vault, "draw", sender="ana")
        give(vault, {"draw": {"email": "ana@example.com"}}, sender="ana")
    (tmp_path / "privacy.yml").write_text(PRIVACY + "identity: {}\n", encoding="utf-8")
    return tmp_path


def test_what_is_not_indexed_is_said_until_it_is(bot: Path) -> None:
    """The run is in the audit log with its counts, and shows nothing of anybody."""
    assert "identity index" in run(bot, "check", "--database").output
    assert "not indexed" in run(bot, "status").output
    result = run(bot, "identity", "index")
    assert result.exit_code == 0, result.output
    assert "Looked at 1 person; indexed 1 contact." in result.output
    assert "ana" not in result.output
    assert "identity index" not in run(bot, "check", "--database").output
    assert "not indexed" not in run(bot, "status").output
    with closing(opened(bot)) as vault:
        assert len(whom(vault, "ana@example.com")) == 1
        with vault.database.read() as connection:
            noted = [each.record for each in vault.audit.entries(connection) if each.record.verb == "keys"]
    assert [(each.outcome, dict(each.counts)) for each in noted] == [
        ("begun", {}),
        ("done", {"people": 1, "contacts": 1, "unreadable": 0}),
    ]


def test_without_identity_there_is_nothing_to_index(bot: Path) -> None:
    """The command says what is missing; the checks say nothing."""
    (bot / "privacy.yml").write_text(PRIVACY, encoding="utf-8")
    result = run(bot, "identity", "index")
    assert (result.exit_code, "no 'identity:'" in result.output) == (2, True)
    assert "identity index" not in run(bot, "check", "--database").output
