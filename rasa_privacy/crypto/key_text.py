"""The text of key files: named lines and a checksum (docs/spec/keys.md, sections 2.2 and 2.3).

A file is a first line that says what it is, then `name value` lines, then a checksum over all of them. Reading is
strict and canonical: what was read is written again, and must be the same bytes. The checksum finds accidents, not
attackers. No error shows a value.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rasa_privacy.crypto.key_folder import PUT_BACK
from rasa_privacy.errors import KeyProviderError

EPOCH: Final = re.compile("[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class KeyText:
    """One kind of key file.

    Attributes:
        title: The first line; it ends with the version.
        lines: The names of the other lines in their order, without `checksum`, and the pattern of each value.
        checksum: Makes the checksum of values that fit their patterns.
        max_bytes: A longer file is none of this kind.
    """

    title: str
    lines: Mapping[str, re.Pattern[str]]
    checksum: Callable[[Mapping[str, str]], str]
    max_bytes: int

    def write(self, values: Mapping[str, str]) -> bytes:
        """Return the file's content."""
        lines = [self.title, *(f"{name} {values[name]}" for name in self.lines), f"checksum {self.checksum(values)}"]
        return "".join(f"{line}\n" for line in lines).encode()

    def read(self, path: Path, raw: bytes) -> dict[str, str]:
        """Return the values by name.

        Args:
            path: The file, for messages.
            raw: Its content.

        Raises:
            KeyProviderError: It is cut short, of another kind or version, or damaged.
        """
        title = f"{self.title}\n".encode()
        if len(raw) > self.max_bytes or not title.startswith(raw[: len(title)]):
            raise KeyProviderError(f"{path}: it does not begin with '{self.title}' or is too long; {PUT_BACK}")
        values = self._values(raw)
        if values is None:
            raise KeyProviderError(f"{path}: it is cut short, or a line was changed; {PUT_BACK}")
        if self.write(values) != raw:
            raise KeyProviderError(f"{path}: the checksum does not fit, so the file was damaged; {PUT_BACK}")
        return values

    def _values(self, raw: bytes) -> dict[str, str] | None:
        """Return the values where the lines have the right names in the right order."""
        try:
            lines = raw.decode().split("\n")
        except UnicodeDecodeError:
            return None
        pairs = [line.partition(" ")[::2] for line in lines[1:-2]]
        if lines[-1] or [name for name, _ in pairs] != list(self.lines):
            return None
        return dict(pairs) if all(self.lines[name].fullmatch(value) for name, value in pairs) else None


def from_base64(text: str) -> bytes | None:
    """Return the bytes of canonical base64 with padding, or None where the text is none."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded).decode() == text else None
