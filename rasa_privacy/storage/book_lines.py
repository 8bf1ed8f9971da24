"""A book as JSON lines that prove themselves (docs/spec/ledger.md, section 7; audit.md, section 5).

The first line names the store and its public key; each checkpoint comes after its last record, and the last line is
one. What a record looks like, and what else is in the file, is its own room's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import PrivacyError
from rasa_privacy.storage.books import Book
from rasa_privacy.storage.checkpoints import Checkpoint
from rasa_privacy.storage.signer import Signer


class Strict(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A line with an unknown field is none of ours."""


class _Head(Strict):
    format: str
    store: str
    public_key: str


class CheckpointLine(Strict):
    """A checkpoint as JSON; the store is named where it stands alone."""

    number: int
    seq: int
    link: str
    at: int
    signature: str
    store: str | None = None


@dataclass(frozen=True, slots=True)
class BookLines:
    """The lines of one book's files.

    Attributes:
        book: Which book.
        format: What the first line calls the format, with its version.
        name: What messages call the file.
        max_line_bytes: No line of a stranger's file is longer.
    """

    book: Book
    format: str
    name: str
    max_line_bytes: int

    def head(self, signer: Signer) -> bytes:
        """Return the first line."""
        return line(_Head(self.format, signer.store_id.hex(), signer.key.public().raw.hex()))

    def body(
        self, records: Iterable[tuple[int, msgspec.Struct]], checkpoints: Iterator[Checkpoint], until: Checkpoint
    ) -> Iterator[bytes]:
        """Yield the lines of records, each with its number, up to a checkpoint; each checkpoint after its record."""
        checkpoint = next(checkpoints, None)
        for seq, record in records:
            yield line(record)
            if checkpoint is not None and checkpoint.seq == seq:
                yield line({"checkpoint": _of_checkpoint(checkpoint)})
                checkpoint = next(checkpoints, None)
            if seq == until.seq:
                return

    def read_head(self, raw: bytes, key: VerifyingKey | None) -> tuple[bytes, VerifyingKey]:
        """Return the store id of the first line, and the key: the given one, or the file's own.

        Raises:
            PrivacyError: It is no first line of such a file (the book's error, as everywhere here).
            SignatureError: The key in the file is none.
        """
        head: _Head = self.read(1, raw, _Head)
        if head.format != self.format:
            raise self.no_line(1)
        return self.to_bytes(head.store, 1), key or VerifyingKey(self.to_bytes(head.public_key, 1))

    def read_part(self, number: int, raw: bytes, form: type[Any]) -> Any:
        """Return a line after the first; it holds one thing, so that none beside it goes unchecked.

        Args:
            number: Its number in the file, from 1.
            raw: The line.
            form: A struct with a field for each thing that it may be, None where it is not.
        """
        found = self.read(number, raw, form)
        if sum(getattr(found, name) is not None for name in form.__struct_fields__) > 1:
            raise self.no_line(number)
        return found

    def read_checkpoint(self, raw: bytes) -> Checkpoint:
        """Return a checkpoint that was kept in a file of its own."""
        return self.to_checkpoint(self.read(1, raw, CheckpointLine), 1)

    def to_checkpoint(self, found: CheckpointLine, number: int) -> Checkpoint:
        """Return the checkpoint of a line."""
        link, signature = self.to_bytes(found.link, number), self.to_bytes(found.signature, number)
        return Checkpoint(found.number, found.seq, link, found.at, signature)

    def check_end(self, last: Any) -> None:
        """Return where the last line, as `read_part` returned it, is a checkpoint; None where there is none."""
        if last is None or last.checkpoint is None:
            raise self.book.error(
                f"{self.book.name}: the file does not end with a checkpoint; it was cut, export it again"
            )

    def read(self, number: int, raw: bytes, form: type[Any]) -> Any:
        """Return a line of a form."""
        if len(raw) > self.max_line_bytes:
            raise self.no_line(number)
        try:
            return msgspec.json.decode(raw, type=form)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self.no_line(number) from None

    def to_bytes(self, text: str, number: int) -> bytes:
        """Return the bytes that a line has in hexadecimal."""
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise self.no_line(number) from None

    def no_line(self, number: int) -> PrivacyError:
        """Return the error about a line, which quotes nothing of it."""
        return self.book.error(f"line {number}: it is no line of an exported {self.name}; export it again")


def line(value: msgspec.Struct | dict[str, msgspec.Struct]) -> bytes:
    """Return a value as a line."""
    return msgspec.json.encode(value) + b"\n"


def checkpoint_json(checkpoint: Checkpoint, store_id: bytes) -> bytes:
    """Return a checkpoint as JSON, to be kept elsewhere."""
    return line(_of_checkpoint(checkpoint, store_id.hex()))


def _of_checkpoint(checkpoint: Checkpoint, store: str | None = None) -> CheckpointLine:
    signature = checkpoint.signature.hex()
    return CheckpointLine(checkpoint.number, checkpoint.seq, checkpoint.link.hex(), checkpoint.at, signature, store)
