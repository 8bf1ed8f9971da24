"""What one run of a bot needs on disk: a private folder with derived endpoints, credentials and logs.

The bot's own files are never written. The derived endpoints file differs from the bot's in the named values only; the
credentials open the REST channel and no other, so that a trial run does not answer on the bot's real channels.
"""

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.settings import load_settings

#: Path of keys in a YAML file, outermost first, to the value that is wanted there; a mapping replaces a block.
Changes = Mapping[tuple[str, ...], str | Mapping[str, Any]]

ACTION_URL: Final = ("action_endpoint", "url")
_NULL: Final = "tag:yaml.org,2002:null"
_PRIVATE_MODE: Final = 0o700
#: What a bot folder may hold of earlier runs; a fresh copy starts without it.
_LEFTOVERS: Final = shutil.ignore_patterns(
    "__pycache__", ".rasa", "models", "results", "keys", "*.db", "*.db-wal", "*.db-shm", "*.db-journal"
)


def make_private_folder(path: Path) -> Path:
    """Make a folder, and its parents, that only this user may enter; return it.

    Raises:
        ConfigurationError: It cannot be made.
    """
    try:
        path.mkdir(mode=_PRIVATE_MODE, parents=True, exist_ok=True)
        path.chmod(_PRIVATE_MODE)  # the umask or an older folder may have said something else
    except OSError as error:
        raise ConfigurationError(f"{path}: the folder cannot be made: {error.strerror}") from error
    return path


def copy_bot(bot: Path, target: Path) -> Path:
    """Copy a bot folder without models, databases and keys of earlier runs; return the copy.

    Raises:
        ConfigurationError: The folder is not there, or is not a bot.
    """
    if not (bot / "config.yml").is_file():
        raise ConfigurationError(f"{bot}: there is no config.yml here; name the folder of a Rasa bot with --bot")
    shutil.copytree(bot, target, ignore=_LEFTOVERS)
    target.chmod(_PRIVATE_MODE)
    return target


def derive_endpoints(source: Path, target: Path, changes: Changes) -> Path:
    """Write `source` to `target` with some values changed, and return `target`.

    The nodes of the file are edited, not its values, so that everything else keeps its type and quotes, also `${NAME}`.

    Raises:
        ConfigurationError: The source cannot be read, or is not a mapping where one is needed.
    """
    try:
        root = yaml.compose(source.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigurationError(f"{source}: the file cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f":{place.line + 1}:{place.column + 1}" if place else ""
        raise ConfigurationError(f"{source}{line}: this is not YAML; check indentation and quotes") from error
    if root is None or root.tag == _NULL:
        root = _empty_mapping()
    for path, value in changes.items():
        _set(root, path, value, source)
    target.write_text(yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True), encoding="utf-8")
    return target


def write_credentials(target: Path) -> Path:
    """Write credentials that open the REST channel only, and return the file."""
    target.write_text("rasa_privacy.RestInput:\n", encoding="utf-8")
    return target


def fresh_store(bot: Path, store: Path) -> Changes:
    """Return what to change in a bot's endpoints so that database and keys are this run's own.

    Args:
        bot: The bot's folder.
        store: Private folder for database and keys.

    Raises:
        ConfigurationError: The bot does not use the encrypted store.
    """
    if not (bot / "endpoints.yml").is_file():
        raise ConfigurationError(f"{bot}: there is no endpoints.yml here; name the folder of a bot with --bot")
    privacy = bot / load_settings(bot / "endpoints.yml").privacy
    return {
        ("tracker_store", "url"): f"sqlite:///{store / 'conversations.db'}",
        ("tracker_store", "keys"): {"provider": "file", "path": str(store / "keys")},
        ("tracker_store", "privacy"): str(privacy),
    }


def _set(node: yaml.Node, path: tuple[str, ...], value: str | Mapping[str, Any], source: Path) -> None:
    """Put a value under a path of keys, making the mappings on the way."""
    if not isinstance(node, yaml.MappingNode):
        raise ConfigurationError(f"{source}: a mapping is needed around '{path[0]}'; write it as '{path[0]}: ...'")
    key, *rest = path
    at = next((i for i, (name, _) in enumerate(node.value) if name.value == key), None)
    if not rest:
        replacement: yaml.Node = _node(value)
    else:
        inner = None if at is None else node.value[at][1]
        replacement = _empty_mapping() if inner is None or inner.tag == _NULL else inner
        _set(replacement, tuple(rest), value, source)
    pair = (yaml.ScalarNode("tag:yaml.org,2002:str", key), replacement)
    if at is None:
        node.value.append(pair)
    else:
        node.value[at] = pair


def _node(value: str | Mapping[str, Any]) -> yaml.Node:
    if isinstance(value, str):
        return yaml.ScalarNode("tag:yaml.org,2002:str", value, style='"')
    node: yaml.Node = yaml.SafeDumper(io.StringIO()).represent_data(dict(value))
    return node


def _empty_mapping() -> yaml.MappingNode:
    return yaml.MappingNode("tag:yaml.org,2002:map", [], flow_style=False)
