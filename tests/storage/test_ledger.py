"""The consent ledger and the notices."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.errors import LedgerError, StorageError
from rasa_privacy.storage.books import LEDGER
from rasa_privacy.storage.ledger_record import LEDGER_EVENTS, LedgerRecord
from rasa_privacy.storage.notices import StoredNotice, notice_hash
from rasa_privacy.storage.vault import Vault
from tests.support.books import check_removals
from tests.support.forger import LINK, falsify, make_older, rows_of, with_links, write

Sql = Callable[..., list[Any]]
_BACK = "INSERT INTO subjects (subject_id, created_at, ledger_mac) SELECT subject_id, 1, mac FROM ledger_people"


@pytest.fixture
def record(now: datetime) -> LedgerRecord:
    """Return a record."""
    return LedgerRecord(b"s" * 16, "draw", "asked", b"h" * 32, "en", "button", "rest", now)


@pytest.fixture
def filled(vault: Vault, record: LedgerRecord) -> list[LedgerRecord]:
    """Return five records that are in the ledger, of two people."""
    records = [
        replace(record, event=event, subject_id=bytes([number % 2]) * 16, at=record.at + timedelta(seconds=number))
        for number, event in enumerate(("asked", "asked", "granted", "refused", "withdrawn"))
    ]
    with vault.database.write() as conn:
        assert [vault.ledger.append(conn, each) for each in records] == [1, 2, 3, 4, 5]
    return records


def _verify(vault: Vault) -> None:
    with vault.database.read() as conn:
        vault.ledger.verify(conn)


def test_records_come_back_in_order(vault: Vault, filled: list[LedgerRecord]) -> None:
    """All records, and those of one person, come back as they were written."""
    with vault.database.read() as conn:
        assert list(vault.ledger.iterate(conn)) == filled
        assert vault.ledger.of_subject(conn, bytes(16)) == [filled[0], filled[2], filled[4]]
        assert vault.ledger.of_subject(conn, b"x" * 16) == []
        vault.ledger.verify(conn)


def test_an_empty_ledger_verifies(vault: Vault) -> None:
    """Nothing recorded is nothing changed, and there is nothing that would have to be signed."""
    _verify(vault)
    assert vault.database.transact(vault.ledger.checkpoint) is None
    with vault.database.read() as conn:
        assert list(vault.ledger.iterate(conn)) == []


def test_links_follow_the_specification(vault: Vault, filled: list[LedgerRecord]) -> None:
    """The first link is the one that docs/spec/keys.md gives."""
    first = filled[0]
    micros = int(first.at.timestamp()) * 1_000_000 + first.at.microsecond
    fields = [1, first.subject_id, "draw", "asked", first.notice_hash, "en", "button", "rest", micros]
    with vault.database.read() as conn:
        (_, first_link), *_ = vault.ledger.verified(conn)
    assert first_link == link(GENESIS, msgspec.msgpack.encode(fields))


@pytest.mark.parametrize(
    "column", ["subject_id", "purpose", "event", "notice_hash", "language", "method", "channel", "at", "link"]
)
@pytest.mark.parametrize("value", ["granted", b"granted", 7, 0.5])
@pytest.mark.usefixtures("filled")
def test_a_changed_record_is_named(vault: Vault, sql: Sql, column: str, value: Any) -> None:
    """Any change of any field is found, and the first bad record named."""
    falsify(sql, 2, column, value)
    with pytest.raises(LedgerError, match="record 2 was changed"):
        _verify(vault)


@pytest.mark.usefixtures("filled")
def test_a_removed_record_is_named(vault: Vault, sql: Sql) -> None:
    """A gap is found, and so is a ledger that was cut at the end or emptied."""
    check_removals(LEDGER, "ledger", sql, lambda: _verify(vault))


@pytest.mark.usefixtures("filled")
def test_a_ledger_computed_anew_is_found(vault: Vault, sql: Sql) -> None:
    """Whoever writes a whole new chain lacks the key to its end."""
    _forge_the_last(sql)
    with pytest.raises(LedgerError, match="record 5 was changed"):
        _verify(vault)
    with pytest.raises(LedgerError, match="record 5 was changed"), vault.database.write() as conn:
        vault.ledger.checkpoint(conn)


@pytest.mark.usefixtures("filled")
def test_a_forged_record_does_not_count_when_its_person_is_read(vault: Vault, sql: Sql) -> None:
    """A no that was made a yes, with the chain computed anew, is found without a look at the whole ledger."""
    _forge_the_last(sql)
    with vault.database.read() as conn:
        assert len(vault.ledger.of_subject(conn, bytes([1]) * 16)) == 2
        with pytest.raises(LedgerError, match="record 5 was changed"):
            vault.ledger.of_subject(conn, bytes(16))


@pytest.mark.usefixtures("filled")
def test_a_record_of_somebody_else_does_not_count(vault: Vault, sql: Sql) -> None:
    """A yes that is given to another person keeps its keyed hash, which is for the first one only."""
    sql("UPDATE ledger SET subject_id = ? WHERE seq = 3", (b"x" * 16,))
    with pytest.raises(LedgerError, match="record 3 was changed"), vault.database.read() as conn:
        vault.ledger.of_subject(conn, b"x" * 16)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("kept", [0, 1, 8, 15, 17, 31])
@pytest.mark.parametrize("table", ["ledger", "ledger_people", "subjects"])
def test_a_keyed_hash_of_another_length_is_refused(vault: Vault, sql: Sql, table: str, kept: int) -> None:
    """One byte of it, which anybody guesses, is not taken for it, and nothing may follow it."""
    if table == "subjects":
        sql(f"{_BACK} WHERE subject_id = ?", (bytes(16),))
        sql("DELETE FROM ledger_people")
    column = "ledger_mac" if table == "subjects" else "mac"
    ((mac,),) = sql(f"SELECT {column} FROM {table} WHERE subject_id = ? LIMIT 1", (bytes(16),))  # noqa: S608 - our own
    assert len(mac) == 16
    longer = (mac + bytes(32))[:kept]
    sql(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (longer, mac))  # noqa: S608 - our own
    with pytest.raises(LedgerError, match="changed"), vault.database.read() as conn:
        vault.ledger.of_subject(conn, bytes(16))


@pytest.mark.usefixtures("filled")
def test_whole_keyed_hashes_of_older_rows_count_and_are_gone_on_with(
    vault: Vault, sql: Sql, monkeypatch: pytest.MonkeyPatch, record: LedgerRecord
) -> None:
    """Rows with 32 bytes are checked to the last one."""
    make_older(vault, sql)
    for module in ("ledger_macs", "ledger_people"):
        monkeypatch.setattr(f"rasa_privacy.storage.{module}.MAC_BYTES", 32)
    sql("UPDATE ledger SET mac = NULL")
    sql("DELETE FROM ledger_people")
    sql("DELETE FROM meta WHERE name IN ('checkpoint_head', 'ledger_people')")
    vault.database.transact(vault.ledger.prepare)
    monkeypatch.undo()
    lengths = "SELECT DISTINCT length(mac) FROM ledger UNION SELECT DISTINCT length(mac) FROM ledger_people"
    assert [tuple(row) for row in sql(lengths)] == [(32,)]
    _verify(vault)
    with vault.database.write() as conn:
        before = len(vault.ledger.of_subject(conn, bytes(16)))
        vault.ledger.append(conn, replace(record, subject_id=bytes(16)))
    with vault.database.read() as conn:
        assert len(vault.ledger.of_subject(conn, bytes(16))) == before + 1
    _verify(vault)
    ((mac,),) = sql("SELECT mac FROM ledger WHERE seq = 1")
    sql("UPDATE ledger SET mac = ? WHERE seq = 1", (mac[:31] + bytes([mac[31] ^ 1]),))
    with pytest.raises(LedgerError, match="record 1 was changed"):
        _verify(vault)


@pytest.mark.parametrize("at_once", [False, True])
def test_a_removed_record_of_who_is_gone_is_noticed(
    vault: Vault, sql: Sql, record: LedgerRecord, now: datetime, *, at_once: bool
) -> None:
    """The hash outlives the person, in both ways in which people are removed, and is gone on with."""
    with vault.database.write() as conn:
        who = vault.subjects.find_or_create(conn, "a", now)
        for event in ("asked", "granted"):
            vault.ledger.append(conn, replace(record, subject_id=who, event=event))
    assert sql("SELECT count(*) FROM ledger_people") == [(0,)]
    with vault.database.write() as conn:
        vault.ledger.append(conn, replace(record, subject_id=who, event="withdrawn"))
        if at_once:
            vault.expiry.bury(conn, [who], now, lambda: "ER-1")
        else:
            vault.erasures.bury(conn, who, now, "ER-1", {})
    with vault.database.write() as conn:
        vault.ledger.append_all(conn, [replace(record, subject_id=who), replace(record, subject_id=b"n" * 16)])
        vault.ledger.append_all(conn, [replace(record, subject_id=b"n" * 16)])
    with vault.database.read() as conn:
        assert len(vault.ledger.of_subject(conn, who)) == 4
        assert len(vault.ledger.of_subject(conn, b"n" * 16)) == 2
    sql(f"{_BACK} WHERE subject_id = ?", (who,))
    with vault.database.write() as conn:
        if at_once:
            vault.expiry.bury(conn, [who], now, lambda: "ER-2")
        else:
            vault.erasures.bury(conn, who, now, "ER-2", {})
        assert len(vault.ledger.of_subject(conn, who)) == 4
    sql("DELETE FROM ledger WHERE kind IN (SELECT kind FROM ledger_kinds WHERE event = 'withdrawn')")
    with pytest.raises(LedgerError, match="missing"), vault.database.read() as conn:
        vault.ledger.of_subject(conn, who)
    with pytest.raises(LedgerError, match="missing"), vault.database.write() as conn:
        vault.ledger.append_all(conn, [replace(record, subject_id=who)])


def test_records_of_many_are_counted_where_each_is(vault: Vault, sql: Sql, record: LedgerRecord, now: datetime) -> None:
    """People who are there have the hash in their row."""
    with vault.database.write() as conn:
        people = [vault.subjects.find_or_create(conn, sender, now) for sender in ("a", "b")]
        vault.ledger.append(conn, replace(record, subject_id=people[0]))
        for _ in range(2):
            vault.ledger.append_all(conn, [replace(record, subject_id=who) for who in people])
    assert sql("SELECT count(*) FROM ledger_people") == [(0,)]
    with vault.database.read() as conn:
        found = vault.ledger.of_many(conn, people)
    assert [len(found[who] or ()) for who in people] == [3, 2]


def _forge_the_last(sql: Sql) -> None:
    """Make the last answer a yes, and compute its link, as anybody with the database can."""
    falsify(sql, 5, "event", "granted")
    *_, last = with_links(rows_of(sql))
    falsify(sql, 5, "link", last[LINK])


@pytest.mark.usefixtures("filled")
def test_records_of_an_older_release_get_their_keyed_hashes_once(vault: Vault, sql: Sql) -> None:
    """A whole chain gets them when the store is opened; one that was tampered with gets none, so nothing counts."""
    make_older(vault, sql)
    everybody = sql("SELECT seq, mac FROM ledger ORDER BY seq")
    sql("UPDATE ledger SET mac = NULL")
    sql("DELETE FROM meta WHERE name = 'checkpoint_head'")
    falsify(sql, 4, "event", "granted")
    with pytest.raises(LedgerError, match="record 4 was changed"):
        vault.database.transact(vault.ledger.prepare)
    with pytest.raises(LedgerError, match="was changed"), vault.database.read() as conn:
        vault.ledger.of_subject(conn, bytes(16))
    falsify(sql, 4, "event", "refused")
    for _ in range(2):
        vault.database.transact(vault.ledger.prepare)
    assert sql("SELECT seq, mac FROM ledger ORDER BY seq") == everybody
    _verify(vault)


@pytest.mark.usefixtures("filled")
def test_what_many_records_say_stands_once(vault: Vault, sql: Sql, record: LedgerRecord) -> None:
    """Also where one transaction says something new twice, and where another said it in vain."""
    assert sql("SELECT count(*) FROM ledger_kinds") == [(4,)]
    new = replace(record, channel="telegram")
    with pytest.raises(LookupError), vault.database.write() as conn:
        vault.ledger.append(conn, replace(record, channel="in vain"))
        raise LookupError
    with vault.database.write() as conn:
        vault.ledger.append(conn, new, new)
        vault.ledger.append(conn, new)
        vault.ledger.append_all(conn, [new, record, replace(new, language="de")])
    vault.database.transact(lambda conn: vault.ledger.append(conn, new))
    assert [
        tuple(row) for row in sql("SELECT kind, channel, language FROM ledger_kinds WHERE kind > 4 ORDER BY kind")
    ] == [
        (5, "telegram", "en"),
        (6, "telegram", "de"),
    ]
    with vault.database.read() as conn:
        assert [each.channel for each in vault.ledger.of_subject(conn, record.subject_id)].count("telegram") == 6
    _verify(vault)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    "forgery",
    [
        "DELETE FROM ledger_kinds WHERE kind = 2",
        "UPDATE ledger_kinds SET event = 'refused' WHERE kind = 2",
        "UPDATE ledger_kinds SET kind = CASE kind WHEN 2 THEN 77 ELSE 2 END WHERE kind IN (2, 3)",
        "UPDATE ledger SET kind = CASE kind WHEN 1 THEN 1 WHEN 2 THEN 3 ELSE 2 END",
        "UPDATE ledger SET kind = 1 WHERE seq = 3",
        "UPDATE ledger SET kind = 77 WHERE seq = 3",
    ],
)
def test_a_kind_that_was_changed_exchanged_or_removed_changes_its_records(
    vault: Vault, sql: Sql, record: LedgerRecord, forgery: str
) -> None:
    """The first of them is named, nobody is read by it, and what is added meanwhile is not taken for the old one."""
    sql(forgery)
    with pytest.raises(LedgerError, match="record 3 was changed"):
        _verify(vault)
    with pytest.raises(LedgerError, match="record 3 was changed"), vault.database.read() as conn:
        vault.ledger.of_subject(conn, bytes(16))
    with pytest.raises(LedgerError, match="record"), vault.database.write() as conn:
        vault.ledger.append(conn, replace(record, subject_id=bytes(16), event="granted"))
        vault.ledger.of_subject(conn, bytes(16))


@pytest.mark.usefixtures("filled")
def test_a_record_of_another_state_of_the_ledger_is_found(vault: Vault, sql: Sql, record: LedgerRecord) -> None:
    """Its number and its keyed hash are the store's own; the records lead to another end, and signing is refused."""
    ((head,),) = sql("SELECT value FROM meta WHERE name = 'ledger_head'")
    counts = sql("SELECT mac, subject_id FROM ledger_people")
    granted = replace(record, event="granted")
    with vault.database.write() as conn:
        vault.ledger.append(conn, granted, record)
    before = rows_of(sql)
    write(sql, before[:5])
    sql("UPDATE meta SET value = ? WHERE name = 'ledger_head'", (head,))
    sql("DELETE FROM ledger_people WHERE subject_id = ?", (record.subject_id,))
    for mac, who in counts:
        sql("UPDATE ledger_people SET mac = ? WHERE subject_id = ?", (mac, who))
    with vault.database.write() as conn:
        vault.ledger.append(conn, *(replace(record, event=event) for event in ("refused", "withdrawn")))
    _verify(vault)
    now = rows_of(sql)
    write(sql, [*now[:5], before[5], now[6]])
    with pytest.raises(LedgerError, match="record 1 was changed, or one after it up to 7: they lead to another end"):
        _verify(vault)
    write(sql, [*now[:6], before[6]])
    with pytest.raises(LedgerError, match="they lead to another end"):
        _verify(vault)


