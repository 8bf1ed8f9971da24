"""The scope of a breach: how many people and which data were touched in a time, for the notice within 72 hours.

GDPR Art. 33(3)(a) asks for the categories and the approximate number of people and records. Counted is what the audit
log and the ledger say; who reads the database past this package leaves no record there, and then everybody counts.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.verification import note, verified
from rasa_privacy.policy.verbs import BREAK_GLASS, PERSON, REACHES_PEOPLE
from rasa_privacy.storage import book_counts
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.books import AUDIT
from rasa_privacy.storage.standing import Standing
from rasa_privacy.storage.tables import from_micros
from rasa_privacy.storage.vault import Vault

#: GDPR Art. 33(1).
NOTIFY_WITHIN: Final = timedelta(hours=72)
#: What reads, hands out, changes or destroys data of people, as GDPR Art. 4(12) has it.
_TOUCHES: Final = REACHES_PEOPLE | {BREAK_GLASS}


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What was touched.

    Attributes:
        since: Beginning, aware and in UTC.
        until: End, aware and in UTC.
        people: Number of people whose data operators touched one by one.
        own_acts: Number of records of what people did themselves in the chat; they touch nobody else.
        handed_out: Number of people in audiences that were exported.
        by_operator: Records by operator.
        by_verb: Records by what was done.
        refused: Number of refusals.
        purposes: Purposes that were named.
        items: Items that were named.
        everybody: Number of people who are stored now, where the database itself was taken.
        changed: Number of people whose consent changed in the time.
        whole_at: When the audit log was verified from its first record on, aware and in UTC.
        new: Number of its records since then, which were verified too.
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


def scope(vault: Vault, permit: Permit, since: datetime, until: datetime) -> Scope:
    """Return what was touched from `since` on and before `until`.

    Raises:
        AccessError: The permit is not for the audit log.
        AuditError: The audit log does not verify; then nothing can be said by it.
        StorageError: The database cannot be read or written.
    """
    permit.require("audit")
    with vault.database.read() as connection:
        standing = verified(vault, connection, AUDIT, vault.clock())
        found = _counted(vault, connection, since, until, standing)
    note(vault, permit.operator, audit=standing)
    return found


def _counted(vault: Vault, connection: Any, since: datetime, until: datetime, standing: Standing) -> Scope:
    operators, verbs = Counter[str](), Counter[str]()
    purposes, items = set[str](), set[str]()
    handed_out = refused = own_acts = 0
    for entry in vault.audit.each(connection, Wanted(since=since, until=until)):
        record = entry.record
        if record.operator == PERSON:
            own_acts += 1
            continue
        operators[record.operator] += 1
        verbs[record.verb] += 1
        refused += record.outcome == "refused"
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
    )
