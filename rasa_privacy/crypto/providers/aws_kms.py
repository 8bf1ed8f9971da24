"""`KmsKey`: a symmetric key of AWS KMS, or of a service that speaks its protocol (docs/spec/keys.md, section 2.3).

Credentials are found as boto3 finds them: variables, files, the role of the machine.
"""

import logging
import re
from typing import Any, Final

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from rasa_privacy.crypto.providers.remote import ATTEMPTS, CONNECT_SECONDS, PURPOSE, READ_SECONDS, guarded

_CONFIG: Final = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
)
_OTHER_KEY: Final = (
    "the file was wrapped by another KMS key or for another epoch, or was damaged; name that key in keys.key (where "
    "its alias was moved, the key's own id), or put the file back from its backup"
)
_CREDENTIALS: Final = "the AWS credentials are not valid here or have expired; renew them"
_LATER: Final = "KMS is not able to answer now; try again later"
#: Error codes of the API reference of KMS, "Common Errors", "Encrypt" and "Decrypt".
_WHY: Final = {
    "AccessDeniedException": "access is denied; allow this role kms:Encrypt and kms:Decrypt on the key",
    "NotFoundException": "there is no such key in this account and region; correct keys.key or keys.region",
    "DisabledException": "the key is disabled; enable it in KMS",
    "KMSInvalidStateException": "the key is disabled or about to be deleted; enable it, or cancel its deletion, in KMS",
    "InvalidKeyUsageException": "the key does not encrypt; name a symmetric key of usage ENCRYPT_DECRYPT",
    "IncorrectKeyException": _OTHER_KEY,
    "InvalidCiphertextException": _OTHER_KEY,
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
    "ThrottlingException": _LATER,
    "KeyUnavailableException": _LATER,
    "DependencyTimeoutException": _LATER,
    "KMSInternalException": _LATER,
}


class KmsKey:
    """Wraps with `Encrypt` and `Decrypt` of one KMS key.

    Args:
        key: Id, ARN or alias (`alias/...`) of the key.
        region: AWS region; None for the one that boto3 is configured with.
        endpoint: Address of another service that speaks the protocol; None for AWS.
    """

    provider = "aws-kms"

    def __init__(self, key: str, region: str | None, endpoint: str | None) -> None:
        self._key = key
        self._region = region
        self._endpoint = endpoint
        # At level DEBUG botocore logs the bodies of requests and answers, and with them the key that is wrapped.
        logging.getLogger("botocore").setLevel(logging.INFO)

    @property
    def name(self) -> str:
        """The key's id or alias."""
        return f"KMS key {self._key}"

    def wrap(self, secret: bytes, epoch: int) -> bytes:
        """Return the ciphertext blob.

        Raises:
            KeyProviderError: KMS cannot be reached or used.
        """
        with guarded(self.name, _explain):
            answer = self._client().encrypt(KeyId=self._key, Plaintext=secret, EncryptionContext=_context(epoch))
            return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, epoch: int) -> bytes:
        """Return what was wrapped.

        Raises:
            KeyProviderError: KMS cannot be reached or used, or does not open it with this key for this epoch.
        """
        with guarded(self.name, _explain):
            answer = self._client().decrypt(KeyId=self._key, CiphertextBlob=wrapped, EncryptionContext=_context(epoch))
            return bytes(answer["Plaintext"])

    def _client(self) -> Any:
        return Session().client("kms", region_name=self._region, endpoint_url=self._endpoint, config=_CONFIG)


def _context(epoch: int) -> dict[str, str]:
    return {"purpose": PURPOSE, "epoch": str(epoch)}


def _explain(error: Exception) -> str | None:
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        shown = code if re.fullmatch("[A-Za-z0-9.]{1,60}", code) else "an unknown error"
        return _WHY.get(code) or f"KMS answered {shown}; look it up in the API reference of KMS"
    if isinstance(error, NoCredentialsError):
        return "there are no AWS credentials; configure them as for the AWS command line"
    if isinstance(error, NoRegionError):
        return "no region is known; write keys.region"
    if isinstance(error, HTTPClientError | BotoConnectionError):
        return f"KMS did not answer within {ATTEMPTS} attempts; check the network, keys.region and keys.endpoint"
    if isinstance(error, BotoCoreError):
        return f"boto3 cannot make the call ({type(error).__name__}); check the AWS configuration of this machine"
    return None
