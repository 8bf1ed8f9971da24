"""`rasa-privacy rights` on a real store."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.vault import open_vault
from tests.support.vaults import SENDER, evidence, grant, settings_in

Run = Callable[..., Result]


@pytest.fixture
def number(tmp_path: Path) -> str:
    """Return the number of the certificate of a person who was erased from a bot's store."""
    vault = open_vault(settings_in(tmp_path))
    grant(vault, "draw")
    done = erase(vault, SENDER, evidence(vault))
    vault.close()
    assert done is not None
    (tmp_path / "endpoints.yml").write_text(
        "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )
    return done.number


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a command of the group in the bot's folder."""

    def invoke(*arguments: str, fails: int = 0, bot: Path = tmp_path) -> Result:
        done = CliRunner().invoke(main, [*arguments, "--bot", str(bot)])
        assert done.exit_code == fails, done.output
        return done

    return invoke


@pytest.mark.parametrize("form", [(), ("--html",)])
def test_a_certificate_is_checked_without_the_store(
    run: Run, number: str, tmp_path: Path, form: tuple[str, ...]
) -> None:
    """With the public key alone; a changed word is found, and so is a certificate of nobody."""
    file, key, elsewhere = tmp_path / "certificate", tmp_path / "key.pem", tmp_path / "elsewhere"
    elsewhere.mkdir()
    run("rights", "certificate", number, *form, "--out", str(file))
    run("consent", "public-key", "--out", str(key))
    assert file.stat().st_mode & 0o777 == 0o600
    check = ("rights", "verify-certificate", str(file), "--public-key", str(key))
    assert json.loads(run(*check, bot=elsewhere).output)["certificate"] == number
    file.write_text(file.read_text().replace("Northwind", "Southwind", 1))
    assert "NOT as it was given" in run(*check, bot=elsewhere, fails=1).output


def test_the_store_itself_knows_its_key(run: Run, number: str, tmp_path: Path) -> None:
    """Without --public-key; an unknown number is said to be one."""
    run("rights", "certificate", number, "--out", str(tmp_path / "c.json"))
    assert number in run("rights", "verify-certificate", str(tmp_path / "c.json")).output
    assert "no certificate of this number" in run("rights", "certificate", "ER-0", fails=2).output
    assert "requests" in run("audit", "show").output


def test_the_page_is_in_the_persons_language_or_the_one_that_is_asked_for(
    run: Run, number: str, tmp_path: Path
) -> None:
    """For the page alone: the JSON has English words."""
    page = str(tmp_path / "page.html")
    run("rights", "certificate", number, "--html", "--out", page)
    assert 'lang="en"' in Path(page).read_text(encoding="utf-8")
    german = str(tmp_path / "de.html")
    run("rights", "certificate", number, "--html", "--language", "de", "--out", german)
    assert f"Löschbescheinigung {number}" in Path(german).read_text(encoding="utf-8")
    assert number in run("rights", "verify-certificate", german).output
    assert "add --html" in run("rights", "certificate", number, "--language", "de", "--out", page, fails=2).output
