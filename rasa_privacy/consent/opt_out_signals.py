"""Global Privacy Control: a browser's `Sec-GPC: 1` as an opt-out of sale and sharing (CCPA regulations, § 7025).

Rules:

1. The first request with the signal is recorded once for each person: purpose `sale_or_sharing`, `refused`, method
   `gpc`. Later ones say nothing new, so they do not end a yes that was given after it (§ 7025(c)(3)).
2. A purpose that shares data (it has `recipients`) is not active for the person while the signal is the later word: a
   yes to that very purpose after it counts again.
3. What rests on a contract or a legal obligation is no sale and no sharing for advertising, so it stays.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from rasa_privacy.consent.state import CLOCK_TOLERANCE, ConsentState, PurposeState, Record
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import SALE_OR_SHARING, sharing
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault

#: `method` in the ledger.
GPC: Final = "gpc"


def record_gpc(vault: Vault, connection: Any, subject_id: bytes, now: datetime, channel: str = "other") -> bool:
    """Record the signal of a person, unless it is recorded already.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the subject is locked.
        subject_id: The person.
        now: The moment, aware and in UTC.
        channel: Rasa's name of the input channel.

    Returns:
        Whether it is new.
    """
    records = vault.ledger.of_subject(connection, subject_id)
    if any(record.purpose == SALE_OR_SHARING and record.method == GPC for record in records):
        return False
    _refuse(vault, connection, subject_id, GPC, channel, now)
    return True


def record_opt_out(  # noqa: PLR0913, PLR0917 - store, transaction, whose, and how it was said
    vault: Vault, connection: Any, subject_id: bytes, method: str, channel: str, now: datetime
) -> bool:
    """Record that a person does not want their data sold or shared (11 CCR 7026), as the signal of a browser would.

    Returns:
        Whether it is new: it does not hold already for every purpose that shares.
    """
    if has_opted_out(vault.ledger.of_subject(connection, subject_id), vault.policy, now):
        return False
    _refuse(vault, connection, subject_id, method, channel, now)
    return True


def has_opted_out(records: Sequence[Record], policy: Policy, now: datetime) -> bool:
    """Return whether a person's records say for every purpose that shares that nothing may be sold or shared."""
    said = any(record.purpose == SALE_OR_SHARING for record in records)
    return said and set(sharing(policy)) <= closed_by_signal(records, policy, now).keys()


def closed_by_signal(records: Iterable[Record], policy: Policy, now: datetime) -> dict[str, Record]:
    """Return the purposes that the signal closes, each with the record that does.

    Args:
        records: One person's records, the oldest first.
        policy: The privacy.yml in force.
        now: The moment asked about; a yes from the future opens nothing, as in `state.fold`.
    """
    shared = sharing(policy)
    closed: dict[str, Record] = {}
    for record in records:
        if record.purpose == SALE_OR_SHARING and record.event == "refused":
            closed.update(dict.fromkeys(shared, record))
        elif record.event == "granted" and record.at <= now + CLOCK_TOLERANCE:
            closed.pop(record.purpose, None)
    return closed


def obey_signal(state: ConsentState, records: Sequence[Record], policy: Policy, now: datetime) -> ConsentState:
    """Return the state with the purposes that the signal closes refused."""
    closed = closed_by_signal(records, policy, now)
    if not closed:
        return state
    refused = {name: PurposeState("refused", record.at) for name, record in closed.items()}
    return replace(state, purposes={**state.purposes, **refused}, active=state.active - closed.keys())


def _refuse(vault: Vault, connection: Any, subject_id: bytes, method: str, channel: str, now: datetime) -> None:  # noqa: PLR0913, PLR0917 - as above
    language = vault.policy.languages[0]
    record = LedgerRecord(subject_id, SALE_OR_SHARING, "refused", bytes(32), language, method, channel, now)
    vault.ledger.append(connection, record)
