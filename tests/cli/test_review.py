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


def of_reviews() -> list[str]:
    """Return the severity of what plain `check` says of reviews, or why it is waived."""
    found = json.loads(run("check", "--format", "json").stdout)
    return [each["waived"] or each["severity"] for each in found if each["code"] == "RP064"]


def test_check_warns_of_an_overdue_review(bot: Path) -> None:
    """It looks into the store without its keys, and changes nothing there; one that is away is said, and no finding."""
    (bot / "config.yml").write_text("language: en\n", encoding="utf-8")
    (bot / "keys").rename(bot / "elsewhere")
    before = {path.name: path.read_bytes() for path in bot.glob("c.db*")}
    assert of_reviews() == ["warning"]
    assert {path.name: path.read_bytes() for path in bot.glob("c.db*")} == before
    (bot / "elsewhere").rename(bot / "keys")
    privacy = (bot / "privacy.yml").read_text(encoding="utf-8")
    waiver = "waivers: [{code: RP064, reason: the officer is ill this week}]\n"
    (bot / "privacy.yml").write_text(privacy + waiver, encoding="utf-8")
    assert of_reviews() == ["the officer is ill this week"]
    (bot / "privacy.yml").write_text(privacy, encoding="utf-8")
    run("review", "make")
    assert run("review", "acknowledge", "review.json").exit_code == 0
    assert of_reviews() == []
    (bot / "c.db").rename(bot / "away.db")
    assert of_reviews() == []
    unseen = run("check").output
    assert "Whether a review is overdue was not looked at: " in unseen
    assert "a bot's server makes its store at its first start" in unseen
    assert not (bot / "c.db").exists()


def test_a_timer_makes_a_review_once_for_each_that_is_due(bot: Path) -> None:
    """It makes none again while one waits, also not into another file, and none where none is due."""
    file = bot / "review.json"
    assert "review RV-" in run("review", "make", "--when-due").output
    made = file.read_bytes()
    number = json.loads(made)["number"]
    file.unlink()
    waits = run("review", "make", "--when-due").output
    assert f"Review {number} was made on " in waits
    assert f"it waits for 'rasa-privacy review acknowledge {number}'" in waits
    assert not file.exists()
    assert run("review", "acknowledge", number).exit_code == 0
    assert run("review", "make", "--when-due").output == "No review is due.\n"
    assert not file.exists()


def test_the_newest_review_is_shown_whoever_made_it(bot: Path) -> None:
    """On the screen and into a file, which can be acknowledged; before there is one, the error says what to do."""
    assert "make one with 'rasa-privacy review make'" in run("review", "show").output
    run("review", "make")
    shown = run("review", "show", "--out", "again.json")
    assert shown.exit_code == 0, shown.output
    number = json.loads((bot / "again.json").read_bytes())["number"]
    assert f"({number} waits)" in run("status").output
    assert (bot / "again.json").read_bytes() == (bot / "review.json").read_bytes()
    assert "full_name" in shown.output
    assert "Ada" not in shown.output
    assert "the newest review is RV-" in run("review", "acknowledge", "RV-0000-0000-0000").output
    assert run("review", "acknowledge", "again.json").exit_code == 0
    assert "waits)" not in run("status").output
    again = run("review", "acknowledge", "review.json")
    assert again.exit_code == 2
    assert "was acknowledged on" in again.output


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
