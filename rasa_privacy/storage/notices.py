"""`Notices`: the texts that were shown before consent, each kept once under its hash.

The ledger names a notice by its hash, so a row that does not have the hash it stands under was changed. One that was
verified is remembered: nothing else can ever have its hash.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.errors import LedgerError
from rasa_privacy.storage.paging import Pages
from rasa_privacy.storage.tables import notices

#: Verified notices to remember; a bot has few, and each is a page of text.
_REMEMBERED: Final = 256

_COLUMNS: Final = notices.c
_ALL: Final = select(
    _COLUMNS.hash, _COLUMNS.notice_id, _COLUMNS.version, _COLUMNS.language, _COLUMNS.text, _COLUMNS.terms
)
_SELECT: Final = _ALL.where(_COLUMNS.hash == bindparam("key"))
_PAGES: Final = Pages(_ALL, _COLUMNS.hash)
_INSERT: Final = insert(notices)


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A notice as it was shown. It holds no personal data.

    Attributes:
        hash: 32 bytes over the next four; the ledger names the notice by it.
        notice_id: Which notice.
        version: Which version of it.
        language: BCP 47 tag.
        text: Every word that was shown.
        terms: What it promised, as JSON (`consent.terms`); the version is its hash. None in notices of schema 3 and
            older.
    """

    hash: bytes
    notice_id: str
    version: str
    language: str
    text: str
    terms: str | None = None

    @property
    def is_damaged(self) -> bool:
        """Whether this is not what was shown."""
        parts = (self.notice_id, self.version, self.language, self.text)
        if any(type(each) is not str for each in (*parts, "" if self.terms is None else self.terms)):
            return True  # which SQLite allows
        try:
            return notice_hash(*parts) != self.hash
        except UnicodeEncodeError:
            return True


def notice_hash(notice_id: str, version: str, language: str, text: str) -> bytes:
    """Return the SHA-256 over these parts, each with its length before it (32 bytes)."""
    digest = hashlib.sha256(b"rasa_privacy notice v1")
    for part in (notice_id, version, language, text):
        raw = part.encode()
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return digest.digest()


class Notices:
    """Notices in the database."""

    def __init__(self) -> None:
        self._verified: dict[bytes, StoredNotice] = {}

    def put(self, conn: Connection, notice: StoredNotice) -> None:
        """Keep a notice; one that is there already stays as it is.

        Raises:
            ContentionError: Another transaction keeps the same notice now; `Database.transact` finds it.
        """
        if conn.execute(_SELECT, {"key": notice.hash}).first() is not None:
            return
        row = {
            "hash": notice.hash,
            "notice_id": notice.notice_id,
            "version": notice.version,
            "language": notice.language,
            "text": notice.text,
            "terms": notice.terms,
        }
        conn.execute(_INSERT, row)

    def get(self, conn: Connection, key: bytes) -> StoredNotice | None:
        """Return the notice with this hash, or None.

        Raises:
            LedgerError: The stored notice was changed.
        """
        if key in self._verified:
            return self._verified[key]
        row = conn.execute(_SELECT, {"key": key}).first()
        if row is None:
            return None
        notice = StoredNotice(*row)
        if notice.is_damaged:
            raise LedgerError(
                f"consent notice {key.hex()[:16]}: changed after it was shown; restore the database from its backup"
            )
        if len(self._verified) < _REMEMBERED:
            self._verified[key] = notice
        return notice

    def iterate(self, conn: Connection) -> Iterator[StoredNotice]:
        """Yield all notices, in pages so that the memory stays flat."""
        return (StoredNotice(*row) for row in _PAGES.rows(conn, b""))
