"""What the store holds of one person, as a picture for people: ledger, keys, and the stored bytes themselves.

It reads what any thief of the database would have, and the ledger. It opens no segment.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault

_NEWEST_SEGMENTS: Final = 2
_ROW_BYTES: Final = 16
_SHOWN_ROWS: Final = 6  # the first three are the header: magic, key id, nonce
_SHORT: Final = 8  # hexadecimal characters that tell one id from another by eye


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """What the store holds of one sender at one moment.

    Attributes:
        subject_id: The random id of the person, or None for a person that the store does not know.
        keys: Purposes with a data key, sorted.
        segments: Purpose and stored bytes of the newest segments, newest first.
        ledger: Records of this person, then of the person that was erased last under this sender id.
        certificate: Number of that erasure's certificate, or None.
        erased_id: The random id of that erased person, or None.
    """

    subject_id: bytes | None
    keys: tuple[str, ...]
    segments: tuple[tuple[str, bytes], ...] = field(repr=False)
    ledger: tuple[LedgerRecord, ...]
    certificate: str | None
    erased_id: bytes | None = None

    def events_of(self, purpose: str) -> list[str]:
        """Return what the ledger says of a living person's purpose, oldest first."""
        mine = (record for record in self.ledger if record.subject_id == self.subject_id)
        return [record.event for record in mine if record.purpose == purpose]


def read_store(vault: Vault, sender_id: str, before: StoreSnapshot | None = None) -> StoreSnapshot:
    """Return what the store holds of this sender now.

    Args:
        vault: The open store.
        sender_id: Rasa's conversation key.
        before: An earlier snapshot. After an erasure nothing leads from the sender to the old records, so only who
            remembers the old subject id can show them.

    Raises:
        StorageError: The database cannot be read.
    """
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
        erased = _erased(vault, connection, before)
        people = [subject_id, erased]
        ledger = [record for one in people if one for record in vault.ledger.of_subject(connection, one)]
        return StoreSnapshot(
            subject_id=subject_id,
            keys=tuple(sorted(vault.data_keys.of_subject(connection, subject_id))) if subject_id else (),
            segments=tuple(vault.senders.newest_sealed(connection, sender_id, _NEWEST_SEGMENTS)),
            ledger=tuple(sorted(ledger, key=lambda record: record.at)),
            certificate=vault.erasures.certificate_of(connection, erased) if erased else None,
            erased_id=erased,
        )


def _erased(vault: Vault, connection: Any, before: StoreSnapshot | None) -> bytes | None:
    """Return the subject of the earlier snapshot that has been erased since, or was erased then."""
    if before is None:
        return None
    if before.subject_id is not None and vault.erasures.is_erased(connection, before.subject_id):
        return before.subject_id
    return before.erased_id


def hex_lines(content: bytes, rows: int = _SHOWN_ROWS) -> list[str]:
    """Return the first rows of 16 bytes: offset, hexadecimal, and what is readable of it."""
    lines = []
    for at in range(0, min(len(content), rows * _ROW_BYTES), _ROW_BYTES):
        row = content[at : at + _ROW_BYTES]
        readable = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)  # noqa: PLR2004 - printable ASCII
        lines.append(f"{at:04x}  {row.hex(' '):<{3 * _ROW_BYTES - 1}}  {readable}")
    return lines


def render(snapshot: StoreSnapshot) -> RenderableType:
    """Return the picture of a snapshot."""
    parts = [_people(snapshot), _ledger_table(snapshot), *_segments(snapshot.segments)]
    return Panel(Group(*parts), title="what the store holds", title_align="left", border_style="dim")


def _people(snapshot: StoreSnapshot) -> Text:
    if snapshot.subject_id is None:
        lines = ["person: unknown to the store", "keys: none"]
    else:
        lines = [f"person: {_short(snapshot.subject_id)}", f"keys: {', '.join(snapshot.keys) or 'none'}"]
    if snapshot.certificate is not None:
        lines.append(f"erased before under this sender: certificate {snapshot.certificate}")
    return Text("\n".join(lines))


def _ledger_table(snapshot: StoreSnapshot) -> RenderableType:
    if not snapshot.ledger:
        return Text("ledger: no entries")
    table = Table("person", "event", "purpose", "at (UTC)", "notice", title="ledger", title_justify="left", box=None)
    for record in snapshot.ledger:
        at = f"{record.at:%H:%M:%S}"
        table.add_row(_short(record.subject_id), record.event, record.purpose, at, _short(record.notice_hash))
    return table


def _segments(segments: Iterable[tuple[str, bytes]]) -> list[Text]:
    shown = []
    for purpose, sealed in segments:
        lines = [f"stored bytes, purpose {purpose}, {len(sealed)} bytes:", *hex_lines(sealed)]
        shown.append(Text("\n".join(lines), no_wrap=True))
    return shown or [Text("stored bytes: none")]


def _short(content: bytes) -> str:
    return content.hex()[:_SHORT] or "-"
