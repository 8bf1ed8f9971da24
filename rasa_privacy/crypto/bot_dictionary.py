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
class Compressors:
    """What one thread compresses with.

    Attributes:
        name: Id of the words.
        compress: Makes a frame.
        compress_hard: Makes a shorter one in more time.
    """

    name: bytes
    compress: Callable[[bytes], bytes]
    compress_hard: Callable[[bytes], bytes]


class _Own(threading.local):
    """What one thread has, since zstandard's objects must not be shared.

    A compressor takes up to a megabyte, so a thread has those of the words that are used now, and not of each bot that
    the process had. A decompressor takes little.
    """

    def __init__(self) -> None:
        self.compressors: Compressors | None = None
        self.decompress: dict[bytes, Callable[..., bytes]] = {}


class BotDictionaries:
    """The dictionaries of one store.

    Args:
        find: Returns the words with an id, or None where the store has none. It verifies them, and is asked once for
            those it has.
        level: Zstandard's level for `compress`.
        hard_level: That for `compress_hard`.
    """

    def __init__(self, find: Callable[[bytes], bytes | None], level: int, hard_level: int) -> None:
        self._find = find
        self._levels = (level, hard_level)
        self._known: dict[bytes, ZstdCompressionDict] = {}
        self._current: bytes | None = None
        self._lock = threading.Lock()
        self._own = _Own()

    def use(self, words: bytes) -> None:
        """Compress with these words from now on; the store has them already.

        Raises:
            StorageError: They are too many.
        """
        name = words_id(words)
        self._known.setdefault(name, _made(words))
        self._current = name

    def current(self) -> Compressors | None:
        """Return what to compress with, or None where there are no words."""
        name, own = self._current, self._own
        if name is not None and (own.compressors is None or own.compressors.name != name):
            own.compressors = self._compressors(name)
        return own.compressors

    def of(self, name: bytes) -> Callable[..., bytes] | None:
        """Return what decompresses a frame, as `ZstdDecompressor.decompress`, or None where nobody has these words."""
        own = self._own.decompress
        if name not in own:
            known = self._known.get(name)
            if known is None:
                # One thread after the other: each may hold a connection while it waits for another one.
                with self._lock:
                    known = self._known.get(name) or self._fetched(name)
            if known is None:
                return None
            own[name] = ZstdDecompressor(dict_data=known).decompress
        return own[name]

    def _fetched(self, name: bytes) -> ZstdCompressionDict | None:
        words = self._find(name)
        if words is None or words_id(words) != name:
            return None
        return self._known.setdefault(name, _made(words))

    def _compressors(self, name: bytes) -> Compressors:
        options: dict[str, Any] = {
            "dict_data": self._known[name],
            "write_content_size": True,
            "write_checksum": False,
            "write_dict_id": False,
        }
        compress, compress_hard = (ZstdCompressor(level=level, **options).compress for level in self._levels)
        return Compressors(name, compress, compress_hard)


def _made(words: bytes) -> ZstdCompressionDict:
    if len(words) > MAX_WORDS_BYTES:
        raise StorageError(f"words of a bot: {len(words)} bytes are over the cap of {MAX_WORDS_BYTES}")
    return ZstdCompressionDict(dictionary().as_bytes() + words)
