"""`rasa-privacy import` as a person runs it: refuses, reports, deletes old rows only when all are accounted for."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.rights.takeover import Takeover, take_over
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.stock import OldStore, conversation
from tests.support.vaults import PRIVACY, give, held

EVERYONE = "import: {without_consent: drop, consent: {draw: {evidence: folder, given_by: everyone, at: 2020-01-01}}}"
NOBODY = "import: {without_consent: drop}"
DOMAIN = """\
entities: [PERSON, email]
slots:
  full_name: {type: text, mappings: [{type: from_text}]}
  mail: {type: text, mappings: [{type: from_entity, entity: email}]}
"""
ENDPOINTS = """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///c.db
  keys: {provider: file, path: keys}
  privacy: privacy.yml
"""
#: Times are those of the wall clock here, and the old events must not be past their retention.
RETAIN = PRIVACY.replace("90 days", "40 years").replace("12 months", "40 years").replace("30 days", "40 years")

Command = Callable[..., Result]


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot that declares a consent of everyone."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    folder = tmp_path / "bot"
    folder.mkdir()
    files = {
        "privacy.yml": RETAIN + EVERYONE,
        "domain.yml": DOMAIN,
        "endpoints.yml": ENDPOINTS,
        "config.yml": "pipeline: []\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def old(tmp_path: Path) -> OldStore:
    """Return an old store with two people."""
    store = OldStore(tmp_path / "rasa.db")
    store.add("+49 170 1", *conversation())
    store.add("+49 170 2", *conversation("Bob Dole", "bob@example.org"))
    return store


@pytest.fixture
def run(bot: Path, old: OldStore) -> Command:
    """Return the command."""

    def command(*arguments: str, answer: str = "", env: dict[str, str] | None = None) -> Result:
        source = () if env else ("--from", old.url)
        return CliRunner().invoke(main, ["import", *source, "--bot", str(bot), *arguments], input=answer, env=env)

    return command


def new_store(bot: Path) -> Vault:
    """Open the new store from outside of the bot's folder."""
    keys = KeySettings("file", bot / "keys")
    return open_vault(StoreSettings(f"sqlite:///{bot}/c.db", keys, bot / "privacy.yml"))


def values(bot: Path, sender: str) -> dict[str, dict[str, object]]:
    """Return what the new store holds of a person."""
    with closing(new_store(bot)) as vault:
        return held(vault, sender)


def test_people_are_taken_over_and_counted(bot: Path, old: OldStore, run: Command) -> None:
    """The report has counts and no person, and says that the old table is still there."""
    result = run()
    assert result.exit_code == 0, result.output
    assert f"{old.count()} events of 2 people" in result.stdout
    assert "2  taken over, read back and compared" in result.stdout
    assert "26  events and 8 personal values written" in result.stdout
    assert "run this again with --scrub" in result.stdout.lower().replace("\n", " ")
    assert "Taking over people: 2 of 2" in result.stderr
    assert "+49" not in result.output
    assert "Bob" not in result.output
    assert values(bot, "+49 170 2") == {"draw": {"full_name": "Bob Dole", "email": "bob@example.org"}}
    assert old.count() == 26


def test_the_bots_domain_says_what_an_entity_is(bot: Path, old: OldStore, run: Command) -> None:
    """As in the server, an entity that fills a personal slot only is personal."""
    text = (bot / "privacy.yml").read_text(encoding="utf-8")
    (bot / "privacy.yml").write_text(text.replace("slot: email, entity: email", "slot: mail"), encoding="utf-8")
    assert run().exit_code == 0
    assert values(bot, "+49 170 1")["draw"]["email"] == "ada@example.org"
    assert old


def test_a_second_run_finds_everybody_there(run: Command) -> None:
    """Nothing is doubled."""
    run()
    result = run()
    assert result.exit_code == 0
    assert "2  taken over before" in result.stdout
    assert "0  events and 0 personal values written" in result.stdout


def test_without_a_declaration_it_refuses(bot: Path, run: Command) -> None:
    """The message names the block and its two parts."""
    (bot / "privacy.yml").write_text(RETAIN, encoding="utf-8")
    result = run()
    assert result.exit_code == 2
    assert "'import'" in result.stderr
    assert "without_consent" in result.stderr
    assert "Art. 7(1)" in result.stderr


def test_a_slot_that_the_domain_lacks_stops_it(bot: Path, old: OldStore, run: Command) -> None:
    """A misspelt slot would mean that nobody agreed, and --scrub would delete everybody."""
    declared = EVERYONE.replace("everyone, at: 2020-01-01", "{slot: ful_name}")
    (bot / "privacy.yml").write_text(RETAIN + declared, encoding="utf-8")
    result = run("--scrub", "--yes")
    assert result.exit_code == 2
    assert "did you mean 'full_name'?" in result.stderr
    assert old.count() == 26


