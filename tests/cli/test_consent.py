"""`rasa-privacy consent` and `rasa-privacy notice` on a real store."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import run_plain
from tests.support.vaults import SENDER, START, Clock, active, ask, give, grant, held, settings_in

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a command in the folder of a bot with two people."""
    vault = open_vault(settings_in(tmp_path), Clock())
    grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"email": "ana@example.com"}, "newsletter": {"email": "ana@example.com"}})
    grant(vault, "newsletter", sender="bob")
    ask(vault, "fitting", sender="bob")
    vault.close()
    (tmp_path / "endpoints.yml").write_text(
        "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )

    def invoke(*arguments: str, lines: str | None = None) -> Result:
        return CliRunner().invoke(main, [*arguments, "--bot", str(tmp_path)], input=lines)

    return invoke


@pytest.fixture
def store(run: Run, tmp_path: Path) -> Iterator[Vault]:
    """Return the store, opened besides the commands', which open it for themselves."""
    assert run("consent", "verify").exit_code == 0
    opened = open_vault(settings_in(tmp_path), Clock())
    yield opened
    opened.close()


def test_show_says_what_may_be_used(run: Run) -> None:
    """Purpose by purpose, and nothing of the person."""
    shown = run("consent", "show", SENDER)
    assert shown.exit_code == 0, shown.output
    lines = [line.split() for line in shown.output.splitlines()]
    assert ["draw", "granted", "2026-11-23", "12:30", "2027-11-23", "12:30", "yes"] in lines
    assert ["fitting", "unknown", "no"] in lines
    assert SENDER not in shown.output


def test_history_shows_each_record(run: Run) -> None:
    """With its number, and how it was given."""
    shown = run("consent", "history", "--sender-stdin", lines="bob\n")
    assert shown.exit_code == 0, shown.output
    events = [line.split()[0:5:1] for line in shown.output.splitlines()[1:]]
    assert [(each[0], each[3], each[4]) for each in events] == [
        ("5", "newsletter", "asked"),
        ("6", "newsletter", "granted"),
        ("7", "fitting", "asked"),
    ]


@pytest.mark.parametrize("command", ["show", "history", "revoke", "receipt"])
def test_a_sender_id_is_never_echoed(run: Run, command: str) -> None:
    """Not when nobody is known by it, not when it was written wrongly."""
    more = {"revoke": ("--yes",), "receipt": ("--purpose", "draw")}.get(command, ())
    for arguments in (("+49 170 9990000",), ("+49", "170", "9990000"), ("-9990000",), ("--9990000", "9990000")):
        shown = run("consent", command, *arguments, *more)
        assert shown.exit_code == 2, shown.output
        assert "9990000" not in shown.output
    assert "was never stored" in run("consent", command, "9990000", *more).output
    assert "name one sender id" in run("consent", command, *more).output


def test_revoke_ends_the_consent_for_a_bot_that_runs(run: Run, store: Vault) -> None:
    """A process that had the store open obeys when it reads next; the data is gone, and the record says how."""
    assert active(store) == {"draw", "newsletter"}
    refused = run("consent", "revoke", SENDER, "--purpose", "draw", lines="n\n")
    assert refused.exit_code == 1
    assert active(store) == {"draw", "newsletter"}
    done = run("consent", "revoke", SENDER, "--purpose", "draw", "--yes")
    assert done.exit_code == 0, done.output
    assert "Ended: draw." in done.output
    assert active(store) == {"newsletter"}
    assert held(store) == {"newsletter": {"email": "ana@example.com"}}
    assert "Ended: newsletter." in run("consent", "revoke", SENDER, "--yes").output
    assert held(store) == {}
    with store.database.read() as connection:
        subject_id = store.subjects.find(connection, SENDER)
        assert subject_id is not None
        last = store.ledger.of_subject(connection, subject_id)[-1]
    assert (last.event, last.method, last.channel) == ("withdrawn", "outside", "command line")
    assert "nothing, there was no consent" in run("consent", "revoke", SENDER, "--yes").output
    assert run("consent", "revoke", SENDER, "--yes", "--purpose", "sales").exit_code == 2
    assert run("consent", "verify").exit_code == 0


def test_revoke_without_a_terminal_says_what_to_pass(run: Run, store: Vault) -> None:
    """From a script nobody answers, so nothing is ended."""
    asked = run("consent", "revoke", SENDER, "--purpose", "draw")
    assert asked.exit_code == 2
    assert "nobody is there to answer, so nothing was done; add --yes" in asked.output
    assert active(store) == {"draw", "newsletter"}


def test_stats_count_people(run: Run) -> None:
    """By purpose and last answer."""
    lines = [line.split() for line in run("consent", "stats").output.splitlines()]
    assert lines[1:] == [
        ["draw", "1", "0", "0", "0", "0"],
        ["newsletter", "2", "0", "0", "0", "0"],
        ["fitting", "0", "0", "0", "0", "0"],
        ["draw:postcode", "0", "0", "0", "0", "0"],
        ["newsletter:birthday", "0", "0", "0", "0", "0"],
    ]


def test_verify_finds_a_changed_record(run: Run, tmp_path: Path) -> None:
    """Exit code 1, and its number."""
    whole = run("consent", "verify")
    assert whole.exit_code == 0, whole.output
    assert "7 records, 3 notices" in whole.output
    forgery = "UPDATE ledger SET kind = (SELECT min(kind) FROM ledger_kinds WHERE event = 'granted') WHERE seq = 3"
    run_plain(f"sqlite:///{tmp_path}/c.db", forgery)
    found = run("consent", "verify")
    assert found.exit_code == 1
    assert "record 3 was changed" in found.output


def test_an_export_is_checked_with_the_key_that_was_kept(run: Run, tmp_path: Path) -> None:
    """Key, checkpoint and export lie elsewhere; the store is not needed to check them."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    key, kept, out = (elsewhere / name for name in ("key.pem", "checkpoint.json", "ledger.jsonl"))
    assert run("consent", "public-key", "--out", str(key)).exit_code == 0
    assert run("consent", "checkpoint", "--out", str(kept)).exit_code == 0
    exported = run("consent", "export", str(out))
    assert exported.exit_code == 0, exported.output
    assert "7 records up to checkpoint 1" in exported.output
    assert out.stat().st_mode & 0o777 == 0o600

    def check(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["consent", "verify", "--bot", str(elsewhere), *arguments])

    options = ("--export", str(out), "--public-key", str(key), "--checkpoint", str(kept))
    assert check(*options).exit_code == 0, check(*options).output
    assert "not whose it is" in check("--export", str(out)).output
    out.write_text(out.read_text().replace('"event":"asked"', '"event":"granted"', 1))
    assert check(*options).exit_code == 1
    assert "record 1 was changed" in check(*options).output
    key.write_text("nonsense")
    assert check(*options).exit_code == 2


def test_a_receipt_can_be_checked(run: Run, tmp_path: Path) -> None:
    """The file holds it as JSON and signed; a changed signature is exit code 1."""
    out = tmp_path / "receipt.json"
    for form in ("27560", "kantara"):
        made = run("consent", "receipt", SENDER, "--purpose", "draw", "--form", form, "--out", str(out))
        assert made.exit_code == 0, made.output
        checked = run("consent", "check-receipt", str(out))
        assert checked.exit_code == 0, checked.output
        written = json.loads(out.read_text())
        assert json.loads(checked.output) == written["receipt"]
    header, payload, signature = written["jws"].split(".")
    out.write_text(f"{header}.{payload}A.{signature}")
    assert run("consent", "check-receipt", str(out)).exit_code == 1
    assert run("consent", "receipt", SENDER, "--purpose", "fitting").exit_code == 2


def test_import_looks_first(run: Run, store: Vault, tmp_path: Path) -> None:
    """Without --yes nothing is written; with it, once."""
    file = tmp_path / "collected.jsonl"
    fields = {
        "purpose": "fitting",
        "at": f"{START:%Y-%m-%dT%H:%M:%SZ}",
        "evidence": "paper, binder 3",
        "method": "paper",
    }
    good = [json.dumps({"sender": name, **fields}) for name in ("bob", "cem", "cem")]
    file.write_text("\n\n".join(good))
    looked = run("consent", "import", str(file))
    assert looked.exit_code == 0, looked.output
    assert "Would record 2 consents" in looked.output
    assert "1 are in the ledger already" in looked.output
    assert active(store, "cem") == frozenset()
    assert "Recorded 2 consents" in run("consent", "import", str(file), "--yes").output
    assert active(store, "cem") == {"fitting"}
    again = run("consent", "import", str(file), "--yes")
    assert "Recorded 0 consents" in again.output
    assert "3 are in the ledger already" in again.output
    assert run("consent", "verify").exit_code == 0


def test_import_says_of_each_line_what_it_adds(run: Run, store: Vault, tmp_path: Path) -> None:
    """The look before and the import count a line that names an optional item only the second time as one to record."""
    first = {"sender": "ana", "purpose": "newsletter", "at": "2026-05-01T12:00:00Z", "evidence": "binder 3"}
    file = tmp_path / "collected.jsonl"
    lines = [first, first, {**first, "optional": ["birthday"]}, first]
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    for arguments, said in (((), "Would record 2 consents"), (("--yes",), "Recorded 2 consents")):
        result = run("consent", "import", str(file), *arguments)
        assert said in result.output
        assert "2 are in the ledger already" in result.output
    assert active(store, "ana") == {"newsletter", "newsletter:birthday"}


def test_import_writes_nothing_where_a_line_is_wrong(run: Run, store: Vault, tmp_path: Path) -> None:
    """Lines are named by their number, and quoted nowhere."""
    file = tmp_path / "collected.jsonl"
    good = {"sender": "cem", "purpose": "draw", "at": "2026-05-01T12:00:00Z", "evidence": "paper"}
    lines = [json.dumps(good), "Jane Roe", json.dumps({**good, "evidence": "jane@example.com"}), "x" * 20_000]
    file.write_text("\n".join(lines))
    refused = run("consent", "import", str(file), "--yes")
    assert refused.exit_code == 1
    assert [line.split(":")[0] for line in refused.output.splitlines()[:3]] == ["line 2", "line 3", "line 4"]
    assert "3 wrong lines; nothing was written" in refused.output
    assert not [secret for secret in ("Jane", "jane", "cem") if secret in refused.output]
    assert active(store, "cem") == frozenset()


def test_notice_shows_versions_and_what_changed(run: Run, tmp_path: Path) -> None:
    """After a change of privacy.yml the people with the older version are counted."""
    assert ["newsletter", "cc302fad0f1d257e", "2", "0"] in [
        line.split()[:4] for line in run("notice", "show").output.splitlines()
    ]
    assert "Everybody who agreed" in run("notice", "diff").output
    before = tmp_path / "before.yml"
    text = (tmp_path / "privacy.yml").read_text()
    before.write_text(text)
    (tmp_path / "privacy.yml").write_text(text.replace("retain: until withdrawn", "retain: 2 years"))
    assert run("notice", "diff").output.splitlines() == [
        "newsletter: 2 people agreed to version cc302fad0f1d257e.",
        "  retain was until withdrawn, is 2 years",
    ]
    assert run("notice", "diff", "--against", str(before)).output.splitlines() == [
        "newsletter:",
        "  retain was until withdrawn, is 2 years",
    ]
    assert ["newsletter", "0", "2"] in [
        [line.split()[0], *line.split()[2:4]] for line in run("notice", "show").output.splitlines()
    ]


def test_the_commands_of_the_readme_run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand there, with a person's sender id and a yes on the input."""
    monkeypatch.chdir(tmp_path)
    line = {"sender": "cem", "purpose": "draw", "at": "2026-05-01T12:00:00Z", "evidence": "paper"}
    (tmp_path / "collected.jsonl").write_text(json.dumps(line))
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    commands = re.findall(r"^rasa-privacy ((?:consent|notice) [^#\n]*)", readme, re.MULTILINE)
    assert len(commands) == 9
    for command in commands:
        done = run(*command.split(), lines=f"{SENDER}\ny\n")
        assert done.exit_code == 0, (command, done.output)


def test_no_command_makes_a_new_store(tmp_path: Path) -> None:
    """In the wrong folder every command refuses and leaves no file."""
    settings_in(tmp_path)
    commands = (("stats",), ("verify",), ("checkpoint",), ("public-key",), ("export", "-"), ("show", "ana"))
    for command in commands:
        assert CliRunner().invoke(main, ["consent", *command, "--bot", str(tmp_path)]).exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["privacy.yml"]
