"""The block `keys:` under `tracker_store:` of endpoints.yml: which key provider, and what it needs.

Secrets are not written here: a PIN and a token come from environment variables that the block names. Messages name keys
and never values, since somebody may write a secret in the wrong place.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.suggest import did_you_mean, listed, shown


@dataclass(frozen=True, slots=True)
class _Option:
    """One option of a provider.

    Attributes:
        default: What holds where it is left away; None where it may be left away without a default.
        required: Whether it must be there.
        pattern: What its value must match.
        form: That pattern in words.
    """

    default: str | None = None
    required: bool = False
    pattern: str = r"[^\x00-\x1f\x7f]{1,1024}"
    form: str = "one line of text"


_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
_VARIABLE_FORM: Final = "the name of an environment variable, and not the secret itself"
#: Clear text stays on this machine; a user name or a password in an address would end in messages and logs.
_ADDRESS: Final = (
    r"(https://|http://(?=(localhost|127\.0\.0\.1|\[::1\])([:/]|$)))[A-Za-z0-9.:\[\]_-]{1,250}(/[\w./-]*)?"
)
_ADDRESS_FORM: Final = "an address that begins with https:// (http:// on this machine only) and holds no password"
_PATH_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
_REQUIRED: Final = _Option(required=True)
_ENDPOINT: Final = _Option(pattern=_ADDRESS, form=_ADDRESS_FORM)

#: The options of each provider beside `provider`, `path` and `url`; docs/spec/keys.md, section 2.
_OPTIONS: Final[Mapping[str, Mapping[str, _Option]]] = {
    "file": {},
    "env": {"prefix": _Option("RASA_PRIVACY_KEY_", pattern=_NAME, form=_VARIABLE_FORM)},
    "aws-kms": {"key": _REQUIRED, "region": _Option(pattern="[a-z0-9-]{1,40}", form="a region"), "endpoint": _ENDPOINT},
    "pkcs11": {
        "module": _REQUIRED,
        "token": _REQUIRED,
        "key": _REQUIRED,
        "pin_variable": _Option("RASA_PRIVACY_PIN", pattern=_NAME, form=_VARIABLE_FORM),
    },
    "vault": {
        "address": _Option(required=True, pattern=_ADDRESS, form=_ADDRESS_FORM),
        "key": _Option(required=True, pattern=_PATH_NAME, form="the name of a transit key"),
        "mount": _Option("transit", pattern=f"{_PATH_NAME}(/{_PATH_NAME}){{0,9}}", form="the path of a mount"),
        "token_variable": _Option("VAULT_TOKEN", pattern=_NAME, form=_VARIABLE_FORM),
    },
}
KEY_PROVIDERS: Final = tuple(_OPTIONS)


@dataclass(frozen=True, slots=True)
class KeySettings:
    """Where the keys are.

    Attributes:
        provider: Kind of key store, one of `KEY_PROVIDERS`.
        path: The folder of the key files; a relative one counts from the current directory. None where the provider
            keeps no files.
        url: SQLAlchemy URL of a database of their own for the data keys; None where they lie beside the conversations.
        options: What else the provider needs, by name; defaults are filled in.

    Raises:
        ConfigurationError: The provider is unknown, or something that it needs is missing or of the wrong form.
    """

    provider: str
    path: Path | None
    url: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that the provider has what it needs, and fill in the defaults."""
        known = _OPTIONS.get(self.provider)
        if known is None:
            hint = did_you_mean(self.provider, KEY_PROVIDERS) or f"; known are {listed(KEY_PROVIDERS)}"
            raise ConfigurationError(f"provider {shown(self.provider)} is not known{hint}")
        if (self.path is None) != (self.provider == "env"):
            what = "'path' is missing" if self.path is None else "'path' has no use with provider 'env'; leave it away"
            raise ConfigurationError(what)
        for name, option in known.items():
            _check(option, name, self.options.get(name))
        defaults = {name: option.default for name, option in known.items() if option.default is not None}
        object.__setattr__(self, "options", {**defaults, **self.options})


def key_settings_from_mapping(keys: Mapping[str, Any], where: str) -> KeySettings:
    """Make settings of the block `keys`.

    Args:
        keys: The block.
        where: The place to name in messages, for example `endpoints.yml: tracker_store.keys`.

    Raises:
        ConfigurationError: A key is unknown, missing, or has a value of the wrong kind.
    """
    provider = text(keys, "provider", where)
    options = _OPTIONS.get(provider, {})
    if provider in _OPTIONS:
        known_only(keys, ("provider", *(() if provider == "env" else ("path",)), "url", *options), where)
    path = Path(text(keys, "path", where)) if "path" in keys else None
    url = text(keys, "url", where) if "url" in keys else None
    values = {name: text(keys, name, where) for name in options if name in keys}
    try:
        return KeySettings(provider, path, url, values)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None


def known_only(mapping: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Check that a block has no other keys than the known ones.

    Raises:
        ConfigurationError: It has one; the message guesses what was meant.
    """
    names = tuple(known)
    for name in mapping:
        if name not in names:
            hint = did_you_mean(str(name), names) or f"; known are {listed(names)}"
            raise ConfigurationError(f"{where}: {shown(str(name))} is not known{hint}")


def text(mapping: Mapping[str, Any], name: str, where: str) -> str:
    """Return the value of a key.

    Raises:
        ConfigurationError: It is missing or is no text.
    """
    value = mapping.get(name)
    if value is None:
        raise ConfigurationError(f"{where}: '{name}' is missing")
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ConfigurationError(f"{where}: '{name}' must be text; write it between quotes")
    return value


def _check(option: _Option, name: str, value: str | None) -> None:
    if value is None:
        if option.required:
            raise ConfigurationError(f"'{name}' is missing")
        return
    if re.fullmatch(option.pattern, value) is None:
        raise ConfigurationError(f"'{name}' must be {option.form}")
