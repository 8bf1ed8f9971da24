"""Consent that was given before this package ran: what privacy.yml declares of it, and its record in the ledger.

Nobody was asked here, so the record says `granted` with the method `imported`, at the time that is declared. In place
of the notice that was shown stands a text that names the proof which the controller holds (GDPR Art. 7(1)). Its
version is that of the purpose's terms now: by declaring it, the controller says that those were agreed to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Final

from rasa_privacy.consent.ledger import keep_notice
from rasa_privacy.consent.notice import Notice, terms_version
from rasa_privacy.consent.state import IMPORTED as IMPORTED  # noqa: PLC0414 - rooms above name it from here
from rasa_privacy.consent.state import fold
from rasa_privacy.policy.import_model import ImportedConsent, SlotAnswer
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import choice
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault

#: Events after which no slot has a value.
_CLEARING: Final = frozenset({"reset_slots", "restart"})


@dataclass(frozen=True, slots=True)
class ImportedGrant:
    """A consent of one person that is to be recorded. It has what `state.fold` reads of a record.

    Attributes:
        purpose: The purpose.
        notice: The text that names the proof.
        at: When it was given, aware and in UTC.
        channel: Where it was given.
        optional: Optional items that it is about too; None for all of the purpose.
    """

    purpose: str
    notice: Notice
    at: datetime
    event: str = "granted"
    channel: str = IMPORTED
    optional: tuple[str, ...] | None = None

    @property
    def method(self) -> str:
        """`method` in the ledger."""
        return IMPORTED

    @property
    def notice_hash(self) -> bytes:
        """Hash of that text."""
        return self.notice.hash


def grants_of(policy: Policy, events: Iterable[Mapping[str, Any]]) -> tuple[ImportedGrant, ...]:
    """Return the consents that privacy.yml declares for the person with these events, the oldest first."""
    declared = policy.import_.consent if policy.import_ is not None else {}
    events = list(events)
    return tuple(
        ImportedGrant(purpose, _notice(policy, purpose, consent), at)
        for purpose, consent in declared.items()
        if (at := _given_at(consent, events)) is not None
    )


def active_after(policy: Policy, grants: Iterable[ImportedGrant], now: datetime) -> frozenset[str]:
    """Return the purposes that may use the person's data once these are recorded."""
    everything = [part for grant in grants for part in _parts(policy, grant)]
    return fold(everything, policy, now, lambda _purpose, _digest: True).active


def record_imported(
    vault: Vault, connection: Any, subject_id: bytes, grant: ImportedGrant, *, only_optional: bool = False
) -> None:
    """Record a consent that was given elsewhere, with the optional items that it is about.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        subject_id: Whose it is.
        grant: The consent.
        only_optional: Whether the consent itself is in the ledger already.
    """
    for part in _parts(vault.policy, grant)[only_optional:]:
        keep_notice(vault, connection, part.notice)
        record = LedgerRecord(
            subject_id=subject_id,
            purpose=part.purpose,
            event=part.event,
            notice_hash=part.notice.hash,
            language=part.notice.language,
            method=IMPORTED,
            channel=part.channel,
            at=part.at,
        )
        vault.ledger.append(connection, record)


def _parts(policy: Policy, grant: ImportedGrant) -> list[ImportedGrant]:
    """Return the grant and one for each optional item that it is about."""
    choices = policy.purposes[grant.purpose].choices
    topics = [choice(grant.purpose, item) for item in choices if grant.optional is None or item in grant.optional]
    return [
        replace(grant, purpose=topic, notice=replace(grant.notice, purpose=topic)) for topic in (grant.purpose, *topics)
    ]


def _notice(policy: Policy, purpose: str, consent: ImportedConsent) -> Notice:
    text = f"Consent given before the import into this system. Evidence: {consent.evidence}"
    return Notice(purpose, terms_version(policy, purpose), policy.languages[0], text)


def _given_at(consent: ImportedConsent, events: Iterable[Mapping[str, Any]]) -> datetime | None:
    """Return when the person gave this consent, or None where nothing says so."""
    answered = _answered_at(consent.given_by, events) if isinstance(consent.given_by, SlotAnswer) else None
    if consent.given_by != "everyone" and answered is None:
        return None
    if consent.at is not None:
        return datetime(consent.at.year, consent.at.month, consent.at.day, tzinfo=timezone.utc)
    return answered


def _answered_at(answer: SlotAnswer, events: Iterable[Mapping[str, Any]]) -> datetime | None:
    """Return since when the slot holds the answer; Rasa sets it again in a new session, which is no new answer."""
    since: datetime | None = None
    for event in events:
        if event["event"] in _CLEARING:
            since = None
        elif event["event"] == "slot" and event.get("name") == answer.slot:
            if not _means(event.get("value"), answer.value):
                since = None
            elif since is None:
                since = datetime.fromtimestamp(event["timestamp"], tz=timezone.utc)
    return since


def _means(value: object, answer: str) -> bool:
    return (str(value).lower() if isinstance(value, bool) else str(value)) == answer and value is not None
