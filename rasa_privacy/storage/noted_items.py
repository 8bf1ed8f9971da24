"""Of which items that last for some time everybody's values are noted, in one row of `meta`, and how far that has come.

A value that is stored while its item lasts for some time is noted at once (`lasting_values`). This row is for those
that were stored before: `retention.noting` goes through everybody once for each item.
"""

from typing import Final

import msgspec
from sqlalchemy.engine import Connection

from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage import meta_rows

_NAME: Final = "lasting_noted"


class Noted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far it has come.

    Attributes:
        done: Items of which everybody's values are noted.
        reached: The last person who was looked at, by item that is gone through now.
    """

    done: tuple[str, ...] = ()
    reached: dict[str, bytes] = {}

    def only(self, items: frozenset[str]) -> "Noted":
        """Return this for the items that last for some time by now; for another one it begins anew one day."""
        done = tuple(item for item in self.done if item in items)
        return Noted(done, {item: who for item, who in self.reached.items() if item in items})

    def moved(self, item: str, subject_id: bytes | None) -> "Noted":
        """Return this with a person as the last one who was looked at, or None where there are no more."""
        reached = {name: who for name, who in self.reached.items() if name != item}
        if subject_id is None:
            return Noted(tuple(sorted({*self.done, item})), reached)
        return Noted(self.done, {**reached, item: subject_id})


def read(conn: Connection, *, lock: bool = False) -> Noted:
    """Return how far it has come; `lock` keeps others from changing that until the end of the transaction.

    Raises:
        TamperedSegmentError: What stands there is no such thing.
    """
    value = meta_rows.read(conn, _NAME, lock=lock)
    if value is None:
        return Noted()
    try:
        return msgspec.msgpack.decode(value, type=Noted)
    except msgspec.MsgspecError:
        raise TamperedSegmentError(
            f"the row '{_NAME}' of the table 'meta' was changed by hand; delete the row, and the next sweep looks at "
            "everybody again"
        ) from None


def write(conn: Connection, noted: Noted) -> None:
    """Put another state in the place of the one that this transaction has read with `lock`.

    Raises:
        ContentionError: Another process wrote the first one; `Database.transact` tries again.
    """
    meta_rows.write(conn, _NAME, msgspec.msgpack.encode(noted))
