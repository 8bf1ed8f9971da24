"""A zip that is written as a stream, plain or under a passphrase.

Rules:

1. Nothing of it is held but what is being written: the chunks come out as the content goes in.
2. Names of files are the caller's own and never a person's words: one path part, so that no tool writes elsewhere.
3. Under a passphrase each file is encrypted by AES-256 in WinZip's form AE-2, which the usual tools open (ADR 32). Its
   key derivation is a weak one, 1,000 rounds of PBKDF2, so a passphrase must be long to be worth anything.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from rasa_privacy.errors import PassphraseError

#: A passphrase is at least this long, in characters.
MIN_PASSPHRASE: Final = 14
#: Longer than what anybody types; 7-Zip takes no more than 99 bytes for AES.
MAX_PASSPHRASE_BYTES: Final = 99
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9]+)+")
_ENOUGH_BYTES: Final = 65_536


def checked_passphrase(text: str) -> str:
    """Return a passphrase that may be used.

    Raises:
        PassphraseError: It is too short or too long to be worth anything.
    """
    if len(set(text)) < MIN_PASSPHRASE // 2 or len(text) < MIN_PASSPHRASE:
        raise PassphraseError(f"the passphrase is too easy to guess; take four words, {MIN_PASSPHRASE} letters or more")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_PASSPHRASE_BYTES:
        raise PassphraseError(f"the passphrase is longer than {MAX_PASSPHRASE_BYTES} bytes, which not every tool takes")
    return text


def archive(
    files: Iterable[tuple[str, Iterable[bytes]]], at: datetime, passphrase: str | None = None
) -> Iterator[bytes]:
    """Yield the bytes of a zip.

    Args:
        files: Name and content of each file, read once, in this order.
        at: Time of the files, in UTC.
        passphrase: What opens it (`checked_passphrase`); None for a plain zip.
    """
    made = _Chunks()
    with _open(made, passphrase) as packed:
        for name, content in files:
            if _NAME.fullmatch(name) is None:
                raise ValueError("a file of an archive has a name that is not one plain part")
            info = (packed.zipinfo_cls if passphrase else zipfile.ZipInfo)(name, at.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            with packed.open(info, "w") as file:
                for chunk in content:
                    file.write(chunk)
                    if made.size >= _ENOUGH_BYTES:
                        yield made.take()
    yield made.take()


def _open(target: Any, passphrase: str | None) -> Any:
    if passphrase is None:
        return zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)
    import pyzipper  # noqa: PLC0415 - most copies are plain, and it loads a library of ciphers

    packed = pyzipper.AESZipFile(target, "w", compression=zipfile.ZIP_DEFLATED, encryption=pyzipper.WZ_AES)
    packed.setpassword(passphrase.encode("utf-8"))
    return packed


class _Chunks:
    """A file that can only be written to, and gives back what was written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, chunk: bytes) -> int:
        """Keep a chunk until it is taken."""
        self._parts.append(bytes(chunk))
        self.size += len(chunk)
        return len(chunk)

    def flush(self) -> None:
        """Do nothing: there is nothing below."""

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._parts)
        self._parts, self.size = [], 0
        return taken
