"""The ledger as a file that proves itself: JSON lines (docs/spec/ledger.md, section 7).

The first line names the store and its public key, then come notices, then records, each checkpoint after its last
record. The file ends with a checkpoint, so nothing can be taken from it or added to it without the store's key; a file
that was cut after an earlier checkpoint is what an earlier export would have been. It holds no personal data.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rasa_privacy.consent.verification import Checked, LedgerCheck
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage.book_lines import BookLines, CheckpointLine, Strict, line
from rasa_privacy.storage.books import LEDGER, REMEDY
from rasa_privacy.storage.checkpoints import Checkpoint
from rasa_privacy.storage.ledger_record import COLUMNS, LedgerEntry, columns_of
from rasa_privacy.storage.notices import StoredNotice
from rasa_privacy.storage.vault import Vault

# A notice may be long, so a line may be.
_LINES: Final = BookLines(LEDGER, "rasa_privacy ledger v1", "ledger", max_line_bytes=1_000_000)
_BINARY: Final = frozenset(("subject_id", "notice_hash"))


class _Record(Strict):
    seq: int
    subject_id: str
    purpose: str
    event: str
    notice_hash: str
    language: str
    method: str
    channel: str
    at: int
    link: str


class _Notice(Strict):
    hash: str
    notice_id: str
    version: str
    language: str
    text: str
    terms: str | None = None


class _Line(Strict):
    """One line after the first: one of the three."""

    record: _Record | None = None
    checkpoint: CheckpointLine | None = None
    notice: _Notice | None = None


def export_ledger(vault: Vault, connection: Any, until: Checkpoint) -> Iterator[bytes]:
    """Yield the lines of the ledger up to a checkpoint.

    Args:
        vault: The open store.
        connection: A connection that reads.
        until: The checkpoint with which the file is to end; what was recorded after it is left out.

    Raises:
        LedgerError: A record was changed or added; the file must not be used then.
    """
    yield _LINES.head(vault.signer)
    for stored in vault.notices.iterate(connection):
        body = _Notice(stored.hash.hex(), *(getattr(stored, name) for name in _Notice.__struct_fields__[1:]))
        yield line(_Line(notice=body))
    yield from _LINES.body(_records(vault, connection, until), vault.checkpoints.iterate(connection), until)


def verify_export(lines: Iterable[bytes], key: VerifyingKey | None, kept: Iterable[Checkpoint] = ()) -> Checked:
    """Check an exported ledger without the store.

    Args:
        lines: The lines of the file.
        key: The store's public key, from whom the reader trusts; None for the one in the file, which shows that the
            file is whole but not whose it is.
        kept: Checkpoints that somebody kept.

    Raises:
        LedgerError: Something was changed, removed, added or reordered, or this is no export; names the first.
        SignatureError: The key in the file is none.
    """
    numbered = enumerate(lines, start=1)
    _, head = next(numbered, (1, b""))
    check = LedgerCheck(*_LINES.read_head(head, key), kept)
    last: _Line | None = None
    for number, raw in numbered:
        last = _LINES.read_part(number, raw, _Line)
        _check(check, last, number)
    _LINES.check_end(last)
    return check.finish()


def read_checkpoint(raw: bytes) -> Checkpoint:
    """Return a checkpoint that was kept.

    Raises:
        LedgerError: It is none.
    """
    return _LINES.read_checkpoint(raw)


def _check(check: LedgerCheck, found: _Line, number: int) -> None:
    """Check what a line has."""
    if found.record is not None:
        columns = [_column(name, getattr(found.record, name), number) for name in COLUMNS]
        check.record(columns, _LINES.to_bytes(found.record.link, number))
    elif found.checkpoint is not None:
        check.checkpoint(_LINES.to_checkpoint(found.checkpoint, number))
    elif found.notice is not None:
        texts = (getattr(found.notice, name) for name in _Notice.__struct_fields__[1:])
        check.notice(StoredNotice(_LINES.to_bytes(found.notice.hash, number), *texts))


def _records(vault: Vault, connection: Any, until: Checkpoint) -> Iterator[tuple[int, _Line]]:
    """Yield the records with their numbers, and see that they lead to what was signed."""
    for entry, link in vault.ledger.verified(connection):
        if entry.seq == until.seq and link != until.link:
            raise LedgerError(
                f"consent ledger: a record up to {until.seq} was changed: checkpoint {until.number} was signed over "
                f"other records; {REMEDY}"
            )
        yield entry.seq, _Line(record=_of_entry(entry, link))


def _of_entry(entry: LedgerEntry, link: bytes) -> _Record:
    values = {name: _text(value) for name, value in columns_of(entry.seq, entry.record).items()}
    return _Record(**values, link=link.hex())


def _column(name: str, value: Any, number: int) -> Any:
    return _LINES.to_bytes(value, number) if name in _BINARY else value


def _text(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
