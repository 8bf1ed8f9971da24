"""endpoints.yml as Rasa reads it: YAML with `${NAME}` replaced from the environment.

Messages name lines and variables, never values: the file may hold a password.
"""

import os
import re
from pathlib import Path
from typing import Final

import yaml

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.suggest import shown

ENDPOINTS_VARIABLE: Final = "RASA_PRIVACY_ENDPOINTS"
_MAX_FILE_BYTES: Final = 2**20

# Rasa's own pattern (rasa/shared/utils/io.py): it holds for plain scalars only, not for quoted ones.
_HAS_VARIABLE: Final = re.compile(r"^(.*)\$\{(.*)\}(.*)$")
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_ENV_TAG: Final = "!env_var"


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


def read_endpoints(path: Path) -> object:
    """Return the content of an endpoints file, variables replaced.

    Raises:
        ConfigurationError: The file is missing, too long or not YAML, or names a variable that is not set.
    """
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
