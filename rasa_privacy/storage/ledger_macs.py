"""`LedgerMacs`: the keyed hash of each record of the consent ledger (docs/spec/ledger.md, section 3).

It covers the record's number and all it says; of a record whose link is stored, that too. Half of it is stored.
"""

from typing import Any, Final

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage.books import REMEDY
from rasa_privacy.storage.ledger_record import MAC_BYTES, is_mac_of, record_bytes

_DOMAIN: Final = "ledger record 2"
#: Of records whose link is stored, which it covers too.
_LINKED_DOMAIN: Final = "ledger record"


class LedgerMacs:
    """Makes and checks them.

    Args:
        index: Blind index of this database.
    """

    def __init__(self, index: BlindIndex) -> None:
        self._index = index

    def of(self, raw: bytes) -> bytes:
        """Return what is stored of the hash of a record that is new, by its bytes (`record_bytes`)."""
        return self._index.of_bytes(_DOMAIN, raw)[:MAC_BYTES]

    def of_row(self, row: Any) -> bytes:
        """Return what is stored of the hash of a row of `ledger_rows`."""
        return self._whole(row)[:MAC_BYTES]

    def checked(self, row: Any) -> Any:
        """Return a row of `ledger_rows` whose keyed hash is right.

        Raises:
            LedgerError: It is not: the record was changed or added.
        """
        if not is_mac_of(row[-1], self._whole(row)):
            raise LedgerError(f"consent ledger: record {row[0]} was changed or added; {REMEDY}")
        return row

    def _whole(self, row: Any) -> bytes:
        *columns, stored, _ = row
        raw = record_bytes(columns)
        if stored is None:
            return self._index.of_bytes(_DOMAIN, raw)
        return self._index.of_bytes(_LINKED_DOMAIN, stored + raw)
