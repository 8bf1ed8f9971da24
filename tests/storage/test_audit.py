"""The audit log: append-only, chained, signed, and readable page by page."""

import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.crypto.signing import SigningKey
from rasa_privacy.errors import AuditError, LedgerError, StorageError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage.audit import Verified, Wanted
from rasa_privacy.storage.audit_record import COLUMNS, AuditRecord, columns_of
from rasa_privacy.storage.books import AUDIT
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.books import check_removals

Sql = Callable[..., list[Any]]


@pytest.fixture
def record(now: datetime) -> AuditRecord:
    """Return a record."""
    named = {"purposes": ("draw",), "items": ("email",), "counts": {"values": 2}}
    return AuditRecord(now, "ana", "view", "done", "support", b"s" * 16, "ticket 17", **named)  # type: ignore[arg-type]


@pytest.fixture
def filled(vault: Vault, record: AuditRecord) -> list[AuditRecord]:
    """Return five records that are in the log, written in three transactions."""
    records = [replace(record, counts={"values": n}, at=record.at + timedelta(seconds=n)) for n in range(5)]
    assert vault.database.transact(lambda conn: vault.audit.append(conn, records[0])) == 1
    assert vault.database.transact(lambda conn: vault.audit.append(conn, *records[1:4])) == 4
    assert vault.database.transact(lambda conn: vault.audit.append(conn, records[4])) == 5
    return records


def verify(vault: Vault, *kept: Any) -> Verified:
    """Verify the log against checkpoints that were kept."""
    with vault.database.read() as conn:
        return vault.audit.verify(conn, kept=kept)


def test_records_come_back_in_order(vault: Vault, filled: list[AuditRecord]) -> None:
    """All of them, and the newest of those that are wanted."""
    with vault.database.read() as conn:
        assert [entry.record for entry in vault.audit.entries(conn)] == filled
        assert [entry.seq for entry in vault.audit.entries(conn, after=3)] == [4, 5]
        assert [entry.record for entry in vault.audit.newest(conn, Wanted(), 2)] == filled[3:]
    assert verify(vault) == Verified(5, 0, 0)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(operator="bob"), 1),
        (Wanted(verb="erase"), 1),
        (Wanted(outcome="refused"), 1),
        (Wanted(subject_id=b"s" * 16), 5),
    ],
)
def test_records_are_found_by_what_they_say(vault: Vault, now: datetime, wanted: Wanted, found: int) -> None:
    """By operator, verb, outcome and person."""
    other = AuditRecord(now, "bob", "erase", "refused")
    vault.database.transact(lambda conn: vault.audit.append(conn, other))
    with vault.database.read() as conn:
        assert len(vault.audit.newest(conn, wanted, 10)) == found


def test_records_are_found_by_time(vault: Vault, filled: list[AuditRecord]) -> None:
    """From a moment on, and before another."""
    wanted = Wanted(since=filled[1].at, until=filled[3].at)
    with vault.database.read() as conn:
        assert [entry.seq for entry in vault.audit.newest(conn, wanted, 10)] == [2, 3]


def test_links_follow_the_specification(filled: list[AuditRecord], sql: Sql) -> None:
    """The first link is the one that docs/spec/audit.md gives."""
    at = int(filled[0].at.timestamp()) * 1_000_000 + filled[0].at.microsecond
    details = '{"counts":{"values":0},"items":["email"],"purposes":["draw"]}'
    fields = [1, at, "ana", "support", "view", "done", b"s" * 16, "ticket 17", details]
    assert sql("SELECT link FROM audit WHERE seq = 1") == [(link(GENESIS, msgspec.msgpack.encode(fields)),)]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("column", [*COLUMNS[2:], "link", "mac"])
def test_a_changed_record_is_named(vault: Vault, sql: Sql, column: str) -> None:
    """Any field, on any database."""
    value = b"changed" if column in {"subject_id", "link", "mac"} else "changed"
    sql(f"UPDATE audit SET {column} = ? WHERE seq = 2", (value,))  # noqa: S608 - the columns stand above
    with pytest.raises(AuditError, match="record 2 was changed or added; restore"):
        verify(vault)


