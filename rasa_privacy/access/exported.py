"""The audit log as a file: JSON lines that prove themselves, or CEF for a SIEM (docs/spec/audit.md, sections 5 and 6).

The JSON lines begin with the store and its public key; then come records, each checkpoint after its last record. The
file ends with a checkpoint, so nothing can be taken from it or added to it without the store's key.
"""

import importlib.metadata
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any, Final, Literal

import msgspec

from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import AuditError, PrivacyError
from rasa_privacy.storage.audit import Verified
from rasa_privacy.storage.audit_record import COLUMNS, AuditEntry, columns_of, entry_of
from rasa_privacy.storage.books import AUDIT
from rasa_privacy.storage.chain import BookCheck
from rasa_privacy.storage.checkpoints import Checkpoint
from rasa_privacy.storage.vault import Vault

FORMAT: Final = "rasa_privacy audit v1"
_MAX_LINE: Final = 100_000
_SUBJECT: Final = COLUMNS.index("subject_id")
_HEADER_ESCAPES: Final = str.maketrans({"\\": "\\\\", "|": "\\|"})
_FIELD_ESCAPES: Final = str.maketrans({"\\": "\\\\", "=": "\\=", "\n": "\\n", "\r": "\\r"})
#: CEF's severity, 0 to 10, by outcome.
_SEVERITY: Final = {"begun": 2, "done": 3, "failed": 6, "refused": 7}
_ALARM_SEVERITY: Final = 9


