"""`rasa-privacy regulations`: list, show, diff and upgrade, on a bot's folder."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.policy.loader import load_policy

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot that names an older profile."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    for name in ("privacy.yml", "endpoints.yml"):
        shutil.copy(ROOT / "example_bot" / name, tmp_path / name)
    file = tmp_path / "privacy.yml"
    file.write_text(file.read_text().replace("gdpr@2026-11,", "uk-gdpr@2026-05,"))
    return tmp_path


def run(*arguments: str, bot: Path) -> Result:
    """Run a subcommand on the bot's folder."""
    return CliRunner().invoke(main, ["regulations", *arguments, "--bot", str(bot)])


def test_list_names_every_profile_and_marks_what_is_used(bot: Path) -> None:
    """What privacy.yml names is marked, and what is past its review too."""
    lines = run("list", bot=bot).output.splitlines()
    used = [line.split()[0] for line in lines if " yes " in line]
    assert used == ["ccpa@2026-11", "uk-gdpr@2026-05"]
    assert any("uk-gdpr@2026-05" in line and "(past)" in line for line in lines)


def test_list_goes_on_past_a_broken_profile(bot: Path) -> None:
    """One that does not parse is named, and the others are listed."""
    (bot / "regulations").mkdir()
    (bot / "regulations" / "house-2026-12.yml").write_text("profile: [")
    shown = run("list", bot=bot)
    assert shown.exit_code == 0
    assert "cannot be used" in shown.output
    assert "gdpr@2026-11" in shown.output


def test_list_shows_the_others_where_privacy_yml_names_a_broken_one(bot: Path) -> None:
    """The error of privacy.yml says to look there, so it comes after the list, and not in its place."""
    (bot / "regulations").mkdir()
    (bot / "regulations" / "house-2026-12.yml").write_text("profile: [")
    file = bot / "privacy.yml"
    file.write_text(file.read_text().replace("uk-gdpr@2026-05,", "house@2026-12,"))
    shown = run("list", bot=bot)
    assert shown.exit_code == 2
    assert shown.output.index("gdpr@2026-11") < shown.output.index("regulation 'house@2026-12' cannot be used")


def test_show_gives_each_figure_with_its_source(bot: Path) -> None:
    """A line for each, with article and confidence."""
    assert "breach: authority 72 hours (Art. 33(1); primary)" in run("show", "gdpr@2026-11", bot=bot).output
    assert run("show", "gdpr@1999-01", bot=bot).exit_code == 2


def test_diff_shows_what_differs(bot: Path) -> None:
    """And says so where nothing does."""
    assert "clocks.complaint is new" in run("diff", "uk-gdpr@2026-05", "uk-gdpr@2026-11", bot=bot).output
    assert "nothing that a bot keeps differs" in run("diff", "gdpr@2026-11", "gdpr@2026-11", bot=bot).output


def test_upgrade_writes_only_when_it_is_told_to(bot: Path) -> None:
    """First a preview; then privacy.yml names the newer profile and still loads."""
    before = (bot / "privacy.yml").read_text()
    preview = run("upgrade", bot=bot)
    assert "uk-gdpr@2026-05 -> uk-gdpr@2026-11" in preview.output
    assert "Nothing was written" in preview.output
    assert (bot / "privacy.yml").read_text() == before
    assert "names the newer profiles now" in run("upgrade", "--write", bot=bot).output
    assert load_policy(bot / "privacy.yml").regulations == ("uk-gdpr@2026-11", "ccpa@2026-11")
    assert "names the newest profile" in run("upgrade", bot=bot).output


def test_upgrade_leaves_a_name_that_ends_like_another(bot: Path) -> None:
    """`uk-gdpr@2026-11` ends like `gdpr@2026-11`, of which there is a newer one, and is no older name of it."""
    packaged = (ROOT / "rasa_privacy" / "policy" / "profiles" / "gdpr-2026-11.yml").read_text(encoding="utf-8")
    (bot / "regulations").mkdir()
    newer = packaged.replace('version: "2026-11"', 'version: "2026-12"')
    (bot / "regulations" / "gdpr-2026-12.yml").write_text(newer, encoding="utf-8")
    file = bot / "privacy.yml"
    file.write_text(file.read_text().replace("uk-gdpr@2026-05,", "uk-gdpr@2026-11, gdpr@2026-11,"))
    assert run("upgrade", "--write", bot=bot).exit_code == 0
    assert load_policy(file).regulations == ("uk-gdpr@2026-11", "gdpr@2026-12", "ccpa@2026-11")


def test_upgrade_outside_a_bots_folder_says_so(tmp_path: Path) -> None:
    """With our error, and not Python's."""
    shown = run("upgrade", bot=tmp_path)
    assert shown.exit_code == 2
    assert "privacy.yml" in shown.output
