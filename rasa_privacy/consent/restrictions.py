"""Restriction and objection (GDPR Art. 18 and 21): a purpose may not use the data, which stays.

Rules:

1. A restriction is a record of the ledger about the topic `:restricted:<purpose>`: `refused` begins it, `superseded`
   lifts it. No purpose and no item has such a name.
2. While it lasts the purpose is not active, whatever its legal basis. So the gate, the minimizer, the payloads, the
   audience and the store obey it as they obey a consent that is missing.
3. A yes of the person to that very purpose afterwards lifts it as well.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rasa_privacy.consent.state import CLOCK_TOLERANCE, ConsentState, Record
from rasa_privacy.policy.topics import LIFTED, RESTRICTED, purpose_of
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault

if TYPE_CHECKING:
    from rasa_privacy.consent.ledger import Evidence

_BEGINS: Final = "refused"
_LIFTS: Final = "superseded"


def restriction_topic(purpose: str) -> str:
    """Return the name under which the ledger keeps the restriction of a purpose."""
    return f"{RESTRICTED}{purpose}"


def lifting_topic(purpose: str) -> str:
    """Return the name under which the erasure journal keeps the end of a restriction."""
    return f"{LIFTED}{purpose}"


def record_restriction(  # noqa: PLR0913 - store, transaction, whose, of what, and how it was said
    vault: Vault, connection: Any, subject_id: bytes, purposes: Iterable[str], evidence: "Evidence", *, lift: bool
) -> tuple[str, ...]:
    """Restrict purposes, or lift that; return those for which it is new.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the subject is locked.
        subject_id: The person.
        purposes: Purposes of privacy.yml.
        evidence: How it was said.
        lift: Whether the restriction ends.
    """
    now = restricted(vault.ledger.of_subject(connection, subject_id), evidence.at)
    changed = tuple(name for name in purposes if (name in now) is lift)
    for name in changed:
        record = LedgerRecord(
            subject_id=subject_id,
            purpose=restriction_topic(name),
            event=_LIFTS if lift else _BEGINS,
            notice_hash=bytes(32),
            language=evidence.language,
            method=evidence.method,
            channel=evidence.channel,
            at=evidence.at,
        )
        vault.ledger.append(connection, record)
    return changed


def restricted(records: Iterable[Record], now: datetime) -> frozenset[str]:
    """Return the purposes that these records restrict.

    Args:
        records: One person's records, the oldest first.
        now: The moment asked about; what lifts a restriction in the future lifts none, as in `state.fold`.
    """
    found: set[str] = set()
    for record in records:
        if record.purpose.startswith(RESTRICTED):
            name = record.purpose.removeprefix(RESTRICTED)
            if record.event != _LIFTS:
                found.add(name)
            elif record.at <= now + CLOCK_TOLERANCE:
                found.discard(name)
        elif record.event == "granted" and record.at <= now + CLOCK_TOLERANCE:
            found.discard(record.purpose)
    return frozenset(found)


def obey_restrictions(state: ConsentState, records: Iterable[Record], now: datetime) -> ConsentState:
    """Return the state without the purposes that are restricted, and without their optional items."""
    closed = restricted(records, now)
    if not closed:
        return state
    out = frozenset(topic for topic in state.active if purpose_of(topic) in closed)
    return replace(state, active=state.active - out, restricted=out)
