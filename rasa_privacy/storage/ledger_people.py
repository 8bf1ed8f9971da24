"""`LedgerPeople`: how many records the consent ledger has of each person, and which is the last, under a keyed hash.

So whoever removes the withdrawal of a person from the table has not brought the consent back: at the next read there is
one record too few. That a person's records and this row were put back together to an older state, only the chain finds.

`ConsentLedger` calls it within its own transactions, which one writer at a time has.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage.books import REMEDY
from rasa_privacy.storage.ledger_record import MAC_BYTES, is_mac_of
from rasa_privacy.storage.many import ManyDelete, ManySelect
from rasa_privacy.storage.query import Query, inserting
from rasa_privacy.storage.tables import ledger, ledger_people, meta

_DOMAIN: Final = "ledger person"
_FLAG: Final = "ledger_people"
_P: Final = ledger_people.c
_L: Final = ledger.c
_ONE: Final = Query(select(_P.records, _P.last_seq, _P.mac).where(_P.subject_id == bindparam("subject")))
_MANY: Final = ManySelect(_P.subject_id, select(_P.subject_id, _P.records, _P.last_seq, _P.mac).where)
_DELETE_MANY: Final = ManyDelete(_P.subject_id)
_ADD: Final = inserting(ledger_people)
_INSERT: Final = insert(ledger_people)
_UPDATE: Final = Query(
    update(ledger_people)
    .where(_P.subject_id == bindparam("subject"))
    .values(records=bindparam("count"), last_seq=bindparam("last"), mac=bindparam("digest"))
)
_COUNTS: Final = (
    select(_L.subject_id, func.count().label("records"), func.max(_L.seq).label("last_seq"))
    .where(_L.subject_id > bindparam("after"))
    .group_by(_L.subject_id)
    .order_by(_L.subject_id)
    .limit(1000)
)
_GET_FLAG: Final = select(meta.c.value).where(meta.c.name == _FLAG)
_DROP_FLAG: Final = meta.delete().where(meta.c.name == _FLAG)
_PUT_FLAG: Final = insert(meta)
_CLEAR: Final = ledger_people.delete()


class LedgerPeople:
    """The counts in the database.

    Args:
        index: Blind index of this database.
    """

    def __init__(self, index: BlindIndex) -> None:
        self._index = index

    def count_one(self, conn: Connection, subject_id: bytes, added: int, last_seq: int) -> None:
        """Count records that are added of one person, and note the number of the last.

        Raises:
            LedgerError: The count of before was changed.
        """
        row = _ONE.first(conn, subject=subject_id)
        if row is None:
            _ADD.later(conn, **self._row(subject_id, added, last_seq))
            return
        self._authenticate(subject_id, row)
        count = row[0] + added
        digest = self._mac(subject_id, count, last_seq)
        _UPDATE.later(conn, subject=subject_id, count=count, last=last_seq, digest=digest)

    def count_many(self, conn: Connection, added: Mapping[bytes, Sequence[int]]) -> None:
        """Count records that are added of many people: their numbers by person, rising.

        Raises:
            LedgerError: A count of before was changed.
        """
        before = {row[0]: row[1:] for row in _MANY.rows(conn, list(added))}
        for subject_id, row in before.items():
            self._authenticate(subject_id, row)
        _DELETE_MANY.run(conn, list(before))
        rows = [self._row(who, before.get(who, (0,))[0] + len(seqs), seqs[-1]) for who, seqs in added.items()]
        conn.execute(_INSERT, rows)

    def check(self, subject_id: bytes, found: Any, count: int, last_seq: int) -> None:
        """See that all records of a person were read.

        Args:
            subject_id: The person.
            found: Count, last number and keyed hash as they are stored; Nones where there are none.
            count: Number of records that were read, at least one.
            last_seq: Number of the last one.

        Raises:
            LedgerError: Records are missing or were added.
        """
        self._authenticate(subject_id, found)
        if (found[0], found[1]) != (count, last_seq):
            raise LedgerError(f"consent ledger: records of one person are missing or were added; {REMEDY}")

    def is_begun(self, conn: Connection) -> bool:
        """Return whether `begin` was called for this database."""
        return bool(conn.execute(_GET_FLAG).scalar() == self._index.of(_DOMAIN, _FLAG))

    def begin(self, conn: Connection) -> None:
        """Count what is there, once, in a transaction that has verified the whole ledger."""
        conn.execute(_CLEAR)
        after = b""
        while rows := conn.execute(_COUNTS, {"after": after}).all():
            conn.execute(_INSERT, [self._row(*row) for row in rows])
            after = rows[-1].subject_id
        conn.execute(_DROP_FLAG)
        conn.execute(_PUT_FLAG, {"name": _FLAG, "value": self._index.of(_DOMAIN, _FLAG)})

    def _row(self, subject_id: bytes, count: int, last_seq: int) -> dict[str, Any]:
        digest = self._mac(subject_id, count, last_seq)
        return {"subject_id": subject_id, "records": count, "last_seq": last_seq, "mac": digest}

    def _authenticate(self, subject_id: bytes, found: Any) -> None:
        count, last_seq, digest = found
        if (
            type(count) is not int
            or type(last_seq) is not int
            or not is_mac_of(digest, self._hash(subject_id, count, last_seq))
        ):
            raise LedgerError(f"consent ledger: how many records there are of one person was changed; {REMEDY}")

    def _mac(self, subject_id: bytes, count: int, last_seq: int) -> bytes:
        return self._hash(subject_id, count, last_seq)[:MAC_BYTES]

    def _hash(self, subject_id: bytes, count: int, last_seq: int) -> bytes:
        return self._index.of_bytes(_DOMAIN, subject_id + f":{count}:{last_seq}".encode())
