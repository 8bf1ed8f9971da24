"""`Checkpoints`: signatures over a book as it was at a moment (docs/spec/ledger.md, section 5; audit.md, section 4).

Who has the database can compute the whole chain anew, but can sign no checkpoint; and who has an older checkpoint or an
export can check the records against it without any key of the store. They are numbered from 1, and the last one is kept
with a keyed hash, so that none can be taken away unnoticed by who has the keys to look.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import SignatureError
from rasa_privacy.storage.books import LEDGER, REMEDY, Book
from rasa_privacy.storage.paging import Pages
from rasa_privacy.storage.signer import Signer
from rasa_privacy.storage.tables import meta, to_micros

#: A checkpoint is made whenever so many records were written, besides those of the sweep and of the command.
EVERY_RECORDS: Final = 1000

_GET_HEAD: Final = select(meta.c.value).where(meta.c.name == bindparam("which"))
_PUT_HEAD: Final = insert(meta)
_SET_HEAD: Final = update(meta).where(meta.c.name == bindparam("which")).values(value=bindparam("head"))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a book was at a moment, signed.

    Attributes:
        number: Its own number, from 1.
        seq: Number of the last record then.
        link: Link of that record, which covers all before it.
        at: When it was signed, in microseconds since 1970 in UTC.
        signature: 64 bytes.
    """

    number: int
    seq: int
    link: bytes
    at: int
    signature: bytes

    def message(self, store_id: bytes, book: Book = LEDGER) -> bytes:
        """Return the bytes that are signed."""
        return _message(book, store_id, self.number, self.seq, self.link, self.at)

    def check(self, store_id: bytes, key: VerifyingKey, book: Book = LEDGER) -> None:
        """Check the signature.

        Raises:
            LedgerError: It is not the store's; of another book, the book's error.
        """
        try:
            key.check(self.message(store_id, book), self.signature, f"checkpoint {self.number}")
        except (SignatureError, TypeError, OverflowError):
            raise book.error(
                f"{book.name}: checkpoint {self.number} was forged or changed, or is another store's; {REMEDY}"
            ) from None


class Checkpoints:
    """Checkpoints in the database.

    Args:
        index: Blind index of this database, which authenticates the last one.
        signer: What signs them.
        clock: Current time, aware and in UTC.
        book: What they are signed over.
    """

    def __init__(self, index: BlindIndex, signer: Signer, clock: Callable[[], datetime], book: Book = LEDGER) -> None:
        self._index = index
        self._signer = signer
        self._clock = clock
        self._book = book
        self._table = book.checkpoints
        self._last = _select(book).order_by(self._table.c.number.desc()).limit(1)
        self._pages = Pages(_select(book), self._table.c.number)

    def sign(self, conn: Connection, seq: int, link: bytes) -> Checkpoint:
        """Sign the book's end, and return the checkpoint; the present one where nothing was added since.

        Args:
            conn: A connection of `Database.transact` that has locked the end of the book and verified it.
            seq: Number of the last record.
            link: Its link.

        Raises:
            PrivacyError: The last checkpoint does not verify, so nothing may be added to it (the book's error).
        """
        last = self.verified_last(conn)
        if last is not None and last.seq == seq:
            return last
        number, at = (1 if last is None else last.number + 1), to_micros(self._clock())
        signature = self._signer.key.sign(_message(self._book, self._signer.store_id, number, seq, link, at))
        row = {"number": number, "seq": seq, "link": link, "at": at, "signature": signature}
        conn.execute(insert(self._table), row)
        conn.execute(_SET_HEAD, {"which": self._book.checkpoint_head, "head": self._head(number, signature)})
        return Checkpoint(number, seq, link, at, signature)

    def verified_last(self, conn: Connection) -> Checkpoint | None:
        """Return the last checkpoint, or None where there is none yet.

        Raises:
            PrivacyError: It is not the last one that was made (the book's error).
        """
        row = conn.execute(self._last).first()
        number, signature = (0, b"") if row is None else (row.number, row.signature)
        if conn.execute(_GET_HEAD, {"which": self._book.checkpoint_head}).scalar() != self._head(number, signature):
            raise self._book.error(
                f"{self._book.name}: checkpoint {number} is not the last one that was made; {REMEDY}"
            )
        return None if row is None else Checkpoint(*row)

    def iterate(self, conn: Connection, after: int = 0) -> Iterator[Checkpoint]:
        """Yield the checkpoints after a number in their order."""
        return (Checkpoint(*row) for row in self._pages.rows(conn, after))

    def begin(self, conn: Connection) -> None:
        """Say that there is no checkpoint yet; from then on a missing one is noticed."""
        conn.execute(_PUT_HEAD, {"name": self._book.checkpoint_head, "value": self._head(0, b"")})

    def has_begun(self, conn: Connection) -> bool:
        """Return whether `begin` was called for this database."""
        return conn.execute(_GET_HEAD, {"which": self._book.checkpoint_head}).first() is not None

    def _head(self, number: int, signature: Any) -> bytes:
        return self._index.of(self._book.checkpoint_domain, f"{number}:{bytes(signature).hex()}")


def _select(book: Book) -> Select:
    columns = book.checkpoints.c
    return select(columns.number, columns.seq, columns.link, columns.at, columns.signature)


def _message(book: Book, store_id: bytes, number: int, seq: int, link: bytes, at: int) -> bytes:  # noqa: PLR0913, PLR0917 - what is signed
    return book.signing_domain + msgspec.msgpack.encode([store_id, number, seq, link, at])
