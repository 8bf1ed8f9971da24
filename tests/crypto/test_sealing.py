"""Sealing and opening."""

import hashlib
import json
import os
import threading
from pathlib import Path
from unittest import mock

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.crypto import sealing
from rasa_privacy.crypto.dictionary import dictionary
from rasa_privacy.crypto.sealing import DataKey, open_sealed, open_together, seal, tag_of, unpacked
from rasa_privacy.crypto.segment import HEADER_BYTES, MAX_PLAINTEXT_BYTES, TAG_BYTES
from rasa_privacy.errors import MalformedSegmentError, StorageError, TamperedSegmentError

_VECTORS = json.loads((Path(__file__).parents[1] / "vectors/segment.json").read_text(encoding="utf-8"))["vectors"]
_KEY = DataKey(b"k" * 32)
_NONCE = b"n" * 12
_KEYS = st.binary(min_size=32, max_size=32)


@given(
    secret=_KEYS,
    plaintext=st.binary(max_size=5000),
    identity=st.binary(max_size=80),
    nonce=st.binary(min_size=12, max_size=12),
)
def test_opening_undoes_sealing(secret: bytes, plaintext: bytes, identity: bytes, nonce: bytes) -> None:
    """What was sealed opens under the same key and identity."""
    key = DataKey(secret)
    assert open_sealed(key, seal(key, plaintext, identity, nonce), identity) == plaintext


@given(secret=_KEYS, plaintexts=st.lists(st.binary(max_size=500), max_size=3), identity=st.binary(max_size=80))
def test_what_is_opened_together_is_what_is_opened_one_by_one(
    secret: bytes, plaintexts: list[bytes], identity: bytes
) -> None:
    """In order, each under its own identity."""
    key = DataKey(secret)
    sealed = [(seal(key, each, identity + bytes((at,)), _NONCE), at) for at, each in enumerate(plaintexts)]
    assert open_together(secret, None, [(raw, identity + bytes((at,))) for raw, at in sealed]) == plaintexts


@given(plaintext=st.binary(max_size=300), data=st.data())
def test_what_is_opened_together_is_checked_as_well(plaintext: bytes, data: st.DataObject) -> None:
    """Neither a changed byte nor another identity, another key, another length or version 1 opens."""
    sealed = seal(_KEY, plaintext, b"here", _NONCE)
    raw = bytearray(sealed)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    for secret, stored, identity in (
        (_KEY.secret, bytes(raw), b"here"),
        (_KEY.secret, sealed, b"there"),
        (b"o" * 32, sealed, b"here"),
        (_KEY.secret, sealed[:-1], b"here"),
        (_KEY.secret, sealed[:40], b"here"),
        (_KEY.secret, b"RPS\x01" + _KEY.key_id + sealed[20:], b"here"),
    ):
        with pytest.raises((MalformedSegmentError, TamperedSegmentError)):
            open_together(secret, None, [(stored, identity)])


def test_a_key_of_another_length_opens_nothing_together() -> None:
    """As no `DataKey` is made of one."""
    with pytest.raises(StorageError, match="31 bytes"):
        open_together(b"k" * 31, None, [])


@given(plaintext=st.binary(max_size=300), data=st.data())
def test_any_changed_byte_is_noticed(plaintext: bytes, data: st.DataObject) -> None:
    """No byte of a sealed segment can change unnoticed."""
    raw = bytearray(seal(_KEY, plaintext, b"here", _NONCE))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises((MalformedSegmentError, TamperedSegmentError)):
        open_sealed(_KEY, bytes(raw), b"here")


@given(st.binary(max_size=300))
def test_any_cut_is_noticed(plaintext: bytes) -> None:
    """A segment that lost its last byte does not open."""
    with pytest.raises((MalformedSegmentError, TamperedSegmentError)):
        open_sealed(_KEY, seal(_KEY, plaintext, b"here", _NONCE)[:-1], b"here")


def test_another_identity_does_not_open() -> None:
    """A segment does not open in another place than its own."""
    with pytest.raises(TamperedSegmentError, match="moved"):
        open_sealed(_KEY, seal(_KEY, b"x", b"here", _NONCE), b"there")


def test_another_key_is_named_before_decrypting() -> None:
    """A segment of another key is recognised by the commitment."""
    with pytest.raises(TamperedSegmentError, match="another data key"):
        open_sealed(DataKey(b"o" * 32), seal(_KEY, b"x", b"", _NONCE), b"")


def test_a_segment_of_version_1_opens_and_is_written_anew_as_version_2() -> None:
    """What earlier releases stored stays readable; nothing new gets the longer header."""
    vector = next(each for each in _VECTORS if each["name"] == "raw run of events")
    key, identity = DataKey(bytes.fromhex(vector["data_key"])), bytes.fromhex(vector["identity"])
    payload = open_sealed(key, bytes.fromhex(vector["sealed"]), identity)
    anew = seal(key, payload, identity, _NONCE)
    assert anew[:20] == b"RPS\x02" + key.key_id[:16]
    assert len(anew) == len(bytes.fromhex(vector["sealed"])) - 16
    assert open_sealed(key, anew, identity) == payload


