"""How one append is cut into sessions; payloads and their caps."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.errors import MalformedSegmentError, StorageError
from rasa_privacy.storage import payload as module
from rasa_privacy.storage.batch import assign_values, needs_old_sessions, parts_of
from rasa_privacy.storage.payload import entries_of, merged, payloads


def test_events_without_a_start_go_to_the_current_session() -> None:
    """Without a session start there is one part, after what is stored."""
    (part,) = parts_of(7, 3, ["a", "b"], [])
    assert (part.session, part.first_seq, part.structure) == (3, 7, ["a", "b"])


def test_each_start_begins_a_session() -> None:
    """What comes before the first start belongs to the current session, empty or not."""
    parts = parts_of(7, 3, ["a", "b", "c"], [0, 2])
    assert [(part.session, part.first_seq, part.structure) for part in parts] == [
        (3, 7, []),
        (7, 7, ["a", "b"]),
        (9, 9, ["c"]),
    ]


def test_the_first_event_begins_the_empty_session() -> None:
    """A start at the first event of an empty session does not leave an empty session behind."""
    (part,) = parts_of(0, 0, ["a", "b"], [0])
    assert (part.session, part.structure) == (0, ["a", "b"])


@pytest.mark.parametrize("starts", [[2], [-1], [1, 1], [1, 0]])
def test_impossible_starts_are_refused(starts: Sequence[int]) -> None:
    """Starts must rise and lie within the structure."""
    with pytest.raises(StorageError, match="rising offsets"):
        parts_of(0, 0, ["a", "b"], starts)


def test_values_go_to_the_session_of_their_event() -> None:
    """Values of new, current and old events find their sessions; old ones come first."""
    values = {"draw": [[9, "new"], [5, "current"], [1, "old"]], "news": [[0, "old too"]]}
    parts = assign_values(parts_of(7, 4, ["a", "b", "c"], [1]), [0, 2], values, 10)
    assert [(part.session, part.values) for part in parts] == [
        (0, {"draw": [[1, "old"]], "news": [[0, "old too"]]}),
        (4, {"draw": [[5, "current"]]}),
        (8, {"draw": [[9, "new"]]}),
    ]
    assert needs_old_sessions(4, values, 10)
    assert not needs_old_sessions(4, {"draw": [[4, "x"]]}, 10)


@pytest.mark.parametrize("entry", [[10, "x"], [-1, "x"], ["0", "x"], [True], [], "text", None, {"seq": 1}])
def test_a_value_without_its_event_is_refused(entry: Any) -> None:
    """A value entry begins with the number of an event that is there."""
    with pytest.raises(StorageError, match="must begin with the number") as caught:
        needs_old_sessions(0, {"draw": [entry]}, 10)
    assert "text" not in str(caught.value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(_JSON, min_size=1, max_size=10))
def test_entries_come_back(entries: list[Any]) -> None:
    """What MessagePack can hold comes back as it was."""
    ((count, payload),) = payloads(entries)
    assert count == len(entries)
    assert entries_of(payload, count) == entries


@given(st.lists(st.lists(_JSON, max_size=4), min_size=1, max_size=5))
def test_merging_joins_in_order(parts: list[list[Any]]) -> None:
    """A merged payload holds the entries of all parts in order."""
    whole = [entry for part in parts for entry in part]
    assert entries_of(merged([module._encode(part) for part in parts]), len(whole)) == whole


def test_a_long_run_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that do not fit into one segment become several, in order and complete."""
    monkeypatch.setattr(module, "MAX_PLAINTEXT_BYTES", 100)
    entries = [f"{number:020}" for number in range(30)]
    runs = list(payloads(entries))
    assert all(len(payload) <= 100 for _, payload in runs)
    assert [entry for count, payload in runs for entry in entries_of(payload, count)] == entries
    with pytest.raises(StorageError, match="over the cap"):
        list(payloads(["x" * 101]))


def test_odd_values_do_not_lose_the_turn() -> None:
    """Lone surrogates and very large integers are stored as near as possible."""
    entries = [{"text\ud800": ["a\udfffb", 2**70, -(2**70), 10**400, (1, True)]}]
    ((count, payload),) = payloads(entries)
    infinite = float("inf")
    assert entries_of(payload, count) == [{"text?": ["a?b", float(2**70), -float(2**70), infinite, [1, True]]}]


def test_what_has_no_stored_form_is_refused_without_its_value() -> None:
    """An object, or nesting without end, is an error that names the kind only."""

    class Secret:
        """A value that MessagePack cannot hold."""

        def __repr__(self) -> str:
            return "jane@canary.example"

    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for entry in (Secret(), deep, {Secret(): "\ud800"}):
        with pytest.raises(StorageError, match="stored form") as caught:
            list(payloads([entry]))
        assert "canary" not in str(caught.value)
    while deep:
        deep = deep[0]


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x91", b"\x92\x01\x02", b"\x81\xa1a\x01"])
def test_a_payload_of_another_form_is_refused(payload: bytes) -> None:
    """A payload is an array of exactly as many entries as its identity says."""
    with pytest.raises(MalformedSegmentError):
        entries_of(payload, 1)
