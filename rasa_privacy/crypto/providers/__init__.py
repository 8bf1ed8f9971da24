"""The key providers by the name that endpoints.yml gives them (docs/spec/keys.md, section 2).

A provider's library is imported when the provider is chosen, so that nobody needs to install the others.
"""

import importlib
import os
from collections.abc import Callable
from typing import Any

from rasa_privacy.crypto.key_file import FileKeyProvider
from rasa_privacy.crypto.key_provider import KeyProvider
from rasa_privacy.crypto.providers.environment import EnvironmentKeyProvider
from rasa_privacy.crypto.providers.remote import RemoteKey
from rasa_privacy.crypto.providers.wrapped import WrappedKeyProvider
from rasa_privacy.errors import ConfigurationError, KeyProviderError
from rasa_privacy.policy.settings import KeySettings


def open_provider(settings: KeySettings, random_bytes: Callable[[int], bytes] = os.urandom) -> KeyProvider:
    """Return the key provider that the settings name. Nothing is read or called yet.

    Args:
        settings: Where the keys are.
        random_bytes: Source of randomness, as `os.urandom`.

    Raises:
        ConfigurationError: The settings name no folder for a provider that needs one.
        KeyProviderError: A library is not installed, or a secret that the settings name is not there.
    """
    if settings.provider == "env":
        return EnvironmentKeyProvider(settings.options["prefix"], os.environ)
    if settings.path is None:
        raise ConfigurationError(f"keys: provider '{settings.provider}' needs 'path'")
    if settings.provider == "file":
        return FileKeyProvider(settings.path, random_bytes)
    return WrappedKeyProvider(settings.path, _remote_key(settings, random_bytes), random_bytes)


def _remote_key(settings: KeySettings, random_bytes: Callable[[int], bytes]) -> RemoteKey:
    options = settings.options
    if settings.provider == "aws-kms":
        module = _module("aws_kms", settings.provider)
        key: RemoteKey = module.KmsKey(options["key"], options.get("region"), options.get("endpoint"))
    elif settings.provider == "pkcs11":
        module = _module("pkcs11_token", settings.provider)
        pin = _secret(options["pin_variable"], "the token's PIN")
        key = module.TokenKey(options["module"], options["token"], options["key"], pin, random_bytes)
    elif settings.provider == "vault":
        module = _module("vault_transit", settings.provider)
        token = _secret(options["token_variable"], "a Vault token")
        key = module.TransitKey(options["address"], options["mount"], options["key"], token)
    else:
        raise KeyProviderError(f"keys: provider '{settings.provider}' is known and not made; add it to this module")
    return key


def _module(name: str, provider: str) -> Any:
    try:
        return importlib.import_module(f"rasa_privacy.crypto.providers.{name}")
    except ImportError:
        raise KeyProviderError(
            f"keys: provider '{provider}' needs a library that is not installed; run pip install "
            f"'rasa_privacy[{provider}]'"
        ) from None


def _secret(variable: str, what: str) -> str:
    secret = os.environ.get(variable, "").strip()
    if not secret:
        raise KeyProviderError(f"keys: the environment variable {variable} is not set; set it to {what}")
    return secret
