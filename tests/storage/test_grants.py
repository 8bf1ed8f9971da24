"""Each role of a PostgreSQL database can do its work, and nothing else."""

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from rasa_privacy.cli import main
from rasa_privacy.errors import ConfigurationError, NotGrantedError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.standing import lift_limit, limit
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.erasures import Erasures
from rasa_privacy.storage.grants import NEEDS, SEQUENCES, grant_statements, privileges, role_statements
from rasa_privacy.storage.replay import METHOD
from rasa_privacy.storage.tables import conversations, data_keys, meta, metadata, subjects
from rasa_privacy.storage.vault import Vault, open_vault, utc_now
from tests.support.databases import SERVERS, new_url
from tests.support.needed import recording, unneeded
from tests.support.operators import cheap_hashes
from tests.support.role_store import BEFORE, hire, person_of, prepare, token_of
from tests.support.role_work import STAFFED, WORK
from tests.support.vaults import evidence, settings_in

__all__ = ["cheap_hashes"]
pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("cheap_hashes")]


#: Tables that are put back from a backup.
_BACK = (subjects, conversations, data_keys)


@dataclass(frozen=True, slots=True)
class Granted:
    """A store that its owner has founded, and in whose databases the roles have what they need.

    Attributes:
        owner: Settings of who owns the tables.
        vault: The store, as its owner has it open.
        prefix: What the names of the roles begin with.
        apart: Whether the keys have a database of their own.
    """

    owner: StoreSettings
    vault: Vault
    prefix: str
    apart: bool

    def settings(self, role: str) -> StoreSettings:
        """Return the settings of a process of this role."""
        own = self.owner
        keys = replace(own.keys, url=own.keys.url and self._as(own.keys.url, role))
        return replace(own, url=self._as(own.url, role), keys=keys)

    def databases(self, role: str) -> Iterator[tuple[str, str, bool]]:
        """Yield for each database the owner's and the role's URL, and whether it is that of the keys."""
        mine = self.settings(role)
        yield self.owner.url, mine.url, False
        if self.owner.keys.url and mine.keys.url:
            yield self.owner.keys.url, mine.keys.url, True

    def _as(self, url: str, role: str) -> str:
        return str(make_url(url).set(username=f"{self.prefix}_{role}").render_as_string(hide_password=False))


@pytest.fixture(params=[False, True], ids=["together", "apart"])
def granted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Granted]:
    """Return a store with its roles, whose keys lie beside the people, or in a database of their own."""
    prefix = f"test_{secrets.token_hex(4)}"
    with ExitStack() as stack:
        own = replace(settings_in(tmp_path), url=stack.enter_context(new_url("postgresql", tmp_path)))
        if request.param:
            url = stack.enter_context(new_url("postgresql", tmp_path))
            own = replace(own, keys=replace(own.keys, url=url), journal=None)
        vault = open_vault(own, lambda: utc_now() - BEFORE)
        stack.callback(vault.close)
        prepare(vault)
        run_all(role_statements(prefix))
        stack.callback(run_all, [f"DROP ROLE {prefix}_{role}" for role in NEEDS])
        stack.callback(run_all, [f"DROP OWNED BY {prefix}_{role}" for role in NEEDS])
        made = Granted(own, vault, prefix, request.param)
        for url, _, keys in made.databases("server"):
            schema = make_url(url).query["options"].partition("search_path=")[2]
            run_all(grant_statements(prefix=prefix, schema=schema, apart=request.param, keys=keys))
        yield made


