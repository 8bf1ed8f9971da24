"""When a review is due, keeping the one that was made, and acknowledging it.

Rules:

1. `retention: {review_every: ...}` counts from the last acknowledgement, or from the first record of either book, the
   consent ledger or the audit log.
2. The newest review that was made is in the database, whoever made it, so that of several servers and timers none makes
   a second one for the same time. It holds names and counts, no value.
3. That it was made is a record of the audit log with its number, in the same transaction. Only the newest one that was
   made, which nobody acknowledged yet and which is not from before one was due, can be acknowledged, once.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final

import msgspec

from rasa_privacy.access.permit import Permit
from rasa_privacy.errors import RetentionError
from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.model import Policy
from rasa_privacy.retention.review import Review
from rasa_privacy.rights.numbers import FORM
from rasa_privacy.storage import book_counts, meta_rows
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.audit_record import MAX_REASON, AuditEntry, AuditRecord
from rasa_privacy.storage.vault import Vault

_COUNT: Final = "review"
#: The row of the table `meta` with the newest review.
_ROW: Final = "review"
_NUMBER: Final = re.compile(FORM.format("RV"))
_MADE: Final = Wanted(verb="report", outcome="done")
_ACKNOWLEDGED: Final = Wanted(verb="retention", outcome="done")


class Made(msgspec.Struct, frozen=True):
    """A review with its number, as it is kept and written to files."""

    number: str
    review: Review


def decode(written: bytes) -> Made:
    """Return a review as it was kept or written to a file.

    Raises:
        RetentionError: It is none.
    """
    try:
        made = msgspec.json.decode(written, type=Made)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        made = None
    if made is None or made.review.made_at.tzinfo is None or _NUMBER.fullmatch(made.number) is None:
        raise RetentionError("this is no review; make one with 'rasa-privacy review make'")
    return made


def kept(connection: Any, *, lock: bool = False) -> Made | None:
    """Return the newest review that was made; None also where what stands there is no review, which the next replaces.

    Args:
        connection: A connection of the database.
        lock: Whether others wait to keep or to acknowledge one.
    """
    written = meta_rows.read(connection, _ROW, lock=lock)
    with suppress(RetentionError):
        return None if written is None else decode(written)
    return None


def is_waiting(made: Made | None, due: datetime) -> bool:
    """Return whether a review was made since one is due, which somebody must look at now."""
    return made is not None and made.review.made_at >= due


def keep(vault: Vault, permit: Permit, review: Review, *, due: datetime | None = None) -> Made | None:
    """Keep a review in the place of the last one, with its record in the audit log.

    Args:
        vault: The open store.
        permit: Who made it; for `report`.
        review: What was made.
        due: Since when it is due: where another process has kept one since, this one is dropped. None keeps it.

    Returns:
        The review with its number, or None where another process was first.

    Raises:
        AccessError: The permit is for something else.
        AuditError: The audit log does not verify.
        StorageError: The database cannot be written.
    """
    permit.require("report")
    return vault.database.transact(partial(_keep, vault, permit=permit, made=Made(review.number, review), due=due))


def _keep(vault: Vault, connection: Any, permit: Permit, made: Made, due: datetime | None) -> Made | None:
    before = kept(connection, lock=True)
    if due is not None and is_waiting(before, due):
        return None
    meta_rows.write(connection, _ROW, msgspec.json.encode(made))
    record = AuditRecord(
        at=vault.clock(),
        operator=permit.operator,
        verb="report",
        role=permit.role,
        reason="; ".join(filter(None, (_named(made.number), permit.reason)))[:MAX_REASON],
        counts={"conversations": made.review.conversations, _COUNT: 1},
    )
    vault.audit.append(connection, record)
    return made


def acknowledge(vault: Vault, permit: Permit, review: Review, number: str) -> None:
    """Note in the audit log that an operator has looked at a review.

    Args:
        vault: The open store.
        permit: Who; for `retention`.
        review: The review as it was read.
        number: The number that stands in its file.

    Raises:
        AccessError: The permit is for something else.
        RetentionError: The review is not the one of that number, not the newest, too old, or was acknowledged already.
        AuditError: The audit log does not verify.
    """
    permit.require("retention")
    if review.number != number:
        raise RetentionError(f"the review {number} was changed after it was made; make one anew with 'review make'")
    vault.database.transact(partial(_acknowledge, vault, permit=permit, review=review))


def _acknowledge(vault: Vault, connection: Any, permit: Permit, review: Review) -> None:
    meta_rows.read(connection, _ROW, lock=True)  # of two who acknowledge at once the second finds the first
    now, number = vault.clock(), review.number
    for entry in _reviews(vault, connection, _ACKNOWLEDGED):
        if _number_of(entry) == number:
            raise RetentionError(
                f"the review {number} was acknowledged on {entry.record.at:%Y-%m-%d} by {entry.record.operator} "
                f"(record {entry.seq} of the audit log); the next one is made when it is due"
            )
    newest = next(iter(_reviews(vault, connection, _MADE)), None)
    if newest is None:
        raise RetentionError(
            f"the audit log does not say that {number} was made; make one with 'rasa-privacy review make'"
        )
    if _number_of(newest) != number:
        raise RetentionError(
            f"{number} is not the newest review: {_number_of(newest)} was made on {newest.record.at:%Y-%m-%d}; look at "
            "it with 'rasa-privacy review show', and acknowledge that one"
        )
    due = overdue_since(vault, connection, now)
    if due is not None and review.made_at < due:
        raise RetentionError(
            f"the review {number} is of {review.made_at:%Y-%m-%d}, and one of {due:%Y-%m-%d} or later is due; make it "
            "with 'rasa-privacy review make'"
        )
    record = AuditRecord(
        at=now,
        operator=permit.operator,
        verb="retention",
        role=permit.role,
        reason=_named(number),
        counts={_COUNT: 1},
    )
    vault.audit.append(connection, record)


def _reviews(vault: Vault, connection: Any, wanted: Wanted) -> Iterator[AuditEntry]:
    """Yield the records that are about a review, the newest first."""
    entries = vault.audit.each(connection, wanted, newest_first=True)
    return (entry for entry in entries if _COUNT in entry.record.counts)


def _named(number: str) -> str:
    return f"review {number}"


def _number_of(entry: AuditEntry) -> str:
    return entry.record.reason.partition(";")[0].removeprefix("review ")


def last_acknowledged(vault: Vault, connection: Any) -> datetime | None:
    """Return when an operator acknowledged a review last, or None for never."""
    return next((entry.record.at for entry in _reviews(vault, connection, _ACKNOWLEDGED)), None)


def overdue_since(vault: Vault, connection: Any, now: datetime) -> datetime | None:
    """Return since when a review is overdue, or None where it is not, or where privacy.yml wants none.

    The first one is due one interval after the first record of the consent ledger or of the audit log.
    """
    if vault.policy.retention.review_every is None:
        return None
    begin = last_acknowledged(vault, connection)
    if begin is None:
        begin = min(_first_records(vault, connection), default=None)
    return _overdue(vault.policy, begin, now)


def _first_records(vault: Vault, connection: Any) -> Iterator[datetime]:
    """Yield when each book was begun; where nobody is asked for a consent, the ledger never is."""
    yield from (record.at for record in islice(vault.ledger.iterate(connection), 1))
    yield from (entry.record.at for entry in islice(vault.audit.each(connection, Wanted()), 1))


def acknowledgements() -> book_counts.LastCounted:
    """Return what finds by the rows when an operator acknowledged a review last, and remembers what it read."""
    return book_counts.LastCounted("retention", _COUNT)


def overdue_by_rows(
    policy: Policy, connection: Any, now: datetime, acknowledged: book_counts.LastCounted | None = None
) -> datetime | None:
    """Return the same as `overdue_since`, without the store's keys: the rows are believed as they are.

    Args:
        policy: The privacy.yml in force.
        connection: A connection that reads.
        now: The time.
        acknowledged: `acknowledgements()` of whoever asks again and again.
    """
    begin = (acknowledged or acknowledgements()).at(connection) or book_counts.begun(connection)
    return _overdue(policy, begin, now)


def _overdue(policy: Policy, begin: datetime | None, now: datetime) -> datetime | None:
    every = policy.retention.review_every
    if every is None or begin is None:
        return None
    due = begin + Length(every)
    return due if due <= now else None
