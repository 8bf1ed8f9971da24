"""Conversations: appending, loading, dropping."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from rasa_privacy.errors import (
    ContentionError,
    ConversationConflictError,
    KeyDestroyedError,
    StorageError,
)
from rasa_privacy.storage import compaction, conversation_writer, payload
from rasa_privacy.storage.compaction import MERGE_WIDTH
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_SERVER

Save = Callable[..., int]
Load = Callable[..., Any]
Sql = Callable[..., list[Any]]


def _events(first: int, count: int) -> list[Any]:
    return [{"event": "user", "number": number} for number in range(first, first + count)]


def test_nobody_has_no_conversation(load: Load) -> None:
    """An unknown sender has nothing stored."""
    assert load("nobody") is None
    assert load("nobody", all_sessions=True) is None


def test_what_was_appended_is_loaded(save: Save, load: Load) -> None:
    """Structure and values come back with version and counts."""
    assert save("a", _events(0, 3), {"draw": [[1, "jane@x.example"]]}) == 1
    assert save("a", _events(3, 2), {"draw": [[3, "Jane"]], "news": [[3, "Jane"], [4, None]]}) == 2
    stored = load("a")
    assert stored.structure == _events(0, 5)
    assert stored.values == {"draw": [[1, "jane@x.example"], [3, "Jane"]], "news": [[3, "Jane"], [4, None]]}
    assert (stored.version, stored.first_seq, stored.event_count) == (2, 0, 5)
    assert len(stored.conversation_id) == len(stored.subject_id) == 16


def test_loading_gives_the_last_session_or_all(save: Save, load: Load) -> None:
    """The last session starts at its first event; all sessions start at 0."""
    save("a", _events(0, 3), {"draw": [[0, "x"]]})
    save("a", _events(3, 4), {"draw": [[3, "y"], [6, "z"]]}, starts=[2])
    save("a", _events(7, 1), starts=[0])
    last, every = load("a"), load("a", all_sessions=True)
    assert (last.first_seq, last.structure, last.values) == (7, _events(7, 1), {})
    assert (every.first_seq, every.structure) == (0, _events(0, 8))
    assert every.values == {"draw": [[0, "x"], [3, "y"], [6, "z"]]}
    assert last.event_count == every.event_count == 8


def test_values_can_be_adopted_later(save: Save, load: Load) -> None:
    """Another purpose may take values of earlier events, in old sessions too, without new events."""
    save("a", _events(0, 3), {"draw": [[0, "x"]]})
    save("a", _events(3, 3), {"draw": [[4, "y"]]}, starts=[0])
    save("a", _events(6, 1), starts=[0])
    assert save("a", [], {"news": [[0, "x"], [4, "y"], [6, "z"]]}) == 4
    assert load("a").values == {"news": [[6, "z"]]}
    assert load("a", all_sessions=True).values == {
        "draw": [[0, "x"], [4, "y"]],
        "news": [[0, "x"], [4, "y"], [6, "z"]],
    }


def test_an_old_session_can_be_extended_while_a_new_one_begins(save: Save, load: Load) -> None:
    """One append may touch old, current and new sessions at once."""
    save("a", _events(0, 2))
    save("a", _events(2, 2), starts=[0])
    save("a", _events(4, 4), {"draw": [[0, "o"], [3, "c"], [7, "n"], [5, "m"]]}, starts=[1, 3])
    every = load("a", all_sessions=True)
    assert every.structure == _events(0, 8)
    assert sorted(every.values["draw"]) == [[0, "o"], [3, "c"], [5, "m"], [7, "n"]]
    assert load("a").structure == _events(7, 1)


def test_a_second_writer_gets_a_conflict(save: Save, load: Load) -> None:
    """Whoever appends to another version than the stored one writes nothing."""
    save("a", _events(0, 1))
    save("a", _events(1, 1))
    for version in (0, 1, 3):
        with pytest.raises(ConversationConflictError, match="read and append again"):
            save("a", ["late"], version=version)
    with pytest.raises(ConversationConflictError, match="finds none"):
        save("unknown", ["late"], version=1)
    assert load("a").structure == _events(0, 2)
    assert load("unknown") is None


@pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
def test_who_writes_without_a_lock_and_comes_second_leaves_nothing(
    vault: Vault, save: Save, load: Load, now: datetime
) -> None:
    """On a server the version is compared with what is sent last; the transaction fails, and the next one works."""
    save("a", _events(0, 1))
    with pytest.raises(ContentionError), vault.database.write() as conn:
        opened = vault.conversations.open_head(conn, "a")
        save("a", _events(1, 1))
        vault.conversations.append(conn, "a", opened.version, ["late"], {"news": [[0, "x"]]}, [], now, opened)
    assert load("a").structure == _events(0, 2)
    assert load("a").values == {}
    save("a", _events(2, 1))
    assert load("a").structure == _events(0, 3)


def test_a_conversation_ends_where_its_numbers_do(save: Save, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers have 4 bytes; what is stored stays readable."""
    save("a", _events(0, 1))
    monkeypatch.setattr(conversation_writer, "MAX_NUMBER", 2)
    save("a", _events(1, 1))
    with pytest.raises(StorageError, match="more than 2 events or changes"):
        save("a", _events(2, 1))
    with pytest.raises(StorageError, match="more than 2 events or changes"):
        save("b", _events(0, 3))
    assert load("a").structure == _events(0, 2)


