"""The provider `pkcs11`: conformance on SoftHSM2, failures there and with a library that fails as told."""

import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, exceptions

from rasa_privacy.crypto.key_provider import KeyProvider
from rasa_privacy.crypto.providers import open_provider, pkcs11_token
from rasa_privacy.errors import KeyProviderError
from rasa_privacy.policy.settings import KeySettings
from tests.support.key_services import PIN, SoftToken, make_soft_token
from tests.support.provider_conformance import Opener, WrappedConformance


@pytest.fixture(scope="session")
def soft_token(tmp_path_factory: pytest.TempPathFactory) -> SoftToken:
    """Return the token of this run."""
    return make_soft_token(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture
def make_key(soft_token: SoftToken) -> Callable[..., str]:
    """Return a function that makes an AES key in the token and returns its label."""

    def make(label: str | None = None, *, extractable: bool = False) -> str:
        label = label or f"rasa-kek-{secrets.token_hex(4)}"
        with (
            pkcs11.lib(soft_token.module).get_token(token_label=soft_token.label).open(rw=True, user_pin=PIN) as session
        ):
            template = {Attribute.EXTRACTABLE: extractable, Attribute.SENSITIVE: not extractable}
            session.generate_key(KeyType.AES, 256, label=label, store=True, template=template)
        return label

    return make


@pytest.fixture
def open_key(soft_token: SoftToken) -> Callable[..., KeyProvider]:
    """Return a function that opens the provider with a key of the token."""

    def opened(path: Path, key: str, **options: str) -> KeyProvider:
        options = {"module": soft_token.module, "token": soft_token.label, "key": key, **options}
        return open_provider(KeySettings("pkcs11", path, options=options), os.urandom)

    return opened


@pytest.fixture(autouse=True)
def _pin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RASA_PRIVACY_PIN", PIN)


class TestOnSoftHsm(WrappedConformance):
    """Conformance."""

    @pytest.fixture
    def opened(self, open_key: Callable[..., KeyProvider], make_key: Callable[..., str]) -> Opener:
        """Return a function that opens the provider."""
        label = make_key()
        return lambda path: open_key(path, label)

    @pytest.fixture
    def stranger(self, open_key: Callable[..., KeyProvider], make_key: Callable[..., str]) -> Opener:
        """Return a function that opens it with another key."""
        label = make_key()
        return lambda path: open_key(path, label)


def test_another_key_is_named_as_the_cause(
    open_key: Callable[..., KeyProvider], make_key: Callable[..., str], tmp_path: Path
) -> None:
    """What another key wrapped is not opened, and the message says so."""
    open_key(tmp_path, make_key()).create(1)
    with pytest.raises(KeyProviderError, match="wrapped by another key"):
        open_key(tmp_path, make_key()).load(1)


def test_a_key_that_the_token_lets_out_is_refused(
    open_key: Callable[..., KeyProvider], make_key: Callable[..., str], tmp_path: Path
) -> None:
    """The point of a token is that nobody can copy the key."""
    with pytest.raises(KeyProviderError, match="not extractable"):
        open_key(tmp_path, make_key(extractable=True)).create(1)
    assert list(tmp_path.iterdir()) == []


def test_two_keys_of_one_label_are_refused(
    open_key: Callable[..., KeyProvider], make_key: Callable[..., str], tmp_path: Path
) -> None:
    """Which one wrapped would be a guess."""
    label = make_key()
    make_key(label)
    with pytest.raises(KeyProviderError, match="several AES keys have this label"):
        open_key(tmp_path, label).create(1)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"key": "nobody"}, "no AES key of this label"),
        ({"token": "nowhere"}, "no token of this label"),
        ({"module": "/nonexistent/libhsm.so"}, "libhsm.so: the PKCS#11 module is not there; install it"),
        ({"module": __file__}, "cannot be loaded"),
    ],
)
def test_what_is_not_there_is_named(
    open_key: Callable[..., KeyProvider], tmp_path: Path, options: dict[str, str], match: str
) -> None:
    """Key, token and module each have their message; no file is left."""
    with pytest.raises(KeyProviderError, match=match):
        open_key(tmp_path, **{"key": "x", **options}).create(1)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_pin_is_named_and_not_shown(
    open_key: Callable[..., KeyProvider], make_key: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is asked once, since it counts wrong PINs."""
    label = make_key()
    monkeypatch.setenv("RASA_PRIVACY_PIN", "canary-wrong-pin")
    with pytest.raises(KeyProviderError, match="the PIN is wrong") as caught:
        open_key(tmp_path, label).create(1)
    assert "canary" not in str(caught.value)


def test_a_missing_pin_is_named(
    open_key: Callable[..., KeyProvider], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable of the settings is in the message."""
    monkeypatch.delenv("OUR_PIN", raising=False)
    with pytest.raises(KeyProviderError, match="OUR_PIN is not set; set it to the token's PIN"):
        open_key(tmp_path, "x", pin_variable="OUR_PIN")


def test_a_login_elsewhere_in_the_process_is_named(
    open_key: Callable[..., KeyProvider], make_key: Callable[..., str], tmp_path: Path, soft_token: SoftToken
) -> None:
    """PKCS#11 knows one login for each process and token."""
    label = make_key()
    login = pkcs11.lib(soft_token.module).get_token(token_label=soft_token.label).open(user_pin=PIN)
    with login, pytest.raises(KeyProviderError, match="another part of this process"):
        open_key(tmp_path, label).create(1)
    open_key(tmp_path, label).create(1)


_KINDS = [*pkcs11_token._WHY, exceptions.DeviceError, exceptions.GeneralError, exceptions.HostMemory, OSError, KeyError]


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__)
def test_every_failure_of_the_library_is_an_error_of_ours(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a cause and a remedy, and nothing of the library's own text."""

    def load(_module: str) -> object:
        raise kind("canary")

    monkeypatch.setattr(pkcs11, "lib", load)
    key = pkcs11_token.TokenKey(__file__, "rasa", "rasa-kek", PIN, os.urandom)
    with pytest.raises(KeyProviderError, match=r"^PKCS#11 key 'rasa-kek' of token 'rasa': .*; ") as caught:
        key.unwrap(bytes(60), 1)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_token_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """PKCS#11 has no time limit, so ours holds; the next attempt waits no longer for the one that hangs."""
    answers = threading.Event()
    monkeypatch.setattr(pkcs11, "lib", lambda _module: answers.wait(60))
    monkeypatch.setattr(pkcs11_token, "TOKEN_SECONDS", 0.1)
    key = pkcs11_token.TokenKey(__file__, "rasa", "rasa-kek", PIN, os.urandom)
    try:
        for _ in range(2):
            with pytest.raises(KeyProviderError, match=r"did not answer within 0\.1 seconds"):
                key.wrap(bytes(32), 1)
    finally:
        answers.set()
