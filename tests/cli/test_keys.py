"""`rasa-privacy keys` on a real store."""

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage import rotation
from rasa_privacy.storage.vault import open_vault

NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)
_POLICY = """\
version: 1
controller: {name: Northwind, contact: privacy@northwind.example, policy_url: https://northwind.example/privacy}
purposes:
  draw: {says: {en: to enter you in the draw}, basis: consent, guards: [action_draw], retain: 90 days}
"""
_ENDPOINTS = """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///c.db
  keys: {provider: file, path: keys}
  privacy: privacy.yml
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a subcommand of `keys` in the folder of a bot with 30 people."""
    (tmp_path / "privacy.yml").write_text(_POLICY)
    (tmp_path / "endpoints.yml").write_text(_ENDPOINTS)
    settings = StoreSettings(
        f"sqlite:///{tmp_path}/c.db", KeySettings("file", tmp_path / "keys"), tmp_path / "privacy.yml"
    )
    vault = open_vault(settings)
    with vault.database.write() as conn:
        for number in range(30):
            vault.conversations.append(conn, f"person {number}", 0, [{"event": "x"}], {}, [], NOW)
    vault.close()

    def invoke(*arguments: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(main, ["keys", *arguments, "--bot", str(tmp_path)], input=answer)

    return invoke


def kek_files(folder: Path) -> list[str]:
    """Return the names of the KEK files."""
    return sorted(path.name for path in (folder / "keys").glob("kek-*"))


def test_status_shows_each_epoch_and_what_is_left_to_do(run: Run) -> None:
    """A new store has one epoch; after a rotation the old one wraps nothing and may be ended."""
    shown = run("status")
    assert shown.exit_code == 0, shown.output
    assert "active" in shown.output
    assert "30" in shown.output
    assert "end-epoch" not in shown.output
    assert run("rotate").exit_code == 0
    assert "end-epoch 1" in run("status").output


def test_rotate_says_what_it_did(run: Run, tmp_path: Path) -> None:
    """The new epoch and the number of keys are named, and the old KEK stays."""
    done = run("rotate")
    assert done.exit_code == 0, done.output
    assert "Epoch 2 is active" in done.output
    assert "30 data keys" in done.output
    assert kek_files(tmp_path) == ["kek-1.key", "kek-2.key"]


def test_an_interrupted_rotation_is_resumed(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Status says that one was interrupted; --resume makes no further epoch and finishes it."""
    monkeypatch.setattr(rotation, "BATCH", 10)
    real, calls = rotation._write, []

    def die_at_the_second(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rotation, "_write", die_at_the_second)
    assert run("rotate").exit_code == 1
    monkeypatch.setattr(rotation, "_write", real)
    assert "--resume" in run("status").output
    done = run("rotate", "--resume")
    assert "20 data keys" in done.output, done.output
    assert kek_files(tmp_path) == ["kek-1.key", "kek-2.key"]


def test_end_epoch_asks_first(run: Run, tmp_path: Path) -> None:
    """It is final, so a no destroys nothing."""
    refused = run("end-epoch", answer="n\n")
    assert refused.exit_code == 1
    assert "Nothing was destroyed." in refused.output
    assert kek_files(tmp_path) == ["kek-1.key"]


def test_end_epoch_without_a_terminal_says_what_to_pass(run: Run, tmp_path: Path) -> None:
    """From a timer or a script nobody answers, so nothing is destroyed."""
    asked = run("end-epoch", answer="")
    assert asked.exit_code == 2
    assert "nobody is there to answer, so nothing was done; add --yes, or run it in a terminal" in asked.output
    assert kek_files(tmp_path) == ["kek-1.key"]


def test_end_epoch_of_the_active_one_rotates_first(run: Run, tmp_path: Path) -> None:
    """One command ends the present epoch: new KEK, all keys moved, old KEK gone."""
    done = run("end-epoch", "--yes")
    assert done.exit_code == 0, done.output
    assert "Epoch 1 is ended" in done.output
    assert kek_files(tmp_path) == ["kek-2.key"]
    again = run("end-epoch", "1", "--yes")
    assert again.exit_code == 0, again.output
    assert run("end-epoch", "7", "--yes").exit_code == 2


def test_replaying_nothing_says_so(run: Run) -> None:
    """Nobody was erased, so nobody is erased again."""
    done = run("replay-erasures")
    assert done.exit_code == 0, done.output
    assert "0 people" in done.output


def test_no_command_makes_a_new_store(tmp_path: Path) -> None:
    """In the wrong folder every command refuses and leaves no file."""
    (tmp_path / "privacy.yml").write_text(_POLICY)
    (tmp_path / "endpoints.yml").write_text(_ENDPOINTS)
    for command in ("status", "rotate", "end-epoch", "replay-erasures"):
        assert CliRunner().invoke(main, ["keys", command, "--bot", str(tmp_path)]).exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["endpoints.yml", "privacy.yml"]