def test_the_id_of_a_conversation_is_its_persons(save: Save, load: Load, sql: Sql) -> None:
    """It is not stored, and each person has another one."""
    save("a", _events(0, 1))
    save("b", _events(0, 1))
    assert sql("SELECT conversation_id FROM conversations") == [(b"",), (b"",)]
    ids = {each: load(each).conversation_id for each in ("a", "b")}
    assert ids == {each: load(each).subject_id for each in ("a", "b")}
    assert ids["a"] != ids["b"]


def test_segments_are_counted_within_their_session(
    save: Save, load: Load, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over all purposes, from 1 on: what is merged comes last, and a value for an old session behind what that has."""
    monkeypatch.setattr(compaction, "MAX_TAIL_BYTES", 0)  # short segments would be written again as one
    save("a", _events(0, 1), {"draw": [[0, "x"]]})
    save("a", _events(1, 1))
    save("a", _events(2, 1), starts=[0])
    save("a", [], {"draw": [[1, "y"]]})
    found = sql("SELECT session, number, purpose FROM segments ORDER BY 1, 2")
    assert found == [(0, 2, "draw"), (0, 3, "service"), (0, 4, "draw"), (2, 1, "service")]
    assert load("a", all_sessions=True).values == {"draw": [[0, "x"], [1, "y"]]}


def test_a_refused_append_leaves_nothing(save: Save, load: Load, sql: Sql) -> None:
    """An entry that cannot be stored undoes the whole append."""
    save("a", _events(0, 1))
    with pytest.raises(StorageError):
        save("a", _events(1, 1), {"draw": [[99, "no such event"]]})
    with pytest.raises(StorageError):
        save("b", [object()])
    with pytest.raises(StorageError, match="service"):
        save("a", _events(1, 1), {"service": [[0, "x"]]})
    assert load("a").structure == _events(0, 1)
    assert sql("SELECT count(*) FROM subjects") == [(1,)]
    assert sql("SELECT count(*) FROM segments") == [(1,)]


def test_listing_and_counting(vault: Vault, save: Save) -> None:
    """Sender ids come back in clear to those who have the key."""
    save("+49 151", _events(0, 1))
    save("web-7", _events(0, 1))
    with vault.database.read() as conn:
        assert sorted(vault.senders.ids(conn)) == ["+49 151", "web-7"]
        assert vault.conversations.count(conn) == 2
        assert vault.conversations.exists(conn, "web-7")
        assert not vault.conversations.exists(conn, "web-8")
        assert vault.conversations.head(conn, "web-7") == (1, 1)


def test_the_newest_stored_bytes_can_be_shown(vault: Vault, save: Save, sql: Sql) -> None:
    """A demonstration can show the sealed bytes as they are in the table."""
    save("a", _events(0, 1), {"draw": [[0, "x"]]})
    with vault.database.read() as conn:
        newest = vault.senders.newest_sealed(conn, "a", 5)
        assert vault.senders.newest_sealed(conn, "nobody", 5) == []
    assert newest == sql("SELECT purpose, sealed FROM segments ORDER BY number DESC")
    assert newest[0][1].startswith(b"RPS\x02")


def test_dropping_a_purpose_takes_its_values_everywhere(vault: Vault, save: Save, load: Load, sql: Sql) -> None:
    """A dropped purpose loses its values in all sessions and keeps the others'."""
    save("a", _events(0, 3), {"draw": [[0, "x"]], "news": [[1, "n"]]})
    save("a", _events(3, 3), {"draw": [[4, "y"]]}, starts=[0])
    save("a", _events(6, 1), {"draw": [[6, "z"]]}, starts=[0])
    subject_id = load("a").subject_id
    with vault.database.write() as conn:
        assert vault.parts.drop_purpose(conn, subject_id, "draw") == 3
        assert vault.data_keys.destroy(conn, subject_id, "draw")
        assert vault.parts.drop_purpose(conn, subject_id, "draw") == 0
    every = load("a", all_sessions=True)
    assert every.values == {"news": [[1, "n"]]}
    assert every.structure == _events(0, 7)
    assert every.version == 4
    assert sql("SELECT count(*) FROM segments WHERE purpose = 'draw'") == [(0,)]
    with pytest.raises(ConversationConflictError):
        save("a", ["from before the withdrawal"], version=3)
    save("a", _events(7, 1), {"draw": [[7, "again"]]})
    assert load("a", all_sessions=True).values == {"news": [[1, "n"]], "draw": [[7, "again"]]}


def test_the_structure_cannot_be_dropped(vault: Vault, save: Save, load: Load) -> None:
    """Without the service purpose nothing could be read, so dropping it is refused."""
    save("a", _events(0, 1))
    with pytest.raises(StorageError, match="erase the subject"), vault.database.write() as conn:
        vault.parts.drop_purpose(conn, load("a").subject_id, "service")


def test_dropping_for_someone_without_events_is_no_error(vault: Vault, now: datetime) -> None:
    """A person who only consented has nothing to drop."""
    with vault.database.write() as conn:
        subject_id = vault.subjects.find_or_create(conn, "a", now)
        assert vault.parts.drop_purpose(conn, subject_id, "draw") == 0


def test_values_of_a_destroyed_key_are_left_out(vault: Vault, save: Save, load: Load) -> None:
    """Losing one purpose's key leaves the conversation usable, with those values gone."""
    save("a", _events(0, 2), {"draw": [[0, "x"]], "news": [[1, "n"]]})
    with vault.database.write() as conn:
        vault.data_keys.destroy(conn, load("a").subject_id, "draw")
    assert load("a").values == {"news": [[1, "n"]]}
    save("a", _events(2, 1), starts=[0])
    assert load("a", all_sessions=True).values == {"news": [[1, "n"]]}


def test_without_the_service_key_nothing_is_read(vault: Vault, save: Save, load: Load) -> None:
    """A half-done erasure is reported, not taken for a new person."""
    save("a", _events(0, 2))
    with vault.database.write() as conn:
        vault.data_keys.destroy(conn, load("a").subject_id, "service")
    with pytest.raises(KeyDestroyedError, match="finish the erasure"):
        load("a")
    with pytest.raises(KeyDestroyedError), vault.database.read() as conn:
        vault.conversations.head(conn, "a")


def test_a_long_session_is_a_few_rows(save: Save, load: Load, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows grow with the logarithm of the number of saves, and nothing is lost by merging."""
    monkeypatch.setattr(compaction, "MAX_TAIL_BYTES", 0)
    for number in range(150):
        save("a", _events(number, 1), {"draw": [[number, f"v{number}"]]} if number % 2 else {})
    stored = load("a")
    assert stored.structure == _events(0, 150)
    assert stored.values == {"draw": [[number, f"v{number}"] for number in range(1, 150, 2)]}
    for purpose, saves in (("service", 150), ("draw", 75)):
        ((rows,),) = sql("SELECT count(*) FROM segments WHERE purpose = ?", (purpose,))
        assert rows <= (MERGE_WIDTH - 1) * 4
        assert rows == sum(_digits(saves))


def test_short_segments_are_written_again_as_one(
    save: Save, load: Load, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is new joins the last segment until that is long enough; then the next one begins."""
    monkeypatch.setattr(compaction, "MAX_TAIL_BYTES", 100)
    for number in range(3):
        save("a", [f"{number:040}"])
        assert sql("SELECT count(*) FROM segments") == [(1 + number // 2,)]
    assert load("a").structure == [f"{number:040}" for number in range(3)]


def _digits(number: int) -> list[int]:
    """Return the digits to base MERGE_WIDTH: as many rows of each level are left."""
    return [] if number == 0 else [*_digits(number // MERGE_WIDTH), number % MERGE_WIDTH]


def test_a_session_that_ends_is_one_row_per_purpose(save: Save, load: Load, sql: Sql) -> None:
    """Old sessions take as little space as they can."""
    for number in range(3):
        save("a", _events(number, 1), {"draw": [[number, "x"]]})
    save("a", _events(3, 1), starts=[0])
    assert sql("SELECT purpose, count(*) FROM segments WHERE session = 0 GROUP BY 1") == [("draw", 1), ("service", 1)]
    assert load("a", all_sessions=True).structure == _events(0, 4)


def test_long_segments_are_not_merged(save: Save, load: Load, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where merging would make a segment too long, rows stay as they are and are left alone later."""
    monkeypatch.setattr(compaction, "MAX_TAIL_BYTES", 0)
    monkeypatch.setattr(compaction, "MAX_MERGED_BYTES", 40)
    monkeypatch.setattr(compaction, "MAX_CLOSING_BYTES", 40)
    for number in range(4 * MERGE_WIDTH):
        save("a", [f"{number:020}"])
    save("a", ["next"], starts=[0])
    assert load("a", all_sessions=True).structure == [*(f"{number:020}" for number in range(4 * MERGE_WIDTH)), "next"]
    assert sql("SELECT count(*) FROM segments") == [(4 * MERGE_WIDTH + 1,)]


def test_one_save_may_need_several_segments(save: Save, load: Load, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that is longer than a segment is cut, values too."""
    monkeypatch.setattr(payload, "MAX_PLAINTEXT_BYTES", 100)
    events = [f"{number:030}" for number in range(8)]
    save("a", events, {"draw": [[number, f"{number:030}"] for number in range(8)]})
    assert load("a").structure == events
    assert load("a").values["draw"] == [[number, f"{number:030}"] for number in range(8)]
    assert sql("SELECT count(*) FROM segments")[0][0] >= 2


def test_reading_the_last_session_costs_the_same_after_many(vault: Vault, save: Save, sql: Sql) -> None:
    """The head manifest does not grow with the number of sessions, and two queries read the last one."""
    sizes = []
    for number in range(40):
        save("a", _events(number, 1), starts=[0])
        sizes.append(sql("SELECT length(manifest) FROM conversations")[0][0])
    assert max(sizes[2:]) - min(sizes[2:]) <= 8
    statements: list[str] = []
    with vault.database.read() as conn:
        raw = conn.connection.dbapi_connection
        raw.set_trace_callback(statements.append)
        vault.conversations.load(conn, "a")
        raw.set_trace_callback(None)
    assert len(statements) == 2


def test_conversations_do_not_mix(save: Save, load: Load) -> None:
    """Two senders in turn keep to themselves."""
    for number in range(10):
        save("a", [["a", number]], {"draw": [[number, "a"]]})
        save("b", [["b", number]], {"draw": [[number, "b"]]})
    for sender in "ab":
        assert load(sender).structure == [[sender, number] for number in range(10)]
        assert load(sender).values == {"draw": [[number, sender] for number in range(10)]}
