"""`FileKeyProvider`: key-encryption keys in files, readable as they are (docs/spec/keys.md, section 2.2)."""

import base64
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rasa_privacy.crypto.derive import KEY_BYTES
from rasa_privacy.crypto.key_folder import PUT_BACK, KeyFolder
from rasa_privacy.crypto.key_ring import MAX_EPOCH, KeyEncryptionKey
from rasa_privacy.crypto.key_text import EPOCH, KeyText, from_base64
from rasa_privacy.errors import KeyProviderError

FIRST_EPOCH: Final = 1
_CHECKSUM_DOMAIN: Final = b"rasa_privacy key file v1"


class FileKeyProvider:
    """Keeps each epoch's key in a file of one directory.

    Args:
        path: The key directory.
        random_bytes: Source of randomness, as `os.urandom`.
    """

    def __init__(self, path: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._folder = KeyFolder(path, "key", random_bytes)
        self._random_bytes = random_bytes

    @property
    def name(self) -> str:
        """The directory."""
        return str(self._folder.path)

    def epochs(self) -> list[int]:
        """Return the epochs that have a file, rising; none where there is no directory.

        Raises:
            KeyProviderError: The directory is open to others or is none.
        """
        return self._folder.epochs()

    def load(self, epoch: int) -> KeyEncryptionKey:
        """Return the key of an epoch.

        Raises:
            KeyProviderError: The file is missing, open to others, cut short or of the wrong form.
        """
        path = self._folder.file(epoch)
        values = _TEXT.read(path, self._folder.read(epoch, _TEXT.max_bytes))
        if int(values["epoch"]) != epoch:
            raise KeyProviderError(
                f"{path}: the file says epoch {values['epoch']} inside; give it the name that it had"
            )
        secret = from_base64(values["key"])
        if secret is None:
            raise KeyProviderError(f"{path}: the key is no base64; {PUT_BACK}")
        return KeyEncryptionKey(epoch, secret)

    def create(self, epoch: int) -> KeyEncryptionKey:
        """Make directory and file where there are none, and return the key.

        Raises:
            KeyProviderError: They cannot be made.
        """
        self._folder.make(epoch, lambda: _content(epoch, self._random_bytes(KEY_BYTES)))
        return self.load(epoch)

    def destroy(self, epoch: int) -> None:
        """Overwrite the file and remove it.

        Raises:
            KeyProviderError: It cannot be removed.
        """
        self._folder.remove(epoch)


def _content(epoch: int, secret: bytes) -> bytes:
    return _TEXT.write({"epoch": str(epoch), "key": base64.b64encode(secret).decode()})


def _checksum(values: Mapping[str, str]) -> str:
    # What has no checksum is refused. Base64 that says the same key in another way has none: one key has one text.
    secret = from_base64(values["key"])
    if secret is None or int(values["epoch"]) > MAX_EPOCH:
        return ""
    return hashlib.sha256(_CHECKSUM_DOMAIN + int(values["epoch"]).to_bytes(4, "big") + secret).hexdigest()[:16]


_TEXT: Final = KeyText(
    title="rasa_privacy key v1",
    lines={"epoch": EPOCH, "key": re.compile("[A-Za-z0-9+/]{43}=")},
    checksum=_checksum,
    max_bytes=256,  # it has about 120
)