@pytest.mark.usefixtures("filled")
def test_records_with_links_are_gone_on_with(vault: Vault, sql: Sql, record: LedgerRecord) -> None:
    """A ledger of schema 23 keeps its links, which are checked, and later records have none."""
    make_older(vault, sql)
    _verify(vault)
    for _ in range(2):
        vault.database.transact(lambda conn: vault.ledger.append(conn, record))
    _verify(vault)
    assert [row[LINK] is None for row in rows_of(sql)] == [False] * 5 + [True] * 2
    right = rows_of(sql)
    for seq, column, value in (
        (2, "link", None),
        (2, "link", bytes(32)),
        (2, "event", "granted"),
        (6, "link", with_links(right)[5][LINK]),
        (6, "event", "granted"),
    ):
        falsify(sql, seq, column, value)
        with pytest.raises(LedgerError, match=f"record {seq} was changed"):
            _verify(vault)
        write(sql, right)
    _verify(vault)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(("column", "value"), [("event", "granted"), ("channel", "telegram"), ("at", 1)])
def test_nothing_is_added_behind_a_changed_record_with_a_link(
    vault: Vault, sql: Sql, record: LedgerRecord, column: str, value: Any
) -> None:
    """Of an older ledger too: its head says what the last link is, and not that the record is still that one."""
    make_older(vault, sql)
    falsify(sql, 5, column, value)
    with pytest.raises(LedgerError, match="record 5 was changed"), vault.database.write() as conn:
        vault.ledger.append(conn, record)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("forged", [b"", bytes(31), bytes(32), bytes(64), bytes(96)])
