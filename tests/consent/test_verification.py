"""Whatever is done to the ledger behind our back is found, and the first record named, on each database."""

from collections.abc import Callable
from typing import Any

import pytest

from rasa_privacy.consent.ledger import record_withdrawal
from rasa_privacy.consent.verification import Checked, verify_store
from rasa_privacy.crypto.signing import SigningKey
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage import checkpoints as checkpoints_module
from rasa_privacy.storage import ledger as ledger_module
from rasa_privacy.storage.checkpoints import Checkpoint
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.forger import LINK, make_older, recomputed, rows_of, with_links, write
from tests.support.vaults import Clock, evidence, grant

pytestmark = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)

Sql = Callable[..., list[Any]]
Rows = list[list[Any]]
_EVENT, _SUBJECT = 3, 1
#: Makes a record a yes, of a kind that is there.
_YES = "UPDATE ledger SET kind = (SELECT min(kind) FROM ledger_kinds WHERE event = 'granted')"


def sign(vault: Vault) -> Checkpoint:
    """Make a checkpoint."""
    made = vault.database.transact(vault.ledger.checkpoint)
    assert made is not None
    return made


def verify(vault: Vault, **options: Any) -> Checked:
    """Check the store's ledger."""
    with vault.database.read() as connection:
        return verify_store(vault, connection, **options)


@pytest.fixture
def filled(vault: Vault, clock: Clock) -> Vault:
    """Return a store with eleven records: a checkpoint after the fourth, one after the tenth, and a withdrawal."""
    for name in ("ana", "bob", "cem", "dora", "eva"):
        subject_id = grant(vault, "draw" if name < "c" else "newsletter", sender=name)
        if name in ("bob", "eva"):
            sign(vault)
        clock.advance(hours=1)
    with vault.database.write() as connection:
        record_withdrawal(vault, connection, subject_id, ["newsletter"], evidence(vault))
    return vault


def test_a_whole_ledger_is_found_right(filled: Vault) -> None:
    """Records, checkpoints and notices are counted."""
    assert verify(filled) == Checked(records=11, checkpoints=2, covered=10, notices=2)


def test_an_empty_ledger_is_found_right(vault: Vault) -> None:
    """And nothing is signed of it."""
    assert verify(vault) == Checked(0, 0, 0, 0)
    assert vault.database.transact(vault.ledger.checkpoint) is None


def edit(rows: Rows) -> Rows:
    """Make the question of the third person a yes."""
    rows[4][_EVENT] = "granted"
    return rows


def give_away(rows: Rows) -> Rows:
    """Make a yes somebody else's."""
    rows[4][_SUBJECT] = rows[0][_SUBJECT]
    return rows


def remove(rows: Rows) -> Rows:
    """Take the fifth record out."""
    return rows[:4] + rows[5:]


def insert(rows: Rows) -> Rows:
    """Put the second record in once more as the fifth, with the later numbers moved up."""
    return [*rows[:4], [5, *rows[1][1:]], *([row[0] + 1, *row[1:]] for row in rows[4:])]


def swap(rows: Rows) -> Rows:
    """Change the order of the fifth and the sixth, with the numbers in order."""
    fifth, sixth = rows[4], rows[5]
    return [*rows[:4], [5, *sixth[1:]], [6, *fifth[1:]], *rows[6:]]


def cut(rows: Rows) -> Rows:
    """Take the withdrawal at the end away."""
    return rows[:-1]


CHANGES = [edit, give_away, remove, insert, swap]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_and_its_record_named(filled: Vault, sql: Sql, change: Callable[[Rows], Rows]) -> None:
    """Edited, moved to another person, removed, inserted or reordered: it is the fifth record."""
    write(sql, change(rows_of(sql)))
    with pytest.raises(LedgerError, match=r"record 5 (was changed or added|is missing)"):
        verify(filled)


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_with_the_chain_computed_anew_is_found(
    filled: Vault, sql: Sql, change: Callable[[Rows], Rows], *, older: bool
) -> None:
    """Numbers fit each other again, and links where they are stored; without the key no record's keyed hash does."""
    if older:
        make_older(filled, sql)
    rows = recomputed(change(rows_of(sql)))
    write(sql, with_links(rows) if older else rows)
    with pytest.raises(LedgerError, match="record 5 was changed or added"):
        verify(filled)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (f"{_YES} WHERE seq = 1", "record 1 was changed or added"),
        ("DELETE FROM ledger WHERE seq = 1", "record 1 is missing"),
        (
            "UPDATE ledger SET kind = (SELECT max(kind) FROM ledger_kinds) WHERE seq = 1",
            "record 1 was changed or added",
        ),
        ("UPDATE ledger SET kind = 99 WHERE seq = 1", "record 1 was changed or added"),
        (f"{_YES} WHERE seq = 11", "record 11 was changed or added"),
        ("UPDATE ledger SET seq = 12 WHERE seq = 11", "record 11 is missing"),
        ("DELETE FROM ledger WHERE seq >= 10", "record 9 is not its true end"),
        ("DELETE FROM ledger", "record 0 is not its true end"),
    ],
)
def test_a_change_at_an_end_is_found(filled: Vault, sql: Sql, statement: str, named: str) -> None:
    """The first record, the last one, and all of them."""
    sql(statement)
    with pytest.raises(LedgerError, match=named):
        verify(filled)


