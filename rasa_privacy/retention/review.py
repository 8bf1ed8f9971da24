"""The review: what is stored, how old it is, when it was used last, what nothing reads, and which consents end soon.

GDPR Art. 5(1)(c) and (e) want to be looked at again and again. A review opens every conversation, page by page, counts,
and keeps no value. Its number is made from its content, so that nobody acknowledges another one than was made; when one
is due, and what becomes of it, is in `review_duty`.

A value is used when it is given, when an action or response that reads it runs in its conversation, and when an
operator sees it or hands it out.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import msgspec

from rasa_privacy.access.permit import Permit
from rasa_privacy.consent.state import CLOCK_TOLERANCE
from rasa_privacy.errors import DAMAGED
from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.slot_readers import Readers
from rasa_privacy.policy.verbs import PERSON
from rasa_privacy.rights.numbers import new_number
from rasa_privacy.storage import consent_counts
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.opened_conversation import StoredConversation
from rasa_privacy.storage.vault import Vault

#: Consents that end within this time are named.
SOON: Final = timedelta(days=90)
#: Conversations of a page, and so of a transaction.
_PAGE: Final = 100
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
        newest: Day of the newest value.
        last_used: Day on which one of them was used last.
    """

    purpose: str
    item: str
    people: int = 0
    values: int = 0
    oldest: str = ""
    newest: str = ""
    last_used: str = ""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What a review says.

    Attributes:
        made_at: When, aware and in UTC.
        conversations: Number of conversations that were opened.
        damaged: Number that could not be opened.
        stored: By purpose and item.
        never_read: Items that are stored, and that neither an action, a response nor an operator reads: candidates to
            stop collecting. None are named where the bot's files were not all at hand.
        never_given: Items of privacy.yml of which no value is stored.
        ending: Number of consents that end within 90 days, by purpose.
        is_source_seen: Whether the domain and the source of the actions were at hand.
    """

    made_at: datetime
    conversations: int
    damaged: int
    stored: tuple[Stored, ...]
    never_read: tuple[str, ...]
    never_given: tuple[str, ...]
    ending: dict[str, int]
    is_source_seen: bool = True

    @property
    def number(self) -> str:
        """The number of exactly this review."""
        digest = hashlib.sha256(msgspec.json.encode(self)).digest()
        return new_number("RV", lambda length: digest[:length])


def make_review(
    vault: Vault, permit: Permit, readers: Readers, advance: Callable[[int], None], page: int = _PAGE
) -> Review:
    """Open every conversation and return what there is.

    Args:
        vault: The open store.
        permit: Who wants it; for `report`.
        readers: What the bot's actions and responses read.
        advance: Called after each page with the number of its conversations, outside of a transaction.
        page: Conversations of a page.

    Raises:
        AccessError: The permit is for something else.
        StorageError: The database cannot be read.
    """
    permit.require("report")
    now, counting = vault.clock(), _Counting(vault, readers)
    after: int | None = 0
    while after is not None:
        with vault.database.read() as connection:
            names, after = vault.senders.page(connection, after, page)
            for sender_id in names:
                counting.add(connection, sender_id)
        advance(len(names))
    with vault.database.read() as connection:
        looked_at = _looked_at(vault, connection)
        ending = {name: _ending(vault, connection, name, now) for name in vault.policy.purposes}
    stored = counting.rows(looked_at)
    there, read = {each.item for each in stored}, counting.read | looked_at.keys()
    return Review(
        made_at=now,
        conversations=counting.conversations,
        damaged=counting.damaged,
        stored=stored,
        never_read=tuple(sorted(there - read)) if readers.is_whole else (),
        never_given=tuple(sorted(set(vault.policy.items) - there)),
        ending={name: number for name, number in ending.items() if number},
        is_source_seen=readers.is_whole,
    )


class _Counting:
    """Counts conversation by conversation."""

    def __init__(self, vault: Vault, readers: Readers) -> None:
        self._vault = vault
        item_of = vault.policy.item_of_slot
        #: Items by the action or response that reads them.
        self._reads = {
            name: frozenset(item for slot in slots if (item := item_of(slot)) is not None)
            for name, slots in readers.slots.items()
        }
        self.read: frozenset[str] = frozenset().union(*self._reads.values())
        self.conversations = self.damaged = 0
        self._found: dict[tuple[str, str], Stored] = {}

    def add(self, connection: Any, sender_id: str) -> None:
        """Count what one conversation holds."""
        self.conversations += 1
        try:
            stored = self._vault.conversations.load(connection, sender_id, all_sessions=True)
        except DAMAGED:
            self.damaged += 1
            return
        if stored is not None:
            self._count(stored)

    def rows(self, looked_at: Mapping[str, str]) -> tuple[Stored, ...]:
        """Return what was counted, with the days on which operators looked at items."""
        for row in self._found.values():
            row.last_used = max(row.last_used, looked_at.get(row.item, ""))
        return tuple(self._found[key] for key in sorted(self._found))

    def _count(self, stored: StoredConversation) -> None:
        used = self._used(stored.structure)
        for purpose, entries in stored.values.items():
            seen: set[str] = set()
            for entry in entries:
                number, _, item = entry[:3]
                row = self._found.setdefault((purpose, item), Stored(purpose=purpose, item=item))
                day = _day(stored.structure[number])
                row.values += 1
                row.people += item not in seen
                row.oldest = min(row.oldest or day, day)
                row.newest = max(row.newest, day)
                row.last_used = max(row.last_used, day, used.get(item, ""))
                seen.add(item)

    def _used(self, structure: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return by item the day on which something that reads it ran last."""
        found: dict[str, str] = {}
        for event in structure:
            if event.get("event") == "action":
                found |= dict.fromkeys(self._reads.get(event.get("name") or "", ()), _day(event))
        return found


def _day(event: Mapping[str, Any]) -> str:
    return f"{datetime.fromtimestamp(event['timestamp'] or 0.0, tz=timezone.utc):%Y-%m-%d}"


def _looked_at(vault: Vault, connection: Any) -> dict[str, str]:
    """Return the items that operators saw or handed out by the audit log, each with the last day."""
    found: dict[str, str] = {}
    for record in (entry.record for verb in _LOOKS for entry in vault.audit.each(connection, Wanted(verb=verb))):
        for item in record.items if record.operator != PERSON else ():
            found[item] = max(found.get(item, ""), f"{record.at:%Y-%m-%d}")
    return found


def _ending(vault: Vault, connection: Any, purpose: str, now: datetime) -> int:
    """Return how many consents that hold now end within `SOON`."""
    lasts = vault.policy.purposes[purpose].consent_lasts
    if lasts is None:
        return 0
    length = Length(lasts)

    def over(at: datetime) -> int:
        answers = consent_counts.last_answers(connection, purpose, now + CLOCK_TOLERANCE, at - length)
        return sum(each.people for each in answers if each.event == "granted" and each.is_over)

    return over(now + SOON) - over(now)
