"""`rasa-privacy hold` on a real store."""

from pathlib import Path

from click.testing import CliRunner

from rasa_privacy.cli import main
from rasa_privacy.storage.vault import open_vault
from tests.support.vaults import SENDER, grant, settings_in


def test_a_person_is_held_and_let_go(tmp_path: Path) -> None:
    """Added once, listed without the sender id, released, and then there is nothing to release."""
    vault = open_vault(settings_in(tmp_path))
    subject_id = grant(vault, "draw")
    vault.close()
    (tmp_path / "endpoints.yml").write_text(
        "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )

    def run(*arguments: str, lines: str | None = None, fails: int = 0) -> str:
        done = CliRunner().invoke(main, ["hold", *arguments, "--bot", str(tmp_path)], input=lines)
        assert done.exit_code == fails, done.output
        assert SENDER not in done.output
        return done.output

    assert "Held for case-17." in run("add", "--sender-stdin", "--for", "case-17", lines=f"{SENDER}\n")
    assert "already" in run("add", "--sender-stdin", "--for", "case-17", lines=f"{SENDER}\n")
    assert subject_id.hex() in run("list")
    assert "name one sender id" in run("release", "--for", "case-17", fails=2)
    assert "1 released" in run("release", "--everybody", "--for", "case-17")
    assert "holds nobody" in run("release", "--everybody", "--for", "case-17", fails=2)
    silent = run("add", "--sender-stdin", "--for", "case-18", "--silent", lines=f"{SENDER}\n")
    assert "Held for case-18, which is not disclosed." in silent
    assert run("list").splitlines()[-1].split()[-1] == "no"
    assert "1 released" in run("release", "--everybody", "--for", "case-18")
    assert "was never stored" in run("add", "nobody", "--for", "case-17", fails=2)
