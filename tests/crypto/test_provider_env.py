"""The provider `env`: keys in environment variables, which a process can neither make nor destroy."""

import base64
import subprocess
import sys

import pytest

from rasa_privacy.crypto.providers import open_provider
from rasa_privacy.crypto.providers.environment import NEW_KEY_COMMAND, EnvironmentKeyProvider
from rasa_privacy.errors import KeyProviderError
from rasa_privacy.policy.settings import KeySettings

_TEXT = base64.b64encode(bytes(range(32))).decode()
_PREFIX = "RASA_PRIVACY_KEY_"


def _open(**variables: str) -> EnvironmentKeyProvider:
    return EnvironmentKeyProvider("KEY_", variables)


def test_a_key_is_read_from_its_variable() -> None:
    """White space around it does no harm, since shells and secret stores leave some."""
    provider = _open(KEY_1=_TEXT, KEY_12=f" {_TEXT}\n")
    assert provider.epochs() == [1, 12]
    assert provider.load(12).epoch == 12
    assert provider.load(12).secret == provider.create(1).secret == bytes(range(32))


def test_other_variables_are_no_keys() -> None:
    """An empty variable counts as not set, and so does one whose number is no epoch."""
    variables = dict.fromkeys(["KEY_", "KEY_0", "KEY_01", "KEY_x", "XKEY_1", "KEY_4294967296", "KEY_9999999999"], _TEXT)
    assert _open(KEY_1="", KEY_2=" ", **variables).epochs() == []


@pytest.mark.parametrize("value", ["canary", _TEXT[:-1], _TEXT + "=", _TEXT[:-2] + "9=", _TEXT * 2, "é" * 44, "YWJj"])
def test_what_is_no_key_is_refused_and_not_shown(value: str) -> None:
    """The form is strict: the canonical base64 of 32 bytes."""
    with pytest.raises(KeyProviderError, match=r"KEY_1: .*is not the base64 of 32 bytes") as caught:
        _open(KEY_1=value).load(1)
    assert value not in str(caught.value)


def test_a_missing_key_is_named() -> None:
    """Loading says which variable; creating says with which command a key is made."""
    with pytest.raises(KeyProviderError, match=r"KEY_1: .*not set; set it to the key that it had"):
        _open().load(1)
    with pytest.raises(KeyProviderError, match=r"KEY_2: .*cannot make a key") as caught:
        _open(KEY_1=_TEXT).create(2)
    assert NEW_KEY_COMMAND in str(caught.value)


def test_the_command_makes_a_key() -> None:
    """What the message tells people to run prints a key that is read."""
    _python, _flag, program = NEW_KEY_COMMAND.split(" ", 2)
    run = [sys.executable, "-c", program.strip("'")]
    first, second = (subprocess.run(run, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first != second
    assert len(_open(KEY_1=first).load(1).secret) == 32


def test_a_key_cannot_be_destroyed_here() -> None:
    """As long as it is set, the message says what to do; afterwards there is nothing to do."""
    with pytest.raises(KeyProviderError, match=r"KEY_1: .*delete it wherever you keep it, with its backups"):
        _open(KEY_1=_TEXT).destroy(1)
    _open().destroy(1)


def test_the_settings_name_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The prefix of the settings is used, and the usual one without."""
    monkeypatch.setenv(f"{_PREFIX}3", _TEXT)
    monkeypatch.setenv("OUR_KEY_7", _TEXT)
    assert open_provider(KeySettings("env", None)).load(3).epoch == 3
    ours = open_provider(KeySettings("env", None, options={"prefix": "OUR_KEY_"}))
    assert (ours.name, ours.epochs()) == ("OUR_KEY_<epoch>", [7])
