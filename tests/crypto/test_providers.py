"""A provider is chosen by its name, and only its own library is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from rasa_privacy.crypto.key_file import FileKeyProvider
from rasa_privacy.crypto.providers import open_provider
from rasa_privacy.errors import KeyProviderError
from rasa_privacy.policy.settings import KeySettings

_OPTIONS = {
    "aws-kms": ({"key": "alias/rasa"}, "boto3.session"),
    "pkcs11": ({"module": "/m.so", "token": "t", "key": "k"}, "pkcs11"),
    "vault": ({"address": "https://vault.example", "key": "k"}, "hvac"),
}


def test_the_file_provider_needs_nothing(tmp_path: Path) -> None:
    """The default provider makes its key with the randomness that it was given."""
    provider = open_provider(KeySettings("file", tmp_path), lambda size: b"\x07" * size)
    assert isinstance(provider, FileKeyProvider)
    assert provider.create(1).secret == b"\x07" * 32


@pytest.mark.parametrize("provider", _OPTIONS)
def test_a_library_that_is_not_installed_is_named(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message holds the command that installs it."""
    options, library = _OPTIONS[provider]
    for name in list(sys.modules):
        if name.startswith("rasa_privacy.crypto.providers."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setenv("RASA_PRIVACY_PIN", "1")
    monkeypatch.setenv("VAULT_TOKEN", "1")
    with pytest.raises(KeyProviderError, match=rf"pip install 'rasa_privacy\[{provider}\]'"):
        open_provider(KeySettings(provider, tmp_path, options=options))


def test_libraries_are_imported_when_they_are_needed() -> None:
    """Choosing a provider is what imports its library."""
    code = (
        "import sys, rasa_privacy.crypto.providers; print([m for m in ('boto3', 'hvac', 'pkcs11') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
