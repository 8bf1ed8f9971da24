"""The provider `vault`: conformance on a real OpenBao server, failures on a server that fails as told."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import hvac
import pytest

from rasa_privacy.crypto.key_provider import KeyProvider
from rasa_privacy.crypto.providers import open_provider, vault_transit
from rasa_privacy.crypto.providers.vault_transit import TransitKey
from rasa_privacy.errors import KeyProviderError
from rasa_privacy.policy.settings import KeySettings
from tests.support.key_services import BAO_TOKEN, FakeService, closed_port, run_openbao
from tests.support.provider_conformance import Opener, WrappedConformance

_SECRET = b"canary secret of thirty-two byte"


@pytest.fixture(scope="module")
def openbao_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server with three keys."""
    with run_openbao(tmp_path_factory.mktemp("openbao") / "log") as found:
        client = hvac.Client(found, BAO_TOKEN)
        client.sys.enable_secrets_engine("transit")
        client.sys.enable_secrets_engine("transit", path="team/transit")
        for name in ("rasa", "other"):
            client.secrets.transit.create_key(name)
        client.secrets.transit.create_key("rasa", mount_point="team/transit")
        client.secrets.transit.create_key("rsa", key_type="rsa-2048")
        yield found


@pytest.fixture
def fake() -> Iterator[FakeService]:
    """Return a server that answers as told."""
    with FakeService.running() as service:
        yield service


def _open(path: Path, address: str, **options: str) -> KeyProvider:
    return open_provider(KeySettings("vault", path, options={"address": address, "key": "rasa", **options}), os.urandom)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", BAO_TOKEN)


class TestOnOpenBao(WrappedConformance):
    """Conformance."""

    @pytest.fixture
    def opened(self, openbao_address: str) -> Opener:
        """Return a function that opens the provider."""
        return lambda path: _open(path, openbao_address)

    @pytest.fixture
    def stranger(self, openbao_address: str) -> Opener:
        """Return a function that opens it with another key."""
        return lambda path: _open(path, openbao_address, key="other")


def test_another_key_is_named_as_the_cause(openbao_address: str, tmp_path: Path) -> None:
    """What another key wrapped is not opened, and the message says so."""
    _open(tmp_path, openbao_address).create(1)
    with pytest.raises(KeyProviderError, match=r"transit/other at .*wrapped by another key"):
        _open(tmp_path, openbao_address, key="other").load(1)


def test_another_mount_has_other_keys(openbao_address: str, tmp_path: Path) -> None:
    """The mount of the settings is used."""
    _open(tmp_path, openbao_address, mount="team/transit").create(1)
    with pytest.raises(KeyProviderError, match="wrapped by another key"):
        _open(tmp_path, openbao_address).load(1)


