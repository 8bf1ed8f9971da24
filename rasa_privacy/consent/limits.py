"""A limit on sensitive data (CCPA, § 1798.121; 11 CCR 7027): used for what it is needed for, and for nothing else.

Rules:

1. It is a record of the ledger about the topic `:limited`: `refused` begins it, `superseded` ends it.
2. Sensitive are the items whose category the law treats apart (`policy.categories`), and what else the CCPA names.
3. While it lasts such an item goes to an action only where the purpose that guards it needs it, into no text of an NLG
   server and into no audience. What is stored, and what a form judges that the person has just typed, stays as it is.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rasa_privacy.consent.state import CLOCK_TOLERANCE, Record
from rasa_privacy.policy.topics import LIMITED
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault

if TYPE_CHECKING:
    from rasa_privacy.consent.ledger import Evidence

_BEGINS: Final = "refused"
_LIFTS: Final = "superseded"


def record_limit(vault: Vault, connection: Any, subject_id: bytes, evidence: "Evidence", *, lift: bool) -> bool:
    """Record the limit, or its end; return whether it is new.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the subject is locked.
        subject_id: The person.
        evidence: How it was said.
        lift: Whether the limit ends.
    """
    if is_limited(vault.ledger.of_subject(connection, subject_id), evidence.at) is not lift:
        return False
    fields = (evidence.language, evidence.method, evidence.channel, evidence.at)
    event = _LIFTS if lift else _BEGINS
    vault.ledger.append(connection, LedgerRecord(subject_id, LIMITED, event, bytes(32), *fields))
    return True


def is_limited(records: Iterable[Record], now: datetime) -> bool:
    """Return whether a person's records limit the use of sensitive data.

    Args:
        records: The records, the oldest first.
        now: The moment asked about; what ends a limit in the future ends none.
    """
    limited = False
    for record in records:
        if record.purpose == LIMITED and (record.event != _LIFTS or record.at <= now + CLOCK_TOLERANCE):
            limited = record.event != _LIFTS
    return limited
