"""`FileKeyProvider`: key-encryption keys in files (docs/spec/keys.md, section 2).

Rules, in order:

1. The directory and the file must not be open to others; a symbolic link is followed, and what it points to is checked.
2. The file is read through one descriptor that was checked, so it cannot be exchanged in between.
3. A file is only made when the caller says so, and never written over.
"""

import base64
import binascii
import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rasa_privacy.crypto.derive import KEY_BYTES
from rasa_privacy.crypto.key_ring import KeyEncryptionKey
from rasa_privacy.errors import KeyProviderError

FIRST_EPOCH: Final = 1
_NAME: Final = re.compile(r"kek-([1-9][0-9]{0,9})\.key")
_TEXT: Final = re.compile(
    rb"rasa_privacy key v1\nepoch ([1-9][0-9]{0,9})\nkey ([A-Za-z0-9+/]{43}=)\nchecksum ([0-9a-f]{16})\n"
)
_FIRST_LINE: Final = b"rasa_privacy key v1\n"
_CHECKSUM_DOMAIN: Final = b"rasa_privacy key file v1"
_MAX_FILE_BYTES: Final = 256  # a key file has about 120
_NOT_OWNER: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_BACKUP: Final = "put the key file back from its backup"


class FileKeyProvider:
    """Reads the key of the highest epoch from a directory, and makes the first one when told to.

    Args:
        path: The key directory.
        random_bytes: Source of randomness, as `os.urandom`.
    """

    def __init__(self, path: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self.path = path
        self._random_bytes = random_bytes

    def load(self, *, create: bool) -> KeyEncryptionKey:
        """Return the key of the highest epoch.

        Args:
            create: Make directory and key where there are none. Only right for a database that holds nothing yet.

        Raises:
            KeyProviderError: The key is missing, open to others, cut short or of the wrong form.
        """
        try:
            if create:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            epoch = self._highest_epoch()
            if epoch is None:
                if not create:
                    raise KeyProviderError(f"{self.path}: no key file kek-<epoch>.key in it; {_BACKUP}")
                epoch = FIRST_EPOCH
                self._make(epoch)
            return _read(self.path / f"kek-{epoch}.key", epoch)
        except OSError as error:
            raise KeyProviderError(f"{self.path}: {_reason(error)}; {_BACKUP} or correct keys.path") from None

    def _highest_epoch(self) -> int | None:
        mode = self.path.stat().st_mode
        if not stat.S_ISDIR(mode):
            raise KeyProviderError(f"{self.path}: keys.path must be a directory that holds kek-<epoch>.key")
        if mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
            raise KeyProviderError(f"{self.path}: others may write to the key directory; run chmod 700 on it")
        epochs = [int(match[1]) for file in self.path.iterdir() if (match := _NAME.fullmatch(file.name))]
        return max(epochs, default=None)

    def _make(self, epoch: int) -> None:
        """Write a key under another name and link it, so that a half-written key is never seen under its own name."""
        temporary = self.path / f".kek-{epoch}.{self._random_bytes(8).hex()}"
        try:
            _write(temporary, _text(epoch, self._random_bytes(KEY_BYTES)))
            try:
                os.link(temporary, self.path / f"kek-{epoch}.key")
            except FileExistsError:
                return  # another process was first; its key is read next
        finally:
            temporary.unlink(missing_ok=True)
        _sync_directory(self.path)


def _text(epoch: int, secret: bytes) -> bytes:
    encoded = base64.b64encode(secret).decode()
    return f"rasa_privacy key v1\nepoch {epoch}\nkey {encoded}\nchecksum {_checksum(epoch, secret)}\n".encode()


def _checksum(epoch: int, secret: bytes) -> str:
    return hashlib.sha256(_CHECKSUM_DOMAIN + epoch.to_bytes(4, "big") + secret).hexdigest()[:16]


def _read(path: Path, epoch: int) -> KeyEncryptionKey:
    # O_NONBLOCK: opening a named pipe must not wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        _check_access(path, os.fstat(descriptor))
        return KeyEncryptionKey(epoch, _parse(path, file.read(_MAX_FILE_BYTES + 1), epoch))


def _check_access(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyProviderError(f"{path}: it is not a regular file; {_BACKUP}")
    if status.st_mode & _NOT_OWNER:
        raise KeyProviderError(
            f"{path}: mode {stat.S_IMODE(status.st_mode):04o} lets others use the key; run chmod 600 on it, "
            "and treat the key as known to them"
        )
    if status.st_uid not in (0, os.geteuid()):
        raise KeyProviderError(f"{path}: it belongs to another user; run chown on it")


def _parse(path: Path, text: bytes, epoch: int) -> bytes:
    match = _TEXT.fullmatch(text)
    if match is None:
        cut = (
            "it is cut short" if len(text) <= _MAX_FILE_BYTES and _looks_cut(text) else "it is no key file of version 1"
        )
        raise KeyProviderError(f"{path}: {cut}; {_BACKUP}")
    try:
        secret = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise KeyProviderError(f"{path}: the key is no base64; {_BACKUP}") from None
    if int(match[1]) != epoch:
        raise KeyProviderError(f"{path}: the file says epoch {int(match[1])} inside; give it the name that it had")
    # The second condition refuses padding bits that base64 would ignore: one key has one text.
    if match[3].decode() != _checksum(epoch, secret) or _text(epoch, secret) != text:
        raise KeyProviderError(f"{path}: the checksum does not fit the key, so it was damaged; {_BACKUP}")
    return secret


def _looks_cut(text: bytes) -> bool:
    return _FIRST_LINE.startswith(text[: len(_FIRST_LINE)])


def _write(path: Path, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _sync_directory(path: Path) -> None:
    """Make the new name survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return {FileNotFoundError: "the key directory or file is missing", PermissionError: "we may not read it"}.get(
        type(error), error.strerror or "it cannot be read"
    )
