"""`check --format`: JSON and SARIF say what the text says, and the example bot has no finding in any of them."""

import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.cli.sarif import split_place
from rasa_privacy.policy.findings import CODES
from tests.policy.test_bad_bot import FILES, write

EXAMPLE = Path(__file__).parents[2] / "example_bot"


def run(*arguments: str) -> Result:
    """Run `check` as a person would."""
    return CliRunner().invoke(main, ["check", *arguments])


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the example bot with one warning, one waived finding and one error."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    folder = tmp_path / "bot"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.db*", "keys", "models", ".rasa"))
    (folder / "run.sh").write_text("rasa run --enable-api --debug\n")
    (folder / "old.sh").write_text("rasa run --debug\n")
    policy = folder / "privacy.yml"
    waiver = "waivers: [{code: RP059, reason: nobody runs this one, place: old.sh}]\n"
    policy.write_text(policy.read_text() + "\n" + waiver)
    return folder


def test_the_example_bot_has_no_finding() -> None:
    """In none of the forms."""
    assert "0 errors, 0 warnings." in run("--bot", str(EXAMPLE)).output
    assert json.loads(run("--bot", str(EXAMPLE), "--format", "json").output) == []
    assert json.loads(run("--bot", str(EXAMPLE), "--format", "sarif").output)["runs"][0]["results"] == []


def test_text_shows_what_is_waived(bot: Path) -> None:
    """With its reason, and without counting it."""
    shown = run("--bot", str(bot))
    assert shown.exit_code == 1
    assert "waived: nobody runs this one" in shown.output
    assert "1 error, 1 warning, 1 waived." in shown.output


def test_json_has_a_place_for_each(bot: Path) -> None:
    """File, line and column, and the reason of what is waived."""
    found = {
        (each["code"], Path(each["file"]).name): each
        for each in json.loads(run("--bot", str(bot), "--format", "json").output)
    }
    assert found["RP057", "run.sh"]["line"] == 1
    assert found["RP057", "run.sh"]["column"] == 10
    assert found["RP059", "run.sh"]["waived"] is None
    assert found["RP059", "old.sh"]["waived"] == "nobody runs this one"


def test_sarif_is_what_the_standard_asks(bot: Path) -> None:
    """Rules with every code, results that point into them, relative files, and suppressions with their reason."""
    result = run("--bot", str(bot), "--format", "sarif")
    assert result.exit_code == 1
    log = json.loads(result.output)
    assert log["version"] == "2.1.0"
    (sarif,) = log["runs"]
    rules = sarif["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CODES)
    assert len(sarif["results"]) == 3
    for each in sarif["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]
        assert each["level"] in {"error", "warning"}
        location = each["locations"][0]["physicalLocation"]
        assert location["artifactLocation"]["uri"] in {"run.sh", "old.sh"}
        assert location["region"]["startLine"] == 1
    suppressed = [each for each in sarif["results"] if "suppressions" in each]
    assert [each["suppressions"][0]["justification"] for each in suppressed] == ["nobody runs this one"]


def test_sarif_names_files_as_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leads to a file of the bot, also where its name is no URI, and where only a line is known."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    bad = write(tmp_path / "our bot", {**FILES, "über uns.sh": FILES["start.sh"]})
    (sarif,) = json.loads(run("--bot", str(bad), "--format", "sarif").output)["runs"]
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in sarif["results"]}
    assert "%C3%BCber%20uns.sh" in uris
    assert [uri for uri in uris if not re.fullmatch(r"[\w./%-]+", uri, re.ASCII)] == []  # RFC 3986, path-noscheme
    assert [uri for uri in uris if not (bad / unquote(uri)).exists()] == []


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("a/b.py:13", ("a/b.py", 13, None)),
        ("a/b.yml:3:7", ("a/b.yml", 3, 7)),
        ("a.yml: tracker_store", ("a.yml: tracker_store", None, None)),
        ("keys", ("keys", None, None)),
    ],
)
def test_a_place_is_taken_apart(place: str, parts: tuple[str, int | None, int | None]) -> None:
    """Where there is no line, the whole file is named."""
    assert split_place(place) == parts
