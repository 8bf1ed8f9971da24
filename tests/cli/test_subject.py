"""`rasa-privacy subject` on a real store."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import pyzipper
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.storage.vault import open_vault
from tests.support.vaults import SENDER, give, grant, held, link, settings_in

Run = Callable[..., Result]
VALUES = {"draw": {"full_name": "Ana Li", "email": "ana@example.com"}, "newsletter": {"email": "ana@example.com"}}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a command about the one person of a bot."""
    vault = open_vault(settings_in(tmp_path))
    grant(vault, "draw", "newsletter")
    give(vault, VALUES, events=3)
    vault.close()
    (tmp_path / "endpoints.yml").write_text(
        "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )

    def invoke(command: str, *arguments: str, more: str = "", fails: int = 0, sender: str = SENDER) -> Result:
        about = ["subject", command, "--sender-stdin", *arguments, "--bot", str(tmp_path)]
        done = CliRunner().invoke(main, about, input=f"{sender}\n{more}")
        assert done.exit_code == fails, done.output
        assert SENDER not in done.output
        return done

    return invoke


def audited(folder: Path) -> list[tuple[str, str]]:
    """Return verb and outcome of each record of the audit log."""
    vault = open_vault(settings_in(folder))
    with vault.database.read() as conn:
        found = [(entry.record.verb, entry.record.outcome) for entry in vault.audit.entries(conn)]
    vault.close()
    return found


def test_values_are_masked_unless_asked_for_with_a_reason(run: Run, tmp_path: Path) -> None:
    """Each look is in the audit log; a sender of whom nothing is stored is said to be one."""
    assert "purposes that hold data: draw, newsletter" in run("find").output
    masked = run("show").output
    assert "full_name" in masked
    assert "Ana Li" not in masked
    assert "ana@example.com" not in masked
    assert "Ana Li" in run("show", "--clear", "--reason", "asked by letter").output
    assert "nothing is stored" in run("find", sender="nobody", fails=2).output
    assert ("view", "done") in audited(tmp_path)


@pytest.mark.parametrize("name", ["Ana [/b] Li", "Ana [red]Li", "Ana :smile: Li", "Ana \x1b[2JLi"])
def test_a_value_is_shown_as_it_is(run: Run, tmp_path: Path, name: str) -> None:
    """What looks like markup is none, and nothing in it steers the terminal of who looks."""
    vault = open_vault(settings_in(tmp_path))
    give(vault, {"draw": {"full_name": name}})
    vault.close()
    shown = run("show", "--clear", "--reason", "asked by letter").output
    assert name.replace("\x1b", r"\x1b") in shown
    assert "full_name" in run("show").output


def test_the_copy_is_whole_and_follows_its_schema(run: Run, tmp_path: Path) -> None:
    """JSON, page and schema in a zip for its owner alone; the request is on record."""
    run("export", "--out", str(tmp_path / "copy.zip"), "--reason", "asked by letter")
    assert (tmp_path / "copy.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(tmp_path / "copy.zip") as packed:
        data, schema = (json.loads(packed.read(name)) for name in ("data.json", "personal_data.schema.json"))
        page = packed.read("data.html").decode()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema, jsonschema.Draft202012Validator)
    assert data["sender_id"] == SENDER
    found = {(each["item"], each["purpose"]): each for each in data["data"]}
    assert found["full_name", "draw"]["value"] == "Ana Li"
    assert found["full_name", "draw"]["basis"] == "consent"
    assert found["email", "newsletter"]["kept_until"] is None
    assert [each["event"] for each in data["consents"]] == ["asked", "granted"] * 2
    assert data["conversation"][0]["value"] is not None
    assert "Ana Li" in page
    assert "Northwind Outdoor" in page


def test_the_copy_is_encrypted_to_a_passphrase(run: Run, tmp_path: Path) -> None:
    """The next line of the input; one that protects nothing is refused before anything is written."""
    target, words = tmp_path / "copy.zip", "correct horse battery staple"
    out = ("--out", str(target), "--reason", "asked by letter", "--passphrase-stdin")
    assert "too easy to guess" in run("export", *out, more="short\n", fails=2).output
    assert not target.exists()
    assert words not in run("export", *out, more=f"{words}\n").output
    with pyzipper.AESZipFile(target) as packed:
        packed.setpassword(words.encode())
        assert b"Ana Li" in packed.read("data.html")
    assert b"Ana" not in target.read_bytes()


def test_a_link_is_made_for_the_person(run: Run, tmp_path: Path) -> None:
    """Where privacy.yml says under which address."""
    assert "subject export" in run("link", "--reason", "asked by letter", fails=2).output
    with (tmp_path / "privacy.yml").open("a") as file:
        file.write("handover: {url: 'https://bot.example'}\n")
    done = run("link", "--reason", "asked by letter").output
    assert done.startswith("https://bot.example/collect/")
    assert "It works once" in done
    assert "nothing is stored" in run("link", "--reason", "asked by letter", sender="nobody", fails=2).output


def test_a_correction_is_everywhere_and_the_wrong_value_nowhere(run: Run, tmp_path: Path) -> None:
    """In each purpose that holds it; previewed first; the bot reads it as its slot."""
    assert "Nothing was changed" in run("rectify", "--item", "email", more="ana.li@example.com\n").output
    done = run("rectify", "--item", "email", "--yes", more="ana.li@example.com\n")
    assert "Corrected for draw, newsletter." in done.output
    vault = open_vault(settings_in(tmp_path))
    assert held(vault) == {
        "draw": {"full_name": "Ana Li", "email": "ana.li@example.com"},
        "newsletter": {"email": "ana.li@example.com"},
    }
    with vault.database.read() as conn:
        stored = vault.conversations.load(conn, SENDER, all_sessions=True)
        due = vault.data_keys.due_of(conn, vault.subjects.find(conn, SENDER) or b"")
    vault.close()
    assert stored is not None
    assert stored.structure[-1]["name"] == "email"
    assert "'ana@example.com'" not in str(stored.values)
    assert due["newsletter"] is None
    assert due["draw"] is not None
    for item in ("unknown", "phone"):
        run("rectify", "--item", item, "--yes", more="x\n", fails=2)
    assert "next line" in run("rectify", "--item", "email", "--yes", fails=2).output


def test_what_is_linked_is_said_before_it_goes(run: Run, tmp_path: Path) -> None:
    """In what is found and in the preview, as in what was done."""
    vault = open_vault(settings_in(tmp_path))
    grant(vault, "draw", sender="web-8")
    link(vault, SENDER, "web-8")
    vault.close()
    for command in ("find", "erase"):
        assert "erased with it: 1" in run(command).output
    assert "A linked conversation of the same person too" in run("erase", "--yes").output


def test_an_erasure_is_previewed(run: Run, tmp_path: Path) -> None:
    """Without --yes nothing goes; with it the certificate is named; twice is no error."""
    assert "Nothing was deleted" in run("erase").output
    assert "purposes that hold data: draw, newsletter" in run("find").output
    assert "certificate ER-" in run("erase", "--yes").output
    assert "Nothing is stored" in run("erase", "--yes").output
    assert audited(tmp_path)[-3:] == [("erase", "begun"), ("erase", "done"), ("erase", "done")]  # the last of nobody


def test_a_part_is_previewed_and_erased(run: Run, tmp_path: Path) -> None:
    """The rest of the person stays; a name that privacy.yml does not have is refused."""
    said = run("erase", "--item", "email").output
    assert "say --yes" in said
    assert "email (newsletter) goes: 1 value\n" in said
    assert "certificate ER-" in run("erase", "--item", "email", "--yes", "--reason", "asked by letter").output
    assert "Nothing of it is held." in run("erase", "--item", "email", "--yes").output
    assert "the consent to draw ends" in run("erase", "--purpose", "draw").output
    assert "name items" in run("erase", "--item", "mail", fails=2).output
    vault = open_vault(settings_in(tmp_path))
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}
    vault.close()


