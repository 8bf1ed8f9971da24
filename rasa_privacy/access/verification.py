"""Whether consent ledger and audit log are as they were written: whole, or from where they were verified last.

Rules:

1. `whole` goes from the first record to the last. Each such verification is noted, with a mark and a record of its own
   in the audit log.
2. `verified` begins at the mark, so that it costs what came since and not what there is. A record from before the mark
   that was changed is found by `whole` alone, so after WHOLE_EVERY it goes through everything again.
3. A mark is believed where its keyed hash is right, the record that it names is there, and the audit log speaks of no
   later one. It may not be ahead of its book in either way of verifying. Where it was removed, the audit log still says
   how far each book went.

It does not find that the whole database, mark and all, was put back to an older state; a kept checkpoint does.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.consent.verification import Checked, verify_store
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import AuditError
from rasa_privacy.policy.verbs import VERIFY
from rasa_privacy.storage.audit import Verified, Wanted
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.books import AUDIT, LEDGER, Book
from rasa_privacy.storage.checkpoints import EVERY_RECORDS, Checkpoint
from rasa_privacy.storage.standing import (
    NOTHING,
    Mark,
    Standing,
    check_end,
    check_length,
    read_mark,
    tail_at,
    write_mark,
    wrong_mark,
)
from rasa_privacy.storage.tables import from_micros, to_micros
from rasa_privacy.storage.vault import Vault

#: After so long everything is gone through again.
WHOLE_EVERY: Final = timedelta(days=30)
_MARK: Final = "mark"
_NAMES: Final = {LEDGER.name: "ledger", AUDIT.name: "audit"}


def verified(vault: Vault, connection: Any, book: Book, now: datetime) -> Standing:
    """Verify what came since a book was verified last, and all of it where that is long ago or never was.

    Args:
        vault: The open store.
        connection: A connection that reads.
        book: The consent ledger or the audit log.
        now: Aware UTC time.

    Returns:
        How far the book is known to be as it was written now; `note` keeps it.

    Raises:
        PrivacyError: Something is not as it was written, or the mark is none of ours (the book's error).
    """
    known = _known(vault, connection, book)
    if known is None or not timedelta() <= now - from_micros(known.whole_at) < WHOLE_EVERY:
        known = NOTHING
    found: Verified | Checked
    if book is AUDIT:
        found = vault.audit.verify(connection, begin=known)
    else:
        found = verify_store(vault, connection, begin=known)
    whole = (known.whole_seq, known.whole_at) if known.whole_at else (found.records, to_micros(now))
    return Standing(found.records, found.link, found.checkpoints, *whole, tail=tail_at(connection, book, found.records))


def whole_ledger(
    vault: Vault, connection: Any, key: VerifyingKey | None = None, kept: Iterable[Checkpoint] = ()
) -> Checked:
    """Verify the consent ledger from its first record on, as `verify_store` does, and that the mark is not ahead of it.

    Raises:
        LedgerError: Something is not as it was written, or the mark is none of ours.
    """
    _known(vault, connection, LEDGER)
    return verify_store(vault, connection, key, kept)


def whole_audit(
    vault: Vault, connection: Any, key: VerifyingKey | None = None, kept: Iterable[Checkpoint] = ()
) -> Verified:
    """Verify the audit log from its first record on, as `AuditLog.verify` does, and that the mark is not ahead of it.

    Raises:
        AuditError: Something is not as it was written, or the mark is none of ours.
    """
    _known(vault, connection, AUDIT)
    return vault.audit.verify(connection, key, kept)


def standing_of(connection: Any, book: Book, found: Verified | Checked, now: datetime) -> Standing:
    """Return what was found by going through a whole book, in the same transaction."""
    tail = tail_at(connection, book, found.records)
    return Standing(found.records, found.link, found.checkpoints, found.records, to_micros(now), tail)


def note(vault: Vault, operator: str, *, ledger: Standing | None = None, audit: Standing | None = None) -> None:
    """Keep how far the books were verified, with a record in the audit log, where that is worth one.

    Args:
        vault: The open store.
        operator: The label of who verified.
        ledger: What was found of the consent ledger.
        audit: What was found of the audit log.

    Raises:
        PrivacyError: The mark is none of ours, or it cannot be written.
    """

    def work(connection: Any) -> None:
        before = read_mark(connection, vault.index, AUDIT, lock=True)
        said = _said(vault, connection, AUDIT)
        found = {
            name: new.joined(old)
            for name, new, old in (("ledger", ledger, before.ledger), ("audit", audit, before.audit))
            if new is not None and _is_worth(new, old)
        }
        if found:
            number = max(before.number, said.get(_MARK, 0)) + 1  # no removed one of before passes for it
            made = Mark(number, found.get("ledger", before.ledger), found.get("audit", before.audit))
            counts = {**said, _MARK: number, **{name: each.seq for name, each in found.items()}}
            write_mark(connection, vault.index, made)
            vault.audit.append(connection, AuditRecord(vault.clock(), operator, VERIFY, counts=counts))

    vault.database.transact(work)


def _is_worth(new: Standing, old: Standing | None) -> bool:
    """Say whether a mark moves by a whole verification, or by so many records that going through them again costs."""
    return old is None or new.whole_at > old.whole_at or new.seq - old.seq >= EVERY_RECORDS


def _known(vault: Vault, connection: Any, book: Book) -> Standing | None:
    """Return what is known of a book, after the mark was checked; None where nothing is.

    Raises:
        PrivacyError: The mark is none of ours, not the newest one, or ahead of the book (the book's error).
    """
    mark, said = read_mark(connection, vault.index, book), _said(vault, connection, book)
    known = mark.of(book)
    if known is not None:
        check_end(connection, book, known)
    else:
        check_length(connection, book, said.get(_NAMES[book.name], 0))
    if mark.number and mark.number != said.get(_MARK, 0):
        raise wrong_mark(book, "is not the newest one that was made")
    return known


def _said(vault: Vault, connection: Any, book: Book) -> Mapping[str, int]:
    """Return what the audit log says of the newest mark: its number, and how far each book went; else nothing."""
    try:
        found = vault.audit.newest(connection, Wanted(verb=VERIFY), 1)
    except AuditError as error:
        raise book.error(str(error)) from None
    return found[0].record.counts if found else {}