def test_a_key_that_was_rotated_in_vault_still_opens(openbao_address: str, tmp_path: Path) -> None:
    """Vault keeps the older versions of its key, so nothing is to be done here."""
    key = _open(tmp_path, openbao_address).create(1)
    hvac.Client(openbao_address, BAO_TOKEN).secrets.transit.rotate_key("rasa")
    assert _open(tmp_path, openbao_address).load(1).secret == key.secret


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"key": "rsa"}, "takes no associated data"),
        ({"mount": "nowhere"}, "no transit engine at this mount"),
    ],
)
def test_what_cannot_wrap_is_refused(openbao_address: str, tmp_path: Path, options: dict[str, str], match: str) -> None:
    """A key of the wrong type and a mount that is not there leave no file."""
    with pytest.raises(KeyProviderError, match=match):
        _open(tmp_path, openbao_address, **options).create(1)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_token_is_denied(openbao_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says so and does not show the token."""
    monkeypatch.setenv("VAULT_TOKEN", "canary-wrong-token")
    with pytest.raises(KeyProviderError, match="access is denied") as caught:
        _open(tmp_path, openbao_address).create(1)
    assert "canary" not in str(caught.value)


def test_a_token_that_may_not_create_makes_no_key(
    openbao_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the policy of the specification a misspelt key is an error and no new key."""
    client = hvac.Client(openbao_address, BAO_TOKEN)
    rules = "".join(f'path "transit/{verb}/+" {{ capabilities = ["update"] }}\n' for verb in ("encrypt", "decrypt"))
    client.sys.create_or_update_policy("rasa", rules)
    monkeypatch.setenv("VAULT_TOKEN", client.auth.token.create(policies=["rasa"])["auth"]["client_token"])
    with pytest.raises(KeyProviderError, match=r"no such key|access is denied"):
        _open(tmp_path, openbao_address, key="raza").create(1)
    assert _open(tmp_path, openbao_address).create(1).secret == _open(tmp_path, openbao_address).load(1).secret


@pytest.mark.usefixtures("openbao_address")
def test_a_sealed_server_is_named(tmp_path: Path) -> None:
    """A server that was sealed says what to do; nothing is written."""
    with run_openbao(tmp_path / "log") as address:
        client = hvac.Client(address, BAO_TOKEN)
        client.sys.enable_secrets_engine("transit")
        client.sys.seal()
        with pytest.raises(KeyProviderError, match="sealed or stands by; unseal it"):
            _open(tmp_path / "keys", address).create(1)
    assert list((tmp_path / "keys").iterdir()) == []


@pytest.mark.parametrize(
    ("status", "body", "match"),
    [
        (400, {"errors": ["canary"]}, "the server refused"),
        (401, {"errors": ["canary"]}, "access is denied"),
        (403, {"errors": ["canary"]}, "access is denied"),
        (404, {"errors": ["canary"]}, "no transit engine at this mount"),
        (429, {"errors": ["canary"]}, "cannot answer now; try again later"),
        (500, {"errors": ["canary"]}, "look into its log"),
        (502, b"canary", "cannot answer now"),
        (503, {"errors": ["canary"]}, "sealed or stands by"),
        (418, b"canary", "cannot answer now"),
        (403, ["canary"], "the library failed with AttributeError"),
        (307, b"canary", "none of Vault's, or a redirect"),
        (204, b"", "none of Vault's"),
        (200, b"canary", "none of Vault's"),
        (200, {"data": ["canary"]}, "none of Vault's"),
        (200, {"data": {"plaintext": 7}}, "none of Vault's"),
        (200, {"data": {"plaintext": "canary!"}}, "none of Vault's"),
        (200, {"data": {"plaintext": "é"}}, "none of Vault's"),
    ],
)
def test_every_bad_answer_has_cause_and_remedy(fake: FakeService, status: int, body: object, match: str) -> None:
    """Whatever the server says, the error is ours, and shows neither the answer nor the token."""
    fake.status, fake.body = status, body
    fake.headers["Location"] = f"{fake.address}/elsewhere"
    with pytest.raises(KeyProviderError, match=match) as caught:
        TransitKey(fake.address, "transit", "rasa", BAO_TOKEN).unwrap(b"vault:v1:canary", 1)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert {path for path, _ in fake.requests} == {"/v1/transit/decrypt/rasa"}


def test_a_busy_server_is_asked_three_times(fake: FakeService) -> None:
    """What may pass is tried again, and not for ever."""
    fake.status, fake.headers["Retry-After"] = 502, "3600"
    with pytest.raises(KeyProviderError):
        TransitKey(fake.address, "transit", "rasa", BAO_TOKEN).wrap(_SECRET, 1)
    assert len(fake.requests) == 3


def test_a_slow_server_is_given_up(fake: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit the error says that the server does not answer."""
    monkeypatch.setattr(vault_transit, "READ_SECONDS", 0.1)
    fake.delay_seconds = 60
    with pytest.raises(KeyProviderError, match="did not answer within 3 attempts"):
        TransitKey(fake.address, "transit", "rasa", BAO_TOKEN).wrap(_SECRET, 1)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The address is in the message."""
    address = closed_port()
    with pytest.raises(KeyProviderError, match=rf"{address}: the server did not answer"):
        _open(tmp_path, address).create(1)
    assert list(tmp_path.iterdir()) == []


def test_http_where_https_is_meant_is_named(fake: FakeService) -> None:
    """A server without a certificate is not trusted."""
    with pytest.raises(KeyProviderError, match=r"certificate is not trusted|did not answer"):
        TransitKey(fake.address.replace("http:", "https:"), "transit", "rasa", BAO_TOKEN).wrap(_SECRET, 1)


def test_an_answer_that_is_too_long_is_not_kept(fake: FakeService, tmp_path: Path) -> None:
    """The wrapped form has a limit, so that the file can be read again."""
    fake.body = {"data": {"ciphertext": "v" * 20_000}}
    with pytest.raises(KeyProviderError, match="empty or too long"):
        _open(tmp_path, fake.address).create(1)
    assert list(tmp_path.iterdir()) == []


def test_a_key_of_the_wrong_length_is_refused(openbao_address: str, tmp_path: Path) -> None:
    """What Vault opens is 32 bytes or no key."""
    _open(tmp_path, openbao_address).create(1)
    with FakeService.running() as other:
        other.body = {"data": {"plaintext": base64.b64encode(b"short").decode()}}
        with pytest.raises(KeyProviderError, match="is no key"):
            _open(tmp_path, other.address).load(1)


@pytest.mark.parametrize("token", [None, "", "  \n"])
def test_a_missing_token_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    """The variable of the settings is in the message; nothing is called."""
    monkeypatch.setenv("OUR_TOKEN", token) if token is not None else monkeypatch.delenv("OUR_TOKEN", raising=False)
    with pytest.raises(KeyProviderError, match="OUR_TOKEN is not set; set it to a Vault token"):
        _open(tmp_path, "https://vault.example", token_variable="OUR_TOKEN")


def test_a_token_with_a_control_character_is_not_shown(fake: FakeService) -> None:
    """The library's own message would quote it."""
    with pytest.raises(KeyProviderError) as caught:
        TransitKey(fake.address, "transit", "rasa", "canary\ntoken").wrap(_SECRET, 1)
    assert "canary" not in str(caught.value)
