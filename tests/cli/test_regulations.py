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


def test_show_takes_the_newest_where_no_month_is_named(bot: Path) -> None:
    """Of two of the same name the later one; a name that there is not stays unknown."""
    assert run("show", "uk-gdpr", bot=bot).output == run("show", "uk-gdpr@2026-11", bot=bot).output
    assert run("show", "uk", bot=bot).exit_code == 2


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


PLEDGE = """\
profile: pledge
version: "{month}"
title: What we promise
extends: gdpr@2026-11
review_by: 2099-01-01
{more}
"""


@pytest.fixture
def pledge(bot: Path) -> Path:
    """Return the folder of a whole bot that names a profile of its own."""
    shutil.copytree(ROOT / "example_bot", bot, dirs_exist_ok=True)
    file = bot / "privacy.yml"
    file.write_text(file.read_text().replace("regulations: [gdpr@2026-11,", "regulations: [pledge@2026-11,"))
    (bot / "regulations").mkdir()
    newer(bot, "2026-11", "")
    return bot


def newer(bot: Path, month: str, more: str) -> None:
    """Write a profile of a month."""
    file = bot / "regulations" / f"pledge-{month}.yml"
    file.write_text(PLEDGE.format(month=month, more=more), encoding="utf-8")


def test_upgrade_says_what_this_bot_would_not_keep(pledge: Path) -> None:
    """Then privacy.yml would not load any more, so nothing is written."""
    file = pledge / "privacy.yml"
    consent = "    basis: consent\n"
    file.write_text(file.read_text().replace(consent, f"{consent}    ask_again_after: 12 months\n", 1))
    rule = "opt_out: {within: at once, ask_again_after: 24 months, article: our own rule, confidence: primary}"
    newer(pledge, "2026-12", rule)
    before = file.read_text()
    done = run("upgrade", "--write", bot=pledge)
    assert done.exit_code == 1
    assert "pledge@2026-11 -> pledge@2026-12" in done.output
    assert "This bot does not keep it: " in done.output
    assert "ask_again_after must be at least '24 months' under pledge@2026-12 (our own rule)" in done.output
    assert file.read_text() == before


def test_upgrade_says_what_check_would_find(pledge: Path) -> None:
    """A figure that is a finding and no error is named, and the newer profile can be written all the same."""
    newer(pledge, "2026-12", "age: {years: 21, least: 21, demanded: true, article: our own rule, confidence: primary}")
    shown = run("upgrade", bot=pledge)
    assert shown.exit_code == 0, shown.output
    assert "'rasa-privacy check' would say: " in shown.output
    assert "pledge@2026-12 sets an age of 21 years (our own rule), and minimum_age is missing" in shown.output
    assert "RP051" not in shown.output
    assert "names the newer profiles now" in run("upgrade", "--write", bot=pledge).output
    assert "pledge@2026-12" in load_policy(pledge / "privacy.yml").regulations


def test_upgrade_outside_a_bots_folder_says_so(tmp_path: Path) -> None:
    """With our error, and not Python's."""
    shown = run("upgrade", bot=tmp_path)
    assert shown.exit_code == 2
    assert "privacy.yml" in shown.output
