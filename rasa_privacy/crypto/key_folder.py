"""`KeyFolder`: small private files, one for each epoch, in one directory (docs/spec/keys.md, section 2.1).

Rules, in order:

1. The directory and the file must not be open to others; a symbolic link is followed, and what it points to is checked.
2. The file is read through one descriptor that was checked, so it cannot be exchanged in between.
3. A file is only made when the caller says so, and never written over.
4. A file appears whole under its name or not at all, and has reached the disk when `make` returns.

What stands in a file is the caller's affair.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rasa_privacy.crypto.key_ring import MAX_EPOCH
from rasa_privacy.errors import KeyProviderError

#: What a message about a file that cannot be trusted ends with.
PUT_BACK: Final = "put the file back from its backup"
_EPOCH: Final = "[1-9][0-9]{0,9}"
_NOT_OWNER: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_REASONS: Final = {
    FileNotFoundError: "the key directory or file is missing",
    PermissionError: "we have no permission",
}


class KeyFolder:
    """Reads, makes and removes `kek-<epoch>.<ending>`.

    Args:
        path: The directory.
        ending: What the names end with, without the dot.
        random_bytes: Source of randomness for temporary names, as `os.urandom`.
    """

    def __init__(self, path: Path, ending: str, random_bytes: Callable[[int], bytes]) -> None:
        self.path = path
        self._ending = ending
        self._name = re.compile(rf"kek-({_EPOCH})\.{ending}")
        self._random_bytes = random_bytes

    def file(self, epoch: int) -> Path:
        """Return the path of an epoch's file, whether it exists or not."""
        return self.path / f"kek-{epoch}.{self._ending}"

    def epochs(self) -> list[int]:
        """Return the epochs that have a file, rising; none where there is no directory.

        Raises:
            KeyProviderError: The directory is open to others or is none.
        """
        with self._named("correct keys.path"):
            try:
                mode = self.path.stat().st_mode
            except FileNotFoundError:
                return []
            if not stat.S_ISDIR(mode):
                raise KeyProviderError(
                    f"{self.path}: keys.path must be a directory that holds kek-<epoch>.{self._ending}"
                )
            if mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
                raise KeyProviderError(f"{self.path}: others may write to the key directory; run chmod 700 on it")
            found = (self._name.fullmatch(file.name) for file in self.path.iterdir())
            return sorted(epoch for match in found if match and (epoch := int(match[1])) <= MAX_EPOCH)

    def read(self, epoch: int, max_bytes: int) -> bytes:
        """Return the content of an epoch's file, at most `max_bytes` + 1 of it.

        Raises:
            KeyProviderError: The file is missing, open to others or no regular file.
        """
        path = self.file(epoch)
        with self._named(f"{PUT_BACK} or correct keys.path"):
            if epoch not in self.epochs():
                raise KeyProviderError(f"{self.path}: no key file {path.name} in it; {PUT_BACK} or correct keys.path")
            # O_NONBLOCK: opening a named pipe must not wait for a writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                _check_access(path, os.fstat(descriptor))
                return file.read(max_bytes + 1)

    def make(self, epoch: int, content: Callable[[], bytes]) -> None:
        """Make directory and file; do nothing where there is a file of this epoch.

        Args:
            epoch: 1 to MAX_EPOCH.
            content: Makes the content; called only where it is needed.

        Raises:
            KeyProviderError: They cannot be made.
        """
        if not 1 <= epoch <= MAX_EPOCH:
            raise KeyProviderError(f"{self.path}: epoch {epoch} is not within 1 and {MAX_EPOCH}")
        with self._named("let us write to keys.path"):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if epoch not in self.epochs():
                self._link(epoch, content())

    def remove(self, epoch: int) -> None:
        """Overwrite the file and remove it; do nothing where there is none.

        Raises:
            KeyProviderError: It cannot be removed.
        """
        with self._named(f"let us write to keys.path, or remove {self.file(epoch).name} by hand"):
            try:
                _overwrite(self.file(epoch))
                self.file(epoch).unlink()
            except FileNotFoundError:
                return
            _sync_directory(self.path)

    @contextmanager
    def _named(self, remedy: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = _REASONS.get(type(error)) or error.strerror or "it cannot be used"
            raise KeyProviderError(f"{self.path}: {reason}; {remedy}") from None

    def _link(self, epoch: int, content: bytes) -> None:
        """Write under another name and link it, so that a half-written file is never seen under its own name."""
        temporary = self.path / f".kek-{epoch}.{self._random_bytes(8).hex()}"
        try:
            _write(temporary, content)
            try:
                os.link(temporary, self.file(epoch))
            except FileExistsError:
                return  # another process was first; its file is read next
        finally:
            temporary.unlink(missing_ok=True)
        _sync_directory(self.path)


def _check_access(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyProviderError(f"{path}: it is not a regular file; {PUT_BACK}")
    if status.st_mode & _NOT_OWNER:
        raise KeyProviderError(
            f"{path}: mode {stat.S_IMODE(status.st_mode):04o} lets others use the key; run chmod 600 on it, "
            "and treat the key as known to them"
        )
    if status.st_uid not in (0, os.geteuid()):
        raise KeyProviderError(f"{path}: it belongs to another user; run chown on it")


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _overwrite(path: Path) -> None:
    """Write zeros over a file in place; on a disk that copies on write the old bytes may stay somewhere."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    """Make the new name survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