@pytest.mark.usefixtures("filled")
def test_a_removed_record_is_named(vault: Vault, sql: Sql) -> None:
    """In the middle, at the end, or all of them."""
    check_removals(AUDIT, "audit", sql, lambda: verify(vault))


@pytest.mark.usefixtures("filled")
def test_a_log_computed_anew_is_found(vault: Vault, record: AuditRecord, sql: Sql) -> None:
    """Who writes a whole new chain lacks the key of the hashes, also where only the newest records are shown."""
    columns = columns_of(5, replace(record, operator="bob", counts={"values": 4}, at=record.at + timedelta(seconds=4)))
    forged = link(sql("SELECT link FROM audit WHERE seq = 4")[0][0], msgspec.msgpack.encode(columns))
    sql("UPDATE audit SET operator = 'bob', link = ? WHERE seq = 5", (forged,))
    with pytest.raises(AuditError, match="record 5 was changed"):
        verify(vault)
    with pytest.raises(AuditError, match="record 5 was changed"), vault.database.read() as conn:
        vault.audit.newest(conn, Wanted(), 1)


@pytest.mark.usefixtures("filled")
def test_nothing_is_added_to_a_broken_end(vault: Vault, record: AuditRecord, sql: Sql) -> None:
    """A cut log is not continued, since that would hide the cut; so what had to be recorded does not happen."""
    sql("DELETE FROM audit WHERE seq = 5")
    with pytest.raises(AuditError, match="record 4 is not its true end"), vault.database.write() as conn:
        vault.audit.append(conn, record)


@pytest.mark.usefixtures("filled")
def test_a_checkpoint_that_was_kept_finds_an_older_state(vault: Vault, record: AuditRecord, sql: Sql) -> None:
    """A log that was put back whole verifies, but not against what lies elsewhere."""
    before = sql("SELECT name, value FROM meta WHERE name IN ('audit_head', 'audit_checkpoint_head')")
    vault.database.transact(lambda conn: vault.audit.append(conn, record))
    kept = vault.database.transact(vault.audit.checkpoint)
    assert verify(vault, kept) == Verified(6, 1, 6)
    sql("DELETE FROM audit WHERE seq = 6")
    sql("DELETE FROM audit_checkpoints")
    for name, value in before:
        sql("UPDATE meta SET value = ? WHERE name = ?", (value, name))
    verify(vault)
    with pytest.raises(AuditError, match="record 6 is missing: checkpoint 1 was signed over 6 records"):
        verify(vault, kept)


@pytest.mark.usefixtures("filled")
def test_checkpoints_cannot_be_taken_away_or_forged(vault: Vault, sql: Sql) -> None:
    """The last one is known by a keyed hash, and each by its signature."""
    vault.database.transact(vault.audit.checkpoint)
    rows = sql("SELECT number, seq, link, at, signature FROM audit_checkpoints")
    sql("DELETE FROM audit_checkpoints")
    with pytest.raises(AuditError, match="checkpoint 0 is not the last one that was made"):
        verify(vault)
    forged = SigningKey(b"k" * 32).sign(b"anything")
    sql("INSERT INTO audit_checkpoints VALUES (?, ?, ?, ?, ?)", (*rows[0][:4], forged))
    with pytest.raises(AuditError, match="checkpoint 1 was forged or changed"):
        verify(vault)


@pytest.mark.usefixtures("filled")
def test_a_checkpoint_is_signed_for_its_book_alone(vault: Vault) -> None:
    """One of the audit log is none of the consent ledger."""
    made = vault.database.transact(vault.audit.checkpoint)
    assert made is not None
    key = vault.signer.key.public()
    made.check(vault.signer.store_id, key, AUDIT)
    with pytest.raises(LedgerError, match="was forged"):
        made.check(vault.signer.store_id, key)


