"""Following a book from its first record to its last, wherever the records come from: the database or a file.

`Chain` follows links; `BookCheck` compares them with checkpoints too, those of the book and those that somebody kept
elsewhere. What is wrong is named by the number of the first record that is not right.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from rasa_privacy.crypto.hash_chain import link
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import PrivacyError
from rasa_privacy.storage.books import LEDGER, REMEDY, Book
from rasa_privacy.storage.checkpoints import Checkpoint
from rasa_privacy.storage.standing import NOTHING, Standing

_encode: Final = msgspec.msgpack.Encoder().encode


class Chain:
    """Follows the records of a book one by one.

    Args:
        book: Which book.
        begin: What is known of it; the records after that are followed.

    Attributes:
        seq: Number of the last record, 0 before the first.
        link: Its link.
    """

    def __init__(self, book: Book = LEDGER, begin: Standing = NOTHING) -> None:
        self._book = book
        self.seq = begin.seq
        self.link = begin.link

    def add(self, columns: Sequence[Any], stored: bytes | None) -> None:
        """Go on to the next record.

        Args:
            columns: The columns that the link covers; the first is its number.
            stored: Its link; None where only the end that it leads to says whether it is right.

        Raises:
            PrivacyError: It is not the record that follows; names it (the book's error).
        """
        self.seq += 1
        if columns[0] != self.seq:
            raise self._book.error(f"{self._book.name}: record {self.seq} is missing; {REMEDY}")
        found = link(self.link, _encode(columns))
        if stored is not None and stored != found:
            raise self._book.error(f"{self._book.name}: record {self.seq} was changed or added; {REMEDY}")
        self.link = found


class BookCheck:
    """Goes through a book once: records in their order, each checkpoint after its last record.

    Args:
        store_id: 16 bytes that name the store.
        key: Its public key.
        kept: Checkpoints of this store that were kept elsewhere.
        book: Which book.
        begin: What is known of it; records and checkpoints after that are checked.

    Attributes:
        chain: Where it is.
        checkpoints: Number of checkpoints so far.
        covered: Number of the last record that a checkpoint covers, or with which it began.

    Raises:
        PrivacyError: A kept checkpoint is not the store's (the book's error, as everywhere here).
    """

    def __init__(
        self,
        store_id: bytes,
        key: VerifyingKey,
        kept: Iterable[Checkpoint] = (),
        book: Book = LEDGER,
        begin: Standing = NOTHING,
    ) -> None:
        self._store_id = store_id
        self._key = key
        self._book = book
        self._kept = sorted(kept, key=lambda each: each.seq)
        for each in self._kept:
            each.check(store_id, key, book)
        self.chain = Chain(book, begin)
        self.checkpoints = begin.checkpoints
        self.covered = begin.seq

    def record(self, columns: Sequence[Any], link: bytes) -> None:
        """Check the next record.

        Raises:
            PrivacyError: It is not the one that follows, or a kept checkpoint says otherwise.
        """
        self.chain.add(columns, link)
        while self._kept and self._kept[0].seq <= self.chain.seq:
            self._cover(self._kept.pop(0), "that was kept")

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Check the next checkpoint.

        Raises:
            PrivacyError: It is not the next one, not the store's, or it was signed over other records.
        """
        self.checkpoints += 1
        if checkpoint.number != self.checkpoints:
            raise self._book.error(f"{self._book.name}: checkpoint {self.checkpoints} is missing; {REMEDY}")
        checkpoint.check(self._store_id, self._key, self._book)
        if checkpoint.seq > self.chain.seq:
            raise self._missing(checkpoint)
        self._cover(checkpoint, f"of the {self._book.name.rpartition(' ')[2]}")

    def follow(self, records: Iterable[tuple[Sequence[Any], bytes]], checkpoints: Iterable[Checkpoint]) -> None:
        """Check all records, each with its link, and each checkpoint after its last record.

        Raises:
            PrivacyError: One is not right; names the first.
        """
        waiting = iter(checkpoints)
        checkpoint = next(waiting, None)
        for columns, stored in records:
            self.record(columns, stored)
            while checkpoint is not None and checkpoint.seq <= self.chain.seq:
                self.checkpoint(checkpoint)
                checkpoint = next(waiting, None)
        if checkpoint is not None:
            self.checkpoint(checkpoint)

    def end(self) -> None:
        """Say that there are no more records.

        Raises:
            PrivacyError: A kept checkpoint knows of more.
        """
        if self._kept:
            raise self._missing(self._kept[-1])

    def _cover(self, checkpoint: Checkpoint, which: str) -> None:
        if checkpoint.seq != self.chain.seq or checkpoint.link != self.chain.link:
            raise self._book.error(
                f"{self._book.name}: record {self.covered + 1} was changed, or one after it up to {checkpoint.seq}: "
                f"checkpoint {checkpoint.number} {which} was signed over other records; {REMEDY}"
            )
        self.covered = max(self.covered, checkpoint.seq)

    def _missing(self, checkpoint: Checkpoint) -> PrivacyError:
        return self._book.error(
            f"{self._book.name}: record {self.chain.seq + 1} is missing: checkpoint {checkpoint.number} was signed "
            f"over {checkpoint.seq} records; restore the database from its latest backup"
        )