def test_many_are_erased_by_a_file_or_a_day(run: Run, tmp_path: Path) -> None:
    """Previewed first; the report names lines and certificates, and nobody."""
    (tmp_path / "gone.txt").write_text(f"{SENDER}\nnobody\n")
    report = tmp_path / "report.jsonl"

    def many(*arguments: str, fails: int = 0) -> str:
        done = CliRunner().invoke(main, ["subject", "erase", *arguments, "--bot", str(tmp_path)])
        assert done.exit_code == fails, done.output
        assert SENDER not in done.output
        return done.output

    listed = ("--senders-file", str(tmp_path / "gone.txt"), "--report", str(report))
    assert "1 person who would be erased" in many(*listed)
    first = json.loads(report.read_text().splitlines()[0])
    assert first == {"number": 1, "outcome": "erased", "certificate": "", "kept": [], "also": []}
    assert "purposes that hold data" in run("find").output
    assert "0 people who would be erased" in many("--before", "2020-01-01")
    assert "one of a sender" in many(*listed, "--before", "2020-01-01", fails=2)
    assert "write it as 2026-01-31" in many("--before", "yesterday", fails=2)
    assert "cannot be read" in many("--senders-file", str(tmp_path / "nothing.txt"), "--yes", fails=2)
    assert "--report is for" in run("erase", "--report", "x", fails=2).output
    shown = many(*listed, "--yes")
    assert "1 person erased and read back" in shown
    assert "1 person of whom nothing is stored" in shown
    assert report.stat().st_mode & 0o777 == 0o600
    assert SENDER not in report.read_text()
    assert json.loads(report.read_text().splitlines()[0])["certificate"].startswith("ER-")
    assert "nothing is stored" in run("find", fails=2).output


def test_who_is_held_is_not_erased_by_staff(run: Run, tmp_path: Path) -> None:
    """The preview says so, and the command too."""
    held_now = ["hold", "add", "--sender-stdin", "--for", "case-17", "--bot", str(tmp_path)]
    CliRunner().invoke(main, held_now, input=f"{SENDER}\n")
    assert "legal hold" in run("erase", "--dry-run").output
    assert "legal hold" in run("erase", "--yes", fails=2).output
    assert "legal hold" in run("rectify", "--item", "email", "--yes", more="a@b.example\n", fails=2).output


def test_the_use_of_data_is_restricted_and_let_go_on(run: Run) -> None:
    """By purpose or for all; sale, sharing and sensitive data apart."""
    assert "Restricted: newsletter." in run("restrict", "--purpose", "newsletter").output
    assert "Restricted: draw, fitting." in run("restrict").output
    assert "Lifted: draw, newsletter, fitting." in run("restrict", "--lift").output
    assert "Restricted: draw." in run("restrict", "--purpose", "draw", "--objection").output
    assert "Neither sold nor shared" in run("restrict", "--do-not-sell").output
    assert "leave the other options out" in run("restrict", "--do-not-sell", "--lift", fails=2).output
    assert "what needs it alone" in run("restrict", "--limit-sensitive").output
    assert "so already" in run("restrict", "--limit-sensitive").output
    assert "No longer limited" in run("restrict", "--limit-sensitive", "--lift").output
    assert "so already" in run("restrict", "--limit-sensitive", "--lift").output
    assert "leave the other" in run("restrict", "--limit-sensitive", "--purpose", "draw", fails=2).output
    run("restrict", "--purpose", "unknown", fails=2)
