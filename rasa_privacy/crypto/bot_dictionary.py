"""`BotDictionaries`: compression with what a bot says, beside what all bots have in common (docs/spec/segment.md, 3.2).

The *words* of a bot are bytes that its builder wrote: names and texts of its domain, nothing of a person. They follow
dictionary 1 in the dictionary of codec 3, and are named by the beginning of their hash. Where they are kept is not this
module's affair; whoever finds them vouches for them, since other words would open a segment to another content.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from zstandard import ZstdCompressionDict, ZstdCompressor, ZstdDecompressor

from rasa_privacy.crypto.dictionary import dictionary
from rasa_privacy.errors import StorageError

WORDS_ID_BYTES: Final = 4
MAX_WORDS_BYTES: Final = 64 * 2**10
_ID_DOMAIN: Final = b"rasa_privacy bot words v1"


def words_id(words: bytes) -> bytes:
    """Return the 4 bytes by which a segment names these words."""
    return hashlib.sha256(_ID_DOMAIN + words).digest()[:WORDS_ID_BYTES]


@dataclass(frozen=True, slots=True)
class Coders:
    """What one thread compresses and decompresses with, since zstandard's objects must not be shared.

    Attributes:
        name: Id of the words.
        compress: Makes a frame.
        compress_hard: Makes a shorter one in more time.
        decompress: Reads a frame, as `ZstdDecompressor.decompress`.
    """

    name: bytes
    compress: Callable[[bytes], bytes]
    compress_hard: Callable[[bytes], bytes]
    decompress: Callable[..., bytes]


class BotDictionaries:
    """The dictionaries of one store.

    Args:
        find: Returns the words with an id, or None where the store has none. It verifies them, and is asked once.
        level: Zstandard's level for `compress`.
        hard_level: That for `compress_hard`.
    """

    def __init__(self, find: Callable[[bytes], bytes | None], level: int, hard_level: int) -> None:
        self._find = find
        self._levels = (level, hard_level)
        self._known: dict[bytes, ZstdCompressionDict] = {}
        self._current: bytes | None = None
        self._lock = threading.Lock()
        self._own = threading.local()

    def use(self, words: bytes) -> None:
        """Compress with these words from now on; the store has them already.

        Raises:
            StorageError: They are too many.
        """
        name = words_id(words)
        self._known.setdefault(name, _made(words))
        self._current = name

    def current(self) -> Coders | None:
        """Return what to compress with, or None where there are no words."""
        name = self._current
        return None if name is None else self._coders(name, self._known[name])

    def of(self, name: bytes) -> Coders | None:
        """Return what to decompress with, or None where nobody has these words."""
        known = self._known.get(name)
        if known is None:
            # One thread after the other: each may hold a connection while it waits for another one.
            with self._lock:
                known = self._known.get(name) or self._fetched(name)
        return None if known is None else self._coders(name, known)

    def _fetched(self, name: bytes) -> ZstdCompressionDict | None:
        words = self._find(name)
        if words is None or words_id(words) != name:
            return None
        return self._known.setdefault(name, _made(words))

    def _coders(self, name: bytes, known: ZstdCompressionDict) -> Coders:
        own: dict[bytes, Coders] = self._own.__dict__.setdefault("coders", {})
        if name not in own:
            options: dict[str, Any] = {
                "dict_data": known,
                "write_content_size": True,
                "write_checksum": False,
                "write_dict_id": False,
            }
            compress, compress_hard = (ZstdCompressor(level=level, **options).compress for level in self._levels)
            own[name] = Coders(name, compress, compress_hard, ZstdDecompressor(dict_data=known).decompress)
        return own[name]


def _made(words: bytes) -> ZstdCompressionDict:
    if len(words) > MAX_WORDS_BYTES:
        raise StorageError(f"words of a bot: {len(words)} bytes are over the cap of {MAX_WORDS_BYTES}")
    return ZstdCompressionDict(dictionary().as_bytes() + words)
