"""`TransitKey`: a key of the transit engine of HashiCorp Vault or OpenBao (docs/spec/keys.md, section 2.3).

The certificate authority of a private server is named in Vault's own variable VAULT_CACERT.
"""

import base64
from typing import Any, Final

import hvac
import requests
from hvac.exceptions import (
    Forbidden,
    InternalServerError,
    InvalidPath,
    InvalidRequest,
    Unauthorized,
    VaultDown,
    VaultError,
)
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from rasa_privacy.crypto.key_text import from_base64
from rasa_privacy.crypto.providers.remote import ATTEMPTS, CONNECT_SECONDS, PURPOSE, READ_SECONDS, guarded
from rasa_privacy.errors import KeyProviderError

_BUSY: Final = (429, 502, 504)
_RETRY: Final = Retry(
    total=ATTEMPTS - 1,
    backoff_factor=0.2,
    # Wrapping or opening twice does no harm, so a POST is repeated too.
    allowed_methods=None,
    status_forcelist=_BUSY,
    raise_on_status=False,
    respect_retry_after_header=False,
)


class TransitKey:
    """Wraps with `encrypt` and `decrypt` of one transit key that takes associated data, such as aes256-gcm96.

    Args:
        address: URL of the server.
        mount: Where the transit engine is mounted.
        key: Name of the key.
        token: What authenticates us.
    """

    provider = "vault"

    def __init__(self, address: str, mount: str, key: str, token: str) -> None:
        self._address = address
        self._mount = mount
        self._key = key
        self._token = token

    @property
    def name(self) -> str:
        """The key's path on its server."""
        return f"Vault key {self._mount}/{self._key} at {self._address}"

    def wrap(self, secret: bytes, epoch: int) -> bytes:
        """Return the text `vault:v<version>:...`.

        Raises:
            KeyProviderError: Vault cannot be reached or used.
        """
        plaintext = base64.b64encode(secret).decode()
        return self._call("encrypt_data", "ciphertext", epoch, plaintext=plaintext).encode()

    def unwrap(self, wrapped: bytes, epoch: int) -> bytes:
        """Return what was wrapped.

        Raises:
            KeyProviderError: Vault cannot be reached or used, or does not open it with this key for this epoch.
        """
        text = self._call("decrypt_data", "plaintext", epoch, ciphertext=wrapped.decode("ascii", "replace"))
        secret = from_base64(text)
        if secret is None:
            raise KeyProviderError(f"{self.name}: the answer is none of Vault's; check keys.address")
        return secret

    def _call(self, method: str, field: str, epoch: int, **values: str) -> str:
        """Call the transit engine and return one field of its answer."""
        bound = base64.b64encode(f"{PURPOSE} epoch {epoch}".encode()).decode()
        with guarded(self.name, _explain):
            # A redirect is not followed: the token would go wherever it points.
            client = hvac.Client(
                self._address, self._token, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False
            )
            session = client.adapter.session
            session.mount("https://", HTTPAdapter(max_retries=_RETRY))
            session.mount("http://", HTTPAdapter(max_retries=_RETRY))
            with session:
                call = getattr(client.secrets.transit, method)
                answer = call(self._key, mount_point=self._mount, associated_data=bound, **values)
            return self._field(answer, field)

    def _field(self, answer: Any, field: str) -> str:
        data = answer.get("data") if isinstance(answer, dict) else None
        value = data.get(field) if isinstance(data, dict) else None
        if not isinstance(value, str) or not value.isascii():
            raise KeyProviderError(f"{self.name}: the answer is none of Vault's, or a redirect; check keys.address")
        return value


def _explain(error: Exception) -> str | None:  # noqa: PLR0911 - one return for each kind of failure
    if isinstance(error, Forbidden | Unauthorized):
        return "access is denied: the token has expired, or its policy lacks update on encrypt/<key> and decrypt/<key>"
    if isinstance(error, VaultDown):
        return "the server is sealed or stands by; unseal it, or name the active one in keys.address"
    if isinstance(error, InvalidPath):
        return "there is no transit engine at this mount, or no such key; correct keys.mount or keys.key"
    if isinstance(error, InvalidRequest):
        return (
            "the server refused: there is no such key, the file was wrapped by another key or for another epoch, or "
            "the key takes no associated data; correct keys.key, put the file back from its backup, or use a key of "
            "type aes256-gcm96"
        )
    if isinstance(error, InternalServerError):
        return "the server failed; look into its log"
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate is not trusted; name its authority in the variable VAULT_CACERT"
    if isinstance(error, requests.ConnectionError | requests.Timeout | requests.exceptions.RetryError):
        return f"the server did not answer within {ATTEMPTS} attempts; check keys.address and the network"
    if isinstance(error, VaultError):
        return "the server cannot answer now; try again later"
    return None