def test_scrub_deletes_after_a_yes(old: OldStore, run: Command) -> None:
    """The question says what goes; after a no, everything is still there."""
    result = run("--scrub", answer="n\n")
    assert result.exit_code == 0
    assert "(26 rows), with those of" in result.stdout
    assert "Nothing was deleted." in result.stdout
    assert old.count() == 26
    result = run("--scrub", answer="y\n")
    assert result.exit_code == 0
    assert "the rows are gone" in result.stdout
    assert old.count() == 0
    assert b"ada@example.org" not in old.path.read_bytes()


def test_scrub_deletes_nothing_where_nobody_answers(bot: Path, old: OldStore, run: Command) -> None:
    """In a pipe or a timer the command says what to pass, and what it took over stays taken over."""
    result = run("--scrub", answer="")
    assert result.exit_code == 2
    remedy = "nobody is there to answer, so nothing was deleted; run it again with --scrub --yes, or in a terminal"
    assert remedy in result.stderr
    assert "Aborted" not in result.output
    assert old.count() == 26
    assert values(bot, "+49 170 2")["draw"]["full_name"] == "Bob Dole"
    assert run("--scrub", "--yes").exit_code == 0
    assert old.count() == 0


def test_scrub_needs_no_question_with_yes(bot: Path, old: OldStore, run: Command) -> None:
    """People who are left out go too: that is what the declaration says."""
    (bot / "privacy.yml").write_text(RETAIN + NOBODY, encoding="utf-8")
    result = run("--scrub", "--yes")
    assert result.exit_code == 0, result.output
    assert "2  left out: no consent that can be shown" in result.stdout
    assert old.count() == 0


def test_a_damaged_row_keeps_the_old_table(bot: Path, old: OldStore, run: Command) -> None:
    """The row is named, the rest comes over, and nothing is deleted until somebody looked at it."""
    old.add("+49 170 1", "{")
    result = run("--scrub", "--yes")
    assert result.exit_code == 1
    assert "row 27: it holds no event that can be read" in result.stdout
    assert "Nothing is deleted there" in result.stdout
    assert values(bot, "+49 170 1")["draw"]["full_name"] == "Ada Lovelace"
    assert old.count() == 27
    old.sql("DELETE FROM events WHERE id = 27")
    assert run("--scrub", "--yes").exit_code == 0
    assert old.count() == 0


def test_a_person_who_is_here_already_keeps_the_old_table(bot: Path, old: OldStore, run: Command) -> None:
    """Their old events are in no other place, so they are not deleted."""
    old.add("new", *conversation())
    assert run().exit_code == 0
    with closing(new_store(bot)) as vault:
        give(vault, {"draw": {"full_name": "Eve"}}, "fresh")
    old.add("fresh", *conversation())
    result = run("--scrub", "--yes")
    assert result.exit_code == 1
    assert "row 40: the person whose events begin here is in the new store with other events" in result.stdout
    assert old.count() == 52


def test_an_old_bot_that_still_writes_is_noticed(old: OldStore, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came while it was read is not deleted, and the remedy is to stop that bot."""

    def late(*arguments: Any) -> Takeover:
        old.add("late", *conversation())
        return take_over(*arguments)

    monkeypatch.setattr("rasa_privacy.cli.import_store.take_over", late)
    result = run("--scrub", "--yes")
    assert result.exit_code == 1
    assert "stop the old bot" in result.stdout
    assert old.count() == 39


def test_an_empty_old_store_is_no_mistake(old: OldStore, run: Command) -> None:
    """After a scrub there is nothing left to do, and a scrub that was interrupted is finished."""
    run("--scrub", "--yes")
    result = run("--scrub", "--yes")
    assert result.exit_code == 0
    assert "0 events of 0 people" in result.stdout
    assert old.count() == 0


def test_the_url_can_come_from_the_environment(old: OldStore, run: Command) -> None:
    """A password need not stand in a command line."""
    result = run(env={"RASA_PRIVACY_IMPORT_FROM": old.url})
    assert result.exit_code == 0, result.output
    assert "2  taken over" in result.stdout


def test_a_source_that_is_not_there_makes_no_store(bot: Path) -> None:
    """The old store is looked at first."""
    result = CliRunner().invoke(main, ["import", "--from", "sqlite:///nowhere.db", "--bot", str(bot)])
    assert result.exit_code == 2
    assert "there is no file nowhere.db" in result.stderr
    assert not (bot / "c.db").exists()


def test_the_new_store_as_source_is_refused(bot: Path, run: Command) -> None:
    """Taken for the old one, our own file would have no table of Rasa's."""
    assert run().exit_code == 0
    result = CliRunner().invoke(main, ["import", "--from", f"sqlite:///{bot}/c.db", "--bot", str(bot)])
    assert result.exit_code == 2
    assert "no table 'events'" in result.stderr


def test_the_command_imports_no_rasa() -> None:
    """It starts at once, and runs where Rasa is not installed."""
    code = "import sys; import rasa_privacy.cli.import_store; print(sorted({'rasa', 'tensorflow'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "[]\n"
