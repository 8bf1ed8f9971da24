"""The review: what is stored, how old it is, what nothing reads, and which consents are about to end.

GDPR Art. 5(1)(c) and (e) want to be looked at again and again. A review opens every conversation, counts, and keeps no
value. An operator acknowledges it; that is a record of the audit log with the review's number, which is made from its
content, so that nobody acknowledges another one than was made.
"""

import hashlib
from collections.abc import Callable, Collection
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import msgspec

from rasa_privacy.access.permit import Permit
from rasa_privacy.consent.state import CLOCK_TOLERANCE
from rasa_privacy.errors import DAMAGED, RetentionError
from rasa_privacy.policy.model import Policy, duration_seconds
from rasa_privacy.policy.verbs import PERSON
from rasa_privacy.rights.numbers import new_number
from rasa_privacy.storage import book_counts, consent_counts
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault

#: Consents that end within this time are named.
SOON: Final = timedelta(days=90)
_COUNT: Final = "review"
#: What shows or hands out values.
_LOOKS: Final = ("view", "export", "audience")


class Stored(msgspec.Struct, kw_only=True):
    """Values of one item that one purpose holds.

    Attributes:
        purpose: The purpose.
        item: The item.
        people: Conversations with at least one value.
        values: Number of values.
        oldest: Day of the oldest value.
        last_used: Day of the newest value.
    """

    purpose: str
    item: str
    people: int = 0
    values: int = 0
    oldest: str = ""
    last_used: str = ""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What a review says.

    Attributes:
        made_at: When, aware and in UTC.
        conversations: Number of conversations that were opened.
        damaged: Number that could not be opened.
        stored: By purpose and item.
        never_read: Items that are stored, and that neither an action, a response nor an operator reads: candidates to
            stop collecting.
        never_given: Items of privacy.yml of which no value is stored.
        ending: Number of consents that end within 90 days, by purpose.
    """

    made_at: datetime
    conversations: int
    damaged: int
    stored: tuple[Stored, ...]
    never_read: tuple[str, ...]
    never_given: tuple[str, ...]
    ending: dict[str, int]

    @property
    def number(self) -> str:
        """The number of exactly this review."""
        digest = hashlib.sha256(msgspec.json.encode(self)).digest()
        return new_number("RV", lambda length: digest[:length])


def make_review(vault: Vault, permit: Permit, read: Collection[str], advance: Callable[[int], None]) -> Review:
    """Open every conversation and return what there is.

    Args:
        vault: The open store.
        permit: Who wants it; for `report`.
        read: Slots that the bot's actions and responses read.
        advance: Called with 1 after each conversation.

    Raises:
        AccessError: The permit is for something else.
        StorageError: The database cannot be read.
    """
    permit.require("report")
    now, found = vault.clock(), dict[tuple[str, str], Stored]()
    conversations = damaged = 0
    with vault.database.read() as connection:
        for sender_id in vault.conversations.sender_ids(connection, kept=True):
            try:
                _count(vault, connection, sender_id, found)
            except DAMAGED:
                damaged += 1
            conversations += 1
            advance(1)
        looked_at = _looked_at(vault, connection)
        ending = {name: _ending(vault, connection, name, now) for name in vault.policy.purposes}
    stored = tuple(found[key] for key in sorted(found))
    there = {each.item for each in stored}
    return Review(
        made_at=now,
        conversations=conversations,
        damaged=damaged,
        stored=stored,
        never_read=tuple(sorted(item for item in there if not _is_read(vault.policy, item, read, looked_at))),
        never_given=tuple(sorted(set(vault.policy.items) - there)),
        ending={name: number for name, number in ending.items() if number},
    )


def _count(vault: Vault, connection: Any, sender_id: str, found: dict[tuple[str, str], Stored]) -> None:
    stored = vault.conversations.load(connection, sender_id, all_sessions=True)
    if stored is None:
        return
    times = [event["timestamp"] for event in stored.structure]
    for purpose, entries in stored.values.items():
        seen: set[str] = set()
        for entry in entries:
            number, _, item = entry[:3]
            row = found.setdefault((purpose, item), Stored(purpose=purpose, item=item))
            day = f"{datetime.fromtimestamp(times[number] or 0.0, tz=timezone.utc):%Y-%m-%d}"
            row.values += 1
            row.people += item not in seen
            row.oldest = min(row.oldest or day, day)
            row.last_used = max(row.last_used, day)
            seen.add(item)


def _looked_at(vault: Vault, connection: Any) -> set[str]:
    """Return the items that the audit log names: those that operators saw or handed out."""
    records = (entry.record for verb in _LOOKS for entry in vault.audit.each(connection, Wanted(verb=verb)))
    return {item for record in records if record.operator != PERSON for item in record.items}


def _is_read(policy: Policy, item: str, read: Collection[str], looked_at: Collection[str]) -> bool:
    declared = policy.items.get(item)
    return item in looked_at or (declared is not None and declared.slot in read)


def _ending(vault: Vault, connection: Any, purpose: str, now: datetime) -> int:
    """Return how many consents that hold now end within `SOON`."""
    lasts = vault.policy.purposes[purpose].consent_lasts
    if lasts is None:
        return 0
    length = timedelta(seconds=duration_seconds(lasts))

    def over(at: datetime) -> int:
        answers = consent_counts.last_answers(connection, purpose, now + CLOCK_TOLERANCE, at - length)
        return sum(each.people for each in answers if each.event == "granted" and each.is_over)

    return over(now + SOON) - over(now)


def acknowledge(vault: Vault, permit: Permit, review: Review, number: str) -> None:
    """Note in the audit log that an operator has looked at a review.

    Args:
        vault: The open store.
        permit: Who; for `retention`.
        review: The review as it was read.
        number: The number that stands in its file.

    Raises:
        AccessError: The permit is for something else.
        RetentionError: The review is not the one of that number: it was changed.
        AuditError: The audit log does not verify.
    """
    permit.require("retention")
    if review.number != number:
        raise RetentionError(f"the review {number} was changed after it was made; make one anew with 'review make'")
    record = AuditRecord(
        at=vault.clock(),
        operator=permit.operator,
        verb="retention",
        role=permit.role,
        reason=f"review {number}",
        counts={_COUNT: 1},
    )
    vault.database.transact(lambda connection: vault.audit.append(connection, record))


def last_acknowledged(vault: Vault, connection: Any) -> datetime | None:
    """Return when an operator acknowledged a review last, or None for never."""
    runs = vault.audit.each(connection, Wanted(verb="retention", outcome="done"), newest_first=True)
    return next((entry.record.at for entry in runs if _COUNT in entry.record.counts), None)


def overdue_since(vault: Vault, connection: Any, now: datetime) -> datetime | None:
    """Return since when a review is overdue, or None where it is not, or where privacy.yml wants none.

    The first one is due one interval after the first consent was asked for.
    """
    if vault.policy.retention.review_every is None:
        return None
    begin = last_acknowledged(vault, connection)
    if begin is None:
        begin = next((record.at for record in vault.ledger.iterate(connection)), None)
    return _overdue(vault.policy, begin, now)


def overdue_by_rows(policy: Policy, connection: Any, now: datetime) -> datetime | None:
    """Return the same as `overdue_since`, without the store's keys: the rows are believed as they are."""
    begin = book_counts.last_counted(connection, "retention", _COUNT) or book_counts.begun(connection)
    return _overdue(policy, begin, now)


def _overdue(policy: Policy, begin: datetime | None, now: datetime) -> datetime | None:
    every = policy.retention.review_every
    if every is None or begin is None:
        return None
    due = begin + timedelta(seconds=duration_seconds(every))
    return due if due <= now else None