@pytest.mark.parametrize("older", [False, True])
def test_another_end_is_refused(vault: Vault, sql: Sql, record: LedgerRecord, forged: bytes, *, older: bool) -> None:
    """Of any length, also one that is the right link without its keyed hash, or the other way round."""
    if older:
        make_older(vault, sql)
    ((head,),) = sql("SELECT value FROM meta WHERE name = 'ledger_head'")
    for value in {forged, head[:32] + bytes(32), bytes(32) + head[-32:], head[:-1]} | (set() if older else {head[32:]}):
        sql("UPDATE meta SET value = ? WHERE name = 'ledger_head'", (value,))
        with pytest.raises(LedgerError, match="record 5 is not its true end"):
            _verify(vault)
        with pytest.raises(LedgerError, match="true end"), vault.database.write() as conn:
            vault.ledger.append(conn, record)


@pytest.mark.usefixtures("filled")
def test_nothing_is_added_to_a_broken_end(vault: Vault, record: LedgerRecord, sql: Sql) -> None:
    """A cut ledger is not continued, since that would hide the cut."""
    sql("DELETE FROM ledger WHERE seq = 5")
    with pytest.raises(LedgerError, match="true end"), vault.database.write() as conn:
        vault.ledger.append(conn, record)


@pytest.mark.usefixtures("filled")
def test_a_record_of_no_meaning_is_refused(vault: Vault, record: LedgerRecord, sql: Sql) -> None:
    """Unknown words and times without a zone are refused when made, and when they are read."""
    with pytest.raises(LedgerError, match="must be one of asked, expired"):
        replace(record, event="maybe")
    with pytest.raises(LedgerError, match="time zone"):
        replace(record, at=record.at.replace(tzinfo=None))
    for table, column in (("ledger_kinds", "event"), ("ledger", "at")):
        sql(f"UPDATE {table} SET {column} = 'nonsense'")  # noqa: S608 - the columns stand above
        with pytest.raises(LedgerError), vault.database.read() as conn:
            list(vault.ledger.iterate(conn))


