"""How many people agreed to what: counts only, and those of each version of a purpose's terms."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rasa_privacy.consent.state import CLOCK_TOLERANCE
from rasa_privacy.consent.terms import still_hold, terms_version
from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.topics import age_of, choice, choices, purpose_of
from rasa_privacy.storage import consent_counts
from rasa_privacy.storage.notices import StoredNotice
from rasa_privacy.storage.vault import Vault

#: A yes to a notice that is not in the store counts for nothing.
_UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class PurposeCounts:
    """The people who answered about one purpose, erased ones too, since their records stay.

    Attributes:
        purpose: The purpose, or the question about an optional item or an age (`policy.topics`).
        is_declared: Whether privacy.yml has it.
        statuses: Number of people by what became of their last answer: `granted`, `expired`, `superseded`, ...
        versions: Number of people whose last answer is an unexpired yes, by version of the terms; also where it is on
            record that other terms superseded it. Terms that still hold in the language that was
            read count as those of now.
    """

    purpose: str
    is_declared: bool
    statuses: dict[str, int]
    versions: dict[str, int]

    @property
    def is_purpose(self) -> bool:
        """Whether it is a purpose, and not a question beside one."""
        return purpose_of(self.purpose) == self.purpose


def count_consents(vault: Vault, connection: Any, now: datetime) -> Iterator[PurposeCounts]:
    """Yield the counts of each purpose, those of privacy.yml first.

    Args:
        vault: The open store.
        connection: A connection that reads.
        now: The moment, aware and in UTC.
    """
    declared = [*vault.policy.purposes, *(choice(purpose, item) for purpose, item in choices(vault.policy))]
    versions = {each.hash: each for each in vault.notices.iterate(connection)}
    for purpose in (*declared, *(each for each in consent_counts.purposes(connection) if each not in declared)):
        yield _count(vault, connection, purpose, now, versions)


def _count(
    vault: Vault, connection: Any, purpose: str, now: datetime, notices: dict[bytes, StoredNotice]
) -> PurposeCounts:
    declared = vault.policy.purposes.get(purpose_of(purpose))
    is_declared = declared is not None or age_of(purpose) is not None
    lasts = declared.consent_lasts if declared is not None else None
    ended = None if lasts is None else now - Length(lasts)
    current = terms_version(vault.policy, purpose) if is_declared else None
    statuses, versions = Counter[str](), Counter[str]()
    for each in consent_counts.last_answers(connection, purpose, now + CLOCK_TOLERANCE, ended):
        stored = notices.get(each.notice_hash)
        version = _UNKNOWN if stored is None else stored.version
        if stored is not None and current is not None and still_hold(vault.policy, purpose, stored):
            version = current
        if each.event != "granted":
            statuses[each.event] += each.people
            versions[version] += each.people if each.event == "superseded" and version != current else 0
        elif each.is_over:
            statuses["expired"] += each.people
        else:
            statuses["granted" if version == current else "superseded"] += each.people
            versions[version] += each.people
    return PurposeCounts(purpose, is_declared, dict(statuses), dict(+versions))
