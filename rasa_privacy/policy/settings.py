"""The store's settings: the block `tracker_store:` of endpoints.yml.

Rasa hands the block to the tracker store; the action server and the command line read the same file here. Messages
name keys and variables, never values: the url may hold a password.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.suggest import did_you_mean, listed, shown

STORE_TYPE: Final = "rasa_privacy.EncryptedTrackerStore"
ENDPOINTS_VARIABLE: Final = "RASA_PRIVACY_ENDPOINTS"
KEY_PROVIDERS: Final = ("file",)
_LATER_PROVIDERS: Final = ("env", "aws-kms", "pkcs11", "vault")
_MAX_FILE_BYTES: Final = 2**20

# Rasa's own pattern (rasa/shared/utils/io.py): it holds for plain scalars only, not for quoted ones.
_HAS_VARIABLE: Final = re.compile(r"^(.*)\$\{(.*)\}(.*)$")
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_ENV_TAG: Final = "!env_var"


@dataclass(frozen=True, slots=True)
class KeySettings:
    """Where the keys are.

    Attributes:
        provider: Kind of key store, one of `KEY_PROVIDERS`.
        path: The folder of the key files; a relative one counts from the current directory.
    """

    provider: str
    path: Path


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What the encrypted store needs to start.

    Attributes:
        url: SQLAlchemy URL of the database; it may hold a password, so it is not shown.
        keys: Where the keys are.
        privacy: Path of privacy.yml; a relative one counts from the current directory.
    """

    url: str = field(repr=False)
    keys: KeySettings
    privacy: Path


class _EndpointsLoader(yaml.SafeLoader):
    """PyYAML's safe loader, with `${NAME}` replaced from the environment as Rasa does."""

    def expand(self, node: yaml.Node) -> str:
        """Return a scalar with its variables replaced.

        Raises:
            ConfigurationError: A variable is not set.
        """
        text = str(self.construct_scalar(node)) if isinstance(node, yaml.ScalarNode) else ""
        missing = [name for name in _VARIABLE.findall(text) if name not in os.environ]
        if missing:
            raise ConfigurationError(
                f"line {node.start_mark.line + 1}: the environment variable {shown(missing[0])} is not set; set it "
                "before you start"
            )
        return os.path.expandvars(text)


_EndpointsLoader.add_implicit_resolver(_ENV_TAG, _HAS_VARIABLE, None)
_EndpointsLoader.add_constructor(_ENV_TAG, _EndpointsLoader.expand)


def endpoints_path() -> Path:
    """Return the endpoints file: `RASA_PRIVACY_ENDPOINTS` where it is set, else `endpoints.yml` here."""
    return Path(os.environ.get(ENDPOINTS_VARIABLE) or "endpoints.yml")


def load_settings(endpoints: Path) -> StoreSettings:
    """Read the block `tracker_store:` of an endpoints file.

    Raises:
        ConfigurationError: The file or the block is missing, is not YAML, names another store, or has a wrong key.
    """
    content = _read(endpoints)
    block = content.get("tracker_store") if isinstance(content, dict) else None
    if not isinstance(block, dict):
        raise ConfigurationError(
            f"{endpoints}: the block 'tracker_store' is missing; add it with 'type: {STORE_TYPE}' "
            "('rasa-privacy check' prints the lines)"
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
    _known_only(mapping, ("type", "url", "keys", "privacy"), where)
    if mapping.get("type", STORE_TYPE) != STORE_TYPE:
        raise ConfigurationError(f"{where}: 'type' must be '{STORE_TYPE}'")
    keys = mapping.get("keys")
    if not isinstance(keys, Mapping):
        raise ConfigurationError(f"{where}: 'keys' is missing; write 'keys: {{provider: file, path: keys}}'")
    return StoreSettings(
        url=_text(mapping, "url", where),
        keys=_key_settings(keys, f"{where}.keys"),
        privacy=Path(_text(mapping, "privacy", where)),
    )


def _key_settings(keys: Mapping[str, Any], where: str) -> KeySettings:
    _known_only(keys, ("provider", "path"), where)
    provider = _text(keys, "provider", where)
    if provider in _LATER_PROVIDERS:
        raise ConfigurationError(f"{where}: provider '{provider}' comes in a later release; use 'file'")
    if provider not in KEY_PROVIDERS:
        raise ConfigurationError(
            f"{where}: provider {shown(provider)} is not known{did_you_mean(provider, KEY_PROVIDERS)}; use 'file'"
        )
    return KeySettings(provider=provider, path=Path(_text(keys, "path", where)))


def _known_only(mapping: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in mapping:
        if name not in known:
            hint = did_you_mean(str(name), known) or f"; known are {listed(known)}"
            raise ConfigurationError(f"{where}: {shown(str(name))} is not known{hint}")


def _text(mapping: Mapping[str, Any], name: str, where: str) -> str:
    value = mapping.get(name)
    if value is None:
        raise ConfigurationError(f"{where}: '{name}' is missing")
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ConfigurationError(f"{where}: '{name}' must be text")
    return value


def _read(path: Path) -> object:
    """Return the content of an endpoints file, variables replaced."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: the file does not exist; run the command in the bot's folder, or set {ENDPOINTS_VARIABLE}"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path}: the file cannot be read ({error.strerror})") from None
    if len(raw) > _MAX_FILE_BYTES:
        raise ConfigurationError(f"{path}: the file is longer than {_MAX_FILE_BYTES} bytes; is it the right one?")
    return _parse(raw, path)


def _parse(raw: bytes, path: Path) -> object:
    loader = None
    try:
        loader = _EndpointsLoader(raw.decode("utf-8-sig"))
        return loader.get_single_data()
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        # The parser's own words may quote the file, and the file may hold a password.
        raise ConfigurationError(f"{place}: this is not YAML; mend the line named here") from None
    except (yaml.YAMLError, ValueError, OverflowError, TypeError, AttributeError, LookupError, RecursionError):
        raise ConfigurationError(f"{path}: this is not YAML in UTF-8") from None
