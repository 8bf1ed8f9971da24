"""`rasa-privacy old-tables` on a real store and a real old one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from rasa_privacy.cli import main
from rasa_privacy.storage.vault import open_vault
from tests.support.stock import TABLE, OldStore, conversation
from tests.support.vaults import SENDER, give, grant, settings_in

Run = Callable[..., str]


@pytest.fixture
def old(tmp_path: Path) -> OldStore:
    """Return an old store with two people."""
    made = OldStore(tmp_path / "rasa.db")
    made.add(SENDER, *conversation())
    made.add("other", *conversation("Bo"))
    return made


@pytest.fixture
def run(tmp_path: Path, old: OldStore) -> Run:
    """Return a function that runs a command on a bot that names the old store."""
    settings = settings_in(tmp_path)
    with settings.privacy.open("a") as file:
        file.write(f"erasure: {{stock_tables: [{{name: old, url: '{old.url}'}}]}}\n")
    vault = open_vault(settings)
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    vault.close()
    (tmp_path / "endpoints.yml").write_text(
        "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )

    def invoke(*arguments: str, sender: str | None = None, fails: int = 0) -> str:
        about = [*arguments, "--bot", str(tmp_path)] + (["--sender-stdin"] if sender else [])
        done = CliRunner().invoke(main, about, input=f"{sender}\n" if sender else None)
        assert done.exit_code == fails, done.output
        assert SENDER not in done.output
        return done.output

    return invoke


def test_one_person_is_counted_and_then_removed(run: Run, old: OldStore) -> None:
    """From every table that is named; a second time there is nothing."""
    each = len(conversation())
    assert f"old: {2 * each} rows" in run("old-tables", "show")
    assert f"old: would remove {each} row" in run("old-tables", "purge", sender=SENDER)
    assert old.count() == 2 * each
    assert f"old: {each} rows removed and read back" in run("old-tables", "purge", "--yes", sender=SENDER)
    assert "old: 0 rows removed" in run("old-tables", "purge", "--yes", sender=SENDER)
    assert old.count() == each


def test_a_whole_table_is_emptied(run: Run, old: OldStore) -> None:
    """By its name; and the file does not hold it any more."""
    assert "would remove" in run("old-tables", "purge", "--table", "old")
    assert "the table was rebuilt" in run("old-tables", "purge", "--table", "old", "--yes")
    assert old.count() == 0
    assert b"Lovelace" not in old.path.read_bytes()
    assert "no old table of this name" in run("old-tables", "purge", "--table", "x", "--yes", fails=2)
    assert "not both" in run("old-tables", "purge", "--table", "old", sender=SENDER, fails=2)


def test_erasing_a_person_says_what_went_there(run: Run, old: OldStore) -> None:
    """Also somebody whom the store does not know."""
    assert "rows removed and read back" in run("subject", "erase", "--yes", sender=SENDER)
    shown = run("subject", "erase", "--yes", sender="other")
    assert "rows removed and read back" in shown
    assert "Nothing is stored of this sender" in shown
    assert old.count() == 0


def test_a_table_of_rasa_in_our_own_database_is_named(run: Run, tmp_path: Path) -> None:
    """By `check --database` and by `old-tables show`."""
    assert "table 'events'" not in run("check", "--database")
    beside = OldStore.__new__(OldStore)
    beside.path = tmp_path / "c.db"
    beside.sql(TABLE)
    assert "table 'events' of Rasa's own" in run("check", "--database")
    assert "table 'events' of Rasa's own" in run("old-tables", "show")
