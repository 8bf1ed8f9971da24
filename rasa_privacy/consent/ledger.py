"""The consent ledger's rules: what may be recorded when, and reading the state back.

Rules:

- `granted` and `refused` answer a question: the purpose's last record must be `asked`, with the notice answered.
- A no to an optional item needs no question before it (`record_left_out`).
- `expired` and `superseded` say that a yes had ended by itself, before the question that is asked anew because of it.
- `withdrawn` needs nothing before it; taking consent back is always possible (GDPR Art. 7(3)). Where there is nothing
  to take back, nothing is written.
- If the ledger cannot be read, the caller gets the error, and whoever decides treats it as no consent.

The rows, their chain and their order are `storage.ledger`'s; nothing here writes SQL.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from rasa_privacy.consent.limits import is_limited
from rasa_privacy.consent.notice import Notice
from rasa_privacy.consent.opt_out_signals import obey_signal
from rasa_privacy.consent.restrictions import obey_restrictions
from rasa_privacy.consent.state import ENDED, ConsentState, fold
from rasa_privacy.consent.terms import still_hold, terms_text, version_of
from rasa_privacy.errors import LedgerError
from rasa_privacy.policy.topics import purpose_of
from rasa_privacy.storage import opt_in_codes
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.notices import StoredNotice
from rasa_privacy.storage.vault import Vault

#: `method` of what nobody did: a yes that ended.
BY_ITSELF: Final = "by_itself"


@dataclass(frozen=True, slots=True)
class Evidence:
    """How an answer was given.

    Attributes:
        method: `button`, `words` or `outside`.
        channel: The input channel's name, for example `rest`.
        language: Language of the conversation.
        at: The moment, aware and in UTC.
    """

    method: str
    channel: str
    language: str
    at: datetime


def state_of(vault: Vault, connection: Any, subject_id: bytes | None, now: datetime) -> ConsentState:
    """Return what this subject allows now; nothing beyond other lawful bases where there is no subject yet."""
    records = vault.ledger.of_subject(connection, subject_id) if subject_id is not None else []
    state = _folded(vault, connection, records, now)
    if subject_id is not None and any(purpose.double_opt_in for purpose in vault.policy.purposes.values()):
        state = replace(state, waiting=_waiting(vault, connection, subject_id, now))
    if is_limited(records, now):
        state = replace(state, limited=True)
    return obey_restrictions(obey_signal(state, records, vault.policy, now), records, now)


def record_asked(vault: Vault, connection: Any, subject_id: bytes, notice: Notice, evidence: Evidence) -> None:
    """Record that this notice was shown, and before it the end of a yes that had ended by itself."""
    keep_notice(vault, connection, notice)
    _record_end(vault, connection, subject_id, notice.purpose, evidence)
    _append(vault, connection, subject_id, notice.purpose, "asked", notice.hash, evidence)


def keep_notice(vault: Vault, connection: Any, notice: Notice) -> None:
    """Keep a notice with the terms that it stood for, unless it was made of terms that have changed meanwhile."""
    purpose = purpose_of(notice.purpose)
    terms = terms_text(vault.policy, purpose) if purpose in vault.policy.purposes else None
    kept = terms if terms is not None and version_of(terms) == notice.version else None
    vault.notices.put(
        connection, StoredNotice(notice.hash, notice.purpose, notice.version, notice.language, notice.text, kept)
    )


def record_answer(  # noqa: PLR0913 - store, transaction and the fields of one answer
    vault: Vault, connection: Any, subject_id: bytes, purpose: str, *, granted: bool, evidence: Evidence
) -> None:
    """Record a yes or a no to the notice shown last.

    Raises:
        LedgerError: The person was not asked, or was asked with a notice that has changed since.
    """
    last = _last(vault, connection, subject_id, purpose)
    if last is None or last.event != "asked":
        raise LedgerError(f"purpose '{purpose}' was not asked about, so there is nothing to answer; ask again")
    if granted and not _is_current(vault, connection, purpose, last.notice_hash):
        raise LedgerError(f"the notice of purpose '{purpose}' changed after it was shown; ask again")
    _append(vault, connection, subject_id, purpose, "granted" if granted else "refused", last.notice_hash, evidence)


def is_asked_since(vault: Vault, connection: Any, subject_id: bytes, notice: Notice, since: datetime) -> bool:
    """Return whether exactly this notice was shown last, from this time on, and not answered since."""
    last = _last(vault, connection, subject_id, notice.purpose)
    return last is not None and (last.event, last.notice_hash) == ("asked", notice.hash) and last.at >= since


def record_left_out(  # noqa: PLR0913, PLR0917 - store, transaction, whose answer, to what, in answer to what, and how
    vault: Vault, connection: Any, subject_id: bytes, topic: str, purpose: str, evidence: Evidence
) -> None:
    """Record a no to an optional item, which a person may say before being asked: with the yes to its purpose.

    Raises:
        LedgerError: The person was never asked about the purpose either.
    """
    shown = _last(vault, connection, subject_id, topic) or _last(vault, connection, subject_id, purpose)
    if shown is None:
        raise LedgerError(f"purpose '{purpose}' was not asked about, so there is nothing to answer; ask again")
    _append(vault, connection, subject_id, topic, "refused", shown.notice_hash, evidence)


def record_withdrawal(
    vault: Vault, connection: Any, subject_id: bytes, purposes: Iterable[str], evidence: Evidence
) -> tuple[str, ...]:
    """Record the withdrawal of those purposes that were granted, and return their names."""
    made = []
    records = vault.ledger.of_subject(connection, subject_id)
    for purpose in dict.fromkeys(purposes):
        last = _last_answer(records, purpose)
        if last is not None and last.event not in ("refused", "withdrawn"):
            made.append(_record(subject_id, purpose, "withdrawn", last.notice_hash, evidence))
    if made:
        vault.ledger.append(connection, *made)
    return tuple(record.purpose for record in made)


def record_withdrawals(vault: Vault, connection: Any, subject_ids: Collection[bytes], evidence: Evidence) -> None:
    """Record the withdrawal of whatever was granted of many people who are erased; who is damaged is passed over.

    Raises:
        LedgerError: The end of the ledger does not verify, so nothing may be added to it.
    """
    made = []
    for subject_id, records in vault.ledger.of_many(connection, subject_ids).items():
        for purpose in vault.policy.purposes:
            last = _last_answer(records or (), purpose)
            if last is not None and last.event not in ("refused", "withdrawn"):
                made.append(_record(subject_id, purpose, "withdrawn", last.notice_hash, evidence))
    vault.ledger.append_all(connection, made)


def _record_end(vault: Vault, connection: Any, subject_id: bytes, purpose: str, evidence: Evidence) -> None:
    """Record that the yes to a purpose has expired, or was superseded by other terms, where it stands last."""
    records = vault.ledger.of_subject(connection, subject_id)
    last = _last_answer(records, purpose)
    if last is None or last.event != "granted":
        return
    state = _folded(vault, connection, records, evidence.at).purposes.get(purpose)
    if state is not None and state.status in ENDED:
        ended = replace(evidence, method=BY_ITSELF)
        _append(vault, connection, subject_id, purpose, state.status, last.notice_hash, ended)


def _folded(vault: Vault, connection: Any, records: Iterable[LedgerRecord], now: datetime) -> ConsentState:
    return fold(records, vault.policy, now, lambda purpose, digest: _is_current(vault, connection, purpose, digest))


def _waiting(vault: Vault, connection: Any, subject_id: bytes, now: datetime) -> frozenset[str]:
    """Return the purposes for which a code waits; a code may be for a proof of identity too, which is no purpose."""
    return opt_in_codes.live(connection, subject_id, now) & frozenset(vault.policy.purposes)


def _last(vault: Vault, connection: Any, subject_id: bytes, purpose: str) -> LedgerRecord | None:
    records = [record for record in vault.ledger.of_subject(connection, subject_id) if record.purpose == purpose]
    return records[-1] if records else None


def _last_answer(records: Iterable[LedgerRecord], purpose: str) -> LedgerRecord | None:
    """Return the last record that is more than a question."""
    answers = [record for record in records if record.purpose == purpose and record.event != "asked"]
    return answers[-1] if answers else None


def _append(  # noqa: PLR0913, PLR0917 - store, transaction and the fields of one record
    vault: Vault, connection: Any, subject_id: bytes, purpose: str, event: str, notice_hash: bytes, evidence: Evidence
) -> None:
    vault.ledger.append(connection, _record(subject_id, purpose, event, notice_hash, evidence))


def _record(subject_id: bytes, purpose: str, event: str, notice_hash: bytes, evidence: Evidence) -> LedgerRecord:
    return LedgerRecord(
        subject_id=subject_id,
        purpose=purpose,
        event=event,
        notice_hash=notice_hash,
        language=evidence.language,
        method=evidence.method,
        channel=evidence.channel,
        at=evidence.at,
    )


def _is_current(vault: Vault, connection: Any, purpose: str, notice_hash: bytes) -> bool:
    stored = vault.notices.get(connection, notice_hash)
    return stored is not None and still_hold(vault.policy, purpose, stored)
