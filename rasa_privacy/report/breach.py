"""The scope of a breach: how many people and which data were touched in a time, and whom to tell of it by when.

GDPR Art. 33(3)(a) asks for the categories and the approximate number of people and records. Counted is what the audit
log and the ledger say; who reads the database past this package leaves no record there, and then everybody counts.
"""

from collections import Counter
from datetime import datetime
from typing import Any, Final

import msgspec

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.verification import note, verified
from rasa_privacy.policy.profile_model import AUTHORITY, BreachRule, Profile, parse_term
from rasa_privacy.policy.regulations import load_profile
from rasa_privacy.policy.verbs import BREAK_GLASS, PERSON, REACHES_PEOPLE
from rasa_privacy.rights.clocks import OTHERWISE, after
from rasa_privacy.storage import book_counts
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.books import AUDIT
from rasa_privacy.storage.standing import Standing
from rasa_privacy.storage.tables import from_micros
from rasa_privacy.storage.vault import Vault

#: What reads, hands out, changes or destroys data of people, as GDPR Art. 4(12) has it.
_TOUCHES: Final = REACHES_PEOPLE | {BREAK_GLASS}


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a regulation wants told.

    Attributes:
        regulation: The regulation, for example `gdpr@2026-11`.
        whom: The authority; the one that privacy.yml names where the profile names none.
        by: The latest moment, aware and in UTC; that of learning of it where it must be at once.
        article: Where the law says so.
        confidence: How sure that figure is.
    """

    regulation: str
    whom: str
    by: datetime
    article: str
    confidence: str


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What was touched.

    Attributes:
        since: Beginning, aware and in UTC.
        until: End, aware and in UTC.
        people: Number of people whose data operators touched one by one.
        own_acts: Number of records of what people did themselves in the chat; they touch nobody else.
        handed_out: Number of people in audiences that were exported.
        by_operator: Records by operator.
        by_verb: Records by what was done, refusals left out.
        refused: Number of refusals.
        purposes: Purposes that were reached.
        items: Items that were reached.
        everybody: Number of people who are stored now, where the database itself was taken.
        changed: Number of people whose consent changed in the time.
        whole_at: When the audit log was verified from its first record on, aware and in UTC.
        new: Number of its records since then, which were verified too.
        learned_at: When the controller learned of it, aware and in UTC.
        tell: Whom to tell, the earliest first.
        silent: Regulations of privacy.yml whose profiles set no term.
    """

    since: datetime
    until: datetime
    people: int
    own_acts: int
    handed_out: int
    by_operator: dict[str, int]
    by_verb: dict[str, int]
    refused: int
    purposes: tuple[str, ...]
    items: tuple[str, ...]
    everybody: int
    changed: int
    whole_at: datetime
    new: int
    learned_at: datetime
    tell: tuple[Duty, ...]
    silent: tuple[str, ...]


def scope(vault: Vault, permit: Permit, since: datetime, until: datetime, learned_at: datetime | None = None) -> Scope:
    """Return what was touched from `since` on and before `until`, and whom to tell.

    Args:
        vault: The open store.
        permit: Who asks; for `audit`.
        since: Aware and in UTC.
        until: Aware and in UTC.
        learned_at: When the controller learned of it, aware and in UTC; otherwise now.

    Raises:
        AccessError: The permit is not for the audit log.
        AuditError: The audit log does not verify; then nothing can be said by it.
        StorageError: The database cannot be read or written.
    """
    permit.require("audit")
    with vault.database.read() as connection:
        standing = verified(vault, connection, AUDIT, vault.clock())
        found = _counted(vault, connection, since, until, standing, learned_at or vault.clock())
    note(vault, permit.operator, audit=standing)
    return found


def duties(vault: Vault, learned_at: datetime) -> tuple[Duty, ...]:
    """Return whom the regulations of privacy.yml want told of a breach, the earliest first; GDPR where none says."""
    named = [profile for profile in vault.regulations.named if profile.breach is not None]
    profiles = named or [load_profile(OTHERWISE)]
    found = [_duty(vault, profile, profile.breach, learned_at) for profile in profiles if profile.breach is not None]
    return tuple(sorted(found, key=lambda each: each.by))


def _duty(vault: Vault, profile: Profile, rule: BreachRule, learned_at: datetime) -> Duty:
    named = vault.policy.controller.authority
    return Duty(
        regulation=profile.id,
        whom=f"{rule.whom} ({named})" if named and rule.whom == AUTHORITY else rule.whom,
        by=after(learned_at, parse_term(rule.authority), profile.country or "US"),
        article=rule.article,
        confidence=rule.confidence,
    )


def _counted(  # noqa: PLR0913, PLR0917 - store, transaction, and the times
    vault: Vault, connection: Any, since: datetime, until: datetime, standing: Standing, learned_at: datetime
) -> Scope:
    operators, verbs = Counter[str](), Counter[str]()
    purposes, items = set[str](), set[str]()
    handed_out = refused = own_acts = 0
    for entry in vault.audit.each(connection, Wanted(since=since, until=until)):
        record = entry.record
        if record.operator == PERSON:
            own_acts += 1
            continue
        operators[record.operator] += 1
        if record.outcome == "refused":
            refused += 1
            continue
        verbs[record.verb] += 1
        if record.verb == "audience":
            handed_out += record.counts.get("people", 0)
        if record.verb in _TOUCHES:
            purposes.update(record.purposes)
            items.update(record.items)
    return Scope(
        since=since,
        until=until,
        people=book_counts.people_touched(connection, since, until, PERSON),
        own_acts=own_acts,
        handed_out=handed_out,
        by_operator=dict(operators.most_common()),
        by_verb=dict(verbs.most_common()),
        refused=refused,
        purposes=tuple(sorted(purposes)),
        items=tuple(sorted(items)),
        everybody=vault.conversations.count(connection),
        changed=book_counts.people_changed(connection, since, until),
        whole_at=from_micros(standing.whole_at),
        new=standing.since,
        learned_at=learned_at,
        tell=duties(vault, learned_at),
        silent=tuple(each.id for each in vault.regulations.named if each.breach is None),
    )
