"""`LedgerEnd`: the link of the last record of the consent ledger, with a keyed hash (docs/spec/ledger.md, section 3).

It is a row of `meta`. Who appends locks it, so that there is one writer at a time.
"""

from typing import Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.hash_chain import GENESIS
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage import ledger_rows
from rasa_privacy.storage.books import REMEDY
from rasa_privacy.storage.chain import Chain
from rasa_privacy.storage.ledger_macs import LedgerMacs
from rasa_privacy.storage.ledger_record import LINK_BYTES
from rasa_privacy.storage.query import Query, inserting
from rasa_privacy.storage.tables import meta

_NAME: Final = "ledger_head"
_DOMAIN: Final = "ledger head"
_ROW: Final = meta.c.name == _NAME
_GET: Final = Query(select(meta.c.value).where(_ROW))
_LOCK: Final = Query(select(meta.c.value).where(_ROW).with_for_update())
_PUT: Final = inserting(meta)
_SET: Final = Query(update(meta).where(_ROW).values(value=bindparam("head")))


class LedgerEnd:
    """The end in the database.

    Args:
        index: Blind index of this database.
        macs: Keyed hashes of the records.
    """

    def __init__(self, index: BlindIndex, macs: LedgerMacs) -> None:
        self._index = index
        self._macs = macs

    def lock(self, conn: Connection) -> None:
        """Have nobody else append in this transaction."""
        _LOCK.scalar(conn)

    def verified(self, conn: Connection, *, lock: bool = False) -> tuple[int, bytes]:
        """Return number and link of the last record, 0 and GENESIS where there is none.

        Args:
            conn: A connection of `Database.read`, or of `Database.transact` to lock.
            lock: Whether nobody else may append from now on.

        Raises:
            LedgerError: The last record is not the one that was written last.
        """
        get = _LOCK if lock else _GET
        head = get.scalar(conn)  # first, since it may wait for the writer of the last record
        last = ledger_rows.last(conn)
        if head is None and last is not None:  # the first record was committed between the two, or its end was removed
            head = get.scalar(conn)
            last = ledger_rows.last(conn)
        if head is None and last is None:
            return 0, GENESIS
        seq, stored = (0, None) if last is None else (last[0], last[-2])
        # A head of schema 23 and older is a keyed hash alone, over the link that its record has.
        is_older = len(head or b"") <= LINK_BYTES
        end, digest = (stored, head) if is_older else (head[:LINK_BYTES], head[LINK_BYTES:])
        if end is None or digest != self._hash(seq, end):
            raise LedgerError(f"consent ledger: record {seq} is not its true end; {REMEDY}")
        if not is_older or last[-1] is not None:  # records of schema 3 and older have no keyed hash yet
            self._macs.checked(last)
        return seq, end

    def put(self, conn: Connection, before: int, seq: int, end: bytes, *, at_once: bool = False) -> None:
        """Note where the ledger ends from now on.

        Args:
            conn: A connection of `Database.transact` that has locked the end.
            before: Number of the record that was the last, 0 for none.
            seq: Number of the last record.
            end: Its link, LINK_BYTES bytes.
            at_once: Whether it is written now, and not with the next statement.
        """
        head = self.of(seq, end)
        if before:
            (_SET.change if at_once else _SET.later)(conn, head=head)
        else:
            (_PUT.change if at_once else _PUT.later)(conn, name=_NAME, value=head)

    def of(self, seq: int, end: bytes) -> bytes:
        """Return what is stored where this record, with this link, is the last."""
        return end + self._hash(seq, end)

    @staticmethod
    def check(chain: Chain, first: int, end: tuple[int, bytes]) -> None:
        """See that a chain that was followed from a record on leads to the end that was verified.

        Raises:
            LedgerError: It does not: a record is in it that was the store's own in another state of the ledger.
        """
        if (chain.seq, chain.link) != end:
            raise LedgerError(
                f"consent ledger: record {min(first, end[0])} was changed, or one after it up to {end[0]}: they lead "
                f"to another end; {REMEDY}"
            )

    def _hash(self, seq: int, end: bytes) -> bytes:
        return self._index.of(_DOMAIN, f"{seq}:{end.hex()}")
