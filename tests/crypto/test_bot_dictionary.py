"""Compression with what a bot says."""

import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zstandard import ZstdCompressionDict, ZstdCompressor

from rasa_privacy.crypto.bot_dictionary import BotDictionaries, words_id
from rasa_privacy.crypto.dictionary import dictionary
from rasa_privacy.crypto.sealing import DataKey, open_sealed, seal
from rasa_privacy.crypto.segment import MAX_PLAINTEXT_BYTES, SealedSegment, header_bytes
from rasa_privacy.errors import MalformedSegmentError

_WORDS = b"What the bot says about prizes, opening hours and shipping. " * 20
_NONCE = b"n" * 12


def _dictionaries(words: bytes) -> BotDictionaries:
    made = BotDictionaries({words_id(words): words}.get, 3, 6)
    made.use(words)
    return made


def _key(words: bytes = _WORDS) -> DataKey:
    return DataKey(b"k" * 32, _dictionaries(words))


def _with_message(key: DataKey, message: bytes) -> bytes:
    """Return a segment with this codec and data, as somebody makes it who has the key."""
    header = header_bytes(key.key_id[:16], _NONCE)
    return SealedSegment(key.key_id[:16], _NONCE, key._encrypt(_NONCE, message, header + b"here")).to_bytes()


@given(st.binary(max_size=6000) | st.integers(0, 300).map(lambda number: _WORDS * 20 + bytes(number)))
def test_opening_undoes_sealing_with_words(plaintext: bytes) -> None:
    """What was sealed with words opens with the same words, which another process finds."""
    other = DataKey(b"k" * 32, BotDictionaries({words_id(_WORDS): _WORDS}.get, 3, 6))
    assert open_sealed(other, seal(_key(), plaintext, b"here", _NONCE), b"here") == plaintext


@pytest.mark.parametrize("size", [MAX_PLAINTEXT_BYTES + 1, 2**28])
def test_a_frame_with_words_that_would_fill_the_memory_is_refused(size: int) -> None:
    """The size that it declares is looked at before it is read."""
    words = ZstdCompressionDict(dictionary().as_bytes() + _WORDS)
    frame = ZstdCompressor(dict_data=words, write_dict_id=False).compress(bytes(size))
    with pytest.raises(MalformedSegmentError, match="declares a size"):
        open_sealed(_key(), _with_message(_key(), b"\x03" + words_id(_WORDS) + frame), b"here")


@pytest.mark.parametrize(
    "data", [b"", b"abc", words_id(_WORDS), words_id(_WORDS) + b"\x28\xb5\x2f\xfd\x60", b"none" * 9]
)
def test_what_is_no_frame_with_words_is_malformed(data: bytes) -> None:
    """An id that is cut or unknown, and a frame that is cut, are errors of ours."""
    with pytest.raises(MalformedSegmentError):
        open_sealed(_key(), _with_message(_key(), b"\x03" + data), b"here")


def test_compressors_of_a_bot_that_was_there_before_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that gets a model every day needs no megabyte more for each; what it sealed before still opens."""
    made: list[weakref.ref[Any]] = []

    class Watched:
        def __init__(self, **options: Any) -> None:
            self._inner = ZstdCompressor(**options)
            made.append(weakref.ref(self))

        def compress(self, plaintext: bytes) -> bytes:
            return self._inner.compress(plaintext)

    monkeypatch.setattr("rasa_privacy.crypto.bot_dictionary.ZstdCompressor", Watched)
    dictionaries = BotDictionaries(lambda _: None, 3, 6)
    key, sealed = DataKey(b"k" * 32, dictionaries), list[bytes]()
    for number in range(10):
        dictionaries.use(_WORDS + b"of day %d" % number)
        sealed.append(seal(key, _WORDS[:900] + b"%d" % number, b"here", _NONCE))
    assert len({open_sealed(key, raw, b"here") for raw in sealed}) == len(sealed)
    assert len(made) == 2 * len(sealed)
    assert len([each for each in made if each() is not None]) == 2
