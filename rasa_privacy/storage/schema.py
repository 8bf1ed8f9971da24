"""Which schema the database has, and how it gets the one of this release.

An empty database is migrated when it is opened; of two processes at once the second finds the work done. A database of
another release is refused and left alone until `upgrade`. On SQLite and PostgreSQL a migration is one transaction. On
MariaDB, where each statement of it commits by itself, one that was interrupted is begun again and passes over what is
there; so a migration must not move data in a way that cannot be done twice. Alembic is imported when there is work.
"""

import logging
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from rasa_privacy.errors import SchemaVersionError
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.tables import metadata

#: The revision that this release reads and writes; a test holds it equal to the newest migration.
SCHEMA_REVISION: Final = "0024"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSION_TABLE: Final = "alembic_version"
_REVISION: Final = f"SELECT version_num FROM {_VERSION_TABLE}"  # noqa: S608 - a constant


def ensure_schema(database: Database) -> None:
    """Check the schema, and make it in an empty database.

    Raises:
        SchemaVersionError: The database holds the schema of another release, or another program's tables.
        StorageError: The database cannot be reached.
    """
    with database.read() as connection:
        if not _is_unfinished(connection):
            _check(connection, database)
            return

    def found(connection: Connection) -> None:
        if _is_unfinished(connection):
            _migrate(connection)
        _check(connection, database)

    database.change_schema(found)


def upgrade(database: Database) -> str:
    """Bring an older database to this release's schema. Make a backup first.

    Returns:
        The revision that it had, which is `SCHEMA_REVISION` where there was nothing to do.

    Raises:
        SchemaVersionError: The schema is not one that this release knows.
        StorageError: The database cannot be reached or changed.
    """

    def bring(connection: Connection) -> str:
        revision = _locked_revision(connection)
        if revision is None or revision not in _known_revisions():
            raise SchemaVersionError(_other(database, revision))
        if revision != SCHEMA_REVISION:
            _migrate(connection)
        return revision

    return database.change_schema(bring)


def revision_of(database: Database) -> str | None:
    """Return the revision of the database's schema, or None where there is none of ours.

    Raises:
        StorageError: The database cannot be reached.
    """
    with database.read() as connection:
        return _revision(connection)


def _is_unfinished(connection: Connection) -> bool:
    """Say whether there is nothing, or only what an interrupted migration of an empty database left."""
    tables = set(inspect(connection).get_table_names())
    revision = _revision(connection)
    if revision is None:
        return tables <= {_VERSION_TABLE, *metadata.tables}
    if revision == SCHEMA_REVISION or revision not in _known_revisions():
        return False
    # `meta` has a row as soon as a store was opened on the database.
    return connection.execute(text("SELECT name FROM meta")).first() is None


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    revision: str | None = connection.execute(text(_REVISION)).scalar()
    return revision


def _locked_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    suffix = "" if connection.dialect.name == "sqlite" else " FOR UPDATE"
    revision: str | None = connection.execute(text(_REVISION + suffix)).scalar()
    return revision


def _check(connection: Connection, database: Database) -> None:
    revision = _revision(connection)
    if revision == SCHEMA_REVISION:
        return
    if revision is not None and revision in _known_revisions():
        raise SchemaVersionError(
            f"{database.name}: schema {revision} is older than {SCHEMA_REVISION} of this release; make a backup, then "
            "run 'rasa-privacy database upgrade'"
        )
    raise SchemaVersionError(_other(database, revision))


def _other(database: Database, revision: str | None) -> str:
    if revision is None:
        return (
            f"{database.name}: it holds another program's tables and not schema {SCHEMA_REVISION}; name a database of "
            "our own in tracker_store.url (Rasa's own is taken over by 'rasa-privacy import')"
        )
    return (
        f"{database.name}: schema {revision} is newer than {SCHEMA_REVISION}, which this release knows; "
        "install the release that wrote it"
    )


def _known_revisions() -> set[str]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see the module's docstring

    return {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}


def _migrate(connection: Connection) -> None:
    # A founding would begin with a line for each migration; newer releases have one for each part they import as well.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command  # noqa: PLC0415 - see the module's docstring
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # Percent signs are doubled, since the value passes configparser's interpolation.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
