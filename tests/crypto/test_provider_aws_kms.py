"""The provider `aws-kms`: conformance on moto, failures on a server that fails as told."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from rasa_privacy.crypto.key_provider import KeyProvider
from rasa_privacy.crypto.providers import aws_kms, open_provider
from rasa_privacy.crypto.providers.aws_kms import KmsKey
from rasa_privacy.errors import KeyProviderError
from rasa_privacy.policy.settings import KeySettings
from tests.support.key_services import FakeService, closed_port
from tests.support.provider_conformance import Opener, WrappedConformance

_SECRET = b"canary secret of thirty-two byte"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give made-up credentials, and let nothing of this machine's own configuration in."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "canary-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")


@pytest.fixture
def kms() -> Iterator[Any]:
    """Return a client of a pretended KMS that has the key `alias/rasa`."""
    with mock_aws():
        client = boto3.client("kms", region_name="eu-central-1")
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/rasa", TargetKeyId=key_id)
        yield client


@pytest.fixture
def fake() -> Iterator[FakeService]:
    """Return a server that answers as told."""
    with FakeService.running() as service:
        yield service


def _open(path: Path, **options: str) -> KeyProvider:
    options = {"key": "alias/rasa", "region": "eu-central-1", **options}
    return open_provider(KeySettings("aws-kms", path, options=options), os.urandom)


def _key(address: str) -> KmsKey:
    return KmsKey("alias/rasa", "eu-central-1", address)


@pytest.mark.usefixtures("kms")
class TestOnMoto(WrappedConformance):
    """Conformance."""

    @pytest.fixture
    def opened(self) -> Opener:
        """Return a function that opens the provider."""
        return _open

    @pytest.fixture
    def stranger(self) -> Opener:
        """Return a function that opens it with a key of another region."""
        client = boto3.client("kms", region_name="eu-west-1")
        client.create_alias(AliasName="alias/rasa", TargetKeyId=client.create_key()["KeyMetadata"]["KeyId"])
        return lambda path: _open(path, region="eu-west-1")


def test_the_context_binds_purpose_and_epoch(kms: Any) -> None:
    """What stands in CloudTrail is purpose and epoch, and KMS opens nothing without them."""
    wrapped = KmsKey("alias/rasa", "eu-central-1", None).wrap(_SECRET, 7)
    context = {"purpose": "rasa_privacy", "epoch": "7"}
    assert kms.decrypt(CiphertextBlob=wrapped, EncryptionContext=context)["Plaintext"] == _SECRET
    with pytest.raises(kms.exceptions.ClientError):
        kms.decrypt(CiphertextBlob=wrapped)


@pytest.mark.usefixtures("kms")
def test_a_missing_key_is_named(tmp_path: Path) -> None:
    """No file is left where nothing could be wrapped."""
    with pytest.raises(KeyProviderError, match=r"alias/nobody: there is no such key"):
        _open(tmp_path, key="alias/nobody").create(1)
    assert list(tmp_path.iterdir()) == []


def test_no_log_line_holds_the_key(
    fake: FakeService, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a process logs everything, the bodies of requests and answers are still left out."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("botocore"), "level", logging.NOTSET)
    fake.body = {"CiphertextBlob": "Y2FuYXJ5"}
    _key(fake.address).wrap(_SECRET, 1)
    fake.body = {"Plaintext": "Y2FuYXJ5"}
    assert _key(fake.address).unwrap(b"x", 1) == b"canary"
    assert len(fake.requests) == 2
    sent = b"Y2FuYXJ5IHNlY3JldCBvZiB0aGlydHktdHdvIGJ5dGU="
    assert sent in fake.requests[0][1]
    assert sent.decode() not in caplog.text
    assert "Y2FuYXJ5" not in caplog.text
    assert repr(_SECRET) not in caplog.text


@pytest.mark.parametrize(
    ("code", "match"),
    [
        ("AccessDeniedException", "allow this role kms:Encrypt and kms:Decrypt"),
        ("NotFoundException", "no such key in this account and region"),
        ("DisabledException", "the key is disabled; enable it"),
        ("KMSInvalidStateException", "cancel its deletion"),
        ("InvalidKeyUsageException", "ENCRYPT_DECRYPT"),
        ("IncorrectKeyException", "wrapped by another KMS key"),
        ("InvalidCiphertextException", "wrapped by another KMS key"),
        ("UnrecognizedClientException", "credentials are not valid"),
        ("ExpiredTokenException", "have expired; renew"),
        ("KeyUnavailableException", "try again later"),
        ("KMSInternalException", "try again later"),
        ("SomethingNew", "KMS answered SomethingNew"),
        ("<b>canary</b>", "KMS answered an unknown error"),
    ],
)
def test_every_refusal_has_cause_and_remedy(fake: FakeService, code: str, match: str) -> None:
    """Each error code has its words; the service's own text is not shown."""
    fake.status, fake.body = 400, {"__type": code, "message": "canary"}
    with pytest.raises(KeyProviderError, match=match) as caught:
        _key(fake.address).unwrap(b"canary", 1)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("body", [b"canary", [], {}, {"Plaintext": 7}, {"Plaintext": "canary!"}])
def test_an_answer_that_is_none_is_an_error_of_ours(fake: FakeService, body: object) -> None:
    """Whatever a service says that is not KMS, nothing of it is shown."""
    fake.body = body
    with pytest.raises(KeyProviderError) as caught:
        _key(fake.address).unwrap(b"x", 1)
    assert "canary" not in str(caught.value)


def test_a_busy_service_is_asked_three_times(fake: FakeService) -> None:
    """What may pass is tried again, and not for ever."""
    fake.status, fake.body = 400, {"__type": "ThrottlingException"}
    with pytest.raises(KeyProviderError, match="try again later"):
        _key(fake.address).wrap(_SECRET, 1)
    assert len(fake.requests) == 3


def test_a_slow_service_is_given_up(fake: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit the error says that the service does not answer."""
    assert (aws_kms._CONFIG.connect_timeout, aws_kms._CONFIG.read_timeout) == (3, 5)
    monkeypatch.setattr(aws_kms, "_CONFIG", aws_kms._CONFIG.merge(Config(read_timeout=0.1)))
    fake.delay_seconds = 60
    with pytest.raises(KeyProviderError, match="did not answer within 3 attempts"):
        _key(fake.address).wrap(_SECRET, 1)


def test_a_service_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message says what to check, and no file is left."""
    with pytest.raises(KeyProviderError, match=r"did not answer .*keys\.endpoint"):
        _open(tmp_path, endpoint=closed_port()).create(1)
    assert list(tmp_path.iterdir()) == []


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials no call is made."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(KeyProviderError, match="no AWS credentials"):
        _key("http://127.0.0.1:9").wrap(_SECRET, 1)


def test_a_missing_region_is_named() -> None:
    """Where neither the settings nor AWS's own configuration name a region, the message says where to write it."""
    with pytest.raises(KeyProviderError, match=r"write keys\.region"):
        KmsKey("alias/rasa", None, None).wrap(_SECRET, 1)


def test_a_profile_that_does_not_exist_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other failure of the library is named by its type alone."""
    monkeypatch.setenv("AWS_PROFILE", "canary")
    with pytest.raises(KeyProviderError, match="boto3 cannot make the call") as caught:
        _key("http://127.0.0.1:9").wrap(_SECRET, 1)
    assert "canary" not in str(caught.value)
