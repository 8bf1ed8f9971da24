"""Whether the consent ledger is as it was written: records, checkpoints and notices (docs/spec/ledger.md, section 6).

The same check reads the database and an exported file. What it finds, it names by the number of the first record that
is not right. With the keys of the store that is exact. Without them, of a chain that somebody computed anew it is known
between which two checkpoints the change lies, and the first of those records is named.

A ledger that was put back to an older state as a whole is found with a checkpoint that was kept elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rasa_privacy.consent.terms import version_of
from rasa_privacy.crypto.hash_chain import GENESIS
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage.books import LEDGER
from rasa_privacy.storage.chain import BookCheck
from rasa_privacy.storage.checkpoints import Checkpoint
from rasa_privacy.storage.notices import StoredNotice
from rasa_privacy.storage.standing import NOTHING, Standing
from rasa_privacy.storage.vault import Vault

#: Events that say nothing without the notice that they name.
_PROVEN_BY_NOTICE: Final = frozenset(("asked", "granted"))


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found right.

    Attributes:
        records: Number of records.
        checkpoints: Number of checkpoints.
        covered: Number of the last record that a checkpoint covers.
        notices: Number of notices.
        link: Link of the last record, which covers all before it.
    """

    records: int
    checkpoints: int
    covered: int
    notices: int
    link: bytes = field(default=GENESIS, compare=False, repr=False)


class LedgerCheck(BookCheck):
    """Goes through a ledger once: notices, then records in their order, each checkpoint after its last record.

    Args:
        store_id: 16 bytes that name the store.
        key: Its public key.
        kept: Checkpoints of this store that were kept elsewhere.
        begin: What was verified before.

    Raises:
        LedgerError: A kept checkpoint is not the store's.
    """

    def __init__(
        self, store_id: bytes, key: VerifyingKey, kept: Iterable[Checkpoint] = (), begin: Standing = NOTHING
    ) -> None:
        super().__init__(store_id, key, kept, LEDGER, begin)
        self._notices: set[bytes] = set()

    def notice(self, stored: StoredNotice) -> None:
        """Check a notice, and remember that it is there.

        Raises:
            LedgerError: Its text or its terms were changed.
        """
        if stored.is_damaged or (stored.terms is not None and version_of(stored.terms) != stored.version):
            raise LedgerError(
                f"consent ledger: notice {stored.hash.hex()[:16]} was changed; restore the database from its backup"
            )
        self._notices.add(stored.hash)

    def record(self, columns: Sequence[Any], link: bytes) -> None:
        """Check the next record.

        Raises:
            LedgerError: It is not the one that follows, its notice is not there, or a kept checkpoint says otherwise.
        """
        super().record(columns, link)
        seq, _subject, _purpose, event, notice_hash, *_ = columns
        if event in _PROVEN_BY_NOTICE and notice_hash not in self._notices:
            raise LedgerError(
                f"consent ledger: record {seq} names a notice that is not there; restore the database from its backup"
            )

    def finish(self) -> Checked:
        """Return what was found right.

        Raises:
            LedgerError: A kept checkpoint knows of more records.
        """
        self.end()
        return Checked(self.chain.seq, self.checkpoints, self.covered, len(self._notices), self.chain.link)


def verify_store(
    vault: Vault,
    connection: Any,
    key: VerifyingKey | None = None,
    kept: Iterable[Checkpoint] = (),
    begin: Standing = NOTHING,
) -> Checked:
    """Check the ledger of a store: each record's chain and keyed hash, the end, checkpoints and notices.

    Args:
        vault: The open store.
        connection: A connection that reads.
        key: The public key that somebody kept; otherwise the store's own.
        kept: Checkpoints that somebody kept.
        begin: What was verified before; of records and checkpoints only what came after it is checked.

    Raises:
        LedgerError: Something was changed, removed, added or reordered; names the first.
    """
    check = LedgerCheck(vault.signer.store_id, key or vault.signer.key.public(), kept, begin)
    for stored in vault.notices.iterate(connection):
        check.notice(stored)
    check.follow(vault.ledger.linked(connection, begin), vault.checkpoints.iterate(connection, begin.checkpoints))
    vault.checkpoints.verified_last(connection)
    return check.finish()
