"""Blind index and hash chain."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.derive import derive, derive_both
from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.errors import StorageError

_INDEX = BlindIndex(b"i" * 32)


@given(st.text(max_size=30), st.text(max_size=30))
def test_index_finds_equal_values_only(one: str, other: str) -> None:
    """Two values have the same index only where they are equal."""
    assert (_INDEX.of("sender id", one) == _INDEX.of("sender id", other)) == (one == other)


def test_index_follows_the_specification() -> None:
    """The index is the HMAC that docs/spec/keys.md gives."""
    expected = hmac.digest(b"i" * 32, b"\x09sender id+49", hashlib.sha256)
    assert _INDEX.of("sender id", "+49") == expected


@given(value=st.text(max_size=80))
def test_many_values_are_found_as_one_is(value: str) -> None:
    """By the first 15 bytes of the index."""
    index = BlindIndex(b"k" * 32)
    assert index.finding("sender")(value) == index.to_find("sender", value) == index.of("sender", value)[:15]


def test_domains_and_keys_keep_apart() -> None:
    """The same value has other indexes in other domains, shifted ones too, and under other keys."""
    values = {
        _INDEX.of("ab", "c"),
        _INDEX.of("a", "bc"),
        _INDEX.of("abc", ""),
        BlindIndex(b"j" * 32).of("ab", "c"),
    }
    assert len(values) == 4


def test_a_lone_surrogate_has_an_index() -> None:
    """A sender id that is no valid text is found again, too."""
    assert _INDEX.of("sender id", "\ud800") != _INDEX.of("sender id", "?")


def test_index_key_is_checked_and_not_shown() -> None:
    """A short key is refused, and the repr shows none."""
    with pytest.raises(StorageError):
        BlindIndex(b"short")
    assert "iiii" not in repr(_INDEX)


def test_link_follows_the_specification() -> None:
    """The link is the hash that docs/spec/segment.md gives."""
    expected = hashlib.sha256(b"rasa_privacy chain v1" + bytes(32) + bytes(7) + b"\x02ab").digest()
    assert link(GENESIS, b"ab") == expected


@given(st.lists(st.binary(max_size=8), max_size=6), st.lists(st.binary(max_size=8), max_size=6))
def test_chain_covers_every_record_and_its_bounds(one: list[bytes], other: list[bytes]) -> None:
    """Two lists of records end in the same link only where they are equal."""

    def end(records: list[bytes]) -> bytes:
        last = GENESIS
        for record in records:
            last = link(last, record)
        return last

    assert (end(one) == end(other)) == (one == other)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.binary(max_size=80))
def test_deriving_for_two_uses_is_what_the_library_derives_for_each(secret: bytes, one: bytes, other: bytes) -> None:
    """The short way and the library's never differ."""
    assert derive_both(secret, (one, other)) == (derive(secret, one), derive(secret, other))


def test_deriving_follows_rfc_5869() -> None:
    """Test case 3 of appendix A, without salt and info, as far as 32 bytes of it."""
    expected = bytes.fromhex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d")
    assert derive_both(b"\x0b" * 22, (b"", b"")) == (expected, expected)
