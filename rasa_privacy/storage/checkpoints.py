"""`Checkpoints`: signatures over the consent ledger as it was at a moment (docs/spec/ledger.md, section 5).

Who has the database can compute the whole chain anew, but can sign no checkpoint; and who has an older checkpoint or an
export can check the ledger against it without any key of the store. They are numbered from 1, and the last one is kept
with a keyed hash, so that none can be taken away unnoticed by who has the keys to look.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import LedgerError, SignatureError
from rasa_privacy.storage.signer import Signer
from rasa_privacy.storage.tables import checkpoints, meta, to_micros

#: A checkpoint is made whenever so many records were written, besides those of the sweep and of the command.
EVERY_RECORDS: Final = 1000

_DOMAIN: Final = b"rasa_privacy checkpoint v1"
_HEAD_NAME: Final = "checkpoint_head"
_HEAD_DOMAIN: Final = "checkpoint head"
_C: Final = checkpoints.c
_SELECT: Final = select(_C.number, _C.seq, _C.link, _C.at, _C.signature)
_LAST: Final = _SELECT.order_by(_C.number.desc()).limit(1)
_PAGE_ROWS: Final = 1000
_PAGE: Final = _SELECT.where(_C.number > bindparam("after")).order_by(_C.number).limit(_PAGE_ROWS)
_INSERT: Final = insert(checkpoints)
_GET_HEAD: Final = select(meta.c.value).where(meta.c.name == _HEAD_NAME)
_PUT_HEAD: Final = insert(meta)
_SET_HEAD: Final = update(meta).where(meta.c.name == _HEAD_NAME).values(value=bindparam("head"))
_REMEDY: Final = "restore the database from its backup"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the ledger was at a moment, signed.

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

    def message(self, store_id: bytes) -> bytes:
        """Return the bytes that are signed."""
        return _message(store_id, self.number, self.seq, self.link, self.at)

    def check(self, store_id: bytes, key: VerifyingKey) -> None:
        """Check the signature.

        Raises:
            LedgerError: It is not the store's.
        """
        try:
            key.check(self.message(store_id), self.signature, f"checkpoint {self.number}")
        except (SignatureError, TypeError, OverflowError):
            raise LedgerError(
                f"consent ledger: checkpoint {self.number} was forged or changed, or is another store's; {_REMEDY}"
            ) from None


class Checkpoints:
    """Checkpoints in the database.

    Args:
        index: Blind index of this database, which authenticates the last one.
        signer: What signs them.
        clock: Current time, aware and in UTC.
    """

    def __init__(self, index: BlindIndex, signer: Signer, clock: Callable[[], datetime]) -> None:
        self._index = index
        self._signer = signer
        self._clock = clock

    def sign(self, conn: Connection, seq: int, link: bytes) -> Checkpoint:
        """Sign the ledger's end, and return the checkpoint; the present one where nothing was added since.

        Args:
            conn: A connection of `Database.transact` that has locked the end of the ledger and verified it.
            seq: Number of the last record.
            link: Its link.

        Raises:
            LedgerError: The last checkpoint does not verify, so nothing may be added to it.
        """
        last = self.verified_last(conn)
        if last is not None and last.seq == seq:
            return last
        number, at = (1 if last is None else last.number + 1), to_micros(self._clock())
        signature = self._signer.key.sign(_message(self._signer.store_id, number, seq, link, at))
        row = {"number": number, "seq": seq, "link": link, "at": at, "signature": signature}
        conn.execute(_INSERT, row)
        conn.execute(_SET_HEAD, {"head": self._head(number, signature)})
        return Checkpoint(number, seq, link, at, signature)

    def verified_last(self, conn: Connection) -> Checkpoint | None:
        """Return the last checkpoint, or None where there is none yet.

        Raises:
            LedgerError: It is not the last one that was made.
        """
        row = conn.execute(_LAST).first()
        number, signature = (0, b"") if row is None else (row.number, row.signature)
        if conn.execute(_GET_HEAD).scalar() != self._head(number, signature):
            raise LedgerError(f"consent ledger: checkpoint {number} is not the last one that was made; {_REMEDY}")
        return None if row is None else Checkpoint(*row)

    def iterate(self, conn: Connection) -> Iterator[Checkpoint]:
        """Yield all checkpoints in their order."""
        after = 0
        while rows := conn.execute(_PAGE, {"after": after}).all():
            yield from (Checkpoint(*row) for row in rows)
            after = rows[-1].number

    def begin(self, conn: Connection) -> None:
        """Say that there is no checkpoint yet; from then on a missing one is noticed."""
        conn.execute(_PUT_HEAD, {"name": _HEAD_NAME, "value": self._head(0, b"")})

    def has_begun(self, conn: Connection) -> bool:
        """Return whether `begin` was called for this database."""
        return conn.execute(_GET_HEAD).first() is not None

    def _head(self, number: int, signature: Any) -> bytes:
        return self._index.of(_HEAD_DOMAIN, f"{number}:{bytes(signature).hex()}")


def _message(store_id: bytes, number: int, seq: int, link: bytes, at: int) -> bytes:
    return _DOMAIN + msgspec.msgpack.encode([store_id, number, seq, link, at])