@pytest.mark.parametrize("granted", [False], ids=["together"], indirect=True)
def test_the_sweeper_leaves_a_broken_off_deletion_to_the_others(
    granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes no consents, so it says who can carry the deletion out, and sweeps when that was done."""
    with monkeypatch.context() as patched:
        patched.setattr(Erasures, "bury", Mock(side_effect=KeyboardInterrupt))  # as where a process is killed
        with pytest.raises(KeyboardInterrupt):
            erase(granted.vault, "ana", evidence(granted.vault))
    with pytest.raises(NotGrantedError, match=r"is not carried out yet.*rasa-privacy keys status"):
        open_vault(granted.settings("sweeper"))
    for role, erased in (("server", 1), ("sweeper", 0)):
        vault = open_vault(granted.settings(role))
        assert vault.replayed.erased == erased
        vault.close()


@pytest.mark.parametrize("granted", [False], ids=["together"], indirect=True)
@pytest.mark.parametrize("role", ["server", "actions", "console"])
def test_who_is_put_back_is_erased_again_by_each_that_erases(granted: Granted, role: str) -> None:
    """Single tables were put back from a backup; the ledger, which was not, gets what ends since then."""
    owner = granted.vault
    with owner.database.read() as connection:
        ana = person_of(owner, connection, "ana")
    owner.database.transact(lambda at: limit(owner, at, ana, evidence(owner)))
    owner.database.transact(lambda at: lift_limit(owner, at, ana, evidence(owner)))
    with owner.database.read() as connection:
        kept = [(table, connection.execute(table.select().where(table.c.subject_id == ana)).all()) for table in _BACK]
    assert erase(owner, "ana", evidence(owner)) is not None
    with owner.database.write() as connection:
        for table, rows in kept:
            for row in rows:
                connection.execute(table.insert().values(tuple(row)))
    vault = open_vault(granted.settings(role))
    vault.close()
    assert vault.replayed.erased == 1
    with owner.database.read() as connection:
        assert owner.subjects.find(connection, "ana") is None
        assert owner.ledger.of_subject(connection, ana)[-1].method == METHOD


@pytest.mark.parametrize("granted", [False], ids=["together"], indirect=True)
@pytest.mark.parametrize("role", NEEDS)
def test_a_ledger_that_is_not_prepared_is_its_owners(granted: Granted, role: str) -> None:
    """No role may write the hashes of all people anew, as after an upgrade from an old release; it says who can."""
    with granted.vault.database.write() as connection:
        connection.execute(meta.delete().where(meta.c.name == "ledger_people"))
    with pytest.raises(NotGrantedError, match=r"consent ledger.*owns the tables.*rasa-privacy keys status"):
        open_vault(granted.settings(role))
    open_vault(granted.owner).close()
    open_vault(granted.settings("server")).close()


CONFIG = Path(__file__).parents[2] / "config"
TIMERS = """\
retention: {review_every: 6 months}
roles:
  timer: {may: [retention, report, requests]}
"""


def timer_commands(bot: Path) -> Iterator[list[str]]:
    """Yield what the timers of config/ run, with the folders of a test."""
    for name in ("retention.cron", "retention.service"):
        for found in re.findall(r"bin/rasa-privacy ([^>\n]+?)(?: 2>|\n)", (CONFIG / name).read_text()):
            yield [*found.split(), "--bot", str(bot)]
    for name in ("retention.kubernetes.yml", "review.kubernetes.yml"):
        job = yaml.safe_load((CONFIG / name).read_text())
        command = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
        yield [re.sub("^/app", str(bot), word) for word in command[1:]]


@pytest.mark.parametrize("granted", [False], ids=["together"], indirect=True)
def test_timers_run_as_the_sweeper_with_a_token(
    granted: Granted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command of config/, and what schedulers run besides; without a token, or with a wrong one, none does."""
    hire(granted.vault)
    (tmp_path / "reviews").mkdir()
    with (tmp_path / "privacy.yml").open("a") as file:
        file.write(TIMERS)
    key, url = granted.owner.keys.path, granted.settings("sweeper").url
    (tmp_path / "endpoints.yml").write_text(
        f"tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  privacy: privacy.yml\n  url: '{url}'\n"
        f"  keys: {{provider: file, path: '{key}'}}\n"
    )
    monkeypatch.setenv("RASA_PRIVACY_REASON", "timer")
    monkeypatch.chdir(tmp_path)
    commands = list(timer_commands(tmp_path))
    assert {tuple(command[:2]) for command in commands} == {("retention", "run"), ("review", "make")}
    for token, said in (("", "this store has operators"), (f"rpo.tim.{'A' * 43}", "the token is not accepted")):
        monkeypatch.setenv("RASA_PRIVACY_TOKEN", token)
        for command in commands[:2]:
            refused = CliRunner().invoke(main, command)
            assert refused.exit_code == 2
            assert said in refused.output
    monkeypatch.setenv("RASA_PRIVACY_TOKEN", token_of("tim"))
    more = [["requests", "due", "--within", "0"], ["requests", "deliver"]]
    for command in [*more, *commands]:
        done = CliRunner().invoke(main, command, catch_exceptions=False)  # a crash would end with 1, too
        assert (done.exit_code, command[0]) in {(0, "retention"), (0, "review"), (0, "requests"), (1, "requests")}
    with granted.vault.database.read() as connection:
        found = [each.record for each in granted.vault.audit.each(connection, Wanted(operator="tim", outcome="done"))]
    assert {each.verb for each in found} == {"login", "retention", "report", "requests"}
    assert {each.role for each in found if each.verb != "login"} == {"timer"}


def run_all(statements: Iterable[str]) -> None:
    """Run statements as the owner."""
    engine = create_engine(SERVERS["postgresql"], future=True)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


#: A statement of each kind that changes and reads nothing where it is allowed.
STATEMENTS = {
    "SELECT": "SELECT 1 FROM {} WHERE false",
    "INSERT": "INSERT INTO {} ({}) SELECT NULL WHERE false",
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
def test_each_role_can_do_its_work_and_nothing_else(granted: Granted, role: str) -> None:
    """As a user that owns nothing; every statement on every table that it was not granted is refused.

    Nothing is granted that the work does not need, and the sequences that PostgreSQL made are those that are granted.
    """
    if role in STAFFED:
        hire(granted.vault)
    with recording() as sent:
        vault = open_vault(granted.settings(role))
        WORK[role](vault)
        vault.close()
    for owner, url, keys in granted.databases(role):
        given = {
            (table, word)
            for table in [*metadata.tables, "alembic_version"]
            for word in privileges(role, table, apart=granted.apart, keys=keys)
        }
        assert _allowed(url) == given
        counted = [(table, "USAGE") for table in SEQUENCES if (table, "INSERT") in given]
        assert unneeded(owner, url, sent, [*sorted(given), *counted]) == []


def _allowed(url: str) -> set[tuple[str, str]]:
    """Return what a user may do with which table, after what nobody may do was refused."""
    tables = {name: table.columns.keys()[-1] for name, table in metadata.tables.items()}
    engine = create_engine(url, future=True)
    with engine.connect() as connection:
        allowed = {
            (table, word)
            for table, column in {**tables, "alembic_version": "version_num"}.items()
            for word, statement in STATEMENTS.items()
            if _is_allowed(connection, statement.format(table, column))
        }
        assert [statement for statement in FORBIDDEN if _is_allowed(connection, statement)] == []
        found = connection.execute(text(_SEQUENCES)).scalars()
        assert {*found} == {*SEQUENCES.values()}
    engine.dispose()
    return allowed


@pytest.mark.parametrize("granted", [False], ids=["together"], indirect=True)
def test_what_is_missing_is_named_with_its_remedy(granted: Granted) -> None:
    """The work fails where it needs it, and the message says which command prints the grants."""
    schema = make_url(granted.owner.url).query["options"].partition("search_path=")[2]
    run_all([f"SET search_path TO {schema}; REVOKE INSERT ON handovers FROM {granted.prefix}_actions"])
    vault = open_vault(granted.settings("actions"))
    with pytest.raises(NotGrantedError, match=r"this user may not do that.*rasa-privacy database grants"):
        WORK["actions"](vault)
    vault.close()


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
    """For the databases of endpoints.yml, without a connection or a password; elsewhere it says what else to do."""
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
    for url in ("sqlite:///c.db", "mysql+pymysql://owner:secret@nowhere.example/bot"):
        (tmp_path / "endpoints.yml").write_text(f"{store}  url: {url}\n  keys: {{provider: file, path: keys}}\n")
        refused = CliRunner().invoke(main, ["database", "grants", "--bot", str(tmp_path)])
        assert refused.exit_code == 2
        assert refused.output.startswith("Error: ")  # and not a part of the statements before it
        assert "grants are for PostgreSQL" in refused.output
        assert "on MariaDB give each process a user with rights on this database alone" in refused.output
        assert "secret" not in refused.output


def test_keys_apart_are_granted_apart() -> None:
    """Beside the keys nothing of the people is granted, and beside the people only to see that no key is there."""
    beside_people = "\n".join(grant_statements(apart=True))
    beside_keys = "\n".join(grant_statements(apart=True, keys=True))
    found = [each for each in beside_people.splitlines() if "ON public.data_keys TO" in each]
    erasing = ("server", "actions", "console")
    assert found == [f"GRANT SELECT ON public.data_keys TO rasa_privacy_{role}" for role in erasing]
    assert "ON public.segments TO rasa_privacy_server" in beside_people
    assert "ON public.data_keys TO rasa_privacy_server" in beside_keys
    assert "ON public.segments TO" not in beside_keys


@pytest.mark.parametrize("name", ["", "a b", "x; DROP TABLE audit", "Ä", "Upper"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """It would stand in the statements as it is."""
    with pytest.raises(ConfigurationError, match="small letters"):
        list(grant_statements(prefix=name))
