"""`WrappedKeyProvider`: keys in files, wrapped by a key that never leaves where it is (docs/spec/keys.md, section 2.3).

The key of an epoch is made here, and only its wrapped form is kept. Who has the file still needs the remote key; who
has the remote key still needs the file, so removing the file ends the epoch.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rasa_privacy.crypto.derive import KEY_BYTES
from rasa_privacy.crypto.key_folder import PUT_BACK, KeyFolder
from rasa_privacy.crypto.key_ring import KeyEncryptionKey
from rasa_privacy.crypto.key_text import EPOCH, KeyText, from_base64
from rasa_privacy.crypto.providers.remote import RemoteKey
from rasa_privacy.errors import KeyProviderError

_CHECKSUM_DOMAIN: Final = b"rasa_privacy wrapped key file v1"


class WrappedKeyProvider:
    """Keeps each epoch's key in a file of one directory, wrapped by a remote key.

    Args:
        path: The directory.
        remote: The key that wraps.
        random_bytes: Source of randomness, as `os.urandom`.
    """

    def __init__(self, path: Path, remote: RemoteKey, random_bytes: Callable[[int], bytes]) -> None:
        self._folder = KeyFolder(path, "wrapped", random_bytes)
        self._remote = remote
        self._random_bytes = random_bytes

    @property
    def name(self) -> str:
        """The directory and the key that wraps."""
        return f"{self._folder.path} ({self._remote.name})"

    def epochs(self) -> list[int]:
        """Return the epochs that have a file, rising; none where there is no directory.

        Raises:
            KeyProviderError: The directory is open to others or is none.
        """
        return self._folder.epochs()

    def load(self, epoch: int) -> KeyEncryptionKey:
        """Return the key of an epoch: one file is read and one call is made.

        Raises:
            KeyProviderError: The file is missing, open to others or damaged, or the remote key cannot be used.
        """
        path = self._folder.file(epoch)
        values = _TEXT.read(path, self._folder.read(epoch, _TEXT.max_bytes))
        if int(values["epoch"]) != epoch:
            raise KeyProviderError(
                f"{path}: the file says epoch {values['epoch']} inside; give it the name that it had"
            )
        if values["provider"] != self._remote.provider:
            raise KeyProviderError(
                f"{path}: it was wrapped by provider '{values['provider']}'; write that in keys.provider"
            )
        wrapped = from_base64(values["wrapped"])
        if wrapped is None:
            raise KeyProviderError(f"{path}: the wrapped key is no base64; {PUT_BACK}")
        secret = self._remote.unwrap(wrapped, epoch)
        if len(secret) != KEY_BYTES:
            raise KeyProviderError(f"{path}: what {self._remote.name} opened is no key; {PUT_BACK}")
        return KeyEncryptionKey(epoch, secret)

    def create(self, epoch: int) -> KeyEncryptionKey:
        """Make directory and file where there are none, and return the key as it is read back.

        Raises:
            KeyProviderError: They cannot be made, or the remote key cannot be used.
        """
        self._folder.make(epoch, lambda: self._content(epoch))
        return self.load(epoch)

    def destroy(self, epoch: int) -> None:
        """Overwrite the file and remove it. The remote key stays: it may wrap other epochs.

        Raises:
            KeyProviderError: It cannot be removed.
        """
        self._folder.remove(epoch)

    def _content(self, epoch: int) -> bytes:
        wrapped = self._remote.wrap(self._random_bytes(KEY_BYTES), epoch)
        encoded = base64.b64encode(wrapped).decode()
        content = _TEXT.write({"epoch": str(epoch), "provider": self._remote.provider, "wrapped": encoded})
        if not wrapped or len(content) > _TEXT.max_bytes:
            raise KeyProviderError(
                f"{self._remote.name}: its wrapped key is empty or too long; is it the right service?"
            )
        return content


def _checksum(values: Mapping[str, str]) -> str:
    # What has no checksum is refused. Base64 that says the same in another way has none: one key has one text.
    if from_base64(values["wrapped"]) is None:
        return ""
    text = "\n".join(values.values()).encode()
    return hashlib.sha256(_CHECKSUM_DOMAIN + text).hexdigest()[:16]


_TEXT: Final = KeyText(
    title="rasa_privacy wrapped key v1",
    lines={"epoch": EPOCH, "provider": re.compile("[a-z0-9-]{1,20}"), "wrapped": re.compile("[A-Za-z0-9+/]{2,}={0,2}")},
    checksum=_checksum,
    max_bytes=16 * 2**10,
)
