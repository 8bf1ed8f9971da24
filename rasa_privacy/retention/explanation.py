"""`explain`: why what is stored of a person is still there, item by item, without a value of it.

A value is held under the key of each purpose that may have it, so of a shared item the purpose that lasts longest wins.
"""

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from rasa_privacy.access.permit import Permit
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.purpose_model import UNTIL_WITHDRAWN
from rasa_privacy.retention.due import SERVICE, WITHOUT_CONSENT
from rasa_privacy.retention.lasting import lengths
from rasa_privacy.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Holding:
    """One purpose that holds something.

    Attributes:
        purpose: Its name; `service` for the structure of the conversation.
        due_at: When that goes, aware and in UTC; None for when consent is taken back.
        rule: The words of privacy.yml that say so.
    """

    purpose: str
    due_at: datetime | None
    rule: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One item of which a value is stored.

    Attributes:
        item: Its name, or `messages` for the conversation's structure and masked texts.
        holdings: The purposes that hold it, the one that lasts longest first.
        over_at: When the newest value is over by the item's own `keep`; None where that says no time.
        keep: That `keep`.
    """

    item: str
    holdings: tuple[Holding, ...]
    over_at: datetime | None = None
    keep: str = ""

    @property
    def due_at(self) -> datetime | None:
        """When the last of it goes; None for when consent is taken back."""
        first = self.holdings[0].due_at
        ends = [each for each in (first, self.over_at) if each is not None]
        return min(ends, default=None)


def explain(vault: Vault, connection: Any, sender_id: str, permit: Permit) -> list[Kept]:
    """Return what is stored of a person and why, the messages first; empty for somebody who is not stored.

    Args:
        vault: The open store.
        connection: A connection that reads.
        sender_id: Rasa's conversation key.
        permit: A permit to `view`; purposes and items that it does not cover are not named.

    Raises:
        AccessError: The permit is for something else.
        PrivacyError: The conversation is damaged.
    """
    permit.require("view")
    subject_id = vault.subjects.find(connection, sender_id)
    if subject_id is None:
        return []
    due = {
        purpose: at
        for purpose, at in vault.data_keys.due_of(connection, subject_id).items()
        if purpose == SERVICE or permit.covers_purpose(purpose)
    }
    stored = vault.conversations.load(connection, sender_id, all_sessions=True, purposes=permit.purposes)
    items: dict[str, set[str]] = {}
    newest: dict[str, float] = {}
    times = [float(event["timestamp"] or 0.0) for event in stored.structure] if stored is not None else []
    for purpose, entries in stored.values.items() if stored is not None else ():
        for number, _, item, *_ in (entry for entry in entries if permit.covers_item(entry[2])):
            items.setdefault(item, set()).add(purpose)
            newest[item] = max(newest.get(item, 0.0), times[number])
    messages = [_holding(vault.policy, name, due) for name in due]
    found = [Kept("messages", _longest_first(messages))]
    for item, purposes in sorted(items.items()):
        holdings = _longest_first([_holding(vault.policy, name, due) for name in purposes])
        found.append(Kept(item, holdings, *_own_end(vault.policy, item, newest[item])))
    return found


def _own_end(policy: Policy, item: str, newest: float) -> tuple[datetime | None, str]:
    """Return when an item's newest value is over by its own `keep`, and that `keep`."""
    length = lengths(policy).get(item)
    if length is None:
        return None, ""
    return datetime.fromtimestamp(newest, tz=timezone.utc) + length, str(policy.items[item].keep)


def rule_of(policy: Policy, purpose: str) -> str:
    """Return what privacy.yml says about how long a purpose's data is kept, as it says it."""
    if purpose == SERVICE:
        hours = int(WITHOUT_CONSENT.total_seconds() // 3600)
        return f"messages.retain: {policy.messages.retain}; {hours} hours without any consent"
    declared = policy.purposes.get(purpose)
    if declared is None:
        return "a purpose that privacy.yml has no more"
    lasts = f", consent_lasts: {declared.consent_lasts}" if declared.consent_lasts is not None else ""
    return f"retain: {declared.retain}{lasts}"


def words(kept: Kept) -> str:
    """Return one item's explanation in a sentence."""
    first, *others = kept.holdings
    if kept.over_at is not None and kept.over_at == kept.due_at:
        purposes = ", ".join(each.purpose for each in kept.holdings)
        return f"{kept.item}: until {kept.over_at:%Y-%m-%d %H:%M}, by its own time (keep: {kept.keep}), for {purposes}"
    until = UNTIL_WITHDRAWN if first.due_at is None else f"until {first.due_at:%Y-%m-%d %H:%M}"
    said = f"{kept.item}: {until}, for {first.purpose} ({first.rule})"
    if not others:
        return said
    shorter = ", ".join(f"{each.purpose} ({_day(each.due_at)})" for each in others)
    return f"{said}; the longest counts, and these end before or with it: {shorter}"


def _day(moment: datetime | None) -> str:
    return UNTIL_WITHDRAWN if moment is None else f"{moment:%Y-%m-%d}"


def _holding(policy: Policy, purpose: str, due: dict[str, datetime | None]) -> Holding:
    return Holding(purpose, due.get(purpose), rule_of(policy, purpose))


def _longest_first(holdings: list[Holding]) -> tuple[Holding, ...]:
    def order(each: Holding) -> tuple[bool, float, str]:
        return each.due_at is not None, -each.due_at.timestamp() if each.due_at is not None else 0.0, each.purpose

    return tuple(sorted(holdings, key=order))
