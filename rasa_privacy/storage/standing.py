"""How far the books were verified before, kept with a keyed hash in one row of `meta` (docs/spec/audit.md, section 4).

Who has plain SQL cannot make such a mark: they lack the key of the hash. One that knows of more records than there are,
or of another record at its end, says that the book was put back to an older state. That a mark is not an older one of
ours is for `access.verification` to see, by the audit log.
"""

from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.hash_chain import GENESIS
from rasa_privacy.errors import PrivacyError
from rasa_privacy.storage import meta_rows
from rasa_privacy.storage.books import LEDGER, Book

_NAME: Final = "verified"
_DOMAIN: Final = "verified mark"
_MAGIC: Final = b"RPV\x01"
_HASH_BYTES: Final = 32
_MAX_BYTES: Final = 1_000  # of two standings, each of a link and four numbers


class Standing(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How far one book is known to be as it was written.

    Attributes:
        seq: Number of the last record that was verified.
        link: Its link, which covers all before it.
        checkpoints: Number of checkpoints up to there.
        whole_seq: Number of the last record when the book was gone through from its first record on.
        whole_at: When that was, in microseconds since 1970 in UTC.
        tail: The keyed hash of the last record that was verified; empty where there is none, and in marks of schema
            22 and older, whose record has a link.
    """

    seq: int
    link: bytes
    checkpoints: int
    whole_seq: int
    whole_at: int
    tail: bytes = b""

    @property
    def since(self) -> int:
        """Number of records that were verified from the last whole verification on."""
        return self.seq - self.whole_seq

    def joined(self, other: "Standing | None") -> "Standing":
        """Return what is known with what another process found: the later end, and the later whole verification."""
        if other is None:
            return self
        end, whole = max(self, other, key=lambda each: each.seq), max(self, other, key=lambda each: each.whole_at)
        return Standing(end.seq, end.link, end.checkpoints, whole.whole_seq, whole.whole_at, end.tail)


#: Where a verification begins that knows of nothing.
NOTHING: Final = Standing(0, GENESIS, 0, 0, 0)


class Mark(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What is known of both books.

    Attributes:
        number: How often it was written; 0 where it never was.
        ledger: Of the consent ledger.
        audit: Of the audit log.
    """

    number: int = 0
    ledger: Standing | None = None
    audit: Standing | None = None

    def of(self, book: Book) -> Standing | None:
        """Return what is known of one book."""
        return self.ledger if book is LEDGER else self.audit


def read_mark(conn: Connection, index: BlindIndex, book: Book, *, lock: bool = False) -> Mark:
    """Return the mark, or an empty one where there is none.

    Args:
        conn: A connection that reads, or one of `Database.transact`.
        index: Blind index of this database.
        book: For which book it is asked, which is the one that an error is about.
        lock: Whether nobody else may change it until the end of the transaction.

    Raises:
        PrivacyError: It is none of ours (the book's error).
    """
    stored = meta_rows.read(conn, _NAME, lock=lock)
    if stored is None:
        return Mark()
    raw = bytes(stored[:_MAX_BYTES])
    body = raw[len(_MAGIC) + _HASH_BYTES :]
    if raw != _sealed(index, body):
        raise wrong_mark(book, "was changed by hand")
    return msgspec.msgpack.decode(body, type=Mark)


def write_mark(conn: Connection, index: BlindIndex, mark: Mark) -> None:
    """Put a mark in the place of the last one, which this transaction has locked.

    Raises:
        ContentionError: Another process wrote the first one; `Database.transact` tries again.
    """
    meta_rows.write(conn, _NAME, _sealed(index, msgspec.msgpack.encode(mark)))


def check_end(conn: Connection, book: Book, known: Standing) -> None:
    """See that the last record that was verified is still there.

    Raises:
        PrivacyError: There are fewer records now, or another one stands there (the book's error).
    """
    if known.seq == 0:
        return
    row = conn.execute(_end(book, known.seq)).first()
    if row is None:
        raise _put_back(book, known.seq, "is missing")
    if row.link != known.link if not known.tail else row.mac != known.tail:
        raise _put_back(book, known.seq, "is another one")


def check_length(conn: Connection, book: Book, seq: int) -> None:
    """See that a book still has the record up to which it was verified once; 0 for none.

    Raises:
        PrivacyError: There are fewer records now (the book's error).
    """
    if seq and conn.execute(select(book.records.c.seq).where(book.records.c.seq == seq)).first() is None:
        raise _put_back(book, seq, "is missing")


def _put_back(book: Book, seq: int, what: str) -> PrivacyError:
    return book.error(
        f"{book.name}: record {seq} {what}: it was verified before; the book was put back to an older state, "
        "restore the database from its latest backup"
    )


def tail_at(conn: Connection, book: Book, seq: int) -> bytes:
    """Return the keyed hash of a record that this transaction has verified; no bytes for 0."""
    row = conn.execute(_end(book, seq)).first()
    return b"" if row is None else bytes(row.mac)


def _end(book: Book, seq: int) -> Select:
    records = book.records.c
    return select(records.link, records.mac).where(records.seq == seq)


def wrong_mark(book: Book, what: str) -> PrivacyError:
    """Return the error about a mark, which says how to go on without it."""
    return book.error(
        f"{book.name}: the mark of how far it was verified {what}; delete the row '{_NAME}' of the table 'meta', and "
        "run 'rasa-privacy audit verify' and 'rasa-privacy consent verify', which go through everything"
    )


def _sealed(index: BlindIndex, body: bytes) -> bytes:
    return _MAGIC + index.of_bytes(_DOMAIN, body) + body
