"""Wrapping of data keys."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.crypto.key_ring import NO_SUBJECT, WRAPPED_BYTES, KeyEncryptionKey
from rasa_privacy.errors import (
    KeyProviderError,
    MalformedSegmentError,
    PrivacyError,
    StorageError,
    TamperedSegmentError,
)

_KEK = KeyEncryptionKey(1, b"e" * 32)
_SUBJECT = b"s" * 16
_NONCE = b"n" * 12
_WRAPPED = _KEK.wrap(b"d" * 32, _SUBJECT, "draw", _NONCE)


@given(
    key=st.binary(min_size=32, max_size=32),
    subject=st.one_of(st.just(NO_SUBJECT), st.binary(min_size=16, max_size=16)),
    purpose=st.from_regex(r"[a-z_]{1,40}", fullmatch=True),
    epoch=st.integers(1, 2**32 - 1),
)
def test_unwrapping_undoes_wrapping(key: bytes, subject: bytes, purpose: str, epoch: int) -> None:
    """A wrapped key has 68 bytes and comes back for its owner."""
    kek = KeyEncryptionKey(epoch, b"e" * 32)
    wrapped = kek.wrap(key, subject, purpose, _NONCE)
    assert len(wrapped) == WRAPPED_BYTES
    assert kek.unwrap(wrapped, subject, purpose) == key


@given(
    key=st.binary(min_size=32, max_size=32),
    subject=st.binary(min_size=16, max_size=16),
    purpose=st.from_regex(r"[a-z_\u00e4]{1,40}", fullmatch=True),
    nonce=st.binary(min_size=12, max_size=12),
)
def test_wrapping_anew_is_unwrapping_and_wrapping(key: bytes, subject: bytes, purpose: str, nonce: bytes) -> None:
    """The short way gives the same bytes."""
    new = KeyEncryptionKey(2, b"f" * 32)
    wrapped = _KEK.wrap(key, subject, purpose, _NONCE)
    assert _KEK.rewrap([(subject, purpose, wrapped)], new, nonce) == [
        (new.wrap(key, subject, purpose, nonce), subject, purpose)
    ]


def test_wrapping_anew_leaves_out_what_unwrapping_refuses() -> None:
    """A changed key, one of somebody else or of another epoch, and what is no key; the others keep their nonces."""
    new = KeyEncryptionKey(2, b"f" * 32)
    other = KeyEncryptionKey(3, b"g" * 32).wrap(b"d" * 32, _SUBJECT, "draw", _NONCE)
    refused: list[Any] = [
        (_SUBJECT, "draw", _WRAPPED[:-1] + b"?"),
        (_SUBJECT, "draw", _WRAPPED[:-1]),
        (b"t" * 16, "draw", _WRAPPED),
        (_SUBJECT, "news", _WRAPPED),
        (_SUBJECT, "draw", other),
        (_SUBJECT, "", _WRAPPED),
        (_SUBJECT, b"draw", _WRAPPED),
        (_SUBJECT[:-1], "draw", _WRAPPED),
        (_SUBJECT, "draw", None),
        (_SUBJECT, "draw", "text"),
    ]
    for subject, purpose, wrapped in refused[:6]:
        with pytest.raises(PrivacyError):
            _KEK.unwrap(wrapped, subject, purpose)
    good = (_SUBJECT, "draw", _WRAPPED)
    nonces = [bytes((number,)) * 12 for number in range(len(refused) + 2)]
    assert _KEK.rewrap([good, *refused, good], new, b"".join(nonces)) == [
        (new.wrap(b"d" * 32, _SUBJECT, "draw", nonce), _SUBJECT, "draw") for nonce in (nonces[0], nonces[-1])
    ]
    assert _KEK.rewrap([], new, b"") == []


@pytest.mark.parametrize("random", [b"", b"n" * 11, b"n" * 13, b"n" * 24])
def test_wrapping_anew_takes_one_nonce_for_each_key(random: bytes) -> None:
    """A nonce that were missing would be made up or used twice."""
    with pytest.raises(StorageError, match="nonce"):
        _KEK.rewrap([(_SUBJECT, "draw", _WRAPPED)], KeyEncryptionKey(2, b"f" * 32), random)


@given(position=st.integers(0, WRAPPED_BYTES - 1), change=st.integers(1, 255))
def test_unwrapping_many_refuses_what_unwrapping_refuses(position: int, change: int) -> None:
    """And gives the same key otherwise."""
    unwrap = _KEK.unwrapping("draw")
    assert unwrap(_WRAPPED, _SUBJECT) == b"d" * 32
    raw = bytearray(_WRAPPED)
    raw[position] ^= change
    for wrapped, owner, other in (
        (bytes(raw), _SUBJECT, unwrap),
        (_WRAPPED[:-1], _SUBJECT, unwrap),
        (_WRAPPED, b"t" * 16, unwrap),
        (_WRAPPED, _SUBJECT, _KEK.unwrapping("news")),
        (_WRAPPED, _SUBJECT, KeyEncryptionKey(1, b"f" * 32).unwrapping("draw")),
        (_WRAPPED, NO_SUBJECT, unwrap),
        (_KEK.wrap(b"d" * 32, NO_SUBJECT, "draw", _NONCE), NO_SUBJECT, unwrap),
    ):
        with pytest.raises((TamperedSegmentError, MalformedSegmentError, KeyProviderError, StorageError)):
            other(wrapped, owner)


@given(position=st.integers(0, WRAPPED_BYTES - 1), change=st.integers(1, 255))
def test_any_changed_byte_is_noticed(position: int, change: int) -> None:
    """No byte of a wrapped key can change unnoticed."""
    raw = bytearray(_WRAPPED)
    raw[position] ^= change
    with pytest.raises((MalformedSegmentError, TamperedSegmentError, KeyProviderError)):
        _KEK.unwrap(bytes(raw), _SUBJECT, "draw")


@pytest.mark.parametrize(("subject", "purpose"), [(b"t" * 16, "draw"), (_SUBJECT, "news"), (NO_SUBJECT, "draw")])
def test_a_key_does_not_unwrap_for_another_owner(subject: bytes, purpose: str) -> None:
    """A key that was moved to another subject or purpose is refused."""
    with pytest.raises(TamperedSegmentError, match="belongs to another"):
        _KEK.unwrap(_WRAPPED, subject, purpose)


def test_another_epoch_is_named() -> None:
    """A key of another epoch names the file that is missing."""
    with pytest.raises(KeyProviderError, match=r"put kek-1\.key back"):
        KeyEncryptionKey(2, b"e" * 32).unwrap(_WRAPPED, _SUBJECT, "draw")


def test_wrong_lengths_are_refused() -> None:
    """Cut bytes, short keys, nonces and subjects are refused."""
    with pytest.raises(MalformedSegmentError, match="67 bytes"):
        _KEK.unwrap(_WRAPPED[:-1], _SUBJECT, "draw")
    with pytest.raises(StorageError):
        _KEK.wrap(b"short", _SUBJECT, "draw", _NONCE)
    with pytest.raises(StorageError):
        _KEK.wrap(b"d" * 32, b"short", "draw", _NONCE)
    with pytest.raises(KeyProviderError):
        KeyEncryptionKey(0, b"e" * 32)
    with pytest.raises(KeyProviderError):
        KeyEncryptionKey(1, b"short")


def test_fingerprint_tells_keys_apart_and_is_not_the_key() -> None:
    """The fingerprint is stable, differs between keys, and neither it nor the repr shows the key."""
    assert _KEK.fingerprint() == KeyEncryptionKey(2, b"e" * 32).fingerprint()
    assert _KEK.fingerprint() != KeyEncryptionKey(1, b"f" * 32).fingerprint()
    assert _KEK.fingerprint() != _KEK.secret
    assert "eeee" not in repr(_KEK)
