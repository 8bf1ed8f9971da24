"""Somebody changes the file with plain SQL and without the key."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasa_privacy.errors import KeyDestroyedError, MalformedSegmentError, PrivacyError, TamperedSegmentError
from rasa_privacy.storage import compaction

Save = Callable[..., int]
Load = Callable[..., Any]
Sql = Callable[..., list[Any]]


@pytest.fixture
def saved(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store two people with three sessions each, several segments in the last one."""
    monkeypatch.setattr(compaction, "MAX_TAIL_BYTES", 0)  # short segments would be written again as one
    for sender in ("jane@canary.example", "other"):
        save(sender, [f"{sender} 0", f"{sender} 1"], {"draw": [[0, "canary value"]]})
        save(sender, [f"{sender} 2"], {"draw": [[2, "canary value"]]}, starts=[0])
        save(sender, [f"{sender} 3"], {"draw": [[3, "canary value"]], "news": [[3, "canary value"]]}, starts=[0])
        save(sender, [f"{sender} 4"], {"draw": [[4, "canary value"]]})
        save(sender, [f"{sender} 5"], {"draw": [[5, "canary value"]]})


def _refused(load: Load, match: str, *, all_sessions: bool = False) -> None:
    """See that loading is refused with a message that names the place and nothing of the content."""
    with pytest.raises((TamperedSegmentError, MalformedSegmentError), match=match) as caught:
        load("jane@canary.example", all_sessions=all_sessions)
    assert "canary" not in str(caught.value)


#: Finds what `_last` returns.
_ROW = "conversation_ref = ? AND session = 3 AND number = ?"


def _last(sql: Sql, purpose: str, conversation: int = 1) -> list[tuple[int, int]]:
    """Return conversation and number of the last session's segments."""
    statement = "SELECT conversation_ref, number FROM segments WHERE conversation_ref = ? AND session = 3"
    return [(row[0], row[1]) for row in sql(f"{statement} AND purpose = ? ORDER BY 2", (conversation, purpose))]


@pytest.mark.parametrize("purpose", ["service", "draw"])
@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.usefixtures("saved")
def test_a_dropped_row_is_noticed(load: Load, sql: Sql, purpose: str, position: int) -> None:
    """A segment that is missing is named with what is left."""
    sql(f"DELETE FROM segments WHERE {_ROW}", _last(sql, purpose)[position])  # noqa: S608 - a constant
    _refused(load, f"purpose '{purpose}': the manifest lists 3 segments and the table holds 2")


@pytest.mark.usefixtures("saved")
def test_a_dropped_purpose_is_noticed(load: Load, sql: Sql) -> None:
    """All values of a purpose cannot vanish while its key is there."""
    sql("DELETE FROM segments WHERE purpose = 'draw'")
    _refused(load, "lists 3 segments and the table holds 0")


@pytest.mark.parametrize("purpose", ["service", "draw"])
@pytest.mark.usefixtures("saved")
def test_swapped_rows_are_noticed(load: Load, sql: Sql, purpose: str) -> None:
    """Two segments of one conversation and purpose cannot change places."""
    first, second, _ = _last(sql, purpose)
    _swap(sql, first, second)
    _refused(load, f"purpose '{purpose}', segment 0: the row is not the one")


def _sealed(sql: Sql, row: tuple[int, int]) -> bytes:
    return bytes(sql(f"SELECT sealed FROM segments WHERE {_ROW}", row)[0][0])  # noqa: S608 - a constant


def _put(sql: Sql, row: tuple[int, int], sealed: bytes) -> None:
    sql(f"UPDATE segments SET sealed = ? WHERE {_ROW}", (sealed, *row))  # noqa: S608 - a constant


def _swap(sql: Sql, one: tuple[int, int], two: tuple[int, int]) -> None:
    first, second = _sealed(sql, one), _sealed(sql, two)
    _put(sql, one, second)
    _put(sql, two, first)


