"""The ledger as a file that proves itself: JSON lines (docs/spec/ledger.md, section 7).

The first line names the store and its public key, then come notices, then records, each checkpoint after its last
record. The file ends with a checkpoint, so nothing can be taken from it or added to it without the store's key; a file
that was cut after an earlier checkpoint is what an earlier export would have been. It holds no personal data.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

import msgspec

from rasa_privacy.consent.verification import Checked, LedgerCheck
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import LedgerError, PrivacyError
from rasa_privacy.storage.checkpoints import Checkpoint
from rasa_privacy.storage.ledger_record import COLUMNS, columns_of
from rasa_privacy.storage.notices import StoredNotice
from rasa_privacy.storage.vault import Vault

FORMAT: Final = "rasa_privacy ledger v1"
#: A notice may be long; no line of a stranger's file is longer.
_MAX_LINE: Final = 1_000_000
_BINARY: Final = frozenset(("subject_id", "notice_hash"))


class _Strict(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A line with an unknown field is none of ours."""


class _Head(_Strict):
    format: Literal["rasa_privacy ledger v1"]
    store: str
    public_key: str


class _Record(_Strict):
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


class CheckpointLine(_Strict):
    """A checkpoint as JSON; the store is named where it stands alone."""

    number: int
    seq: int
    link: str
    at: int
    signature: str
    store: str | None = None


class _Notice(_Strict):
    hash: str
    notice_id: str
    version: str
    language: str
    text: str
    terms: str | None = None


class _Line(_Strict):
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
    signer = vault.signer
    yield _line(_Head(FORMAT, signer.store_id.hex(), signer.key.public().raw.hex()))
    for stored in vault.notices.iterate(connection):
        body = _Notice(stored.hash.hex(), *(getattr(stored, name) for name in _Notice.__struct_fields__[1:]))
        yield _line(_Line(notice=body))
    waiting = vault.checkpoints.iterate(connection)
    checkpoint = next(waiting, None)
    for entry in vault.ledger.verified(connection):
        values = {name: _text(value) for name, value in columns_of(entry.seq, entry.record).items()}
        yield _line(_Line(record=_Record(**values, link=entry.link.hex())))
        if checkpoint is not None and checkpoint.seq == entry.seq:
            yield _line(_Line(checkpoint=_of_checkpoint(checkpoint)))
            checkpoint = next(waiting, None)
        if entry.seq == until.seq:
            return


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
    head: _Head = _read(*next(numbered, (1, b"")), _Head)
    store_id = _bytes(head.store, 1)
    check = LedgerCheck(store_id, key or VerifyingKey(_bytes(head.public_key, 1)), kept)
    last: _Line | None = None
    for number, raw in numbered:
        last = _read_one(number, raw)
        _check(check, last, number)
    if last is None or last.checkpoint is None:
        raise LedgerError("consent ledger: the file does not end with a checkpoint; it was cut, export it again")
    return check.finish()


def checkpoint_json(checkpoint: Checkpoint, store_id: bytes) -> bytes:
    """Return a checkpoint as JSON, to be kept elsewhere."""
    return _line(_of_checkpoint(checkpoint, store_id.hex()))


def read_checkpoint(raw: bytes) -> Checkpoint:
    """Return a checkpoint that was kept.

    Raises:
        LedgerError: It is none.
    """
    return _to_checkpoint(_read(1, raw, CheckpointLine), 1)


def _read_one(number: int, raw: bytes) -> _Line:
    """Return a line that holds one thing, so that none beside it goes unchecked."""
    line: _Line = _read(number, raw, _Line)
    if sum(part is not None for part in (line.record, line.checkpoint, line.notice)) > 1:
        raise _no_line(number)
    return line


def _check(check: LedgerCheck, line: _Line, number: int) -> None:
    """Check what a line holds."""
    if line.record is not None:
        columns = [_column(name, getattr(line.record, name), number) for name in COLUMNS]
        check.record(columns, _bytes(line.record.link, number))
    elif line.checkpoint is not None:
        check.checkpoint(_to_checkpoint(line.checkpoint, number))
    elif line.notice is not None:
        texts = (getattr(line.notice, name) for name in _Notice.__struct_fields__[1:])
        check.notice(StoredNotice(_bytes(line.notice.hash, number), *texts))


def _column(name: str, value: Any, number: int) -> Any:
    return _bytes(value, number) if name in _BINARY else value


def _text(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _of_checkpoint(checkpoint: Checkpoint, store: str | None = None) -> CheckpointLine:
    signature = checkpoint.signature.hex()
    return CheckpointLine(checkpoint.number, checkpoint.seq, checkpoint.link.hex(), checkpoint.at, signature, store)


def _to_checkpoint(line: CheckpointLine, number: int) -> Checkpoint:
    link, signature = _bytes(line.link, number), _bytes(line.signature, number)
    return Checkpoint(line.number, line.seq, link, line.at, signature)


def _line(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _read(number: int, raw: bytes, form: type[Any]) -> Any:
    if len(raw) > _MAX_LINE:
        raise _no_line(number)
    try:
        return msgspec.json.decode(raw, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _no_line(number) from None


def _bytes(text: str, number: int) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise _no_line(number) from None


def _no_line(number: int) -> PrivacyError:
    return LedgerError(f"line {number}: it is no line of an exported ledger; export it again")
