"""What holds on SQLite, PostgreSQL and MariaDB alike. The modules named in `conftest.py` run on each of them too."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rasa_privacy.errors import ContentionError, LedgerError, PrivacyError, StorageError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.notices import StoredNotice, notice_hash
from rasa_privacy.storage.opened_conversation import NOT_STORED
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.forger import falsify

Sql = Callable[..., list[Any]]
Save = Callable[..., int]
Load = Callable[..., Any]
_NUMBERS = count()


@pytest.fixture
def second(vault: Vault, settings: StoreSettings, now: datetime) -> Iterator[Vault]:
    """Return the store as another process has it open."""
    assert vault.database.dialect
    opened = open_vault(settings, clock=lambda: now)
    yield opened
    opened.close()


@pytest.fixture
def record(now: datetime) -> LedgerRecord:
    """Return a record."""
    return LedgerRecord(bytes(16), "draw", "asked", bytes(32), "en", "button", "rest", now)


def test_a_reader_sees_one_state(vault: Vault, second: Vault, record: LedgerRecord) -> None:
    """What is written during a read transaction is not seen in it."""
    with vault.database.read() as reader:
        assert list(vault.ledger.iterate(reader)) == []
        second.database.transact(lambda conn: second.ledger.append(conn, record))
        assert list(vault.ledger.iterate(reader)) == []
    with vault.database.read() as reader:
        assert list(vault.ledger.iterate(reader)) == [record]


def test_a_failed_transaction_leaves_nothing(vault: Vault, record: LedgerRecord) -> None:
    """An error within a write undoes it."""
    with pytest.raises(LookupError), vault.database.write() as conn:
        vault.ledger.append(conn, record)
        raise LookupError
    with vault.database.read() as conn:
        assert list(vault.ledger.iterate(conn)) == []


def test_a_lost_race_is_run_again(vault: Vault, now: datetime) -> None:
    """`transact` begins anew after a ContentionError, and gives up with it in the end."""
    attempts: list[bytes] = []

    def work(conn: Any) -> bytes:
        attempts.append(vault.subjects.find_or_create(conn, "jane@canary.example", now))
        if len(attempts) < 3:
            raise ContentionError("another was first")
        return attempts[-1]

    subject_id = vault.database.transact(work)
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, "jane@canary.example") == subject_id
    assert len(set(attempts)) == 3
    with pytest.raises(ContentionError), vault.database.write() as conn:
        raise ContentionError("always")


def test_who_waits_for_an_erasure_finds_nobody(vault: Vault, now: datetime) -> None:
    """A save that asks for a person while somebody erases them gets no subject, and none that is gone."""
    subject_id = vault.database.transact(lambda conn: vault.subjects.find_or_create(conn, "jane@canary.example", now))
    locked, found = Event(), []

    def erase(conn: Any) -> None:
        assert vault.subjects.find_for_update(conn, "jane@canary.example") == subject_id
        locked.set()
        time.sleep(0.2)  # so that the other waits for the lock, which no test can see
        vault.erasures.bury(conn, subject_id, now, "RP-1", {})

    def ask() -> None:
        locked.wait(10)
        found.append(vault.database.transact(lambda conn: vault.subjects.find_for_update(conn, "jane@canary.example")))

    other = Thread(target=ask)
    other.start()
    vault.database.transact(erase)
    other.join(30)
    assert found == [None]


@pytest.mark.parametrize(("erases", "version"), [(False, 2), (True, NOT_STORED)])
def test_what_is_read_with_the_lock_is_what_was_there_once_it_was_held(
    vault: Vault, save: Save, now: datetime, *, erases: bool, version: int
) -> None:
    """Lock and read go to a server together; who waits for another save, or an erasure, sees what that left."""
    save("jane@canary.example", ["hello"])
    locked, found = Event(), []

    def change(conn: Any) -> None:
        subject_id = vault.subjects.find_for_update(conn, "jane@canary.example")
        assert subject_id is not None
        locked.set()
        time.sleep(0.2)  # so that the other waits for the lock, which no test can see
        if erases:
            vault.erasures.bury(conn, subject_id, now, "RP-1", {})
        else:
            vault.conversations.append(conn, "jane@canary.example", 1, ["again"], {}, [], now)

    with vault.database.read() as conn:
        subject_id = vault.subjects.find(conn, "jane@canary.example")
    assert subject_id is not None

    def read(conn: Any) -> int:
        vault.subjects.lock_first(conn, subject_id)
        return vault.conversations.open_head(conn, "jane@canary.example").version

    def ask() -> None:
        locked.wait(10)
        found.append(vault.database.transact(read))

    other = Thread(target=ask)
    other.start()
    vault.database.transact(change)
    other.join(30)
    assert found == [version]


def test_a_notice_is_kept_once(vault: Vault) -> None:
    """Putting it again changes nothing, and every letter comes back, whatever the script."""
    parts = ("draw", "1", "en", "Dürfen wir? 🎁 \u202e " + "x" * 20_000)
    notice = StoredNotice(notice_hash(*parts), *parts)
    for _ in range(2):
        vault.database.transact(lambda conn: vault.notices.put(conn, notice))
    with vault.database.read() as conn:
        assert vault.notices.get(conn, notice.hash) == notice


def test_names_differ_where_a_byte_differs(vault: Vault, now: datetime) -> None:
    """Neither case nor accents nor a blank at the end make two purposes one, as some collations would."""
    names = ["draw", "Draw", "dräw", "draw "]

    def make(conn: Any) -> bytes:
        subject_id = vault.subjects.find_or_create(conn, "a", now)
        for name in names:
            vault.data_keys.get_or_create(conn, subject_id, name, now)
        return subject_id

    subject_id = vault.database.transact(make)
    with vault.database.read() as conn:
        assert set(vault.data_keys.due_of(conn, subject_id)) == {"service", *names}


def test_a_large_entry_comes_back(save: Save, load: Load) -> None:
    """A megabyte that cannot be compressed fits."""
    value = "".join(map(chr, range(0x4E00, 0x9000))) * 20
    save("a", [["event", value]])
    assert load("a").structure == [["event", value]]


def _says_only(error: Exception, words: str) -> None:
    assert words in str(error)
    assert "Jane" not in str(error)


@pytest.mark.parametrize("value", ["x" * 300, "Jane \ud800", "Jane \0 Canary"])
def test_an_unsuitable_text_is_refused_or_kept_whole(vault: Vault, record: LedgerRecord, value: str) -> None:
    """It is never cut or changed, and the error does not repeat it."""
    try:
        vault.database.transact(lambda conn: vault.ledger.append(conn, replace(record, channel=value)))
    except StorageError as error:  # some databases can keep some of these
        _says_only(error, "cannot be stored")
    else:
        with vault.database.read() as conn:
            assert [each.channel for each in vault.ledger.iterate(conn)] == [value]


def test_the_ledger_is_read_in_pages(vault: Vault, record: LedgerRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    """No record is left out or read twice where a page ends."""
    monkeypatch.setattr("rasa_privacy.storage.paging._PAGE_ROWS", 3)
    for number in range(7):
        each = replace(record, channel=str(number))
        vault.database.transact(lambda conn, each=each: vault.ledger.append(conn, each))  # type: ignore[misc]
        with vault.database.read() as conn:
            vault.ledger.verify(conn)
            assert [found.channel for found in vault.ledger.iterate(conn)] == [str(n) for n in range(number + 1)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((name, "granted") for name in ("purpose", "event", "language", "method", "channel")),
        *((name, b"\x01" * 16) for name in ("subject_id", "notice_hash", "link")),
        ("at", 7),
        ("seq", 7),
        ("seq", -7),
    ],
)
def test_a_changed_record_is_found(vault: Vault, record: LedgerRecord, sql: Sql, column: str, value: object) -> None:
    """Any change of any field makes the ledger fail to verify."""
    for _ in range(3):
        vault.database.transact(lambda conn: vault.ledger.append(conn, record))
    falsify(sql, 2, column, value)
    with pytest.raises(LedgerError, match=r"record [12] "), vault.database.read() as conn:
        vault.ledger.verify(conn)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE conversations SET manifest = NULL", ()),
        ("UPDATE conversations SET manifest = ?", (b"\x01" * 90,)),
        ("UPDATE conversations SET version = version + 1", ()),
        ("UPDATE conversations SET version = 0", ()),
        ("UPDATE conversations SET session = 1", ()),
        ("UPDATE conversations SET conversation_id = ?", (b"\x01" * 16,)),
        ("UPDATE data_keys SET wrapped = ? WHERE purpose = 'service'", (b"\x01" * 68,)),
        ("UPDATE data_keys SET wrapped = ? WHERE purpose = 'draw'", (b"\x01" * 68,)),
        ("UPDATE data_keys SET purpose = 'other' WHERE purpose = 'service'", ()),
        ("DELETE FROM data_keys WHERE purpose = 'service'", ()),
        ("DELETE FROM segments WHERE purpose = 'draw'", ()),
        ("DELETE FROM segments", ()),
        ("UPDATE segments SET sealed = ? WHERE purpose = 'service'", (b"",)),
        ("UPDATE segments SET sealed = ? WHERE purpose = 'draw'", (b"RPS\x02" + bytes(90),)),
        ("UPDATE segments SET number = number + 100 * session, session = 9", ()),
        ("DELETE FROM sessions", ()),
        ("UPDATE sessions SET version = version + 1", ()),
        ("UPDATE sessions SET session = 9", ()),
        ("UPDATE sessions SET manifest = ?", (b"\x01" * 90,)),
    ],
)
def test_plain_sql_is_noticed(save: Save, load: Load, sql: Sql, statement: str, values: tuple[object, ...]) -> None:
    """No change of keys, head, sessions or rows is loaded as if it were right."""
    save("a", [["one"], ["two"]], {"draw": [[0, "x"]]})
    save("a", [["three"]], {"draw": [[2, "y"]]}, starts=[0])
    sql(statement, values)
    with pytest.raises(PrivacyError):
        load("a", all_sessions=True)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 3), st.booleans()), min_size=1, max_size=8))
def test_what_was_appended_is_what_is_loaded(
    vault: Vault, save: Save, load: Load, now: datetime, turns: list[tuple[str, int, bool]]
) -> None:
    """Two conversations hold what lists would hold, erasures included, turn by turn."""
    model: dict[str, list[Any]] = {}
    for number, (sender, length, erases) in enumerate(turns):
        if erases and sender in model:
            _bury(vault, sender, now)
            del model[sender]
            assert load(sender) is None
        first = len(model.get(sender, []))
        new = [[sender, first + offset] for offset in range(length)]
        save(sender, new, {"draw": [[first, number]]}, starts=[0] if number % 3 == 2 else [])
        model.setdefault(sender, []).extend(new)
        assert load(sender, all_sessions=True).structure == model[sender]
    for sender in model:
        _bury(vault, sender, now)


def _bury(vault: Vault, sender: str, now: datetime) -> None:
    certificate = f"ER-{next(_NUMBERS)}"

    def work(conn: Any) -> None:
        subject_id = vault.subjects.find_for_update(conn, sender)
        assert subject_id is not None
        vault.erasures.bury(conn, subject_id, now, certificate, {})

    vault.database.transact(work)


def test_errors_carry_no_values(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    """A failing statement shows neither its parameters nor itself, in the error or in a log."""
    caplog.set_level("DEBUG")
    with pytest.raises(StorageError) as caught, vault.database.write() as conn:
        conn.execute(text("INSERT INTO nowhere VALUES (:value)"), {"value": "Jane Canary"})
    for shown in (str(caught.value), repr(caught.value), caplog.text):
        assert "Jane" not in shown
        assert "INSERT" not in shown
    assert caught.value.__cause__ is None
    with vault.database.read() as conn:
        assert conn.execute(text("SELECT 1")).scalar() == 1
