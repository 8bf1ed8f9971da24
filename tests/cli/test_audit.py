"""`rasa-privacy audit` on a real store, and what the other commands leave in the log."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.access.labels import local_user
from rasa_privacy.cli import main
from rasa_privacy.storage.vault import open_vault
from tests.support.databases import run_plain
from tests.support.vaults import SENDER, Clock, give, grant, settings_in

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a command in the folder of a bot with one subscriber."""
    vault = open_vault(settings_in(tmp_path), Clock())
    grant(vault, "newsletter")
    give(vault, {"newsletter": {"email": "ana@x.example"}})
    vault.close()
    (tmp_path / "endpoints.yml").write_text(
        "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )

    def invoke(*arguments: str, lines: str | None = None) -> Result:
        return CliRunner().invoke(main, [*arguments, "--bot", str(tmp_path)], input=lines)

    return invoke


def log(run: Run) -> list[dict[str, Any]]:
    """Return the log as `audit show` gives it, without the looks at it."""
    shown = run("audit", "show", "--json", "--last", "1000")
    assert shown.exit_code == 0, shown.output
    return [each for each in map(json.loads, shown.output.splitlines()) if each["verb"] != "audit"]


#: Each command that touches personal data or keys: what it reads, verb and outcomes in the log, and its counts.
COMMANDS = [
    (["consent", "show", "--sender-stdin"], SENDER, "view", ["done"], {}),
    (["consent", "history", "--sender-stdin"], SENDER, "view", ["done"], {"records": 2}),
    (["consent", "receipt", "--sender-stdin", "--purpose", "newsletter"], SENDER, "export", ["done"], {"receipts": 1}),
    (["consent", "revoke", "--sender-stdin", "--yes"], SENDER, "consent", ["done"], {}),
    (["consent", "export", "-"], None, "consent", ["begun", "done"], {"records": 2}),
    (["audience", "--purpose", "newsletter"], None, "audience", ["begun", "done"], {"people": 1}),
    (["suppression", "add"], "ana@x.example", "suppress", ["done"], {"added": 1}),
    (["suppression", "check"], "ana@x.example", "suppress", ["done"], {"looked_at": 1}),
    (["suppression", "remove", "--yes"], "ana@x.example", "suppress", ["done"], {"removed": 0}),
    (["suppression", "import"], "ana@x.example", "suppress", ["done"], {"added": 1}),
    (["keys", "rotate"], None, "keys", ["begun", "done"], {"begun_epoch": 2, "wrapped_keys": 2}),
    (["keys", "end-epoch", "--yes"], None, "keys", ["begun", "done"], None),
    (["keys", "replay-erasures"], None, "keys", ["begun", "done"], {"erased": 0, "withdrawn": 0}),
    (["messages", "export"], None, "export", ["begun", "done"], {"people": 0}),
    (["requests", "deliver"], None, "requests", ["begun", "done"], {"answers": 0}),
    (["requests", "open", "--kind", "access", "--sender-stdin"], SENDER, "requests", ["done"], {"requests": 1}),
    (["hold", "add", "--sender-stdin", "--for", "case-17"], SENDER, "retention", ["done"], {"holds": 1}),
    (["hold", "list"], None, "retention", ["done"], {"holds": 0}),
    (["subject", "find", "--sender-stdin"], SENDER, "view", ["done"], {}),
    (["subject", "show", "--sender-stdin", "--clear"], SENDER, "view", ["done"], {"values": 1}),
    (["subject", "restrict", "--sender-stdin"], SENDER, "restrict", ["done"], {}),
    (["subject", "erase", "--sender-stdin", "--yes"], SENDER, "erase", ["begun", "done"], None),
    (["check", "--database"], None, "report", ["begun", "done"], {"conversations": 1, "damaged": 0}),
]


@pytest.mark.parametrize(("command", "lines", "verb", "outcomes", "counts"), COMMANDS)
def test_each_access_is_in_the_log(  # noqa: PLR0913, PLR0917 - one for each column of the table
    run: Run, command: list[str], lines: str | None, verb: str, outcomes: list[str], counts: dict[str, int] | None
) -> None:
    """With operator, outcome and counts, and without the person's values."""
    options = [] if command[0] == "check" else ["--reason", "ticket 17"]
    done = run(*command, *options, lines=lines)
    assert done.exit_code in {0, 1}, done.output
    found = log(run)
    assert [each["outcome"] for each in found] == outcomes
    assert {(each["verb"], each["operator"]) for each in found} == {(verb, local_user())}
    assert all(each["reason"] == ("ticket 17" if options else "") for each in found)
    if counts is not None:
        assert found[-1]["counts"] == counts
    assert "ana" not in json.dumps([{**each, "operator": ""} for each in found])
    assert "5558172" not in json.dumps(found)
    assert run("audit", "verify").exit_code == 0


def test_a_person_is_named_by_the_random_id(run: Run) -> None:
    """So that all accesses to one person can be found; an id of the wrong form is refused."""
    run("consent", "show", "--sender-stdin", lines=SENDER)
    subject = log(run)[0]["subject"]
    assert len(subject) == 32
    shown = run("audit", "show", "--subject", subject)
    assert "view" in shown.output
    assert "newsletter" in shown.output
    assert run("audit", "show", "--subject", "f" * 32).output.count("view") == 0
    assert run("audit", "show", "--subject", "Ana").exit_code == 2


@pytest.mark.parametrize("reason", ["ticket [/17] of today", "ticket [red]17", "ticket :smile: 17"])
def test_a_reason_is_shown_as_it_was_written(run: Run, reason: str) -> None:
    """What looks like markup neither ends the list nor is left out of it."""
    run("consent", "show", "--sender-stdin", "--reason", reason, lines=SENDER)
    shown = run("audit", "show")
    assert shown.exit_code == 0, shown.output
    assert reason.split()[1] in shown.output


def test_an_operator_is_found_by_name_behind_a_pseudonym(run: Run, tmp_path: Path) -> None:
    """Who has the store's keys finds what somebody did; the log itself does not name them."""
    privacy = tmp_path / "privacy.yml"
    privacy.write_text(privacy.read_text() + "audit: {operators: pseudonym}\n")
    run("consent", "show", "--sender-stdin", lines=SENDER)
    shown = run("audit", "show", "--operator", local_user(), "--verb", "view").output
    assert "view" in shown
    assert "op-" in shown
    assert local_user() not in shown
    assert "view" not in run("audit", "show", "--operator", "somebody", "--verb", "view").output


def test_that_somebody_looked_at_the_log_is_in_the_log(run: Run) -> None:
    """And who it was."""
    run("audit", "show")
    shown = run("audit", "show", "--json", "--verb", "audit")
    assert [json.loads(line)["counts"] for line in shown.output.splitlines()] == [{"records": 0}]


def test_a_change_of_the_log_is_found(run: Run, tmp_path: Path) -> None:
    """By `verify`, with exit code 1, and by every command that would have to add to it."""
    for _ in range(3):
        run("consent", "show", "--sender-stdin", lines=SENDER)
    run_plain(f"sqlite:///{tmp_path}/c.db", "UPDATE audit SET operator = 'nobody' WHERE seq = 2")
    found = run("audit", "verify")
    assert found.exit_code == 1
    assert "NOT as it was written: audit log: record 2 was changed or added" in found.output
    run_plain(f"sqlite:///{tmp_path}/c.db", "DELETE FROM audit WHERE seq = 3")
    refused = run("consent", "show", "--sender-stdin", lines=SENDER)
    assert refused.exit_code == 2
    assert "granted" not in refused.output
    assert "record 2 is not its true end" in refused.output


def test_no_system_is_told_of_a_person_while_the_log_cannot_be_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent names people, so that it begins is recorded before."""
    told: list[object] = []
    monkeypatch.setattr("rasa_privacy.cli.requests.deliver", lambda *given: told.append(given))
    run("consent", "show", "--sender-stdin", lines=SENDER)
    run_plain(f"sqlite:///{tmp_path}/c.db", "DELETE FROM audit")
    assert run("requests", "deliver").exit_code == 2
    assert told == []


def test_an_export_proves_itself(run: Run, tmp_path: Path) -> None:
    """Without the store; an edit, a cut, and another store's key are found."""
    for _ in range(3):
        run("consent", "show", "--sender-stdin", lines=SENDER)
    out, key = tmp_path / "audit.jsonl", tmp_path / "key.pem"
    assert run("audit", "export", str(out)).exit_code == 0
    run("consent", "public-key", "--out", str(key))
    assert out.stat().st_mode & 0o777 == 0o600
    whole = run("audit", "verify", "--export", str(out), "--public-key", str(key))
    assert "As it was written: 4 records, 1 checkpoint, the last one over record 4." in whole.output
    lines = out.read_bytes().splitlines(keepends=True)
    for changed, why in (
        ([*lines[:2], lines[2].replace(b'"done"', b'"begun"'), *lines[3:]], "record 2 was changed"),
        ([*lines[:2], *lines[3:]], "record 2 is missing"),
        (lines[:-1], "it was cut"),
        ([lines[0], b"{}\n"], "it was cut"),
        ([*lines[:-2], lines[-2].strip()[:-1] + b"," + lines[-1][1:]], "line 5: it is no line"),
        ([b"nothing\n"], "line 1: it is no line"),
    ):
        out.write_bytes(b"".join(changed))
        found = run("audit", "verify", "--export", str(out), "--public-key", str(key))
        assert found.exit_code == 1
        assert why in found.output


def test_a_checkpoint_can_be_kept_elsewhere(run: Run, tmp_path: Path) -> None:
    """It verifies against the log as it goes on, and against no other."""
    assert "empty" in run("audit", "checkpoint").output
    run("consent", "show", "--sender-stdin", lines=SENDER)
    kept = tmp_path / "kept.json"
    assert run("audit", "checkpoint", "--out", str(kept)).exit_code == 0
    run("consent", "show", "--sender-stdin", lines=SENDER)
    assert run("audit", "verify", "--checkpoint", str(kept)).exit_code == 0
    kept.write_text(kept.read_text().replace('"number":1', '"number":2'))
    found = run("audit", "verify", "--checkpoint", str(kept))
    assert found.exit_code == 1
    assert "checkpoint 2 was forged" in found.output


def test_cef_has_a_line_for_each_record(run: Run) -> None:
    """Of version 0, with its signs escaped; a part of JSON lines proves nothing, so there is none."""
    run("consent", "show", "--sender-stdin", "--reason", r"a=b|c\d", lines=SENDER)
    lines = run("audit", "export", "--format", "cef", "-").stdout.splitlines()
    header, _, fields = lines[0].partition("|rt=")
    assert header.split("|")[:3] == ["CEF:0", "rasa_privacy", "rasa_privacy"]
    assert header.split("|")[4:] == ["view", "view done", "3"]
    assert r"reason=a\=b|c\\d" in fields
    assert f"suser={local_user()}" in fields
    assert run("audit", "export", "--format", "cef", "--since", "2000-01-01", "--until", "2000-01-02", "-").stdout == ""
    assert run("audit", "export", "--since", "2026-01-01", "-").exit_code == 2
    for command in (("show",), ("export", "--format", "cef", "-")):
        turned = run("audit", *command, "--since", "2000-01-02", "--until", "2000-01-01")
        assert turned.exit_code == 2
        assert "--until must be after --since" in turned.output


def test_a_full_disk_stops_the_access(run: Run, tmp_path: Path) -> None:
    """What cannot be recorded is not shown, and the message says what to do."""
    run("consent", "show", "--sender-stdin", lines=SENDER)
    vault = open_vault(settings_in(tmp_path))  # keeps the write-ahead log in place, as a running server does
    command = [sys.executable, "-m", "tests.support.full_disk_view", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    vault.close()
    assert done.returncode == 0, done.stdout
    assert "the disk is full; free some space" in done.stdout or "disk reports an error" in done.stdout
    assert len(log(run)) == 1


def test_a_read_only_database_stops_the_access(run: Run, tmp_path: Path) -> None:
    """As a full disk does."""
    # A trigger, since the tests may run as a user whom file modes do not stop.
    refusing = (
        "CREATE TRIGGER closed BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'attempt to write a readonly'); END"
    )
    run_plain(f"sqlite:///{tmp_path}/c.db", refusing)
    refused = run("consent", "show", "--sender-stdin", lines=SENDER)
    assert refused.exit_code == 2
    assert "granted" not in refused.output
    assert "read-only for this process" in refused.output


def test_a_reason_with_personal_data_stops_the_access(run: Run) -> None:
    """Nothing is ever deleted from the log, so it must not get in."""
    refused = run("consent", "show", "--sender-stdin", "--reason", "ana@x.example asked", lines=SENDER)
    assert refused.exit_code == 2
    assert "the reason holds an email address" in refused.output
    assert log(run) == []


def test_reports_go_on_from_what_was_verified(run: Run, tmp_path: Path) -> None:
    """And say since when; a mark that somebody wrote by hand is named by them and by `verify`."""
    run("consent", "show", "--sender-stdin", lines=SENDER)
    assert run("audit", "verify").exit_code == 0
    assert run("consent", "verify").exit_code == 0
    shown = run("status").output.splitlines()[-1]
    assert shown.startswith("  Chains    verify; whole on ")
    assert shown.endswith(", and 2 new records since")
    scope = run("breach", "scope", "--since", "2026-01-01", "--until", "2026-01-02").output
    assert "The audit log was verified whole on " in scope
    run_plain(f"sqlite:///{tmp_path}/c.db", "UPDATE meta SET value = x'00' WHERE name = 'verified'")
    assert run("status").output.splitlines()[-1].startswith("! Chains    consent ledger, audit log do not verify")
    for book in ("audit", "consent"):
        found = run(book, "verify")
        assert found.exit_code == 1
        assert "delete the row 'verified' of the table 'meta'" in found.output
    assert run("breach", "scope", "--since", "2026-01-01", "--until", "2026-01-02").exit_code == 2


def test_a_log_that_cannot_be_written_is_verified_all_the_same(run: Run, tmp_path: Path) -> None:
    """By who may read alone, an auditor for example; that it was is not noted, and that is said."""
    run("consent", "show", "--sender-stdin", lines=SENDER)
    run_plain(
        f"sqlite:///{tmp_path}/c.db",
        "CREATE TRIGGER closed BEFORE INSERT ON meta BEGIN SELECT RAISE(ABORT, 'attempt to write a readonly'); END",
    )
    for book in ("audit", "consent"):
        done = run(book, "verify")
        assert done.exit_code == 0
        assert "As it was written: " in done.output
        assert "could not be noted: " in done.output
