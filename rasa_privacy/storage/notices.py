"""`Notices`: the texts that were shown before consent, each kept once under its hash."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.storage.tables import notices

_COLUMNS: Final = notices.c
_SELECT: Final = select(_COLUMNS.hash, _COLUMNS.notice_id, _COLUMNS.version, _COLUMNS.language, _COLUMNS.text).where(
    _COLUMNS.hash == bindparam("key")
)
_INSERT: Final = insert(notices)


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A notice as it was shown. It holds no personal data.

    Attributes:
        hash: 32 bytes over the rest; the ledger names the notice by it.
        notice_id: Which notice.
        version: Which version of it.
        language: BCP 47 tag.
        text: Every word that was shown.
    """

    hash: bytes
    notice_id: str
    version: str
    language: str
    text: str


class Notices:
    """Notices in the database."""

    def put(self, conn: Connection, notice: StoredNotice) -> None:
        """Keep a notice; one that is there already stays as it is.

        Raises:
            ContentionError: Another transaction keeps the same notice now; `Database.transact` finds it.
        """
        if self.get(conn, notice.hash) is not None:
            return
        row = {
            "hash": notice.hash,
            "notice_id": notice.notice_id,
            "version": notice.version,
            "language": notice.language,
            "text": notice.text,
        }
        conn.execute(_INSERT, row)

    def get(self, conn: Connection, notice_hash: bytes) -> StoredNotice | None:
        """Return the notice with this hash, or None."""
        row = conn.execute(_SELECT, {"key": notice_hash}).first()
        return None if row is None else StoredNotice(*row)
