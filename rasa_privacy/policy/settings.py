"""The store's settings: the block `tracker_store:` of endpoints.yml.

Rasa hands the block to the tracker store; the action server and the command line read the same file here. Messages
name keys and variables, never values: the url may hold a password.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.endpoints_file import ENDPOINTS_VARIABLE as ENDPOINTS_VARIABLE  # noqa: PLC0414 - as below
from rasa_privacy.policy.endpoints_file import read_endpoints
from rasa_privacy.policy.key_settings import KeySettings as KeySettings  # noqa: PLC0414 - others name it from here
from rasa_privacy.policy.key_settings import key_settings_from_mapping, known_only, text

STORE_TYPE: Final = "rasa_privacy.EncryptedTrackerStore"

#: How the URLs begin that `storage.database` opens.
_URLS: Final = (
    "sqlite:///",
    "sqlite+pysqlite:///",
    "postgresql://",
    "postgresql+psycopg2://",
    "mysql+pymysql://",
    "mariadb+pymysql://",
)


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What the encrypted store needs to start.

    Attributes:
        url: SQLAlchemy URL of the database; it may hold a password, so it is not shown.
        keys: Where the keys are.
        privacy: Path of privacy.yml; a relative one counts from the current directory.
        journal: File of the erasure journal; None for the key database's, or else the key folder's.
    """

    url: str = field(repr=False)
    keys: KeySettings
    privacy: Path
    journal: Path | None = None


def endpoints_path() -> Path:
    """Return the endpoints file: `RASA_PRIVACY_ENDPOINTS` where it is set, else `endpoints.yml` here."""
    return Path(os.environ.get(ENDPOINTS_VARIABLE) or "endpoints.yml")


def load_settings(endpoints: Path) -> StoreSettings:
    """Read the block `tracker_store:` of an endpoints file.

    Raises:
        ConfigurationError: The file or the block is missing, is not YAML, names another store, or has a wrong key.
    """
    content = read_endpoints(endpoints)
    block = content.get("tracker_store") if isinstance(content, dict) else None
    if not isinstance(block, dict):
        raise ConfigurationError(
            f"{endpoints}: the block 'tracker_store' is missing; add it with 'type: {STORE_TYPE}' "
            "('rasa-privacy init' prints the lines)"
        )
    if block.get("type") != STORE_TYPE:
        raise ConfigurationError(
            f"{endpoints}: 'type' of 'tracker_store' must be '{STORE_TYPE}'; with another store nothing is encrypted"
        )
    return settings_from_mapping(block, f"{endpoints}: tracker_store")


def settings_from_mapping(mapping: Mapping[str, Any], where: str) -> StoreSettings:
    """Make settings of the keys of one `tracker_store` block.

    Args:
        mapping: The block; `type` may be there and is then checked.
        where: The place to name in messages, for example `endpoints.yml: tracker_store`.

    Raises:
        ConfigurationError: A key is unknown, missing, or has a value of the wrong kind.
    """
    known_only(mapping, ("type", "url", "keys", "privacy", "journal"), where)
    if mapping.get("type", STORE_TYPE) != STORE_TYPE:
        raise ConfigurationError(f"{where}: 'type' must be '{STORE_TYPE}'")
    if not isinstance(mapping.get("keys"), Mapping):
        raise ConfigurationError(f"{where}: 'keys' is missing; write 'keys: {{provider: file, path: keys}}'")
    settings = StoreSettings(
        url=_url(mapping, where),
        keys=key_settings_from_mapping(mapping["keys"], f"{where}.keys"),
        privacy=Path(text(mapping, "privacy", where)),
        journal=Path(text(mapping, "journal", where)) if "journal" in mapping else None,
    )
    _check_together(settings, where)
    return settings


def _url(mapping: Mapping[str, Any], where: str) -> str:
    """Return the database's URL; what it says beside its kind is for the driver to judge."""
    url = text(mapping, "url", where)
    if not url.startswith(_URLS):
        raise ConfigurationError(
            f"{where}: 'url' is no database URL that is supported; write sqlite:///file, postgresql+psycopg2://... or "
            "mysql+pymysql://... (for MariaDB)"
        )
    return url


def _check_together(settings: StoreSettings, where: str) -> None:
    if settings.keys.url == settings.url:
        raise ConfigurationError(
            f"{where}.keys: 'url' is the database of the conversations; name another one, or leave it away to keep "
            "the data keys beside the conversations"
        )
    if settings.journal is None and settings.keys.url is None and settings.keys.path is None:
        raise ConfigurationError(
            f"{where}: 'journal' is missing; name a file for the erasure journal, outside the database and its "
            "backups, since there is neither 'path' nor 'url' under 'keys'"
        )
