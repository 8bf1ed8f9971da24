"""The audit log as a file: JSON lines that prove themselves, or CEF for a SIEM (docs/spec/audit.md, sections 5 and 6).

The JSON lines begin with the store and its public key; then come records, each checkpoint after its last record. The
file ends with a checkpoint, so nothing can be taken from it or added to it without the store's key.
"""

import importlib.metadata
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any, Final

import msgspec

from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.storage.audit import Verified
from rasa_privacy.storage.audit_record import COLUMNS, AuditEntry, columns_of, entry_of
from rasa_privacy.storage.book_lines import BookLines, CheckpointLine, Strict
from rasa_privacy.storage.books import AUDIT
from rasa_privacy.storage.chain import BookCheck
from rasa_privacy.storage.checkpoints import Checkpoint
from rasa_privacy.storage.vault import Vault

_LINES: Final = BookLines(AUDIT, "rasa_privacy audit v1", "audit log", max_line_bytes=100_000)
_SUBJECT: Final = COLUMNS.index("subject_id")
_HEADER_ESCAPES: Final = str.maketrans({"\\": "\\\\", "|": "\\|"})
_FIELD_ESCAPES: Final = str.maketrans({"\\": "\\\\", "=": "\\=", "\n": "\\n", "\r": "\\r"})
#: CEF's severity, 0 to 10, by outcome.
_SEVERITY: Final = {"begun": 2, "done": 3, "failed": 6, "refused": 7}
_ALARM_SEVERITY: Final = 9


class _Record(Strict):
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


class _Line(Strict):
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
    yield _LINES.head(vault.signer)
    records = ((entry.seq, _Line(record=_of_entry(entry))) for entry in vault.audit.entries(connection))
    yield from _LINES.body(records, vault.audit.checkpoints(connection), until)


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
    _, head = next(numbered, (1, b""))
    check = BookCheck(*_LINES.read_head(head, key), kept, AUDIT)
    last: _Line | None = None
    for number, raw in numbered:
        last = line = _LINES.read_part(number, raw, _Line)
        if line.record is not None:
            check.record(_columns(line.record, number), _LINES.to_bytes(line.record.link, number))
        elif line.checkpoint is not None:
            check.checkpoint(_LINES.to_checkpoint(line.checkpoint, number))
    _LINES.check_end(last)
    check.end()
    return Verified(check.chain.seq, check.checkpoints, check.covered, check.chain.link)


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


def read_checkpoint(raw: bytes) -> Checkpoint:
    """Return a checkpoint that was kept.

    Raises:
        AuditError: It is none.
    """
    return _LINES.read_checkpoint(raw)


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
        columns[_SUBJECT] = _LINES.to_bytes(line.subject_id, number)
    entry_of([*columns, b""])
    return columns
