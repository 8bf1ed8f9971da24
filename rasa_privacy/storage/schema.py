"""Which schema the database has, and how it gets the one of this release.

An empty database is migrated in one transaction that holds the write lock, so that of two processes the second finds
the work done. A database of another release is refused and left alone. Alembic is imported when there is work for it.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from rasa_privacy.errors import SchemaVersionError
from rasa_privacy.storage.database import Database

#: The revision that this release reads and writes; a test holds it equal to the newest migration.
SCHEMA_REVISION: Final = "0001"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSION_TABLE: Final = "alembic_version"


def ensure_schema(database: Database) -> None:
    """Check the schema, and make it in an empty database.

    Raises:
        SchemaVersionError: The file holds the schema of another release, or another program's tables.
        StorageError: The database cannot be reached.
    """
    with database.read() as connection:
        if not _is_empty(connection):
            _check(connection, database)
            return
    with database.write() as connection:
        if _is_empty(connection):
            _migrate(connection)
        _check(connection, database)


def upgrade(database: Database) -> None:
    """Bring an older database to this release's schema. Make a copy of the file first.

    Raises:
        SchemaVersionError: The schema is not one that this release knows.
    """
    with database.write() as connection:
        revision = _revision(connection)
        if revision not in _known_revisions():
            raise SchemaVersionError(_other(database, revision))
        _migrate(connection)


def _is_empty(connection: Connection) -> bool:
    return not inspect(connection).get_table_names()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    revision: str | None = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608
    return revision


def _check(connection: Connection, database: Database) -> None:
    revision = _revision(connection)
    if revision == SCHEMA_REVISION:
        return
    if revision is not None and revision in _known_revisions():
        raise SchemaVersionError(
            f"{database.path}: schema {revision} is older than {SCHEMA_REVISION} of this release; copy the file, then "
            "run rasa_privacy.storage.schema.upgrade on it"
        )
    raise SchemaVersionError(_other(database, revision))


def _other(database: Database, revision: str | None) -> str:
    if revision is None:
        return (
            f"{database.path}: the file holds another program's tables and not schema {SCHEMA_REVISION}; "
            "name a new file in tracker_store.url (Rasa's own database is not converted)"
        )
    return (
        f"{database.path}: schema {revision} is newer than {SCHEMA_REVISION}, which this release knows; "
        "install the release that wrote it"
    )


def _known_revisions() -> set[str]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see the module's docstring

    return {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - see the module's docstring
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # Percent signs are doubled, since the value passes configparser's interpolation.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
