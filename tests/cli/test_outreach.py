"""`rasa-privacy audience` and `rasa-privacy suppression` on a real store."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.storage.vault import open_vault
from tests.support.vaults import Clock, give, grant, settings_in

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a command in the folder of a bot with two subscribers."""
    vault = open_vault(settings_in(tmp_path), Clock())
    for name in ("ana", "bob"):
        grant(vault, "newsletter", sender=name)
        give(vault, {"newsletter": {"email": f"{name}@example.com"}}, sender=name)
    vault.close()
    (tmp_path / "endpoints.yml").write_text(
        "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )

    def invoke(*arguments: str, lines: str | None = None) -> Result:
        return CliRunner().invoke(main, [*arguments, "--bot", str(tmp_path)], input=lines)

    return invoke


def people(text: str) -> list[dict[str, str]]:
    """Return the lines of an export that are JSON, by sender."""
    return sorted(
        (json.loads(line) for line in text.splitlines() if line.startswith("{")), key=lambda one: one["sender"]
    )


def test_the_file_is_for_its_owner_alone(run: Run, tmp_path: Path) -> None:
    """It is replaced as a whole, and nothing unfinished stays."""
    out = tmp_path / "news.jsonl"
    out.write_text("older")
    done = run("audience", "--purpose", "newsletter", "--item", "email", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert "2 people may be written to" in done.output
    assert people(out.read_text()) == [
        {"sender": "ana", "email": "ana@example.com"},
        {"sender": "bob", "email": "bob@example.com"},
    ]
    assert out.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("news*")] == ["news.jsonl"]


def test_a_refused_export_leaves_the_older_file(run: Run, tmp_path: Path) -> None:
    """A misspelt purpose is exit code 2, and touches nothing."""
    out = tmp_path / "news.jsonl"
    out.write_text("older")
    assert run("audience", "--purpose", "news", "--out", str(out)).exit_code == 2
    assert out.read_text() == "older"
    assert [path.name for path in tmp_path.glob("news*")] == ["news.jsonl"]


def test_a_suppressed_contact_is_never_exported(run: Run) -> None:
    """Added by hand, it is found by another way of writing it, and gone from the export until it is removed."""
    assert "1 of 1 were added" in run("suppression", "add", lines="ANA@example.com\n").output
    found = run("suppression", "check", lines="ana@EXAMPLE.com\nbob@example.com\n")
    assert found.exit_code == 1
    assert found.output.splitlines() == ["line 1: suppressed (operator)", "line 2: not suppressed"]
    shown = run("audience", "--purpose", "newsletter")
    assert people(shown.output) == [{"sender": "bob"}]
    assert "Left out, though they agreed: 1 person: a contact of theirs is suppressed" in shown.output
    assert run("suppression", "remove", lines="ana@example.com\n").exit_code == 2
    assert "1 of 1 were suppressed" in run("suppression", "remove", "--yes", lines="ana@example.com\n").output
    assert len(people(run("audience", "--purpose", "newsletter").output)) == 2


def test_a_sender_can_be_suppressed(run: Run) -> None:
    """By the id that Rasa knows."""
    run("suppression", "add", "--sender", lines="bob\n")
    assert run("suppression", "check", "--sender", lines="bob\n").exit_code == 1
    assert people(run("audience", "--purpose", "newsletter").output) == [{"sender": "ana"}]


def test_a_list_can_be_imported_twice(run: Run) -> None:
    """Lines that are no contact are named by their number, never by what they say."""
    lines = "ana@example.com\n\n+49 170 5558172\nJane Roe\n"
    first, second = (run("suppression", "import", lines=lines) for _ in range(2))
    assert first.exit_code == second.exit_code == 1
    assert "2 of 3 were added, 0 were suppressed already" in first.output
    assert "0 of 3 were added, 2 were suppressed already" in second.output
    assert "Passed over 1 line without a contact: 4" in first.output
    assert "Jane" not in first.output


def test_a_line_that_is_no_contact_is_named_by_its_number(run: Run) -> None:
    """`add` stops there."""
    stopped = run("suppression", "add", lines="ana@example.com\nJane Roe\n")
    assert stopped.exit_code == 2
    assert "line 2" in stopped.output
    assert "Jane" not in stopped.output
    assert run("suppression", "check", lines="ana@example.com\n").exit_code == 1
