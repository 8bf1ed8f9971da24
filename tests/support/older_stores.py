"""Puts a store of an earlier schema (`tests/vectors/stores`) back into a database, and checks what it holds."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection, make_url

from rasa_privacy.consent.ledger import state_of
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage import schema
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.inspection import Damage, inspect_store
from rasa_privacy.storage.vault import Vault
from tests.vectors.make_stores import FOLDER, PRIVACY, REFUSED

#: Tables whose rows PostgreSQL numbers, with that column.
_NUMBERED = {"conversations": "conversation_ref", "segments": "segment_id"}


def stored(name: str) -> dict[str, Any]:
    """Return the store of a schema: SQLite's dumps, and the files of the key folder."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def put_back(revision: str, url: str, folder: Path) -> None:
    """Put the store of a schema back: its keys and privacy.yml into a folder, its rows into an empty database."""
    old = stored(revision)
    put_files(old, folder)
    put_rows(url, revision, old["dump"])


def settings_of(url: str, folder: Path, own: str | None = None) -> StoreSettings:
    """Return the settings of a store that was put back; `own` is the URL of its keys, where those lie apart."""
    return StoreSettings(url, KeySettings("file", folder / "keys", url=own), folder / "privacy.yml")


def put_files(old: dict[str, Any], folder: Path) -> None:
    """Write the files of a store into a folder."""
    (folder / "privacy.yml").write_text(PRIVACY)
    (folder / "keys").mkdir(mode=0o700)
    for file, content in old["keys"].items():
        (folder / "keys" / file).touch(mode=0o600)
        (folder / "keys" / file).write_bytes(bytes.fromhex(content))


def put_rows(url: str, revision: str, dump: list[str]) -> None:
    """Make the database again, which is empty or a file that is not there, of which this is the dump."""
    file = make_url(url).database
    if not url.startswith("sqlite"):
        _put_on_server(url, revision, dump)
    elif file is not None:
        Path(file).touch(mode=0o600)
        _restore(dump, file).close()


def _restore(dump: list[str], where: str) -> sqlite3.Connection:
    file = sqlite3.connect(where)
    file.executescript("\n".join(dump))
    return file


def _put_on_server(url: str, revision: str, dump: list[str]) -> None:
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
    column = _NUMBERED.get(table)
    if rows and column in rows[0] and connection.dialect.name == "postgresql":
        connection.execute(
            text(f"SELECT setval('{table}_{column}_seq', (SELECT MAX({column}) FROM {table}))")  # noqa: S608
        )


def check_nothing_is_damaged(vault: Vault) -> None:
    """See that all that is stored can be opened."""
    damages: list[Damage] = []
    inspect_store(vault, damages.append, lambda _: None)
    assert damages == []


def check_read(vault: Vault, sender: str, structure: list[Any], values: dict[str, list[Any]]) -> None:
    """See that a person's events and values are these, in two sessions or more."""
    with vault.database.read() as conn:
        stored = vault.conversations.load(conn, sender, all_sessions=True)
    assert stored is not None
    assert stored.structure == structure
    assert stored.values == values
    last = vault.conversations.load_last(vault.database, sender)
    assert last is not None
    assert last.structure == structure[last.first_seq :]
    assert 0 < last.first_seq < len(structure)


def check_consent(vault: Vault, sender: str) -> None:
    """See that a person's answers and what follows from them are as they were written."""
    with vault.database.read() as conn:
        subject_id = vault.subjects.find(conn, sender)
        assert subject_id is not None
        records = [(record.purpose, record.event) for record in vault.ledger.of_subject(conn, subject_id)]
        active = state_of(vault, conn, subject_id, vault.clock()).active
    said = "refused" if sender == REFUSED else "granted"
    assert records == [("draw", "asked"), ("draw", "granted"), ("news", "asked"), ("news", said)]
    assert active == ({"draw"} if sender == REFUSED else {"draw", "news"})