@pytest.mark.parametrize("event", sorted(LEDGER_EVENTS))
def test_each_word_of_the_ledger_can_be_recorded(record: LedgerRecord, event: str) -> None:
    """The six words of the design are accepted."""
    assert replace(record, event=event).event == event


@pytest.mark.usefixtures("filled")
def test_a_rolled_back_record_leaves_the_chain_whole(vault: Vault, record: LedgerRecord) -> None:
    """What was not committed is not in the chain."""
    with pytest.raises(LookupError), vault.database.write() as conn:
        vault.ledger.append(conn, record)
        raise LookupError
    with vault.database.write() as conn:
        assert vault.ledger.append(conn, record) == 6
    _verify(vault)


def test_a_notice_is_kept_once(vault: Vault) -> None:
    """Putting a notice again changes nothing; what was shown stays as it was."""
    parts = ("draw", "3", "de", "Wir brauchen das, um dich anzumelden. \U0001f600")
    notice = StoredNotice(notice_hash(*parts), *parts)
    with vault.database.write() as conn:
        vault.notices.put(conn, notice)
        vault.notices.put(conn, replace(notice, text="another text"))
        assert vault.notices.get(conn, notice.hash) == notice
        assert vault.notices.get(conn, b"x" * 32) is None


def test_a_changed_notice_is_no_evidence(vault: Vault, sql: Sql) -> None:
    """Whoever edits the version of an old notice does not make old consents current."""
    parts = ("draw", "3", "de", "Wir brauchen das.")
    vault.database.transact(lambda conn: vault.notices.put(conn, StoredNotice(notice_hash(*parts), *parts)))
    sql("UPDATE notices SET version = '4'")
    with vault.database.read() as conn, pytest.raises(LedgerError, match="changed after it was shown"):
        vault.notices.get(conn, notice_hash(*parts))


def test_a_notice_that_is_no_text_is_refused(vault: Vault) -> None:
    """Invalid Unicode is one of our errors."""
    with pytest.raises(StorageError), vault.database.write() as conn:
        vault.notices.put(conn, StoredNotice(b"h" * 32, "draw", "3", "de", "\ud800"))
