"""`AuditRecord`: one record of the audit log, its stored columns, and the bytes that its link covers.

The bytes are the MessagePack array of the columns in the order of `COLUMNS` (docs/spec/audit.md, section 2). `details`
is canonical JSON, so that the same record always has the same bytes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from rasa_privacy.errors import AuditError, TamperedSegmentError
from rasa_privacy.policy.verbs import AUDITED
from rasa_privacy.storage.books import REMEDY
from rasa_privacy.storage.tables import from_micros, to_micros

#: How it ended. `begun` stands before what takes long, so that it is in the log whatever happens then.
OUTCOMES: Final = frozenset(("begun", "done", "refused", "failed"))
#: What a link covers, in this order.
COLUMNS: Final = ("seq", "at", "operator", "role", "verb", "outcome", "subject_id", "reason", "details")
#: Lengths of the columns, in characters.
MAX_LABEL: Final = 64
MAX_REASON: Final = 255
#: No record of ours comes near it.
_MAX_DETAILS: Final = 16_000

#: A regular expression of operators' labels.
LABEL: Final = r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}"
_LABEL: Final = re.compile(LABEL)
_COUNTED: Final = re.compile(r"[a-z][a-z_]{0,31}")


class _Details(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What stands in `details`: names of privacy.yml, and counts."""

    counts: dict[str, int] = {}
    items: list[str] = []
    purposes: list[str] = []


_encode_details: Final = msgspec.json.Encoder(order="deterministic").encode
_decode_details: Final = msgspec.json.Decoder(_Details).decode
_encode: Final = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One thing that somebody did with personal data, or wanted to do.

    Attributes:
        at: Aware UTC time.
        operator: Who: a label of letters, digits and `_.@+-`, up to 64 characters.
        verb: What, a word of `policy.verbs.AUDITED`.
        outcome: A word of `OUTCOMES`.
        role: In which role of privacy.yml; empty where there is none.
        subject_id: 16 random bytes of the one person that it is about, or None.
        reason: Why, in the operator's words; never with personal data (`access.reasons` looks).
        purposes: Names of the purposes concerned.
        items: Names of the items concerned; never a value.
        counts: How many of what, for example `{"people": 2}`.

    Raises:
        AuditError: A field has a form that could not be read back as what it is.
    """

    at: datetime
    operator: str
    verb: str
    outcome: str = "done"
    role: str = ""
    subject_id: bytes | None = None
    reason: str = ""
    purposes: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a record that could not be read back as what it is."""
        if self.verb not in AUDITED or self.outcome not in OUTCOMES:
            raise AuditError("audit record: verb and outcome must be words of the audit log (docs/spec/audit.md)")
        if self.at.tzinfo is None:
            raise AuditError("audit record: the time needs a time zone; use datetime.now(timezone.utc)")
        if _LABEL.fullmatch(self.operator) is None or len(self.role) > MAX_LABEL:
            raise AuditError(f"audit record: the operator must be a label of 1 to {MAX_LABEL} letters and digits")
        if len(self.reason) > MAX_REASON or not (self.reason == "" or self.reason.isprintable()):
            raise AuditError(f"audit record: the reason must be one line of at most {MAX_REASON} characters")
        if self.subject_id is not None and len(self.subject_id) != 16:  # noqa: PLR2004 - the size of a subject id
            raise AuditError("audit record: a subject id has 16 bytes")
        if any(_COUNTED.fullmatch(name) is None or type(n) is not int or n < 0 for name, n in self.counts.items()):
            raise AuditError("audit record: counts are whole numbers by name")


class AuditEntry(NamedTuple):
    """A record with its place in the log.

    Attributes:
        seq: Its number, from 1.
        record: What it says.
        link: Its link, which covers it and all before it.
    """

    seq: int
    record: AuditRecord
    link: bytes


def columns_of(seq: int, record: AuditRecord) -> tuple[Any, ...]:
    """Return the columns in the order in which the link covers them.

    Raises:
        AuditError: The names in it are too many.
    """
    details = _Details(dict(record.counts), list(record.items), list(record.purposes))
    written = _encode_details(details).decode()
    if len(written) > _MAX_DETAILS:
        raise AuditError("audit record: it names too many purposes and items")
    return (
        seq,
        to_micros(record.at),
        record.operator,
        record.role,
        record.verb,
        record.outcome,
        record.subject_id,
        record.reason,
        written,
    )


def record_bytes(columns: Sequence[Any]) -> bytes:
    """Return the bytes that the link of these columns covers."""
    return _encode(columns)


def entry_of(row: Sequence[Any]) -> AuditEntry:
    """Return the entry in a row of the columns and the link.

    Raises:
        AuditError: The record was changed into something that is none.
    """
    seq, at, operator, role, verb, outcome, subject_id, reason, details, stored, *_ = row
    try:
        found = _decode_details(details)
        named = (tuple(found.purposes), tuple(found.items), found.counts)
        record = AuditRecord(from_micros(at), operator, verb, outcome, role, subject_id, reason, *named)
    except (msgspec.MsgspecError, TamperedSegmentError, AuditError, TypeError):
        raise AuditError(f"audit log: record {seq} has no meaning; {REMEDY}") from None
    return AuditEntry(seq, record, stored)