@pytest.mark.usefixtures("saved")
def test_swapped_purposes_are_noticed(load: Load, sql: Sql) -> None:
    """Values cannot be moved to another purpose."""
    _swap(sql, _last(sql, "draw")[0], _last(sql, "news")[0])
    _refused(load, "segment 0: the row is not the one")


@pytest.mark.usefixtures("saved")
def test_swapped_people_are_noticed(load: Load, sql: Sql) -> None:
    """A segment of another person is refused."""
    _swap(sql, _last(sql, "service", 1)[1], _last(sql, "service", 2)[1])
    _refused(load, "purpose 'service', segment 1")


@pytest.mark.usefixtures("saved")
def test_reordered_rows_are_noticed(load: Load, sql: Sql) -> None:
    """Rows that come in another order are refused, although each of them is listed."""
    first = _last(sql, "service")[0]
    sql(f"UPDATE segments SET number = 1000 WHERE {_ROW}", first)  # noqa: S608 - a constant
    _refused(load, "segment 0: the row is not the one")


@pytest.mark.usefixtures("saved")
def test_a_foreign_row_is_noticed(load: Load, sql: Sql) -> None:
    """A copied row, of a listed purpose or of another, is refused."""
    copy = (
        "INSERT INTO segments (conversation_ref, session, number, purpose, sealed) "
        "SELECT 1, 3, 99, ?, sealed FROM segments LIMIT 1"
    )
    sql(copy, ("news",))
    _refused(load, "lists 1 segments and the table holds 2")
    sql("DELETE FROM segments WHERE number = 99")
    load("jane@canary.example")
    sql(copy, ("unheard_of",))
    _refused(load, "rows of a purpose that the manifest does not list")


@pytest.mark.parametrize(
    "change", ["substr(sealed, 1, length(sealed) - 1)", "CAST(sealed || x'00' AS BLOB)", "x''", "'text'", "5"]
)
@pytest.mark.usefixtures("saved")
def test_a_truncated_or_longer_row_is_noticed(load: Load, sql: Sql, change: str) -> None:
    """A segment of another length or type is refused."""
    row = _last(sql, "service")[1]
    sql(f"UPDATE segments SET sealed = {change} WHERE {_ROW}", row)  # noqa: S608 - the values stand above
    _refused(load, "purpose 'service', segment 1")


@pytest.mark.usefixtures("saved")
def test_a_changed_body_with_its_tag_is_noticed(load: Load, sql: Sql) -> None:
    """Keeping the tag that the manifest lists does not help."""
    row = _last(sql, "service")[1]
    sealed = _sealed(sql, row)
    changed = sealed[:48] + bytes(byte ^ 0xFF for byte in sealed[48:50]) + sealed[50:]
    _put(sql, row, changed)
    _refused(load, "it was changed, or it was moved")


def test_an_old_row_put_back_is_noticed(save: Save, load: Load, sql: Sql) -> None:
    """After merging, the segments from before cannot come back."""
    sender = "jane@canary.example"
    save(sender, ["a"])
    old = sql("SELECT * FROM segments")
    for _ in range(3):
        save(sender, ["b"])
    assert sql("SELECT count(*) FROM segments") == [(1,)]
    sql("DELETE FROM segments")
    sql("INSERT INTO segments VALUES (?, ?, ?, ?, ?)", old[0])
    _refused(load, "segment 0: the row is not the one")


