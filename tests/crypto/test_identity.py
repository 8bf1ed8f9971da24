"""Identities: the associated data of what is stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.crypto.identity import Identities, Place, purpose_bytes
from rasa_privacy.errors import StorageError

_PLACE = Place(b"s" * 16, b"c" * 16)
_NUMBERS = st.integers(0, 2**64 - 1)
_PURPOSES = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())
_EVENTS = st.tuples(_PURPOSES, _NUMBERS, _NUMBERS, _NUMBERS)


@given(_EVENTS, _EVENTS)
def test_two_places_never_share_an_identity(one: tuple[str, int, int, int], other: tuple[str, int, int, int]) -> None:
    """Identities are equal only where everything in them is."""
    assert (_PLACE.events(*one) == _PLACE.events(*other)) == (one == other)


def test_kinds_never_share_an_identity() -> None:
    """Head, session, sender and events of one conversation differ."""
    identities = {_PLACE.head(1), _PLACE.closed_session(1, 1), _PLACE.sender(), _PLACE.events("service", 1, 1, 1)}
    assert len(identities) == 4


def test_subjects_and_conversations_never_share_an_identity() -> None:
    """Exchanging subject and conversation gives another identity."""
    assert Place(b"a" * 16, b"b" * 16).head(1) != Place(b"b" * 16, b"a" * 16).head(1)


def test_encoding_is_that_of_the_specification() -> None:
    """The bytes are those that docs/spec/segment.md gives."""
    assert (
        _PLACE.events("ab", 1, 2, 3)
        == b"\x01" + b"s" * 16 + b"c" * 16 + b"\x02ab" + bytes(7) + b"\x01" + bytes(7) + b"\x02" + bytes(7) + b"\x03"
    )


@pytest.mark.parametrize("purpose", ["", "x" * 256, "\ud800", b"bytes"])
def test_a_purpose_that_has_no_encoding_is_refused(purpose: str) -> None:
    """Empty, long and invalid names are refused, of another type too."""
    with pytest.raises(StorageError, match="purpose name"):
        purpose_bytes(purpose)


def test_ids_of_the_wrong_length_are_refused() -> None:
    """A place needs two ids of 16 bytes."""
    with pytest.raises(StorageError):
        Place(b"short", b"c" * 16)


@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_number_out_of_range_is_refused(number: int) -> None:
    """Numbers are 64 bits without a sign."""
    with pytest.raises(StorageError, match="number"):
        _PLACE.head(number)


@given(
    purpose=st.from_regex(r"[a-z_\u00e4]{1,40}", fullmatch=True), numbers=st.tuples(*[st.integers(0, 2**64 - 1)] * 3)
)
def test_identities_of_many_are_those_of_their_places(purpose: str, numbers: tuple[int, int, int]) -> None:
    """Of sender id, head manifest and events."""
    subject_id, conversation_id = b"s" * 16, b"c" * 16
    place, many, ids = Place(subject_id, conversation_id), Identities(purpose), subject_id + conversation_id
    assert many.sender(ids) == place.sender()
    assert many.head(ids, numbers[0]) == place.head(numbers[0])
    assert many.events(ids, *numbers) == place.events(purpose, *numbers)
    with pytest.raises(StorageError, match="not within"):
        many.head(ids, -1)
