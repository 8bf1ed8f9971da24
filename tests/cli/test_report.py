"""`report`, `status` and `breach scope` as commands."""

import json
import stat
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.policy.settings import load_settings
from rasa_privacy.storage.vault import open_vault
from tests.support.vaults import PRIVACY, give, grant

ENDPOINTS = """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///c.db
  keys: {provider: file, path: keys}
  privacy: privacy.yml
"""


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot with one person."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    folder = tmp_path / "bot"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "privacy.yml").write_text(PRIVACY, encoding="utf-8")
    (folder / "endpoints.yml").write_text(ENDPOINTS, encoding="utf-8")
    with closing(open_vault(load_settings(folder / "endpoints.yml"))) as vault:
        grant(vault, "draw", sender="one")
        give(vault, {"draw": {"full_name": "Ada Lovelace"}}, "one")
    monkeypatch.chdir(tmp_path)
    return folder


def run(*arguments: str) -> Result:
    """Run a command as a person would, beside the bot's folder."""
    return CliRunner().invoke(main, [*arguments, "--bot", "bot"])


def test_report_writes_html_and_json(bot: Path, tmp_path: Path) -> None:
    """Where it was told to, for this user alone, and with the same figures."""
    done = run("report", "--out", "r.html", "--json", "r.json")
    assert done.exit_code == 0, done.output
    html, plain = (tmp_path / "r.html").read_text(), json.loads((tmp_path / "r.json").read_text())
    assert html.startswith("<!doctype html>")
    assert "Northwind Outdoor" in html
    assert "Ada" not in html
    assert plain["conversations"] == 1
    assert plain["findings"] is None  # there is no domain in this folder
    assert stat.S_IMODE((tmp_path / "r.html").stat().st_mode) == 0o600
    assert not list(bot.glob("*.html"))


def test_findings_are_named_as_in_the_bots_folder(bot: Path, tmp_path: Path) -> None:
    """Who gets the report learns nothing of the folders of this computer."""
    slots = "slots: {forgotten: {type: text, mappings: [{type: from_text}]}}"
    (bot / "domain.yml").write_text(slots, encoding="utf-8")
    (bot / "config.yml").write_text("language: en", encoding="utf-8")
    assert run("report", "--out", "r.html", "--json", "r.json").exit_code == 0
    found = json.loads((tmp_path / "r.json").read_text())["findings"]
    assert any(line.startswith("error RP001 domain.yml:1") for line in found), found
    assert str(tmp_path) not in (tmp_path / "r.html").read_text()


@pytest.mark.usefixtures("bot")
def test_status_is_ten_lines() -> None:
    """And the look itself is in the audit log."""
    shown = run("status")
    assert shown.exit_code == 0, shown.output
    assert len(shown.output.splitlines()) == 10
    assert "1 conversation\n" in shown.output


def test_breach_scope_counts_by_time(bot: Path) -> None:
    """As lines and as JSON, with whom to tell; a time is needed."""
    with (bot / "privacy.yml").open("a", encoding="utf-8") as file:
        file.write("regulations: [gdpr@2026-11, ccpa@2026-11]\n")
    run("status")
    shown = run("breach", "scope", "--since", "2020-01-01", "--until", "2099-01-01T12:00")
    assert shown.exit_code == 0, shown.output
    assert "report 1" in shown.output
    assert "the supervisory authority, by " in shown.output
    assert "(gdpr@2026-11: Art. 33(1); primary)" in shown.output
    assert "No term stands in the profiles of ccpa@2026-11" in shown.output
    late = run("breach", "scope", "--since", "2020-01-01", "--until", "2020-02-01", "--learned", "2020-02-02 08:30")
    assert "by 2020-02-05 08:30 (gdpr@2026-11: Art. 33(1); primary), which is over" in late.output
    plain = json.loads(run("breach", "scope", "--since", "2020-01-01", "--until", "2020-02-01", "--json").output)
    assert plain["by_verb"] == {}
    assert run("breach", "scope", "--since", "2020-01-01").exit_code == 2
    turned = run("breach", "scope", "--since", "2020-02-01", "--until", "2020-01-01")
    assert turned.exit_code == 2
    assert "--until must be after --since" in turned.output