def test_an_old_manifest_put_back_is_noticed(save: Save, load: Load, sql: Sql) -> None:
    """The head of an earlier version does not open as a later one, nor fit the rows as itself."""
    sender = "jane@canary.example"
    save(sender, ["a"])
    old = sql("SELECT version, manifest FROM conversations")[0]
    save(sender, ["b"])
    sql("UPDATE conversations SET manifest = ?", (old[1],))
    _refused(load, "conversation 1, head manifest")
    sql("UPDATE conversations SET version = ?, manifest = ?", old)
    _refused(load, "the row is not the one that the manifest lists here")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE conversations SET manifest = NULL",
        "UPDATE conversations SET version = 0",
        "UPDATE conversations SET version = version + 1",
        "UPDATE conversations SET version = -1",
        "UPDATE conversations SET version = 'text'",
        "UPDATE conversations SET session = 2",
        "UPDATE conversations SET session = 'text'",
        "UPDATE conversations SET subject_id = randomblob(16)",
        "UPDATE conversations SET subject_id = 'text'",
        "UPDATE conversations SET conversation_id = randomblob(16)",
        "UPDATE conversations SET conversation_id = (SELECT subject_id FROM conversations ORDER BY 1 LIMIT 1)",
        "UPDATE conversations SET conversation_id = (SELECT conversation_id FROM conversations ORDER BY 1 LIMIT 1)",
        "UPDATE conversations SET subject_id = (SELECT subject_id FROM subjects ORDER BY created_at DESC, 1 DESC)",
        "UPDATE data_keys SET wrapped = randomblob(68)",
        "UPDATE data_keys SET purpose = x'00' WHERE purpose = 'service'",
        "UPDATE segments SET session = 2, number = number + 100 WHERE session = 3",
        "UPDATE segments SET purpose = x'00' WHERE purpose = 'draw'",
        "UPDATE segments SET conversation_ref = 3 - conversation_ref, number = number + 100",
    ],
)
@pytest.mark.usefixtures("saved")
def test_changed_columns_are_noticed(load: Load, sql: Sql, statement: str) -> None:
    """No column of the head, the keys or the rows can be changed for something else to be loaded."""
    untouched = load("jane@canary.example", all_sessions=True)
    sql(statement)
    try:
        found = load("jane@canary.example", all_sessions=True)
    except PrivacyError as error:
        assert "canary" not in str(error)  # noqa: PT017 - one statement may by chance name the right subject
    else:
        assert found == untouched


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM sessions WHERE session = 2",
        "DELETE FROM sessions WHERE session = 0",
        "UPDATE sessions SET session = 1 WHERE session = 2",
        "UPDATE sessions SET version = version + 1",
        "UPDATE sessions SET manifest = (SELECT manifest FROM sessions WHERE conversation_ref = 2)",
        "INSERT INTO sessions SELECT conversation_ref, 1, version, manifest FROM sessions WHERE session = 0",
        "UPDATE segments SET session = 17 WHERE session = 2",
        "DELETE FROM segments WHERE session = 0",
    ],
)
@pytest.mark.usefixtures("saved")
def test_changed_old_sessions_are_noticed(load: Load, sql: Sql, statement: str) -> None:
    """Old sessions cannot be dropped, moved, exchanged or added; the last one can still be read."""
    sql(statement)
    _refused(load, "conversation 1", all_sessions=True)
    assert load("jane@canary.example").event_count == 6


@pytest.mark.usefixtures("saved")
def test_a_tampered_old_session_is_not_blessed_by_a_change(save: Save, sql: Sql) -> None:
    """Adopting values into an old session verifies it first."""
    sql("UPDATE sessions SET manifest = (SELECT manifest FROM sessions WHERE session = 2) WHERE session = 0")
    with pytest.raises(TamperedSegmentError, match="closed sessions"):
        save("jane@canary.example", [], {"news": [[0, "x"]]})


@pytest.mark.usefixtures("saved")
def test_a_tampered_row_is_not_blessed_by_merging(save: Save, sql: Sql) -> None:
    """Merging opens what it merges, and refuses what the manifest does not list."""
    _swap(sql, *_last(sql, "service")[:2])
    with pytest.raises(TamperedSegmentError, match="segment 0"):
        save("jane@canary.example", ["one more makes four"])
    sql(f"DELETE FROM segments WHERE {_ROW}", _last(sql, "service")[0])  # noqa: S608 - a constant
    with pytest.raises(TamperedSegmentError, match="missing"):
        save("jane@canary.example", ["one more makes four"])


