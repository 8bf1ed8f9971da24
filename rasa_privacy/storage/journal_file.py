"""`JournalFile`: the erasure journal in a file (docs/spec/journal.md, section 4).

Rules, in order:

1. The file is made with the first entry, and refused when it is open to others or is another database's.
2. Who writes holds the file's lock, first verifies what others have added, and returns when the entry is on the disk.
3. A last line without its line feed was never confirmed: a reader passes over it, a writer cuts it away.
4. A write that fails leaves the file as it was. So who reads waits for who writes, and reads no further than that.
"""

import errno
import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from rasa_privacy.errors import JournalError
from rasa_privacy.storage.journal_entry import MAX_ENTRY_BYTES, Chain, Linked, Position

_MAGIC: Final = "rasa_privacy erasure journal v1"
_MAX_LINE_BYTES: Final = MAX_ENTRY_BYTES + 128
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LOCK_ATTEMPTS: Final = 1000
_LOCK_PAUSE_SECONDS: Final = 0.01
_PUT_BACK: Final = "put the journal back from its newest copy"


@dataclass(frozen=True, slots=True)
class _Verified:
    """How far this process has verified which file.

    Attributes:
        file: Device and inode.
        size: Bytes up to the end of the last verified line.
        position: Where that line stands in the chain.
    """

    file: tuple[int, int]
    size: int
    position: Position


