"""Consents that were collected elsewhere (on paper, by another system) and come as JSON lines with their evidence.

Rules:

1. Each line names its evidence, and the controller keeps it (GDPR Art. 7(1)). The text is kept with the record, where
   no personal data may stand; a line whose evidence holds an email address, a phone number or the like is refused.
2. A line that is in the ledger already is passed over, so an import can be run again after it was interrupted. Where it
   names optional items that it did not name then, those are recorded.
3. A yes never overrules what the person said after it: neither a later answer nor a deletion, nor that nothing may be
   shared (in words or by a browser's signal), nor a restriction.
4. It is about what the purpose needs, and of its optional items about those alone that the line names and the person
   said nothing about since.
5. The record says `granted`, method `imported`, with the line's own method as its channel, at the time of the yes. Its
   version is that of the purpose's terms now: by importing it, the controller says that those were agreed to.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from rasa_privacy.consent.imported import IMPORTED, ImportedGrant, record_imported
from rasa_privacy.consent.notice import Notice
from rasa_privacy.consent.opt_out_signals import closed_by_signal
from rasa_privacy.consent.restrictions import restricted, restriction_topic
from rasa_privacy.consent.state import CLOCK_TOLERANCE
from rasa_privacy.consent.terms import terms_version
from rasa_privacy.errors import ImportLineError
from rasa_privacy.minimize.detectors import find
from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import choice
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import SERVICE, Vault

Outcome = Literal["new", "there", "answered", "erased"]

MAX_LINE: Final = 10_000
_MAX_EVIDENCE: Final = 500
_MAX_SENDER: Final = 255
_METHOD: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    sender: str
    purpose: str
    at: datetime
    evidence: str
    method: str = IMPORTED
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collected:
    """One consent that was collected elsewhere.

    Attributes:
        sender_id: Rasa's conversation key of the person.
        grant: The consent.
    """

    sender_id: str
    grant: ImportedGrant


def read_line(policy: Policy, raw: bytes, now: datetime) -> Collected:
    """Return the consent that a line declares.

    Raises:
        ImportLineError: It is none; the message quotes nothing of it.
    """
    if len(raw) > MAX_LINE:
        raise ImportLineError(f"it is longer than {MAX_LINE:,} bytes")
    try:
        line = msgspec.json.decode(raw, type=_Line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ImportLineError(
            "it is no JSON object with the texts 'sender', 'purpose', 'at' (such as 2024-05-01T12:00:00Z), 'evidence' "
            "and, if you like, 'method', and a list 'optional'"
        ) from None
    for why in _wrong(policy, line, now):
        raise ImportLineError(why)
    text = f"Consent collected outside this system. Evidence: {line.evidence.strip()}"
    notice = Notice(line.purpose, terms_version(policy, line.purpose), policy.languages[0], text)
    return Collected(
        line.sender, ImportedGrant(line.purpose, notice, line.at, channel=line.method, optional=line.optional)
    )


def outcome(vault: Vault, connection: Any, collected: Collected, now: datetime) -> Outcome:
    """Return what an import of this consent would do now: `new`, or why there is nothing to write."""
    grant = collected.grant
    tombstone = vault.erasures.tombstone_of(connection, collected.sender_id)
    if tombstone is not None and grant.at <= tombstone.erased_at:
        return "erased"
    subject_id = vault.subjects.find(connection, collected.sender_id)
    records = vault.ledger.of_subject(connection, subject_id) if subject_id is not None else []
    answers = [each for each in records if each.purpose == grant.purpose and each.event != "asked"]
    before = [each for each in answers if (each.at, each.method) == (grant.at, IMPORTED)]
    added = _added(grant, records) if before else ()
    if not added and grant.notice_hash in {each.notice_hash for each in before}:
        return "there"
    if added and _not_answered_since(replace(grant, optional=added), records):
        answers = [each for each in answers if each not in before]
    answers += _closing(vault, records, grant.purpose, now)
    return "answered" if any(each.at >= grant.at for each in answers) else "new"


def _added(grant: ImportedGrant, records: Sequence[LedgerRecord]) -> tuple[str, ...]:
    """Return the optional items of a consent that no import of it has recorded."""
    there = {each.purpose for each in records if (each.at, each.method) == (grant.at, IMPORTED)}
    return tuple(item for item in grant.optional or () if choice(grant.purpose, item) not in there)


def _closing(vault: Vault, records: Sequence[LedgerRecord], purpose: str, now: datetime) -> list[Any]:
    """Return the records by which a purpose is closed now without a no to itself: a signal, and a restriction."""
    closed = closed_by_signal(records, vault.policy, now)
    restricting = [each for each in records if each.purpose == restriction_topic(purpose)]
    found = [closed[purpose]] if purpose in closed else []
    return [*found, *(restricting[-1:] if purpose in restricted(records, now) else [])]


def import_all(vault: Vault, connection: Any, batch: Iterable[Collected], now: datetime) -> list[Outcome]:
    """Record those of a batch that are new, and return what became of each.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        batch: The consents.
        now: The moment, aware and in UTC.
    """
    return [_import(vault, connection, each, now) for each in batch]


def _import(vault: Vault, connection: Any, collected: Collected, now: datetime) -> Outcome:
    known = vault.subjects.find_for_update(connection, collected.sender_id)
    found = outcome(vault, connection, collected, now)
    if found != "new":
        return found
    subject_id = known if known is not None else vault.subjects.find_or_create(connection, collected.sender_id, now)
    grant = collected.grant
    records = vault.ledger.of_subject(connection, subject_id) if known is not None else []
    if grant.optional:
        grant = replace(grant, optional=_not_answered_since(grant, records))
    is_there = any((each.purpose, each.at, each.method) == (grant.purpose, grant.at, IMPORTED) for each in records)
    record_imported(vault, connection, subject_id, grant, only_optional=is_there)
    lasts = vault.policy.purposes[collected.grant.purpose].consent_lasts
    if known is None and lasts is not None:
        # Nothing else is held of this person, so they go when this consent has ended.
        ends = collected.grant.at + Length(lasts)
        vault.data_keys.touch(connection, subject_id, SERVICE, max(ends, now))
    return "new"


def _not_answered_since(grant: ImportedGrant, records: Sequence[LedgerRecord]) -> tuple[str, ...]:
    """Return the optional items of a consent that the person neither gave nor took back after it."""
    since = {each.purpose for each in records if each.event != "asked" and each.at >= grant.at}
    return tuple(item for item in grant.optional or () if choice(grant.purpose, item) not in since)


def _wrong(policy: Policy, line: _Line, now: datetime) -> Iterator[str]:
    """Yield what is wrong with a line, quoting nothing of it."""
    declared = policy.purposes.get(line.purpose)
    if declared is None or declared.basis != "consent":
        yield f"'purpose' must be one of those of privacy.yml that rest on consent: {_by_consent(policy)}"
    elif not set(line.optional) <= set(declared.choices):
        yield f"'optional' must be optional items of the purpose: {', '.join(declared.choices) or 'there is none'}"
    if line.at.tzinfo is None:
        yield "'at' needs a time zone, such as the Z in 2024-05-01T12:00:00Z"
    elif line.at > now + CLOCK_TOLERANCE:
        yield "'at' is in the future"
    if not 1 <= len(line.sender) <= _MAX_SENDER:
        yield f"'sender' must be 1 to {_MAX_SENDER} characters"
    if _METHOD.fullmatch(line.method) is None:
        yield "'method' must be one word of small letters, such as paper or web_form"
    evidence = line.evidence.strip()
    if not 1 <= len(evidence) <= _MAX_EVIDENCE:
        yield f"'evidence' must say where the proof is, in 1 to {_MAX_EVIDENCE} characters"
    elif find(evidence) or (line.sender and line.sender in evidence):
        yield "'evidence' holds personal data; say where the proof lies, such as a form's name and a folder"


def _by_consent(policy: Policy) -> str:
    return ", ".join(name for name, each in policy.purposes.items() if each.basis == "consent") or "there is none"
