"""An exported ledger proves itself to who has the public key and nothing else of the store."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from rasa_privacy.consent.exported import export_ledger, read_checkpoint, verify_export
from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.crypto.signing import SigningKey
from rasa_privacy.errors import LedgerError, PrivacyError
from rasa_privacy.storage.book_lines import checkpoint_json
from rasa_privacy.storage.ledger_record import COLUMNS, record_bytes
from rasa_privacy.storage.vault import Vault
from tests.support.forger import Sql, recomputed, rows_of, write
from tests.support.vaults import SENDER, Clock, grant

Lines = list[dict[str, Any]]


@pytest.fixture
def lines(vault: Vault, clock: Clock) -> Lines:
    """Return the decoded lines of an export: a head, two notices, records 1 to 6, and checkpoints over 4 and 6."""
    grant(vault, "draw", "newsletter")
    vault.database.transact(vault.ledger.checkpoint)
    clock.advance(hours=1)
    grant(vault, "newsletter", sender="bob")
    until = vault.database.transact(vault.ledger.checkpoint)
    assert until is not None
    grant(vault, "fitting", sender="cem")  # after the checkpoint, so not in the file but for its notice
    with vault.database.read() as connection:
        return [msgspec.json.decode(line) for line in export_ledger(vault, connection, until)]


def encoded(lines: Lines) -> list[bytes]:
    """Return lines as they stand in a file."""
    return [msgspec.json.encode(line) + b"\n" for line in lines]


def record(lines: Lines, seq: int) -> dict[str, Any]:
    """Return a record of the file."""
    found: dict[str, Any] = next(line["record"] for line in lines if line.get("record", {}).get("seq") == seq)
    return found


def relinked(lines: Lines) -> Lines:
    """Compute all links anew, as anybody can."""
    before = GENESIS
    for line in lines:
        if "record" in line:
            fields = line["record"]
            columns = [
                bytes.fromhex(fields[name]) if name in ("subject_id", "notice_hash") else fields[name]
                for name in COLUMNS
            ]
            before = link(before, record_bytes(columns))
            fields["link"] = before.hex()
        elif "checkpoint" in line:
            line["checkpoint"]["link"] = before.hex()
    return lines


def test_an_export_is_found_right_without_the_store(vault: Vault, lines: Lines) -> None:
    """It ends with a checkpoint, and holds neither a sender id nor a value."""
    checked = verify_export(encoded(lines), vault.signer.key.public())
    assert (checked.records, checked.checkpoints, checked.covered) == (6, 2, 6)
    assert verify_export(encoded(lines), None) == checked
    assert SENDER.encode() not in b"".join(encoded(lines))


def test_records_that_were_not_signed_are_not_exported(vault: Vault, sql: Sql) -> None:
    """One is exchanged for one that the store wrote in another state, so that its keyed hash is the store's own."""
    grant(vault, "draw", "newsletter")
    until = vault.database.transact(vault.ledger.checkpoint)
    assert until is not None
    grant(vault, "fitting")  # so that it is no matter of the last record
    rows = rows_of(sql)
    rows[1][COLUMNS.index("event")] = "refused"
    write(sql, recomputed(rows, vault.ledger._macs.of))
    with (
        vault.database.read() as connection,
        pytest.raises(LedgerError, match="record up to 4 was changed: checkpoint 1 was signed over other records"),
    ):
        list(export_ledger(vault, connection, until))


def test_a_changed_record_is_named(vault: Vault, lines: Lines) -> None:
    """By the chain alone; with the chain computed anew by the signature, from which record on."""
    record(lines, 5)["event"] = "granted"
    with pytest.raises(LedgerError, match="record 5 was changed"):
        verify_export(encoded(lines), vault.signer.key.public())
    with pytest.raises(LedgerError, match="checkpoint 2 was forged or changed"):
        verify_export(encoded(relinked(lines)), vault.signer.key.public())


def test_a_file_signed_with_another_key_is_found(vault: Vault, lines: Lines) -> None:
    """The file's own key says that it is whole; the key that was kept says whose it is not."""
    forger = SigningKey(bytes(32))
    record(lines, 5)["event"] = "granted"
    lines[0]["public_key"] = forger.public().raw.hex()
    for line in relinked(lines):
        if "checkpoint" in line:
            made = read_checkpoint(msgspec.json.encode(line["checkpoint"]))
            line["checkpoint"]["signature"] = forger.sign(made.message(vault.signer.store_id)).hex()
    assert verify_export(encoded(lines), None).records == 6
    with pytest.raises(LedgerError, match="checkpoint 1 was forged"):
        verify_export(encoded(lines), vault.signer.key.public())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], "does not end with a checkpoint"),
        (lambda lines: [line for line in lines if line.get("record", {}).get("seq") != 3], "record 3 is missing"),
        (lambda lines: [line for line in lines if "notice" not in line], "record 1 names a notice that is not there"),
        (
            lambda lines: [line for line in lines if line.get("checkpoint", {}).get("number") != 1],
            "checkpoint 1 is miss",
        ),
        (lambda lines: [lines[0], *lines], "line 2: it is no line of an exported ledger"),
        (lambda lines: [{**lines[0], "store": "00" * 16}, *lines[1:]], "checkpoint 1 was forged"),
        (lambda lines: [*lines, {"record": {"seq": "7"}}], "line 13: it is no line"),
        (lambda _: [], "line 1: it is no line"),
        (lambda lines: [*lines[:-1], {}], "does not end with a checkpoint"),
        (lambda lines: [*lines[:-2], {**lines[-2], **lines[-1]}], "line 11: it is no line"),
        (lambda lines: [*lines[:-1], lines[1]], "does not end with a checkpoint"),
    ],
)
def test_a_file_that_was_cut_or_mixed_is_refused(
    vault: Vault, lines: Lines, change: Callable[[Lines], Lines], message: str
) -> None:
    """Each line has its place."""
    with pytest.raises(LedgerError, match=message):
        verify_export(encoded(change(lines)), vault.signer.key.public())


@pytest.mark.parametrize("raw", [b"\xff", b"[" * 100_000, b'"' + b"x" * 1_000_001 + b'"', b"null"])
def test_a_file_of_nonsense_is_one_of_our_errors(vault: Vault, lines: Lines, raw: bytes) -> None:
    """And nothing of it is quoted."""
    with pytest.raises(PrivacyError, match=r"line 2: it is no line of an exported ledger"):
        verify_export([encoded(lines)[0], raw], vault.signer.key.public())


def test_an_older_export_is_found_by_a_kept_checkpoint(vault: Vault, lines: Lines) -> None:
    """A file that was cut after an earlier checkpoint is whole, but does not reach the one that was kept."""
    kept = read_checkpoint(msgspec.json.encode(lines[-1]["checkpoint"]))
    first = next(number for number, line in enumerate(lines) if "checkpoint" in line)
    shorter = encoded(lines[: first + 1])
    assert verify_export(shorter, vault.signer.key.public()).records == 4
    with pytest.raises(LedgerError, match="record 5 is missing: checkpoint 2"):
        verify_export(shorter, vault.signer.key.public(), [kept])


def test_a_checkpoint_comes_back_from_its_file(vault: Vault) -> None:
    """What was kept is what was made."""
    grant(vault, "draw")
    made = vault.database.transact(vault.ledger.checkpoint)
    assert made is not None
    assert read_checkpoint(checkpoint_json(made, vault.signer.store_id)) == made
    with pytest.raises(LedgerError, match="line 1"):
        read_checkpoint(b'{"number": 1}')