class JournalFile:
    """The journal in a file.

    Args:
        path: The file; it need not be there.
        chain: The chain of this database.

    Raises:
        JournalError: The file or its folder cannot be used.
    """

    def __init__(self, path: Path, chain: Chain) -> None:
        self.path = path
        self._chain = chain
        self._first_line = f"{_MAGIC} {chain.start.link.hex()}\n".encode()
        self._verified: _Verified | None = None
        self._lock = threading.Lock()
        self._check_usable()

    @property
    def name(self) -> str:
        """The path, for messages."""
        return str(self.path)

    def read(self) -> Iterator[Linked]:
        """Yield all entries from the first on, verified; nothing where there is no file.

        Raises:
            JournalError: The file is another database's, was changed, or cannot be read.
        """
        with self._named():
            try:
                descriptor = self._open(os.O_RDONLY)
            except FileNotFoundError:
                return
            with os.fdopen(descriptor, "rb") as file:
                size = self._wait_for_writers(descriptor)
                begin = self._verify_first_line(file)
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                for linked, _end in self._lines(file, begin, self._chain.start, size):
                    yield linked

    def last_number(self) -> int:
        """Return the number of the last entry, 0 where there is no file.

        Raises:
            JournalError: The file is another database's, was cut or changed, or cannot be read.
        """
        with self._lock, self._named():
            try:
                descriptor = self._open(os.O_RDONLY)
            except FileNotFoundError:
                return 0
            with os.fdopen(descriptor, "rb") as file:
                self._wait_for_writers(descriptor)
                self._verified = self._catch_up(file)
            return self._verified.position.number

    def append(self, entries: Sequence[bytes], at_least: int) -> list[Linked]:
        """Write entries and return them when they are on the disk.

        Args:
            entries: Bytes of one entry or more.
            at_least: Number of an entry that the database knows to be in the journal.

        Raises:
            JournalError: The journal is not the one that the database knows, or cannot be written. Nothing was written.
        """
        with self._lock, self._named(), self._locked(at_least) as file:
            end = self._catch_up(file)
            if end.position.number < at_least:
                raise JournalError(
                    f"{self.path}: it has {end.position.number} entries and the database knows {at_least}; {_PUT_BACK}"
                )
            linked = self._chain.follow_all(end.position, entries)
            text = b"" if end.size else self._first_line
            text += b"".join(_line(each) for each in linked)
            self._write(file, end.size, text)
            self._verified = _Verified(end.file, end.size + len(text), linked[-1].position)
            return linked

    def _check_usable(self) -> None:
        """Find out at the start, and not at the first erasure, that nothing can be written."""
        with self._named():
            try:
                os.close(self._open(os.O_RDWR))
            except FileNotFoundError:
                if not os.access(self.path.parent, os.W_OK | os.X_OK):
                    raise JournalError(
                        f"{self.path}: the folder is missing or we may not write to it; name another file in "
                        "tracker_store.journal, outside the backup of the database"
                    ) from None

    def _open(self, flags: int, mode: int = 0o600) -> int:
        # O_NONBLOCK: opening a named pipe must not wait for the other side.
        descriptor = os.open(self.path, flags | os.O_CLOEXEC | os.O_NONBLOCK, mode)
        try:
            self._check_access(os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _check_access(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise JournalError(f"{self.path}: it is not a regular file; name another one in tracker_store.journal")
        if status.st_mode & _OTHERS:
            raise JournalError(
                f"{self.path}: mode {stat.S_IMODE(status.st_mode):04o} leaves it open to others; run chmod 600 on it"
            )

    @contextmanager
    def _locked(self, at_least: int) -> Iterator[BinaryIO]:
        """Yield the file with its lock held, made where there is none and none was expected."""
        expected = at_least > 0 or self._verified is not None
        for _ in range(_LOCK_ATTEMPTS):
            descriptor = self._open(os.O_RDWR | (0 if expected else os.O_CREAT))
            with os.fdopen(descriptor, "r+b") as file:
                if _lock(descriptor) and self._is_still(descriptor):
                    yield file
                    return
            time.sleep(_LOCK_PAUSE_SECONDS)
        raise self._busy()

    def _wait_for_writers(self, descriptor: int) -> int:
        """Share the lock, and return how many bytes there are: what comes behind them may still be taken back."""
        for _ in range(_LOCK_ATTEMPTS):
            if _lock(descriptor, fcntl.LOCK_SH):
                return os.fstat(descriptor).st_size
            time.sleep(_LOCK_PAUSE_SECONDS)
        raise self._busy()

    def _busy(self) -> JournalError:
        return JournalError(f"{self.path}: another process holds its lock for too long; end that process or try again")

    def _is_still(self, descriptor: int) -> bool:
        """Say whether the path still names the open file, which somebody may have replaced."""
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def _catch_up(self, file: BinaryIO) -> _Verified:
        """Verify what was added since this process last looked."""
        status = os.fstat(file.fileno())
        identity = (status.st_dev, status.st_ino)
        seen = self._verified
        if seen is None or seen.file != identity:
            seen = _Verified(identity, self._verify_first_line(file), self._chain.start)
        if status.st_size < seen.size:
            raise JournalError(f"{self.path}: it was cut while the store was open; {_PUT_BACK}")
        file.seek(seen.size)
        end = seen
        for linked, size in self._lines(file, seen.size, seen.position, status.st_size):
            end = _Verified(identity, size, linked.position)
        return end

    def _verify_first_line(self, file: BinaryIO) -> int:
        """Return the size of the first line, 0 where it was never written to its end."""
        first = file.read(len(self._first_line))
        if first == self._first_line:
            return len(first)
        if self._first_line.startswith(first) and not file.read(1):
            return 0
        if not first.startswith(_MAGIC.encode()):
            raise JournalError(
                f"{self.path}: it is no erasure journal of version 1; name another file in tracker_store.journal"
            )
        raise JournalError(
            f"{self.path}: it is the journal of another database; if this one is new, name another file in "
            "tracker_store.journal, and otherwise put its own journal back"
        )

    def _lines(self, file: BinaryIO, offset: int, position: Position, size: int) -> Iterator[tuple[Linked, int]]:
        """Yield the verified entries from here to a size, each with the offset of its end."""
        while 0 < offset < size and (line := file.readline(min(_MAX_LINE_BYTES, size - offset))):
            if not line.endswith(b"\n") and len(line) < _MAX_LINE_BYTES:
                return  # the end of the file
            linked = self._chain.follow(position, line[:-1].split(b" ", 2)[-1])
            if line != _line(linked):
                raise JournalError(
                    f"{self.path}: entry {position.number + 1} was changed, dropped or moved; {_PUT_BACK}"
                )
            position, offset = linked.position, offset + len(line)
            yield linked, offset

    def _write(self, file: BinaryIO, size: int, text: bytes) -> None:
        """Put the text at this offset and on the disk, or leave the file as long as it was."""
        descriptor = file.fileno()
        try:
            os.ftruncate(descriptor, size)
            _write_all(descriptor, size, text)
            os.fsync(descriptor)
            if size == 0:
                _sync_folder(self.path.parent)
        except OSError:
            os.ftruncate(descriptor, size)
            raise

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise JournalError(f"{self.path}: the journal is missing; {_PUT_BACK}") from None
        except OSError as error:
            raise JournalError(f"{self.path}: {_reason(error)}") from None


def _line(linked: Linked) -> bytes:
    return b"%d %s %s\n" % (linked.position.number, linked.position.link.hex().encode(), linked.raw)


def _lock(descriptor: int, how: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_all(descriptor: int, offset: int, text: bytes) -> None:
    while text:
        written = os.pwrite(descriptor, text, offset)
        text, offset = text[written:], offset + written


def _sync_folder(path: Path) -> None:
    """Make the new name survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    remedies = {
        errno.ENOSPC: "the disk is full; free some space, then try again",
        errno.EDQUOT: "the disk quota is used up; free some space, then try again",
        errno.EACCES: "we may not open it; correct its owner and mode",
        errno.EROFS: "it is read-only for this process; name another file in tracker_store.journal",
    }
    return remedies.get(error.errno or 0, f"{error.strerror or 'it cannot be used'}; correct tracker_store.journal")
