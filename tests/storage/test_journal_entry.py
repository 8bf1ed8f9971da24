"""The bytes of the erasure journal's entries, and their chain (docs/spec/journal.md, sections 2 and 3)."""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import JournalError
from rasa_privacy.storage.journal_entry import (
    MAX_ENTRY_BYTES,
    Chain,
    Entry,
    Erased,
    PartErased,
    Withdrawn,
    decode,
    encode,
)

_VECTORS = json.loads(Path("tests/vectors/journal.json").read_text(encoding="utf-8"))
_NOW = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=timezone.utc)
_SUBJECTS = st.binary(min_size=16, max_size=16)
_MOMENTS = st.datetimes(timezones=st.just(timezone.utc))
_WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)
_COUNTS = st.dictionaries(_WORDS, st.integers(0, 2**53), max_size=4)
_KEY_IDS = st.dictionaries(
    _WORDS, st.just("") | st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=3
)
_ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.builds(Erased, _SUBJECTS, _MOMENTS, _WORDS, _COUNTS),
    st.builds(Withdrawn, _SUBJECTS, _MOMENTS, _WORDS),
    st.builds(PartErased, _SUBJECTS, _MOMENTS, _WORDS, _COUNTS, _KEY_IDS),
)


@given(_ENTRIES)
def test_what_is_encoded_is_decoded(entry: Entry) -> None:
    """Decoding is the inverse of encoding, and each entry is one line."""
    raw = encode(entry)
    assert decode(raw) == entry
    assert b"\n" not in raw


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda tail: b'["erased",' + tail)))
def test_any_bytes_are_an_entry_or_an_error(raw: bytes) -> None:
    """Nothing but a `JournalError` comes out, and accepted bytes re-encode to themselves."""
    try:
        entry = decode(raw)
    except JournalError:
        return
    assert encode(entry) == raw


@given(_ENTRIES, st.data())
def test_one_changed_byte_is_another_entry_or_an_error(entry: Entry, data: st.DataObject) -> None:
    """There are no two ways to write one entry."""
    raw = bytearray(encode(entry))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    try:
        other = decode(bytes(raw))
    except JournalError:
        return
    assert other != entry


@pytest.mark.parametrize("raw", _VECTORS["refused"].values(), ids=_VECTORS["refused"].keys())
def test_what_is_not_canonical_is_refused(raw: str) -> None:
    """Each of these is JSON, or nearly, and no entry."""
    with pytest.raises(JournalError):
        decode(raw.encode())


@pytest.mark.parametrize(
    "entry",
    [
        Withdrawn(bytes(15), _NOW, "draw"),
        Withdrawn(bytes(16), _NOW.replace(tzinfo=None), "draw"),
        Withdrawn(bytes(16), _NOW.astimezone(timezone(timedelta(hours=1))), "draw"),
        Withdrawn(bytes(16), _NOW, ""),
        Withdrawn(bytes(16), _NOW, "x" * 256),
        Withdrawn(bytes(16), _NOW, "\ud800"),
        Erased(bytes(16), _NOW, "x" * 65, {}),
        Erased(bytes(16), _NOW, "ER-1", {"events": -1}),
        Erased(bytes(16), _NOW, "ER-1", {str(number): number for number in range(129)}),
        Erased(bytes(16), _NOW, "ER-1", {"x" * 130: 1}),
    ],
)
def test_what_could_not_be_read_back_is_not_written(entry: Entry) -> None:
    """An entry with a field out of its bounds is refused before it stands in the journal for ever."""
    with pytest.raises(JournalError) as caught:
        encode(entry)
    assert "draw" not in str(caught.value)


def test_the_length_is_capped() -> None:
    """Longer bytes are refused before they are parsed."""
    with pytest.raises(JournalError, match="longer"):
        decode(b"[" * (MAX_ENTRY_BYTES + 1))


def test_the_vectors_hold() -> None:
    """Links and bytes are those of the specification's vectors."""
    chain = Chain(BlindIndex(bytes.fromhex(_VECTORS["index_key"])))
    position = chain.start
    assert position.link.hex() == _VECTORS["start"]
    for vector in _VECTORS["entries"]:
        linked = chain.follow(position, vector["entry"].encode())
        assert encode(decode(linked.raw)) == linked.raw
        assert (linked.position.number, linked.position.link.hex()) == (vector["number"], vector["link"])
        position = linked.position


def test_each_link_covers_all_before_it() -> None:
    """The same entry has another link elsewhere, after others, and in another database."""
    chain, other = Chain(BlindIndex(bytes(32))), Chain(BlindIndex(bytes(31) + b"1"))
    raw = encode(Withdrawn(bytes(16), _NOW, "draw"))
    first = chain.follow(chain.start, raw)
    second = chain.follow(first.position, raw)
    assert len({first.position.link, second.position.link, other.follow(other.start, raw).position.link}) == 3
    assert chain.follow_all(chain.start, [raw, raw]) == [first, second]
