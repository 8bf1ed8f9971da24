"""The recorded corpus, and random bytes, in plain pytest; `run.py` is what searches for more."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasa_privacy.crypto.sealing import DataKey, seal
from tests.fuzz.corpus import FILES, inputs
from tests.fuzz.targets import TARGETS, NotCanonicalError, key_file, wrapped_key

_MAX_CORPUS_BYTES = 600_000


@pytest.mark.parametrize("target", TARGETS)
def test_recorded_inputs_break_nothing(target: str) -> None:
    """Each input that reached something new is refused with an error of ours, or is canonical."""
    recorded = inputs(target)
    assert len(recorded) > 1
    for data in recorded:
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=200)
@given(data=st.binary(max_size=200))
def test_random_bytes_break_nothing(target: str, data: bytes) -> None:
    """Bytes that nobody chose do no harm either."""
    TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=200)
@given(data=st.data())
def test_recorded_inputs_with_one_change_break_nothing(target: str, data: st.DataObject) -> None:
    """A byte that is changed, added or cut away in a recorded input does no harm."""
    raw = data.draw(st.sampled_from(inputs(target)))
    place = data.draw(st.integers(0, len(raw)))
    TARGETS[target](raw[:place] + data.draw(st.binary(max_size=2)) + raw[place + data.draw(st.integers(0, 2)) :])


def test_a_target_notices_bytes_that_would_be_written_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that lets something pass is found out."""
    monkeypatch.setattr("rasa_privacy.crypto.key_ring.KeyEncryptionKey.unwrap", lambda *_: bytes(32))
    with pytest.raises(NotCanonicalError):
        wrapped_key(b"x" * 68)
    key_file(b"")


def test_the_corpus_has_messages_of_each_codec_that_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes of one byte begin at what a reader accepts, with the words of a bot too."""
    sealed: list[bytes] = []

    def noting(key: DataKey, plaintext: bytes, identity: bytes, nonce: bytes) -> bytes:
        sealed.append(plaintext)
        return seal(key, plaintext, identity, nonce)

    monkeypatch.setattr("tests.fuzz.targets.seal", noting)
    codecs = set[int]()
    for data in inputs("message"):
        before = len(sealed)
        TARGETS["message"](data)
        codecs |= set(data[:1]) if len(sealed) > before else set()
    assert codecs == {0, 1, 2, 3}


def test_the_corpus_is_small_and_in_order() -> None:
    """The files hold nothing twice, belong to a target, and stay small enough to be read."""
    assert {file.stem for file in FILES.iterdir()} == set(TARGETS)
    assert sum(file.stat().st_size for file in FILES.iterdir()) < _MAX_CORPUS_BYTES
    for target in TARGETS:
        recorded = inputs(target)
        assert recorded == sorted(set(recorded), key=lambda data: (len(data), data))
