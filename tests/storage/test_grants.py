"""Each role of a PostgreSQL database can do its work, and nothing else."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from rasa_privacy.cli import main
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage.grants import NEEDS, SEQUENCES, grant_statements, privileges, role_statements
from rasa_privacy.storage.tables import metadata
from rasa_privacy.storage.vault import open_vault, utc_now
from tests.support.databases import SERVERS, new_url
from tests.support.operators import cheap_hashes
from tests.support.role_work import BEFORE, WORK, prepare
from tests.support.vaults import settings_in

__all__ = ["cheap_hashes"]
pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("cheap_hashes")]

AsRole = Callable[[str], StoreSettings]


@pytest.fixture
def as_role(tmp_path: Path) -> Iterator[AsRole]:
    """Return a function that gives the settings of a role, for a store that its owner has founded and granted."""
    prefix = f"test_{secrets.token_hex(4)}"
    with new_url("postgresql", tmp_path) as url:
        owner = replace(settings_in(tmp_path), url=url)
        vault = open_vault(owner, lambda: utc_now() - BEFORE)
        prepare(vault)
        vault.close()
        schema = make_url(url).query["options"].partition("search_path=")[2]
        statements = [*role_statements(prefix), *grant_statements(prefix=prefix, schema=schema)]
        run_all(statements)
        try:
            yield lambda role: replace(owner, url=_url_of(url, f"{prefix}_{role}"))
        finally:
            run_all([f"DROP OWNED BY {prefix}_{role}" for role in NEEDS])
            run_all([f"DROP ROLE {prefix}_{role}" for role in NEEDS])


def run_all(statements: list[str]) -> None:
    """Run statements as the owner."""
    engine = create_engine(SERVERS["postgresql"], future=True)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def _url_of(url: str, user: str) -> str:
    return str(make_url(url).set(username=user).render_as_string(hide_password=False))


#: A statement of each kind that changes and reads nothing where it is allowed.
STATEMENTS = {
    "SELECT": "SELECT 1 FROM {} WHERE false",
    "INSERT": "INSERT INTO {0} SELECT * FROM {0} WHERE false",
    "UPDATE": "UPDATE {} SET {} = NULL WHERE false",
    "DELETE": "DELETE FROM {} WHERE false",
    "TRUNCATE": "TRUNCATE {}",
}
_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema()"
#: What no role may do, beside the tables.
FORBIDDEN = (
    "CREATE TABLE mine (x integer)",
    "DROP TABLE audit",
    "ALTER TABLE audit ADD COLUMN x integer",
    "CREATE TRIGGER t BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE ROLE another",
    "SELECT pg_read_file('/etc/hostname')",
)


@pytest.mark.parametrize("role", NEEDS)
def test_each_role_can_do_its_work_and_nothing_else(as_role: AsRole, role: str) -> None:
    """As a user that owns nothing; every statement on every table that it was not granted is refused.

    And the sequences that PostgreSQL made are those that are granted.
    """
    settings = as_role(role)
    vault = open_vault(settings)
    WORK[role](vault)
    vault.close()
    tables = {name: table.columns.keys()[-1] for name, table in metadata.tables.items()}
    engine = create_engine(settings.url, future=True)
    with engine.connect() as connection:
        allowed = {
            (table, word)
            for table, column in {**tables, "alembic_version": "version_num"}.items()
            for word, statement in STATEMENTS.items()
            if _is_allowed(connection, statement.format(table, column))
        }
        needed = {table for table in NEEDS[role] if table != "erasure_journal"}  # which lies where the keys lie apart
        assert allowed == {(table, word) for table in needed for word in privileges(role, table)}
        assert [statement for statement in FORBIDDEN if _is_allowed(connection, statement)] == []
        found = connection.execute(text(_SEQUENCES)).scalars()
        assert {*found} == {*SEQUENCES.values()}
    engine.dispose()


def _is_allowed(connection: Any, statement: str) -> bool:
    try:
        connection.execute(text(statement))
    except ProgrammingError as error:
        if error.orig.pgcode == "42501":  # insufficient_privilege
            return False
        raise
    finally:
        connection.rollback()
    return True


def test_the_log_and_the_ledger_are_append_only_for_everybody() -> None:
    """No role changes or deletes a record, a checkpoint, a notice or a certificate."""
    for role in NEEDS:
        for table in ("audit", "audit_checkpoints", "ledger", "checkpoints", "notices", "erasures", "erasure_journal"):
            assert {*privileges(role, table)} <= {"SELECT", "INSERT"}
    for role in ("server", "actions"):
        assert not {"operators", "attestations"} & NEEDS[role].keys()


def test_every_table_is_somebodys() -> None:
    """A new table is thought of here: somebody needs it, or nobody would have made it."""
    named = {table for needs in NEEDS.values() for table in needs}
    assert named == {*metadata.tables, "alembic_version"}


def test_the_command_prints_them(tmp_path: Path) -> None:
    """For the databases of endpoints.yml, without a connection or a password; on SQLite it says what else to do."""
    settings_in(tmp_path)
    store = "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  privacy: privacy.yml\n"
    secret = "postgresql+psycopg2://owner:secret@nowhere.example/bot"  # noqa: S105 - made up
    keys = f"  keys: {{provider: file, path: keys, url: '{secret}_keys'}}\n"
    (tmp_path / "endpoints.yml").write_text(f"{store}  url: {secret}\n{keys}")
    shown = CliRunner().invoke(main, ["database", "grants", "--prefix", "ours", "--bot", str(tmp_path)])
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert lines[1] == "CREATE ROLE ours_server LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;"
    places = [lines.index("-- In nowhere.example/bot:"), lines.index("-- In nowhere.example/bot_keys:")]
    assert places[0] < lines.index("GRANT SELECT, INSERT ON public.audit TO ours_console;") < places[1]
    assert lines.index("GRANT SELECT, INSERT, UPDATE, DELETE ON public.data_keys TO ours_sweeper;") > places[1]
    assert "secret" not in shown.output
    (tmp_path / "endpoints.yml").write_text(f"{store}  url: sqlite:///c.db\n  keys: {{provider: file, path: keys}}\n")
    refused = CliRunner().invoke(main, ["database", "grants", "--bot", str(tmp_path)])
    assert refused.exit_code == 2
    assert refused.output.startswith("Error: ")  # and not a part of the statements before it
    assert "grants are for PostgreSQL" in refused.output


def test_keys_apart_are_granted_apart() -> None:
    """Beside the conversations nothing of the keys is granted, and beside the keys nothing of the people."""
    beside_people = "\n".join(grant_statements(apart=True))
    beside_keys = "\n".join(grant_statements(keys=True))
    assert "ON public.data_keys TO" not in beside_people
    assert "ON public.segments TO rasa_privacy_server" in beside_people
    assert "ON public.data_keys TO rasa_privacy_server" in beside_keys
    assert "ON public.segments TO" not in beside_keys


@pytest.mark.parametrize("name", ["", "a b", "x; DROP TABLE audit", "Ä", "Upper"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """It would stand in the statements as it is."""
    with pytest.raises(ConfigurationError, match="small letters"):
        list(grant_statements(prefix=name))
