"""How the commands on stored data find it: in the bot's folder, as the servers do. They never make a new store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.settings import ENDPOINTS_VARIABLE, StoreSettings, load_settings
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.schema import revision_of
from rasa_privacy.storage.vault import Vault, open_vault


def endpoints_file(bot: Path, endpoints: Path | None) -> Path:
    """Return the absolute path of the endpoints file: `endpoints`, RASA_PRIVACY_ENDPOINTS, or the one in the folder."""
    named = os.environ.get(ENDPOINTS_VARIABLE)
    return (endpoints or (Path(named) if named else bot / "endpoints.yml")).absolute()


@contextmanager
def store_settings(bot: Path, endpoints: Path | None) -> Iterator[StoreSettings]:
    """Give the settings of endpoints.yml; within, relative paths count from the bot's folder, as in its servers.

    Args:
        bot: The bot's folder.
        endpoints: Endpoints file; otherwise what `RASA_PRIVACY_ENDPOINTS` says, or `endpoints.yml` in the folder.

    Raises:
        ConfigurationError: The file or its block is missing or wrong.
    """
    file = endpoints_file(bot, endpoints)
    before = Path.cwd()
    os.chdir(bot)
    try:
        yield load_settings(file)
    finally:
        os.chdir(before)


@contextmanager
def existing_store(bot: Path, endpoints: Path | None) -> Iterator[Vault]:
    """Open the store of a bot.

    Raises:
        ConfigurationError: There is none, or its settings are wrong.
        PrivacyError: It cannot be opened.
    """
    with store_settings(bot, endpoints) as settings, existing(settings) as vault:
        yield vault


@contextmanager
def existing(settings: StoreSettings) -> Iterator[Vault]:
    """Open the store that settings name.

    Raises:
        ConfigurationError: There is none.
        PrivacyError: It cannot be opened.
    """
    require_database(settings)
    vault = open_vault(settings)
    try:
        yield vault
    finally:
        vault.close()


def require_database(settings: StoreSettings) -> None:
    """Refuse where the database holds no store: opening it would make a new one.

    Raises:
        ConfigurationError: It holds none.
        StorageError: The database cannot be reached, or the file is not there.
    """
    database = Database(settings.url)
    try:
        if revision_of(database) is None:
            raise ConfigurationError(
                f"{database.name}: there is no store yet; start the server once, or correct tracker_store.url and name "
                "the bot's folder with --bot"
            )
    finally:
        database.close()
