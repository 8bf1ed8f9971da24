"""`TokenKey`: an AES key in a PKCS#11 token, such as an HSM (docs/spec/keys.md, section 2.3).

Wraps with AES-GCM inside the token (PKCS#11 3.0, section 2.13.3); the nonce is ours, random for each key.
"""

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, exceptions
from pkcs11.mechanisms import GCMParams

from rasa_privacy.crypto.providers.remote import PURPOSE, guarded
from rasa_privacy.crypto.segment import NONCE_BYTES, TAG_BYTES
from rasa_privacy.errors import KeyProviderError

#: PKCS#11 knows no time limit, so a call that takes longer is left behind.
TOKEN_SECONDS: Final = 15
_WHY: Final[dict[type[Exception], str]] = {
    exceptions.NoSuchToken: "the module shows no token of this label; connect it, or correct keys.token",
    exceptions.MultipleTokensReturned: "several tokens have this label; give each its own",
    exceptions.TokenNotPresent: "the token is not there; connect it",
    exceptions.DeviceRemoved: "the token was removed; connect it",
    exceptions.PinIncorrect: "the PIN is wrong; correct the variable before the token locks itself",
    exceptions.PinInvalid: "the PIN is wrong; correct the variable before the token locks itself",
    exceptions.PinLenRange: "the PIN has a length that the token does not know; correct the variable",
    exceptions.PinLocked: "the PIN is locked after too many wrong ones; unlock it with the token's own tool",
    exceptions.PinExpired: "the PIN has expired; set a new one with the token's own tool",
    exceptions.UserPinNotInitialized: "the token has no user PIN yet; set it with the token's own tool",
    exceptions.NoSuchKey: "the token has no AES key of this label; make one with its own tool, or correct keys.key",
    exceptions.MultipleObjectsReturned: "several AES keys have this label; give each its own",
    exceptions.MechanismInvalid: "the token knows no AES-GCM; use one that does",
    exceptions.MechanismParamInvalid: "the token takes no nonce of ours for AES-GCM; use one that does",
    exceptions.UserAlreadyLoggedIn: "another part of this process is using the token; use a token of its own",
}
_lock: Final = threading.Lock()


class TokenKey:
    """Wraps with one AES key of a token, found by its label.

    Args:
        module: Path of the PKCS#11 library.
        token: Label of the token.
        key: Label of the key; the token must not let it out.
        pin: The user's PIN.
        random_bytes: Source of the nonces, as `os.urandom`.
    """

    provider = "pkcs11"

    def __init__(
        self,
        module: str,
        token: str,
        key: str,
        pin: str,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._module = module
        self._token = token
        self._key = key
        self._pin = pin
        self._random_bytes = random_bytes

    @property
    def name(self) -> str:
        """The key's label and its token's."""
        return f"PKCS#11 key '{self._key}' of token '{self._token}'"

    def wrap(self, secret: bytes, epoch: int) -> bytes:
        """Return nonce, ciphertext and tag.

        Raises:
            KeyProviderError: The token cannot be used.
        """
        nonce = self._random_bytes(NONCE_BYTES)
        return nonce + self._use(
            lambda key: key.encrypt(secret, mechanism=Mechanism.AES_GCM, mechanism_param=_parameters(nonce, epoch))
        )

    def unwrap(self, wrapped: bytes, epoch: int) -> bytes:
        """Return what was wrapped.

        Raises:
            KeyProviderError: The token cannot be used, or does not open it with this key for this epoch.
        """
        nonce, sealed = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]

        def decrypt(key: Any) -> Any:
            try:
                return key.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=_parameters(nonce, epoch))
            except (exceptions.GeneralError, exceptions.EncryptedDataInvalid, exceptions.EncryptedDataLenRange):
                # SoftHSM says GeneralError where the tag does not fit.
                raise KeyProviderError(
                    f"{self.name}: it does not open the file: that was wrapped by another key or for another epoch, or "
                    "was damaged; correct keys.key, or put the file back from its backup"
                ) from None

        return self._use(decrypt)

    def _use(self, work: Callable[[Any], Any]) -> bytes:
        """Log in, find the key and give it to `work`, within the time limit. The library has no type for such a key."""
        if not Path(self._module).is_file():
            raise KeyProviderError(
                f"{self._module}: the PKCS#11 module is not there; install it, or correct keys.module"
            )
        answers: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

        def call() -> None:
            try:
                answers.put(self._logged_in(work))
            except Exception as error:  # noqa: BLE001 - it is raised again in the caller's thread
                answers.put(error)

        threading.Thread(target=call, daemon=True, name="rasa_privacy pkcs11").start()
        with guarded(self.name, _explain):
            try:
                answer = answers.get(timeout=TOKEN_SECONDS)
            except queue.Empty:
                raise KeyProviderError(
                    f"{self.name}: the token did not answer within {TOKEN_SECONDS} seconds; check it and its network"
                ) from None
            if isinstance(answer, Exception):
                raise answer
            return answer

    def _logged_in(self, work: Callable[[Any], Any]) -> bytes:
        # A login holds for the whole process, so two threads must not log in and out at once.
        with _lock:
            token = pkcs11.lib(self._module).get_token(token_label=self._token)
            with token.open(user_pin=self._pin) as session:
                key = session.get_key(object_class=ObjectClass.SECRET_KEY, key_type=KeyType.AES, label=self._key)
                if key[Attribute.EXTRACTABLE]:
                    raise KeyProviderError(
                        f"{self.name}: the token lets this key out; make one that is sensitive and not extractable"
                    )
                return bytes(work(key))


def _parameters(nonce: bytes, epoch: int) -> GCMParams:
    return GCMParams(nonce, f"{PURPOSE} epoch {epoch}".encode(), 8 * TAG_BYTES)


def _explain(error: Exception) -> str | None:
    for kind, why in _WHY.items():
        if isinstance(error, kind):
            return why
    if type(error) is exceptions.PKCS11Error:
        return "the PKCS#11 module cannot be loaded; is keys.module a library for this machine?"
    return None
