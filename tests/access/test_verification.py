"""Verifying the books from where they were verified last: what each way finds, and what no mark can hide."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.verification import WHOLE_EVERY, note, standing_of, verified, whole_audit, whole_ledger
from rasa_privacy.errors import AuditError, LedgerError, PrivacyError, StorageError
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.books import AUDIT, LEDGER, Book
from rasa_privacy.storage.checkpoints import EVERY_RECORDS
from rasa_privacy.storage.standing import Mark, Standing, write_mark
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.forger import falsify, make_older
from tests.support.vaults import Clock, grant

Sql = Callable[..., list[Any]]
each_database = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
_HEADS = "('audit_head', 'audit_checkpoint_head')"


def add(vault: Vault, number: int = 1, operator: str = "ana") -> None:
    """Add records to the audit log."""
    made = AuditRecord(vault.clock(), operator, "view", subject_id=b"s" * 16)
    vault.database.transact(lambda conn: vault.audit.append(conn, *[made] * number))


def look(vault: Vault, book: Book = AUDIT) -> Standing:
    """Verify what is new in a book, as a report does, and keep that."""
    with vault.database.read() as conn:
        found = verified(vault, conn, book, vault.clock())
    note(vault, "ana", **{"audit" if book is AUDIT else "ledger": found})
    return found


def look_whole(vault: Vault) -> Standing:
    """Verify the whole audit log, as `audit verify` does, and keep that."""
    with vault.database.read() as conn:
        found = standing_of(conn, AUDIT, whole_audit(vault, conn), vault.clock())
    note(vault, "ana", audit=found)
    return found


@pytest.fixture
def filled(vault: Vault) -> Vault:
    """Return a store with five audit records, and a consent."""
    grant(vault, "draw")
    add(vault, 5)
    return vault


@each_database
def test_what_was_verified_is_not_read_again(filled: Vault, sql: Sql, clock: Clock) -> None:
    """It goes on from the mark; a record before it that was changed is for `audit verify`, or found a month later."""
    first = look(filled)
    assert (first.seq, first.whole_seq, first.since) == (5, 5, 0)
    began = clock.now
    clock.advance(days=1)
    add(filled, 3)
    second = look(filled)
    assert (second.seq, second.whole_seq, second.since) == (9, 5, 4)  # three, and the record of the first look
    sql("UPDATE audit SET operator = 'nobody' WHERE seq = 2")
    assert look(filled).whole_at == first.whole_at
    with pytest.raises(AuditError, match="record 2 was changed"), filled.database.read() as conn:
        whole_audit(filled, conn)
    clock.now = began + WHOLE_EVERY
    with pytest.raises(AuditError, match="record 2 was changed"):
        look(filled)


def test_the_consent_ledger_is_followed_in_the_same_way(filled: Vault, sql: Sql) -> None:
    """From its own mark on, whole by its own command."""
    assert look(filled, LEDGER).seq == 2
    grant(filled, "newsletter")
    assert (look(filled, LEDGER).seq, look(filled, LEDGER).since) == (4, 2)
    falsify(sql, 2, "event", "refused")
    look(filled, LEDGER)
    with pytest.raises(LedgerError, match="record 2 was changed"), filled.database.read() as conn:
        whole_ledger(filled, conn)
    falsify(sql, 4, "event", "refused")
    with pytest.raises(LedgerError, match="record 4 was changed"):
        look(filled, LEDGER)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE audit SET operator = 'nobody' WHERE seq = 7", "record 7 was changed"),
        ("DELETE FROM audit WHERE seq = 7", "record 7 is missing"),
        ("DELETE FROM audit WHERE seq = 8", "record 7 is not its true end"),
    ],
)
def test_what_is_new_is_verified(filled: Vault, sql: Sql, change: str, message: str) -> None:
    """Each record after the mark, and the end."""
    look(filled)
    add(filled, 2)
    sql(change)
    with pytest.raises(AuditError, match=message):
        look(filled)


def test_a_new_checkpoint_is_verified(filled: Vault, sql: Sql) -> None:
    """One after the mark, whose number goes on from there."""
    filled.database.transact(filled.audit.checkpoint)
    assert look(filled).checkpoints == 1
    filled.database.transact(filled.audit.checkpoint)
    assert look(filled).checkpoints == 2
    add(filled)
    filled.database.transact(filled.audit.checkpoint)
    sql("UPDATE audit_checkpoints SET signature = x'00' WHERE number = 3")
    with pytest.raises(AuditError, match="checkpoint 3"):
        look(filled)


@pytest.mark.parametrize(
    "forged", [b"", b"RPV\x01", b"RPV\x01" + bytes(32) + b"\x93\x01\xc0\xc0", b"x" * 5000], ids=len
)
def test_a_forged_mark_is_refused(filled: Vault, sql: Sql, forged: bytes) -> None:
    """By each way of verifying; without the row everything is gone through."""
    look(filled)
    sql("UPDATE meta SET value = ? WHERE name = 'verified'", (forged,))
    for verify in (look, look_whole, lambda vault: look(vault, LEDGER)):
        with pytest.raises(PrivacyError, match="mark of how far it was verified was changed by hand; delete the row"):
            verify(filled)
    sql("DELETE FROM meta WHERE name = 'verified'")
    assert look(filled).whole_seq == 6


def test_a_mark_of_another_end_is_refused(filled: Vault, sql: Sql) -> None:
    """One bit of it."""
    look(filled)
    value = bytearray(sql("SELECT value FROM meta WHERE name = 'verified'")[0][0])
    value[-1] ^= 1
    sql("UPDATE meta SET value = ? WHERE name = 'verified'", (bytes(value),))
    with pytest.raises(AuditError, match="was changed by hand"):
        look(filled)


def test_an_older_mark_of_ours_is_refused(filled: Vault, sql: Sql, clock: Clock) -> None:
    """The audit log speaks of the newest."""
    look(filled)
    older = sql("SELECT value FROM meta WHERE name = 'verified'")
    clock.advance(days=1)
    look_whole(filled)
    sql("UPDATE meta SET value = ? WHERE name = 'verified'", older[0])
    for verify in (look, look_whole, lambda vault: look(vault, LEDGER)):
        with pytest.raises(PrivacyError, match="is not the newest one that was made"):
            verify(filled)


def test_a_mark_ahead_of_its_log_shows_that_the_log_was_put_back(filled: Vault, sql: Sql) -> None:
    """With its heads it verifies; the mark knows of more, also when the log has grown again."""
    before = sql(f"SELECT name, value FROM meta WHERE name IN {_HEADS}")  # noqa: S608 - stands above
    add(filled, 4)
    look(filled)
    sql("DELETE FROM audit WHERE seq > 5")
    for name, value in before:
        sql("UPDATE meta SET value = ? WHERE name = ?", (value, name))
    with filled.database.read() as conn:
        assert filled.audit.verify(conn).records == 5
    for verify in (look, look_whole):
        with pytest.raises(AuditError, match="record 9 is missing: it was verified before; the book was put back"):
            verify(filled)
    add(filled, 9, operator="bob")
    for verify in (look, look_whole):
        with pytest.raises(AuditError, match="record 9 is another one: it was verified before"):
            verify(filled)


@pytest.fixture
def put_back(filled: Vault, sql: Sql) -> Vault:
    """Return a store whose ledger was verified, and then put back to before its last two records."""
    before = sql("SELECT value FROM meta WHERE name = 'ledger_head'")
    grant(filled, "newsletter")
    look(filled, LEDGER)
    sql("DELETE FROM ledger WHERE seq > 2")
    sql("UPDATE meta SET value = ? WHERE name = 'ledger_head'", before[0])
    return filled


def test_a_ledger_that_was_put_back_is_found_too(put_back: Vault) -> None:
    """By the mark of the ledger."""
    with pytest.raises(LedgerError, match="record 4 is missing: it was verified before"):
        look(put_back, LEDGER)


def test_a_ledger_that_was_put_back_and_has_grown_again_is_found(put_back: Vault) -> None:
    """Another record stands where the verified one was, though no record has a link by which to tell."""
    grant(put_back, "draw", "newsletter", sender="somebody else")
    with pytest.raises(LedgerError, match="record 4 is another one: it was verified before"):
        look(put_back, LEDGER)
    with pytest.raises(LedgerError, match="record 4 is another one"), put_back.database.read() as conn:
        whole_ledger(put_back, conn)


def test_a_mark_of_an_older_release_is_gone_on_from(filled: Vault, sql: Sql) -> None:
    """It names a record by its link, which such a record still has."""
    make_older(filled, sql)
    known = look(filled, LEDGER)
    older = Mark(1, msgspec.structs.replace(known, tail=b""))
    with filled.database.write() as conn:
        write_mark(conn, filled.index, older)
    grant(filled, "newsletter")
    assert (look(filled, LEDGER).seq, look(filled, LEDGER).since) == (4, 2)
    falsify(sql, 2, "link", bytes(32))
    with pytest.raises(LedgerError, match="record 2 is another one"):
        look(filled, LEDGER)


def test_a_ledger_that_was_put_back_with_its_mark_removed_is_found(put_back: Vault, sql: Sql) -> None:
    """By what the audit log says of the mark, also after another one was made."""
    sql("DELETE FROM meta WHERE name = 'verified'")
    for _ in range(2):
        with pytest.raises(LedgerError, match="record 4 is missing: it was verified before"):
            look(put_back, LEDGER)
        with pytest.raises(LedgerError, match="record 4 is missing"), put_back.database.read() as conn:
            whole_ledger(put_back, conn)
        look(put_back)  # which makes a mark that knows of the audit log alone


def test_a_mark_that_was_removed_cannot_be_put_back_later(filled: Vault, sql: Sql) -> None:
    """Marks are numbered on, whatever became of the last one."""
    look(filled)
    older = sql("SELECT value FROM meta WHERE name = 'verified'")
    sql("DELETE FROM meta WHERE name = 'verified'")
    look(filled)
    sql("UPDATE meta SET value = ? WHERE name = 'verified'", older[0])
    with pytest.raises(AuditError, match="is not the newest one that was made"):
        look(filled)


@each_database
def test_a_mark_is_kept_where_it_saves_something(filled: Vault, clock: Clock) -> None:
    """After a whole verification and after many records, with a record each; not after every look."""
    for _ in range(3):
        look(filled)
    clock.advance(hours=1)
    look_whole(filled)
    look(filled)
    add(filled, EVERY_RECORDS)
    look(filled)
    with filled.database.read() as conn:
        found = [entry.record.counts for entry in filled.audit.newest(conn, Wanted(verb="verify"), 10)]
    assert found == [{"mark": 1, "audit": 5}, {"mark": 2, "audit": 6}, {"mark": 3, "audit": 7 + EVERY_RECORDS}]


def test_empty_books_are_verified_too(vault: Vault) -> None:
    """Before the first record, and after it."""
    assert look(vault, LEDGER).seq == 0
    assert look(vault, LEDGER).seq == 0
    grant(vault, "draw")
    assert look(vault, LEDGER).seq == 2


def test_two_processes_together_know_the_later_of_both() -> None:
    """The end that one reached, and the whole verification of the other."""
    whole = Standing(100, b"a" * 32, 0, 100, 9_000)
    later = Standing(150, b"b" * 32, 1, 80, 5_000)
    assert whole.joined(later) == later.joined(whole) == Standing(150, b"b" * 32, 1, 100, 9_000)
    assert whole.joined(None) is whole


def test_a_mark_is_not_kept_without_its_record(filled: Vault, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the log cannot be written, the mark stays as it was."""

    def full(*_: object) -> int:
        raise StorageError("the disk is full")

    monkeypatch.setattr(type(filled.audit), "append", full)
    with pytest.raises(StorageError):
        look(filled)
    assert sql("SELECT value FROM meta WHERE name = 'verified'") == []


def test_a_clock_that_was_set_back_hides_nothing(filled: Vault, sql: Sql, clock: Clock) -> None:
    """A whole verification in the future is none."""
    look(filled)
    sql("UPDATE audit SET operator = 'nobody' WHERE seq = 2")
    clock.now -= timedelta(days=1)
    with pytest.raises(AuditError, match="record 2 was changed"):
        look(filled)
