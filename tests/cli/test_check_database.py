"""`check --database` and `database` tell what the stored data is like, and never make a store."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.policy.settings import load_settings
from rasa_privacy.storage.schema import SCHEMA_REVISION
from rasa_privacy.storage.vault import open_vault
from tests.support.vaults import PRIVACY, give, grant

ENDPOINTS = """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///{folder}/c.db
  keys: {{provider: file, path: {folder}/keys}}
  privacy: {folder}/privacy.yml
"""


def run(*arguments: str) -> Result:
    """Run the command as a person would."""
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot without a store yet."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    (tmp_path / "privacy.yml").write_text(PRIVACY, encoding="utf-8")
    (tmp_path / "endpoints.yml").write_text(ENDPOINTS.format(folder=tmp_path), encoding="utf-8")
    return tmp_path


@pytest.fixture
def store(bot: Path) -> Callable[..., Any]:
    """Return plain SQL on the store of that bot, in which three people gave their names."""
    with closing(open_vault(load_settings(bot / "endpoints.yml"))) as vault:
        for sender in ("+49 170 1", "+49 170 2", "+49 170 3"):
            grant(vault, "draw", sender=sender)
            give(vault, {"draw": {"full_name": "Ada Lovelace"}}, sender, events=5)

    def sql(statement: str) -> None:
        with closing(sqlite3.connect(bot / "c.db")) as connection, connection:
            connection.execute(statement)

    return sql


@pytest.mark.usefixtures("store")
def test_a_store_in_order_passes(bot: Path) -> None:
    """What was opened is counted, and the exit code is 0."""
    result = run("check", "--database", "--bot", str(bot))
    assert result.exit_code == 0, result.output
    assert (
        f"schema {SCHEMA_REVISION}; 0 of 3 conversations damaged, 0 errors; opened: 15 events, 6 keys, 6 ledger"
        in result.stdout
    )
    assert "Opening conversations: 3 of 3" in result.stderr


def test_damage_is_named_and_is_exit_code_1(bot: Path, store: Callable[..., Any]) -> None:
    """Each damaged conversation is named by its row; nobody's sender id or name is shown."""
    store("UPDATE segments SET sealed = zeroblob(80) WHERE conversation_ref IN (1, 3)")
    result = run("check", "--database", "--bot", str(bot))
    assert result.exit_code == 1
    assert "error conversation 1: session at event 0, purpose" in result.stdout
    assert "error conversation 3: " in result.stdout
    assert "2 of 3 conversations damaged, 2 errors; opened: 5 events" in result.stdout
    assert "+49" not in result.output
    assert "Ada" not in result.output


@pytest.mark.parametrize("command", [("check", "--database"), ("database", "status"), ("database", "upgrade")])
def test_no_command_makes_a_store(bot: Path, command: tuple[str, ...]) -> None:
    """Where there is no file, none is made, and no key."""
    before = sorted(path.name for path in bot.iterdir())
    result = run(*command, "--bot", str(bot))
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert "a bot's server makes its store at its first start: start it, or, if there was one, put" in result.stderr
    assert "endpoints.yml" in result.stderr
    assert sorted(path.name for path in bot.iterdir()) == before


def test_a_database_of_another_program_is_not_taken_for_ours(bot: Path) -> None:
    """It has no schema of ours, and nothing in it is changed."""
    with closing(sqlite3.connect(bot / "c.db")) as connection, connection:
        connection.execute("CREATE TABLE events (id INTEGER)")
    assert "no store yet; this release needs" in run("database", "status", "--bot", str(bot)).stdout
    result = run("check", "--database", "--bot", str(bot))
    assert result.exit_code == 2
    assert "there is no store yet" in result.stderr
    assert run("database", "upgrade", "--bot", str(bot)).exit_code == 2


@pytest.mark.usefixtures("store")
def test_a_current_schema_is_left_alone(bot: Path) -> None:
    """Status names the revision, and upgrading says that there is nothing to do."""
    assert f"c.db: schema {SCHEMA_REVISION}; this release needs" in run("database", "status", "--bot", str(bot)).stdout
    result = run("database", "upgrade", "--bot", str(bot))
    assert result.exit_code == 0
    assert "c.db: nothing to do; schema" in result.stdout


def test_an_older_schema_is_brought_forward(bot: Path) -> None:
    """The command says from which revision to which, and the store opens afterwards."""
    from alembic import command  # noqa: PLC0415 - only here
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415

    from rasa_privacy.storage import schema  # noqa: PLC0415

    engine = create_engine(f"sqlite:///{bot}/c.db", future=True)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema._MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    result = run("database", "upgrade", "--bot", str(bot))
    assert result.exit_code == 0, result.output
    assert f"upgraded from 0001 to {SCHEMA_REVISION}" in result.stdout


@pytest.mark.usefixtures("store")
def test_relative_paths_count_from_the_bots_folder(
    bot: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The command finds the store of another folder as its servers do, and ends where it began."""
    (bot / "endpoints.yml").write_text(ENDPOINTS.format(folder=".").replace("///./", "///"), encoding="utf-8")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert run("check", "--database", "--bot", str(bot)).exit_code == 0
    assert Path.cwd() == elsewhere
    assert list(elsewhere.iterdir()) == []