def forge_with_index_key(vault: Vault, sql: Sql, rows: Rows) -> None:
    """Write rows as somebody can who has the database and its index key, and lacks the signing key."""
    done = recomputed(rows, vault.ledger._macs.of)
    write(sql, done)
    head = vault.ledger._end.of(len(done), with_links(done)[-1][LINK])
    sql("UPDATE meta SET value = ? WHERE name = 'ledger_head'", (head,))


@pytest.mark.parametrize("change", CHANGES)
def test_without_the_signing_key_a_change_is_found(filled: Vault, sql: Sql, change: Callable[[Rows], Rows]) -> None:
    """With keyed hashes that fit, the signatures tell between which two checkpoints the change lies."""
    forge_with_index_key(filled, sql, change(rows_of(sql)))
    with pytest.raises(LedgerError, match="record 5 was changed, or one after it up to 10: checkpoint 2"):
        verify(filled)


def test_a_cut_end_is_found(filled: Vault, sql: Sql) -> None:
    """A withdrawal that came last cannot be made undone by taking it away."""
    write(sql, cut(rows_of(sql)))
    with pytest.raises(LedgerError, match="record 10 is not its true end"):
        verify(filled)


def test_a_cut_end_is_found_by_the_signature(filled: Vault, sql: Sql) -> None:
    """Also with an end that fits, where it was signed."""
    sign(filled)
    forge_with_index_key(filled, sql, cut(rows_of(sql)))
    with pytest.raises(LedgerError, match="record 11 is missing: checkpoint 3 was signed over 11"):
        verify(filled)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DELETE FROM checkpoints WHERE number = 1", "checkpoint 1 is missing"),
        ("DELETE FROM checkpoints WHERE number = 2", "checkpoint 1 is not the last one that was made"),
        ("DELETE FROM checkpoints", "checkpoint 0 is not the last one that was made"),
        ("UPDATE checkpoints SET at = at + 1 WHERE number = 1", "checkpoint 1 was forged"),
        ("UPDATE checkpoints SET seq = 5 WHERE number = 1", "checkpoint 1 was forged"),
        ("UPDATE notices SET text = 'May we sell it'", "notice [0-9a-f]{16} was changed"),
        ("UPDATE notices SET terms = '[]'", "notice [0-9a-f]{16} was changed"),
        ("DELETE FROM notices WHERE notice_id = 'newsletter'", "record 5 names a notice that is not there"),
    ],
)
def test_checkpoints_and_notices_are_proof_too(filled: Vault, sql: Sql, statement: str, message: str) -> None:
    """One that was taken away, changed or forged is named."""
    sql(statement)
    with pytest.raises(LedgerError, match=message):
        verify(filled)


def test_a_checkpoint_of_another_key_is_refused(filled: Vault, sql: Sql) -> None:
    """Who signs with a key of their own is found out."""
    number, seq, link, at = sql("SELECT number, seq, link, at FROM checkpoints WHERE number = 1")[0]
    forged = SigningKey(bytes(32)).sign(Checkpoint(number, seq, link, at, b"").message(filled.signer.store_id))
    sql("UPDATE checkpoints SET signature = ? WHERE number = 1", (forged,))
    with pytest.raises(LedgerError, match="checkpoint 1 was forged"):
        verify(filled)


def test_nothing_is_signed_after_a_broken_end(filled: Vault, sql: Sql) -> None:
    """A checkpoint would make the break look right."""
    sql("DELETE FROM checkpoints WHERE number = 2")
    with pytest.raises(LedgerError, match="checkpoint 1 is not the last"):
        sign(filled)
    write(sql, cut(rows_of(sql)))
    with pytest.raises(LedgerError, match="true end"):
        sign(filled)


def test_a_database_that_was_put_back_is_found_by_a_kept_checkpoint(filled: Vault, sql: Sql) -> None:
    """Everything in an older state fits together; what was signed since, and kept elsewhere, does not fit to it."""
    before = (rows_of(sql), sql("SELECT name, value FROM meta WHERE name IN ('ledger_head', 'checkpoint_head')"))
    kept = sign(filled)
    grant(filled, "fitting", sender="finn")
    later = sign(filled)
    assert verify(filled, kept=[kept, later]).records == 13
    write(sql, before[0])
    sql("DELETE FROM checkpoints WHERE number > 2")
    for name, value in before[1]:
        sql("UPDATE meta SET value = ? WHERE name = ?", (value, name))
    assert verify(filled, kept=[kept]).records == 11
    with pytest.raises(LedgerError, match="record 12 is missing: checkpoint 4 was signed over 13"):
        verify(filled, kept=[kept, later])


def test_another_database_in_its_place_is_found_by_the_kept_key(filled: Vault) -> None:
    """A key that was kept tells that this store is not the one."""
    assert verify(filled, key=filled.signer.key.public()).records == 11
    with pytest.raises(LedgerError, match="checkpoint 1 was forged or changed, or is another store's"):
        verify(filled, key=SigningKey(bytes(32)).public())


def test_a_checkpoint_is_made_every_so_many_records(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anybody's doing."""
    monkeypatch.setattr(ledger_module, "EVERY_RECORDS", 4)
    for name in ("ana", "bob", "cem", "dora", "eva"):
        grant(vault, "draw", sender=name)
    assert verify(vault) == Checked(records=10, checkpoints=2, covered=8, notices=1)
    assert checkpoints_module.EVERY_RECORDS == 1000


def test_a_ledger_that_did_not_grow_is_not_signed_again(filled: Vault) -> None:
    """The same checkpoint comes back."""
    assert sign(filled) == sign(filled)
    assert verify(filled).checkpoints == 3