@given(st.binary(max_size=400))
def test_compression_never_costs_bytes(plaintext: bytes) -> None:
    """A sealed payload is at most header, codec byte and tag longer."""
    assert len(seal(_KEY, plaintext, b"", _NONCE)) <= HEADER_BYTES + 1 + len(plaintext) + TAG_BYTES


@given(plaintext=st.text("ab", max_size=300), data=st.data())
def test_a_short_frame_is_read_as_the_library_reads_it(plaintext: str, data: st.DataObject) -> None:
    """Its size stands in one byte, which is looked at without the library; whatever is changed, both say the same."""
    frame = bytearray(zstandard.ZstdCompressor(level=3).compress(plaintext.encode()))
    if data.draw(st.booleans()):
        frame[data.draw(st.integers(0, min(len(frame), 12) - 1))] = data.draw(st.integers(0, 255))
    message = b"\x01" + bytes(frame[: data.draw(st.integers(0, len(frame)))] if data.draw(st.booleans()) else frame)

    def read() -> bytes | str:
        try:
            return unpacked(None, message)
        except MalformedSegmentError as error:
            return str(error)

    found = read()
    with mock.patch.object(sealing, "_SMALL_FRAME", b"none"):
        assert read() == found


def test_long_repetition_becomes_short() -> None:
    """Compressible payloads are compressed."""
    assert len(seal(_KEY, b"abc" * 1000, b"", _NONCE)) < 200


def test_a_short_payload_is_compressed_by_what_bots_have_in_common() -> None:
    """Even where nothing in it repeats."""
    payload = b"action_session_start action_listen RulePolicy parse_data entities"
    assert len(seal(_KEY, payload, b"", _NONCE)) < HEADER_BYTES + TAG_BYTES + len(payload) - 20


@pytest.mark.parametrize("length", [16 * 2**10, 16 * 2**10 + 1])
def test_payloads_around_the_end_of_the_dictionary_come_back(length: int) -> None:
    """The longest that is compressed with it, and the shortest that is not."""
    payload = (b"action_listen%d " * length)[:length]
    assert open_sealed(_KEY, seal(_KEY, payload, b"", _NONCE), b"") == payload


def test_a_dictionary_that_was_changed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written that the right one could not read."""
    monkeypatch.setattr("rasa_privacy.crypto.dictionary._FILE", "sealing.py")
    with pytest.raises(StorageError, match="install rasa_privacy again"):
        dictionary.__wrapped__()


def test_the_page_names_the_dictionary() -> None:
    """The specification has the hash of the file, and the vectors' script makes it."""
    root = Path(__file__).parents[2]
    page = (root / "docs/spec/segment.md").read_text(encoding="utf-8")
    content = (root / "rasa_privacy/crypto/dictionary_1.zdict").read_bytes()
    assert dictionary().as_bytes() == content
    assert hashlib.sha256(content).hexdigest() in page


def test_the_largest_payload_fits_and_one_more_byte_does_not() -> None:
    """The cap of 16 MiB holds on sealing, and the largest payload comes back."""
    largest = bytes(MAX_PLAINTEXT_BYTES)
    assert open_sealed(_KEY, seal(_KEY, largest, b"", _NONCE), b"") == largest
    with pytest.raises(StorageError, match="over the cap"):
        seal(_KEY, largest + b"x", b"", _NONCE)


def test_a_large_random_payload_comes_back() -> None:
    """What cannot be compressed is stored as it is."""
    payload = os.urandom(100_000)
    assert open_sealed(_KEY, seal(_KEY, payload, b"", _NONCE), b"") == payload


def test_key_and_nonce_lengths_are_checked() -> None:
    """A short key or nonce is refused."""
    with pytest.raises(StorageError, match="data key"):
        DataKey(b"short")
    with pytest.raises(MalformedSegmentError):
        seal(_KEY, b"x", b"", b"short")


def test_key_shows_no_secret() -> None:
    """The repr of a key holds its id and not its secret."""
    assert "kkkk" not in repr(_KEY)
    assert _KEY.key_id != _KEY.secret
    assert len(_KEY.key_id) == 32


def test_tag_is_the_end_of_the_segment() -> None:
    """The tag by which manifests name a segment is its last 16 bytes."""
    raw = seal(_KEY, b"x", b"", _NONCE)
    assert tag_of(raw) == raw[-16:]


def test_threads_do_not_disturb_each_other() -> None:
    """Several threads seal and open at once."""
    wrong: list[int] = []

    def work(number: int) -> None:
        for turn in range(200):
            payload = f"{number}:{turn}:".encode() * (number + 5)
            if open_sealed(_KEY, seal(_KEY, payload, b"", os.urandom(12)), b"") != payload:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
