"""Files that commands write: readable for their owner alone, and there whole or not at all."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rasa_privacy.errors import ConfigurationError


def write_private(out: str, chunks: Iterable[bytes]) -> None:
    """Write the chunks to the output (`-`), or to a new file that takes the place of `out` when all is written.

    Raises:
        ConfigurationError: It cannot be written.
    """
    if out == "-":
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
        return
    target = Path(out).absolute()
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        with suppress(FileNotFoundError):
            unfinished.unlink()
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(chunks)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{target}: the file cannot be written ({error.strerror})") from None


def read_bytes(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        ConfigurationError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: the file cannot be read ({error.strerror})") from None
