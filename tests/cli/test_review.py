"""`rasa-privacy review`: made into a file, acknowledged from it, and asked for by `status` when it is overdue."""

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.policy.settings import load_settings
from rasa_privacy.storage.vault import open_vault, utc_now
from tests.support.vaults import PRIVACY, give, grant

ENDPOINTS = """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///c.db
  keys: {provider: file, path: keys}
  privacy: privacy.yml
"""
DOMAIN = """\
slots: {email: {type: text, mappings: [{type: from_text}]}}
responses:
  utter_thanks:
    - {text: Thanks!, condition: [{type: slot, name: postcode, value: "10115"}]}
    - {text: Is it right?, buttons: [{title: "Yes, {email}", payload: /affirm}]}
"""


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot with somebody who came ten days ago, and reviews each week."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "privacy.yml").write_text(PRIVACY + "retention: {review_every: 1 week}\n", encoding="utf-8")
    (tmp_path / "endpoints.yml").write_text(ENDPOINTS, encoding="utf-8")
    (tmp_path / "domain.yml").write_text(DOMAIN, encoding="utf-8")
    past = utc_now() - timedelta(days=10)
    with closing(open_vault(load_settings(tmp_path / "endpoints.yml"), lambda: past)) as vault:
        grant(vault, "draw", sender="one")
        give(vault, {"draw": {"full_name": "Ada Lovelace", "email": "ada@post.example", "postcode": "101"}}, "one")
    return tmp_path


def run(*arguments: str) -> Result:
    """Run a command as a person would."""
    return CliRunner().invoke(main, list(arguments))


def test_a_review_is_made_and_acknowledged(bot: Path) -> None:
    """Overdue before, not after; a file that was changed or is none is refused."""
    assert "review overdue since" in run("status").output
    assert "a review of what is stored is overdue" in run("check", "--database").output
    shown = run("review", "make")
    assert shown.exit_code == 0, shown.output
    assert "Stored, and nothing reads it (stop collecting it?): full_name." in shown.output
    assert "Ada" not in shown.output + (bot / "review.json").read_text()
    content = json.loads((bot / "review.json").read_text())
    (bot / "other.json").write_text(json.dumps({**content, "review": {**content["review"], "damaged": 3}}))
    assert "was changed" in run("review", "acknowledge", "other.json").output
    for none in (b"{}", b'{"number": "\xff"}', b'{"x": ' + b"[" * 100_000):
        (bot / "none.json").write_bytes(none)
        assert "this is no review" in run("review", "acknowledge", "none.json").output
    assert run("review", "acknowledge", "review.json").exit_code == 0
    assert "no review is overdue" in run("status").output
    assert "overdue" not in run("check", "--database").output
