"""What a purpose promises now, against what people agreed to, field by field, and how many people that concerns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rasa_privacy.consent.statistics import count_consents
from rasa_privacy.consent.terms import changes, read_terms, terms_text, terms_version
from rasa_privacy.policy.model import Policy
from rasa_privacy.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class OlderVersion:
    """A version of a purpose's terms that is not the present one.

    Attributes:
        purpose: The purpose.
        version: The version.
        people: How many people's last answer is an unexpired yes to it, asked anew meanwhile or not.
        changes: What differs now, one sentence for each field; None where its terms were not kept.
    """

    purpose: str
    version: str
    people: int
    changes: tuple[str, ...] | None


def older_versions(vault: Vault, connection: Any, now: datetime) -> Iterator[OlderVersion]:
    """Yield each older version that people agreed to, with what changed since.

    Args:
        vault: The open store.
        connection: A connection that reads.
        now: The moment, aware and in UTC.
    """
    kept = {each.version: each.terms for each in vault.notices.iterate(connection) if each.terms is not None}
    for counts in (each for each in count_consents(vault, connection, now) if each.is_purpose):
        current = terms_version(vault.policy, counts.purpose) if counts.is_declared else None
        for version, people in counts.versions.items():
            if version != current:
                yield OlderVersion(counts.purpose, version, people, _since(vault.policy, counts.purpose, kept, version))


def policy_changes(before: Policy, after: Policy) -> dict[str, list[str]]:
    """Return what differs between the terms of two policies, by purpose; purposes that are the same are left out."""
    found = {}
    for purpose in (*after.purposes, *(name for name in before.purposes if name not in after.purposes)):
        if purpose not in before.purposes:
            found[purpose] = ["the purpose is new"]
        elif purpose not in after.purposes:
            found[purpose] = ["the purpose was removed"]
        elif terms_version(before, purpose) != terms_version(after, purpose):
            found[purpose] = changes(read_terms(terms_text(before, purpose)), read_terms(terms_text(after, purpose)))
    return found


def _since(policy: Policy, purpose: str, kept: Mapping[str, str | None], version: str) -> tuple[str, ...] | None:
    if purpose not in policy.purposes:
        return ("the purpose was removed",)
    before = kept.get(version)
    if before is None:
        return None
    return tuple(changes(read_terms(before), read_terms(terms_text(policy, purpose))))
