"""The stored form of a segment."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.crypto.bot_dictionary import BotDictionaries, words_id
from rasa_privacy.crypto.sealing import DataKey, open_sealed
from rasa_privacy.crypto.segment import HEADER_BYTES, KEY_ID_BYTES, MAX_BODY_BYTES, SealedSegment
from rasa_privacy.errors import MalformedSegmentError, PrivacyError, TamperedSegmentError

_VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "vectors/segment.json").read_text())["vectors"]
_FAILURES: dict[str, type[PrivacyError]] = {"malformed": MalformedSegmentError, "tampered": TamperedSegmentError}


@pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: vector["name"])
def test_vector_gives_what_it_promises(vector: dict[str, Any]) -> None:
    """Each vector of the specification opens to its payload or fails with its class of error."""
    words = bytes.fromhex(vector["words"])
    dictionaries = BotDictionaries({words_id(words): words}.get, 3, 6)
    key, identity = DataKey(bytes.fromhex(vector["data_key"]), dictionaries), bytes.fromhex(vector["identity"])
    raw = bytes.fromhex(vector["sealed"])
    if vector["expect"] == "opens":
        assert open_sealed(key, raw, identity) == bytes.fromhex(vector["payload"])
        return
    with pytest.raises(_FAILURES[vector["expect"]]):
        open_sealed(key, raw, identity)


@given(
    key_id=st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32),
    nonce=st.binary(min_size=12, max_size=12),
    body=st.binary(min_size=17),
)
def test_bytes_and_segment_are_inverse(key_id: bytes, nonce: bytes, body: bytes) -> None:
    """What was written is read back, and re-encodes to the same bytes."""
    segment = SealedSegment(key_id, nonce, body)
    raw = segment.to_bytes()
    assert SealedSegment.from_bytes(raw) == segment
    assert raw == segment.header() + body
    assert len(segment.header()) == HEADER_BYTES + len(key_id) - KEY_ID_BYTES


@given(st.binary(max_size=200))
def test_any_bytes_are_read_strictly(raw: bytes) -> None:
    """Arbitrary bytes are refused, or re-encode to themselves."""
    try:
        segment = SealedSegment.from_bytes(raw)
    except MalformedSegmentError:
        return
    assert segment.to_bytes() == raw


@pytest.mark.parametrize(
    ("key_id", "nonce", "body"),
    [(b"k" * 31, b"n" * 12, b"b" * 17), (b"k" * 16, b"n" * 11, b"b" * 17), (b"k" * 16, b"n" * 12, b"b" * 16)],
)
def test_wrong_lengths_cannot_be_built(key_id: bytes, nonce: bytes, body: bytes) -> None:
    """A segment with a field of the wrong length is refused when it is made."""
    with pytest.raises(MalformedSegmentError):
        SealedSegment(key_id, nonce, body)


def test_a_body_over_the_cap_is_refused() -> None:
    """Length is capped before the bytes are looked at."""
    with pytest.raises(MalformedSegmentError, match="cannot be one"):
        SealedSegment.from_bytes(bytes(HEADER_BYTES + MAX_BODY_BYTES + 1))
    with pytest.raises(MalformedSegmentError, match="the body is"):
        SealedSegment(b"k" * 16, b"n" * 12, bytes(MAX_BODY_BYTES + 1))


def test_repr_shows_no_body() -> None:
    """A segment in a log line shows nothing of its body."""
    assert "secret-body" not in repr(SealedSegment(b"k" * 16, b"n" * 12, b"secret-body" * 2))