class _Strict(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A line with an unknown field is none of ours."""


class _Head(_Strict):
    format: Literal["rasa_privacy audit v1"]
    store: str
    public_key: str


class _Record(_Strict):
    seq: int
    at: int
    operator: str
    role: str
    verb: str
    outcome: str
    subject_id: str | None
    reason: str
    details: str
    link: str


class CheckpointLine(_Strict):
    """A checkpoint as JSON; the store is named where it stands alone."""

    number: int
    seq: int
    link: str
    at: int
    signature: str
    store: str | None = None


class _Line(_Strict):
    """One line after the first: one of the two."""

    record: _Record | None = None
    checkpoint: CheckpointLine | None = None


def export_audit(vault: Vault, connection: Any, until: Checkpoint) -> Iterator[bytes]:
    """Yield the lines of the log up to a checkpoint.

    Args:
        vault: The open store.
        connection: A connection that reads.
        until: The checkpoint with which the file is to end; what was recorded after it is left out.

    Raises:
        AuditError: A record was changed or added; the file must not be used then.
    """
    signer = vault.signer
    yield _line(_Head(FORMAT, signer.store_id.hex(), signer.key.public().raw.hex()))
    waiting = vault.audit.checkpoints(connection)
    checkpoint = next(waiting, None)
    for entry in vault.audit.entries(connection):
        yield _line(_Line(record=_of_entry(entry)))
        if checkpoint is not None and checkpoint.seq == entry.seq:
            yield _line(_Line(checkpoint=_of_checkpoint(checkpoint)))
            checkpoint = next(waiting, None)
        if entry.seq == until.seq:
            return


def verify_audit_export(lines: Iterable[bytes], key: VerifyingKey | None, kept: Iterable[Checkpoint] = ()) -> Verified:
    """Check an exported log without the store, line by line.

    Args:
        lines: The lines of the file.
        key: The store's public key, from whom the reader trusts; None for the one in the file, which shows that the
            file is whole but not whose it is.
        kept: Checkpoints that somebody kept.

    Raises:
        AuditError: Something was changed, removed, added or reordered, or this is no export; names the first.
        SignatureError: The key in the file is none.
    """
    numbered = enumerate(lines, start=1)
    head: _Head = _read(*next(numbered, (1, b"")), _Head)
    check = BookCheck(_bytes(head.store, 1), key or VerifyingKey(_bytes(head.public_key, 1)), kept, AUDIT)
    ends_well = False
    for number, raw in numbered:
        line: _Line = _read(number, raw, _Line)
        if line.record is not None and line.checkpoint is not None:
            raise _no_line(number)  # so that neither goes unchecked beside the other
        ends_well = line.checkpoint is not None
        if line.record is not None:
            check.record(_columns(line.record, number), _bytes(line.record.link, number))
        elif line.checkpoint is not None:
            check.checkpoint(_to_checkpoint(line.checkpoint, number))
    if not ends_well:
        raise AuditError("audit log: the file does not end with a checkpoint; it was cut, export it again")
    check.end()
    return Verified(check.chain.seq, check.checkpoints, check.covered)


def cef_lines(entries: Iterable[AuditEntry], store_id: bytes) -> Iterator[bytes]:
    """Yield each record as a line of the Common Event Format, version 0 (ArcSight CEF Implementation Standard)."""
    version = importlib.metadata.version("rasa_privacy")
    for seq, each, _link in entries:
        severity = _ALARM_SEVERITY if each.verb == "break_glass" else _SEVERITY[each.outcome]
        header = ("CEF:0", "rasa_privacy", "rasa_privacy", version, each.verb, f"{each.verb} {each.outcome}", severity)
        fields = {
            "rt": int(each.at.timestamp() * 1000),
            "externalId": seq,
            "deviceExternalId": store_id.hex(),
            "suser": each.operator,
            "spriv": each.role,
            "act": each.verb,
            "outcome": each.outcome,
            "duid": each.subject_id.hex() if each.subject_id else "",
            "reason": each.reason,
            "cs1Label": "purposes" if each.purposes else "",
            "cs1": " ".join(each.purposes),
            "cs2Label": "items" if each.items else "",
            "cs2": " ".join(each.items),
            "cs3Label": "counts" if each.counts else "",
            "cs3": " ".join(f"{name}:{count}" for name, count in sorted(each.counts.items())),
        }
        written = (f"{name}={str(value).translate(_FIELD_ESCAPES)}" for name, value in fields.items() if value != "")
        parts = "|".join(str(part).translate(_HEADER_ESCAPES) for part in header)
        yield f"{parts}|{' '.join(written)}\n".encode()


def plain_json(entry: AuditEntry) -> dict[str, Any]:
    """Return a record as a JSON value for people: times in ISO 8601, counts as numbers."""
    each = entry.record
    return {
        "seq": entry.seq,
        "at": each.at.astimezone(timezone.utc).isoformat(),
        "operator": each.operator,
        "role": each.role,
        "verb": each.verb,
        "outcome": each.outcome,
        "subject": each.subject_id.hex() if each.subject_id else None,
        "reason": each.reason,
        "purposes": list(each.purposes),
        "items": list(each.items),
        "counts": dict(each.counts),
    }


def checkpoint_json(checkpoint: Checkpoint, store_id: bytes) -> bytes:
    """Return a checkpoint as JSON, to be kept elsewhere."""
    return _line(_of_checkpoint(checkpoint, store_id.hex()))


def read_checkpoint(raw: bytes) -> Checkpoint:
    """Return a checkpoint that was kept.

    Raises:
        AuditError: It is none.
    """
    return _to_checkpoint(_read(1, raw, CheckpointLine), 1)


def within(entries: Iterable[AuditEntry], since: datetime | None, until: datetime | None) -> Iterator[AuditEntry]:
    """Yield the records not before `since` and before `until`."""
    for entry in entries:
        if (since is None or entry.record.at >= since) and (until is None or entry.record.at < until):
            yield entry


def _of_entry(entry: AuditEntry) -> _Record:
    columns = [value.hex() if isinstance(value, bytes) else value for value in columns_of(entry.seq, entry.record)]
    return msgspec.convert(dict(zip(COLUMNS, columns, strict=True)) | {"link": entry.link.hex()}, _Record)


def _columns(line: _Record, number: int) -> list[Any]:
    """Return the columns that the link covers, of a line that is a record."""
    columns = [getattr(line, name) for name in COLUMNS]
    if line.subject_id is not None:
        columns[_SUBJECT] = _bytes(line.subject_id, number)
    entry_of([*columns, b""])
    return columns


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
    return AuditError(f"line {number}: it is no line of an exported audit log; export it again")
