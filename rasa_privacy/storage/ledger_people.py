"""`LedgerPeople`: a keyed hash of how many records the consent ledger has of each person, and which is the last.

So whoever removes the withdrawal of a person from the table has not brought the consent back: at the next read there is
one record too few. That a person's records and the hash were put back together to an older state, only the chain finds.

It stands in the row of the person. Whose row is removed has it in `ledger_people` from then on (`outlive`), as their
records stay; who has one there gets none in the other place, and an older one that a backup puts back there does not
count. Neither number is stored, since whoever checks the hash has read the records.

`ConsentLedger` calls it within its own transactions, which one writer at a time has.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, bindparam, func, insert, select, text, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage.books import REMEDY
from rasa_privacy.storage.ledger_record import MAC_BYTES, is_mac_of
from rasa_privacy.storage.many import ManySelect, bytes_array
from rasa_privacy.storage.paging import Pages
from rasa_privacy.storage.query import Query, inserting
from rasa_privacy.storage.tables import ledger, ledger_people, meta, subjects

_DOMAIN: Final = "ledger person"
_FLAG: Final = "ledger_people"
_P: Final = ledger_people.c
_L: Final = ledger.c
_S: Final = subjects.c
_WHO: Final = bindparam("subject")
#: The hash, in a statement that reads records `with_counts`.
COUNTED: Final = func.coalesce(_P.mac, _S.ledger_mac).label("counted")
_NUMBERS: Final = (func.count(), func.max(_L.seq))
# One statement, as each way to a server costs more than what it brings.
_ONE: Final = Query(
    select(
        *(select(each).where(_L.subject_id == _WHO).scalar_subquery() for each in _NUMBERS),
        select(func.count()).select_from(subjects).where(_S.subject_id == _WHO).scalar_subquery(),
        select(_S.ledger_mac).where(_S.subject_id == _WHO).scalar_subquery(),
        select(_P.mac).where(_P.subject_id == _WHO).scalar_subquery(),
    )
)
_MANY: Final = ManySelect(
    _L.subject_id, lambda wanted: select(_L.subject_id, *_NUMBERS).where(wanted).group_by(_L.subject_id)
)
_MANY_THERE: Final = ManySelect(_S.subject_id, select(_S.subject_id, _S.ledger_mac).where)
_MANY_GONE: Final = ManySelect(_P.subject_id, select(_P.subject_id, _P.mac).where)
_ADD: Final = inserting(ledger_people)
_INSERT: Final = insert(ledger_people)
_SET_GONE: Final = update(ledger_people).where(_P.subject_id == _WHO).values(mac=bindparam("digest"))
_SET_THERE: Final = update(subjects).where(_S.subject_id == _WHO).values(ledger_mac=bindparam("digest"))
_SET_ONE: Final = {ledger_people: Query(_SET_GONE), subjects: Query(_SET_THERE)}
_SET_MANY: Final = {ledger_people: _SET_GONE, subjects: _SET_THERE}
# The driver sends what changes many rows one by one.
_SET_AT_ONCE: Final = text("""
UPDATE subjects SET ledger_mac = n.mac
FROM unnest(CAST(:people AS bytea[]), CAST(:macs AS bytea[])) AS n(who, mac) WHERE subject_id = n.who
""")
# Who was erased and is put back from a backup has an older hash: the one of the erasure stays.
_IS_KEPT: Final = select(_P.subject_id).where(_P.subject_id == _WHO).exists()
_OUTLIVE: Final = Query(
    insert(ledger_people).from_select(
        ["subject_id", "mac"],
        select(_S.subject_id, _S.ledger_mac).where(_S.subject_id == _WHO, _S.ledger_mac.is_not(None), ~_IS_KEPT),
    )
)
_MANY_OUTLIVE: Final = ManySelect(
    _S.subject_id, lambda wanted: select(_S.subject_id, _S.ledger_mac).where(wanted, _S.ledger_mac.is_not(None))
)
_COUNTS: Final = Pages(select(_L.subject_id, *_NUMBERS).group_by(_L.subject_id), _L.subject_id)
_GET_FLAG: Final = select(meta.c.value).where(meta.c.name == _FLAG)
_DROP_FLAG: Final = meta.delete().where(meta.c.name == _FLAG)
_PUT_FLAG: Final = insert(meta)
_CLEAR: Final = (ledger_people.delete(), update(subjects).values(ledger_mac=None))


class _Counted(NamedTuple):
    """What is known of a person before records are added.

    Attributes:
        records: How many there are.
        last_seq: Number of the last; None where there is none.
        place: The table that has the hash, or gets it.
        mac: The hash; None where there is none.
    """

    records: int
    last_seq: int | None
    place: Table
    mac: bytes | None


def with_counts(records: Any) -> Any:
    """Return the ledger joined to what holds `COUNTED`."""
    there = records.outerjoin(subjects, _S.subject_id == _L.subject_id)
    return there.outerjoin(ledger_people, _P.subject_id == _L.subject_id)


def outlive(conn: Connection, subject_id: bytes) -> None:
    """Keep the hash of a person whose row is about to be removed."""
    _OUTLIVE.later(conn, subject=subject_id)


def outlive_all(conn: Connection, subject_ids: Sequence[bytes]) -> None:
    """Do the same for many people, but on PostgreSQL, where `expiry_at_once` does."""
    kept = {row[0] for row in _MANY_GONE.rows(conn, subject_ids)}
    found = _MANY_OUTLIVE.rows(conn, subject_ids)
    rows = [{"subject_id": who, "mac": digest} for who, digest in found if who not in kept]
    if rows:
        conn.execute(_INSERT, rows)


class LedgerPeople:
    """The hashes in the database.

    Args:
        index: Blind index of this database.
    """

    def __init__(self, index: BlindIndex) -> None:
        self._index = index

    def count_one(self, conn: Connection, subject_id: bytes, added: int, last_seq: int) -> None:
        """Count records of one person that are about to be added, and note the number of the last.

        Raises:
            LedgerError: Records of before are missing or were added behind our back.
        """
        row = _ONE.first(conn, subject=subject_id)
        records, before, there, own, kept = row if row is not None else (0, None, 0, None, None)
        place = ledger_people if kept is not None or not there else subjects
        found = _Counted(records, before, place, kept if place is ledger_people else own)
        self._see(subject_id, found)
        digest = self._mac(subject_id, records + added, last_seq)
        if place is ledger_people and kept is None:
            _ADD.later(conn, subject_id=subject_id, mac=digest)
        else:
            _SET_ONE[place].later(conn, subject=subject_id, digest=digest)

    def count_many(self, conn: Connection, added: Mapping[bytes, Sequence[int]]) -> None:
        """Count records of many people that are about to be added: their numbers by person, rising.

        Raises:
            LedgerError: Records of before are missing or were added behind our back.
        """
        new: dict[bytes, bytes] = {}
        places: dict[Table | None, list[bytes]] = {subjects: [], ledger_people: [], None: []}
        for who, found in self._of_many(conn, list(added)).items():
            self._see(who, found)
            new[who] = self._mac(who, found.records + len(added[who]), added[who][-1])
            is_new = found.place is ledger_people and found.mac is None
            places[None if is_new else found.place].append(who)
        _set_many(conn, places, new)

    def check(self, subject_id: bytes, stored: object, records: int, last_seq: int) -> None:
        """See that all records of a person were read.

        Args:
            subject_id: The person.
            stored: The hash as it is stored; None where there is none.
            records: Number of records that were read, at least one.
            last_seq: Number of the last one.

        Raises:
            LedgerError: Records are missing or were added.
        """
        if not is_mac_of(stored, self._hash(subject_id, records, last_seq)):
            raise LedgerError(
                f"consent ledger: records of one person are missing, were added, or their count was changed; {REMEDY}"
            )

    def is_begun(self, conn: Connection) -> bool:
        """Return whether `begin` was called for this database."""
        return bool(conn.execute(_GET_FLAG).scalar() == self._index.of(_DOMAIN, _FLAG))

    def begin(self, conn: Connection) -> None:
        """Count what is there, once, in a transaction that has verified the whole ledger."""
        for statement in _CLEAR:
            conn.execute(statement)
        for rows in _COUNTS.read(conn, b""):
            new = {who: self._mac(who, records, last_seq) for who, records, last_seq in rows}
            there = {row[0] for row in _MANY_THERE.rows(conn, list(new))}
            _set_many(conn, {subjects: sorted(there), None: [who for who in new if who not in there]}, new)
        conn.execute(_DROP_FLAG)
        conn.execute(_PUT_FLAG, {"name": _FLAG, "value": self._index.of(_DOMAIN, _FLAG)})

    def _of_many(self, conn: Connection, subject_ids: Sequence[bytes]) -> dict[bytes, _Counted]:
        numbers = {who: (records, last) for who, records, last in _MANY.rows(conn, subject_ids)}
        own = {row[0]: row[1] for row in _MANY_THERE.rows(conn, subject_ids)}
        kept = {row[0]: row[1] for row in _MANY_GONE.rows(conn, subject_ids)}
        found = {}
        for who in subject_ids:
            place, macs = (ledger_people, kept) if who in kept or who not in own else (subjects, own)
            found[who] = _Counted(*numbers.get(who, (0, None)), place, macs.get(who))
        return found

    def _see(self, subject_id: bytes, found: _Counted) -> None:
        if found.records and found.last_seq is not None:
            self.check(subject_id, found.mac, found.records, found.last_seq)
        elif found.mac is not None:
            raise LedgerError(f"consent ledger: the records of one person are missing; {REMEDY}")

    def _mac(self, subject_id: bytes, records: int, last_seq: int) -> bytes:
        return self._hash(subject_id, records, last_seq)[:MAC_BYTES]

    def _hash(self, subject_id: bytes, records: int, last_seq: int) -> bytes:
        return self._index.of_bytes(_DOMAIN, subject_id + f":{records}:{last_seq}".encode())


def _set_many(conn: Connection, places: Mapping[Table | None, Sequence[bytes]], new: Mapping[bytes, bytes]) -> None:
    """Put the hashes of many people where theirs are; None is for those who get a row."""
    for place, people in places.items():
        if not people:
            continue
        if place is None:
            conn.execute(_INSERT, [{"subject_id": who, "mac": new[who]} for who in people])
        elif place is subjects and conn.dialect.name == "postgresql":
            conn.execute(_SET_AT_ONCE, {"people": bytes_array(people), "macs": bytes_array(new[who] for who in people)})
        else:
            conn.execute(_SET_MANY[place], [{"subject": who, "digest": new[who]} for who in people])