def test_every_thousand_records_are_signed(vault: Vault, record: AuditRecord) -> None:
    """Also where many are written at once; and pages of them verify."""
    vault.database.transact(lambda conn: vault.audit.append(conn, *[record] * 999))
    assert verify(vault) == Verified(999, 0, 0)
    vault.database.transact(lambda conn: vault.audit.append(conn, *[record] * 1200))
    assert verify(vault) == Verified(2199, 1, 2199)


def test_a_cleared_log_is_not_begun_anew(
    vault: Vault, settings: StoreSettings, filled: list[AuditRecord], sql: Sql
) -> None:
    """Without the mark that checkpoints have begun, a log with records does not verify, at the next start either."""
    assert filled
    sql("DELETE FROM meta WHERE name = 'audit_checkpoint_head'")
    vault.close()
    again = open_vault(settings)
    with pytest.raises(AuditError, match="is not the last one that was made"):
        verify(again)
    again.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"verb": "peek"},
        {"outcome": "perhaps"},
        {"operator": "Ana Lindqvist <ana@x.example>"},
        {"operator": ""},
        {"reason": "two\nlines"},
        {"reason": "x" * 256},
        {"subject_id": b"short"},
        {"counts": {"a value": 1}},
        {"counts": {"values": -1}},
        {"counts": {"values": "ana@x.example"}},
        {"at": datetime(2026, 11, 23)},  # noqa: DTZ001 - what is refused
    ],
)
def test_a_record_of_the_wrong_form_is_refused(record: AuditRecord, wrong: dict[str, Any]) -> None:
    """And the message does not repeat it."""
    with pytest.raises(AuditError) as caught:
        replace(record, **wrong)
    assert "ana@x.example" not in str(caught.value)


def test_a_record_of_no_meaning_is_named(vault: Vault, record: AuditRecord, sql: Sql) -> None:
    """One that verifies and says nothing, which only who has the keys can write, is an error and no crash."""
    columns = list(columns_of(1, record))
    columns[3], columns[8] = "support", "not JSON"
    raw = msgspec.msgpack.encode(columns)
    made = link(GENESIS, raw)
    row = (*columns, made, vault.audit._mac(raw, made))
    sql("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    sql("INSERT INTO meta VALUES ('audit_head', ?)", (vault.audit._head(1, made),))
    assert verify(vault).records == 1
    with pytest.raises(AuditError, match="record 1 has no meaning"), vault.database.read() as conn:
        list(vault.audit.entries(conn))


def test_what_is_rolled_back_is_not_recorded(vault: Vault, record: AuditRecord) -> None:
    """A change that fails takes its record with it, and one that cannot be recorded does not happen."""

    def change(conn: Any) -> None:
        vault.audit.append(conn, record)
        raise StorageError("the change failed")

    with pytest.raises(StorageError, match="the change failed"):
        vault.database.transact(change)
    assert verify(vault).records == 0


def test_many_writers_leave_one_chain(vault: Vault, record: AuditRecord) -> None:
    """Those that write the first record at once too; no number is missing or taken twice."""
    together = threading.Barrier(4)

    def write(_: int) -> None:
        together.wait()
        for _ in range(5):
            vault.database.transact(lambda conn: vault.audit.append(conn, record))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    assert verify(vault) == Verified(20, 0, 0)


def test_a_long_log_is_verified_page_by_page(vault: Vault, record: AuditRecord) -> None:
    """What verifying needs does not grow with the log; `bench/audit.py` does it with a million records."""

    def peak() -> int:
        tracemalloc.start()
        verify(vault)
        needed = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return needed

    vault.database.transact(lambda conn: vault.audit.append(conn, *[record] * 2_500))
    short = peak()
    vault.database.transact(lambda conn: vault.audit.append(conn, *[record] * 4_500))
    assert verify(vault) == Verified(7_000, 2, 7_000)
    assert peak() < 1.2 * short
