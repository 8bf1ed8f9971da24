"""Stores that each earlier schema wrote, on each kind of database: upgraded, read, gone on with and erased."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection

from rasa_privacy.consent.ledger import Evidence, state_of
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage import schema
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.inspection import Damage, inspect_store
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import KINDS, new_url
from tests.vectors.make_stores import (
    APART,
    COMMITS,
    ERASED,
    FOLDER,
    NOW,
    PEOPLE,
    PRIVACY,
    REFUSED,
    names,
    turn,
    written,
)

#: On servers, which take longer: before a table with rows was made anew, and before columns came to three of them; with
#: keys in a database of their own, the first that could have that, and the one before the last.
_ON_SERVERS = ("0001", "0003", "0011", "0013", "0019", f"0002{APART}", f"0019{APART}")
_EACH = [(kind, name) for kind in KINDS for name in (names() if kind == "sqlite" else _ON_SERVERS)]
#: Tables whose rows PostgreSQL numbers, with that column.
_NUMBERED = {"conversations": "conversation_ref", "segments": "segment_id"}


@pytest.fixture
def old(name: str) -> dict[str, Any]:
    """Return the store of a schema: SQLite's dumps, and the files of the key folder."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


@pytest.fixture
def revision(name: str) -> str:
    """Return the schema of a store."""
    return name.removesuffix(APART)


@pytest.fixture
def settings(kind: str, revision: str, old: dict[str, Any], tmp_path: Path) -> Iterator[StoreSettings]:
    """Put the old store back and return the settings of it."""
    (tmp_path / "privacy.yml").write_text(PRIVACY)
    (tmp_path / "keys").mkdir(mode=0o700)
    for file, content in old["keys"].items():
        (tmp_path / "keys" / file).touch(mode=0o600)
        (tmp_path / "keys" / file).write_bytes(bytes.fromhex(content))
    with ExitStack() as stack:
        urls = [
            stack.enter_context(_put_back(kind, revision, old[dump], tmp_path / dump))
            for dump in ("dump", "key_dump")
            if dump in old
        ]
        url, own = (*urls, None)[:2]
        yield StoreSettings(url or "", KeySettings("file", tmp_path / "keys", url=own), tmp_path / "privacy.yml")


@contextmanager
def _put_back(kind: str, revision: str, dump: list[str], folder: Path) -> Iterator[str]:
    """Make the database again of which this is the dump, and yield its URL."""
    folder.mkdir()
    with new_url(kind, folder) as url:
        if kind == "sqlite":
            (folder / "c.db").touch(mode=0o600)
            _restore(dump, str(folder / "c.db")).close()
        else:
            _put_on_server(url, revision, dump)
        yield url


def _restore(dump: list[str], where: str) -> sqlite3.Connection:
    file = sqlite3.connect(where)
    file.executescript("\n".join(dump))
    return file


def _put_on_server(url: str, revision: str, dump: list[str]) -> None:
    """Make the tables of that schema on a server, and put the rows into them."""
    config = Config()
    config.set_main_option("script_location", str(schema._MIGRATIONS))

    def make(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    database = Database(url)
    database.prepare()
    database.change_schema(make)
    database.close()
    engine = create_engine(url, future=True)
    with engine.begin() as connection, closing(_restore(dump, ":memory:")) as file:
        file.row_factory = sqlite3.Row
        names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        # Parents first, for the foreign keys that there were.
        parents = ["subjects", "conversations"]
        for name in [*parents, *(name for name in names if name not in {"alembic_version", *parents})]:
            _copy(connection, name, [dict(row) for row in file.execute(f"SELECT * FROM {name}")])  # noqa: S608
    engine.dispose()


def _copy(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        names = ", ".join(rows[0])
        values = ", ".join(f":{name}" for name in rows[0])
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), rows)  # noqa: S608
    if table in _NUMBERED and connection.dialect.name == "postgresql":
        column = _NUMBERED[table]
        connection.execute(
            text(f"SELECT setval('{table}_{column}_seq', (SELECT MAX({column}) FROM {table}))")  # noqa: S608
        )


def test_each_schema_has_its_store() -> None:
    """Whoever adds a migration adds what the schema before it wrote."""
    newest = int(schema.SCHEMA_REVISION)
    assert sorted(names()) == sorted(path.stem for path in FOLDER.glob("*.json"))
    assert {f"{number:04}" for number in range(1, newest)} <= set(COMMITS)


@pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param(*each, marks=() if each[0] == "sqlite" else getattr(pytest.mark, each[0])) for each in _EACH],
    indirect=["kind"],
)
def test_what_an_older_schema_stored_is_read_and_gone_on_with(settings: StoreSettings, revision: str) -> None:
    """Conversations, values and consent come back equal, more is added, and who is erased stays so."""
    for url in filter(None, (settings.url, settings.keys.url)):
        database = Database(url)
        assert schema.upgrade(database) == revision
        database.close()
    with closing(open_vault(settings, clock=lambda: NOW + timedelta(hours=1))) as vault:
        _check_nothing_is_damaged(vault)
        for sender, email in PEOPLE.items():
            _check_read(vault, sender, *written(email))
            _check_consent(vault, sender)
            _check_gone_on_with(vault, sender, email)
        _check_erased(vault, ERASED)
        for sender in PEOPLE:
            assert erase(vault, sender, Evidence("button", "rest", "en", vault.clock())) is not None
            _check_erased(vault, sender)
        _check_nothing_is_damaged(vault)
        vault.database.transact(vault.ledger.verify)


def _check_nothing_is_damaged(vault: Vault) -> None:
    damages: list[Damage] = []
    inspect_store(vault, damages.append, lambda _: None)
    assert damages == []


def _check_read(vault: Vault, sender: str, structure: list[Any], values: dict[str, list[Any]]) -> None:
    with vault.database.read() as conn:
        stored = vault.conversations.load(conn, sender, all_sessions=True)
    assert stored is not None
    assert stored.structure == structure
    assert stored.values == values
    last = vault.conversations.load_last(vault.database, sender)
    assert last is not None
    assert last.structure == structure[last.first_seq :]
    assert 0 < last.first_seq < len(structure)


def _check_consent(vault: Vault, sender: str) -> None:
    with vault.database.read() as conn:
        subject_id = vault.subjects.find(conn, sender)
        assert subject_id is not None
        records = [(record.purpose, record.event) for record in vault.ledger.of_subject(conn, subject_id)]
        active = state_of(vault, conn, subject_id, vault.clock()).active
    said = "refused" if sender == REFUSED else "granted"
    assert records == [("draw", "asked"), ("draw", "granted"), ("news", "asked"), ("news", said)]
    assert active == ({"draw"} if sender == REFUSED else {"draw", "news"})


def _check_gone_on_with(vault: Vault, sender: str, email: str) -> None:
    structure, values = written(email)
    added = turn(1763960000.25, "one more", email)
    at = len(structure) + 2
    with vault.database.write() as conn:
        version = vault.conversations.head(conn, sender)[0]
        vault.conversations.append(
            conn, sender, version, added, {"draw": [[at, ["value"], "email", email]]}, [], vault.clock()
        )
    values["draw"].append([at, ["value"], "email", email])
    _check_read(vault, sender, structure + added, values)


def _check_erased(vault: Vault, sender: str) -> None:
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, sender) is None
        assert vault.erasures.tombstone_of(conn, sender) is not None
        assert vault.conversations.load(conn, sender) is None