def test_a_tampered_short_row_is_not_blessed_by_the_next_save(save: Save, sql: Sql) -> None:
    """What is new is added only to the segment that the manifest lists, also where that is gone."""
    save("a", ["first"])
    old = sql("SELECT sealed FROM segments")[0]
    save("a", ["second"])
    sql("UPDATE segments SET sealed = ?", old)
    with pytest.raises(TamperedSegmentError, match="segment 0"):
        save("a", ["third"])
    sql("DELETE FROM segments")
    with pytest.raises(TamperedSegmentError, match="missing"):
        save("a", ["third"])


def test_an_old_short_row_put_back_is_noticed(save: Save, load: Load, sql: Sql) -> None:
    """A row as it was before the last save does not come back."""
    sender = "jane@canary.example"
    save(sender, ["first"])
    old = sql("SELECT sealed FROM segments")[0]
    save(sender, ["second"])
    sql("UPDATE segments SET sealed = ?", old)
    _refused(load, "segment 0: the row is not the one")


@pytest.mark.usefixtures("saved")
def test_a_moved_sender_id_is_noticed(vault: Any, sql: Sql) -> None:
    """The list of senders passes over a sealed name that stands in another row, and does not stop at it."""
    sql("UPDATE conversations SET sealed_sender = (SELECT sealed_sender FROM conversations WHERE conversation_ref = 2)")
    with vault.database.read() as conn:
        assert list(vault.senders.ids(conn)) == ["other"]


@pytest.mark.usefixtures("saved")
def test_a_database_without_its_key_rows_is_an_erased_one(load: Load, sql: Sql) -> None:
    """Where the keys are gone, what they sealed is reported as destroyed."""
    sql("DELETE FROM data_keys")
    with pytest.raises(KeyDestroyedError):
        load("jane@canary.example")


_TARGETS = [
    *(("conversations", column) for column in ("conversation_id", "subject_id", "version", "session", "manifest")),
    *(("sessions", column) for column in ("session", "version", "manifest")),
    *(("segments", column) for column in ("conversation_ref", "session", "number", "purpose", "sealed")),
    *(("data_keys", column) for column in ("purpose", "wrapped")),
]
_NAMES = {("data_keys", "purpose"): "wrapped", ("data_keys", "wrapped"): "hex(subject_id) || purpose"}
_VALUES = st.one_of(
    st.integers(-5, 2**63 - 1),
    st.binary(max_size=120),
    st.text(max_size=10),
    st.floats(allow_nan=False),
    st.integers(0, 6),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=st.sampled_from(_TARGETS), value=_VALUES, row=st.integers(0, 20))
@pytest.mark.usefixtures("saved")
def test_any_one_change_is_noticed_or_harmless(
    load: Load, sql: Sql, target: tuple[str, str], value: Any, row: int
) -> None:
    """Whatever one cell is changed to, loading gives the truth or one of our errors."""
    truth = load("jane@canary.example", all_sessions=True)
    table, column = target
    # A table in the order of its key has no number of a row, so a key is found by what is not changed of it.
    name = _NAMES.get((table, column), "rowid")
    where = f"(SELECT {name} FROM {table} LIMIT 1 OFFSET {row} % (SELECT count(*) FROM {table}))"  # noqa: S608
    which, before = sql(f"SELECT {name}, {column} FROM {table} WHERE {name} = {where}")[0]  # noqa: S608
    update = f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {name} = ?"  # noqa: S608
    sql(update, (value, which))
    try:
        found = load("jane@canary.example", all_sessions=True)
    except PrivacyError as error:
        assert "canary" not in str(error)  # noqa: PT017 - most changes are noticed, some change nothing
    else:
        assert found == truth
    finally:
        sql(update, (before, which))
    assert load("jane@canary.example", all_sessions=True) == truth
