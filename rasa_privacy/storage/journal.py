"""`ErasureJournal`: who was erased and what was taken back, where a restore of the database does not reach.

The rules are in docs/spec/journal.md; the bytes in `journal_entry`, the two places in `journal_file` and
`journal_table`. Here is what the database remembers of it (section 6). `replay` carries out what a restored database
does not know.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import ConfigurationError, JournalError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.journal_entry import Chain, Entry, Linked, Position, decode, encode
from rasa_privacy.storage.journal_file import JournalFile
from rasa_privacy.storage.journal_table import JournalTable
from rasa_privacy.storage.query import Query, inserting
from rasa_privacy.storage.tables import meta

FILE_NAME: Final = "erasures.journal"
_NAME: Final = "erasure_journal"
_PREFIX: Final = b"RPJ\x01"
_MARKS: Final = struct.Struct(">4sQQ32s")
_MINE: Final = meta.c.name == _NAME
_GET: Final = Query(select(meta.c.value).where(_MINE))
_LOCK: Final = Query(select(meta.c.value).where(_MINE).with_for_update())
_PUT: Final = inserting(meta)
_SET: Final = Query(update(meta).where(_MINE).values(value=bindparam("marks")))


class JournalPlace(Protocol):
    """Where the entries are kept."""

    @property
    def name(self) -> str:
        """Where that is, for messages."""

    def read(self) -> Iterator[Linked]:
        """Yield all entries from the first on, verified.

        Raises:
            StorageError: One was changed, dropped or moved, or they cannot be read.
        """

    def last_number(self) -> int:
        """Return the number of the last entry, 0 where there is none, without reading those that were read before.

        Raises:
            StorageError: It cannot be read.
        """

    def append(self, entries: Sequence[bytes], at_least: int) -> list[Linked]:
        """Write entries and return them when they are durable.

        Raises:
            StorageError: There are fewer than `at_least` entries, or nothing can be written.
        """


@dataclass(frozen=True, slots=True)
class Marks:
    """What the database knows of its journal.

    Attributes:
        done: Entries up to this one have been carried out.
        known: The highest entry that a committed transaction belongs to.
    """

    done: int
    known: Position


class ErasureJournal:
    """The journal of one database.

    Args:
        place: Where the entries are kept.
        start: The place before the first entry.
    """

    def __init__(self, place: JournalPlace, start: Position) -> None:
        self._place = place
        self._start = start

    @property
    def name(self) -> str:
        """Where the journal is, for messages."""
        return self._place.name

    def write(self, conn: Connection, *entries: Entry) -> None:
        """Make these entries durable; they are carried out by the caller in this transaction, after this call.

        Call it after the subject was locked and the ledger was written, so that all transactions lock in one order.

        Args:
            conn: A connection of `Database.transact`.
            entries: What is about to be done.

        Raises:
            JournalError: The journal cannot be written or is not the one that the database knows. Nothing was done.
            StorageError: The database of the journal does not answer.
        """
        if not entries:
            return
        marks = self._locked_marks(conn)
        known = self._start if marks is None else marks.known
        linked = self._place.append([encode(entry) for entry in entries], known.number)
        self._remember(conn, marks, linked[0].position.number - 1, linked[-1].position)

    def marks(self, conn: Connection) -> Marks:
        """Return what the database knows.

        Raises:
            JournalError: The row does not follow its format.
        """
        return self._parse(_GET.scalar(conn)) or Marks(0, self._start)

    def verify(self, marks: Marks) -> int:
        """Check every entry and that none is missing, and return the number of the last one.

        Args:
            marks: What the database knew before.

        Raises:
            JournalError: The journal was lost, cut, changed, or is another database's or an older one.
        """
        number, known = 0, marks.known.number == 0
        for each in self._place.read():
            number = each.position.number
            known = known or each.position == marks.known
        if not known:
            raise self._older(number, marks)
        return number

    def last_number(self, marks: Marks) -> int:
        """Return the number of the last entry, 0 where there is none.

        Args:
            marks: What the database knew before.

        Raises:
            JournalError: The journal cannot be read, or has fewer entries than the database knows of.
            StorageError: The database of the journal does not answer.
        """
        number = self._place.last_number()
        if number < marks.known.number:
            raise self._older(number, marks)
        return number

    def _older(self, number: int, marks: Marks) -> JournalError:
        return JournalError(
            f"{self.name}: this erasure journal is lost, cut or old: it has {number} entries and is not the one of "
            f"which the database knows {marks.known.number}; put its newest copy back. docs/spec/journal.md, "
            "section 6, says what to do when there is none"
        )

    def after(self, number: int) -> Iterator[tuple[Position, Entry]]:
        """Yield the entries after this number, verified.

        Raises:
            JournalError: One was changed, dropped or moved.
        """
        for each in self._place.read():
            if each.position.number > number:
                yield each.position, decode(each.raw)

    def carried_out(self, conn: Connection, after: int, last: Position) -> None:
        """Remember in this transaction that all entries after number `after` up to `last` are carried out here."""
        self._remember(conn, self._locked_marks(conn), after, last)

    def _locked_marks(self, conn: Connection) -> Marks | None:
        return self._parse(_LOCK.scalar(conn))

    def _remember(self, conn: Connection, old: Marks | None, after: int, last: Position) -> None:
        before = old or Marks(0, self._start)
        # Beyond a gap is not done: the entry in the gap was written by a transaction that did not commit.
        done = max(before.done, last.number) if after <= before.done else before.done
        known = max(before.known, last, key=lambda position: position.number)
        value = _MARKS.pack(_PREFIX, done, known.number, known.link)
        if old is None:
            _PUT.later(conn, name=_NAME, value=value)
        else:
            _SET.later(conn, marks=value)

    def _parse(self, value: bytes | None) -> Marks | None:
        if value is None:
            return None
        if len(value) == _MARKS.size:
            prefix, done, number, link = _MARKS.unpack(value)
            if prefix == _PREFIX and done <= number and number > 0:
                return Marks(done, Position(number, link))
        raise JournalError(
            "the row 'erasure_journal' of the table 'meta' does not follow version 1 of its format; restore the "
            "database from its backup"
        )


def open_journal(settings: StoreSettings, index: BlindIndex, keys: Database | None) -> ErasureJournal:
    """Open the journal where the settings say it is. Nothing is written.

    Args:
        settings: The `tracker_store:` block of endpoints.yml.
        index: Blind index of the store.
        keys: The key database, where the keys have one of their own.

    Raises:
        ConfigurationError: The settings name no place for it.
        JournalError: The file or its folder cannot be used.
    """
    chain = Chain(index)
    if settings.journal is None and keys is not None:
        return ErasureJournal(JournalTable(keys, chain), chain.start)
    path = settings.journal
    if path is None and settings.keys.path is not None:
        path = settings.keys.path / FILE_NAME
    if path is None:
        raise ConfigurationError(
            "tracker_store: 'journal' is missing; name a file for the erasure journal, outside the backup of the "
            "database"
        )
    return ErasureJournal(JournalFile(path, chain), chain.start)
