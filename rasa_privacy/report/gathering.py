"""`gather`: everything that a report says, read in one transaction; no segment is opened and no value is read.

How far ledger and audit log were verified for it is noted, so that the next report goes on from there.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.training import everybody
from rasa_privacy.access.verification import note, verified
from rasa_privacy.consent.statistics import count_consents
from rasa_privacy.errors import AuditError, LedgerError, PrivacyError
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.retain import in_words
from rasa_privacy.policy.revealed import revealed
from rasa_privacy.policy.verbs import PERSON
from rasa_privacy.report.facts import Chain, Consents, Epoch, Processing, PurposeRecord, Removal, Report, Requests
from rasa_privacy.report.obligations import obligations
from rasa_privacy.retention.plan import plan
from rasa_privacy.retention.review_duty import is_waiting, kept, overdue_by_rows, overdue_since
from rasa_privacy.rights.request_counts import count as count_requests
from rasa_privacy.storage import book_counts, contact_marks, requests
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.books import AUDIT, LEDGER, Book
from rasa_privacy.storage.standing import Standing
from rasa_privacy.storage.tables import from_micros
from rasa_privacy.storage.vault import Vault

_RUNS: Final = 10
_UNKNOWN: Final = "unknown, since the audit log does not verify"
_SHOWN: Final = ("granted", "refused", "withdrawn")
_MONTH: Final = "%Y-%m"
_THEMSELVES: Final = "people themselves"


def gather(vault: Vault, permit: Permit, now: datetime, findings: Sequence[str] | None = None) -> Report:
    """Return the report of a store.

    Args:
        vault: The open store.
        permit: Who wants it; for `report`.
        now: Aware UTC time.
        findings: What `check` says of the bot's files, or None.

    Raises:
        AccessError: The permit is for something else.
        StorageError: The database cannot be read or written.
    """
    permit.require("report")
    with vault.database.read() as connection:
        books = {book.name: _verified(vault, connection, book, now) for book in (LEDGER, AUDIT)}
        held = vault.due_keys.held_by_purpose(connection)
        epochs = _epochs(vault)
        overdue = _review(vault, connection, now)
        made = Report(
            made_at=now,
            store=vault.database.name,
            conversations=vault.conversations.count(connection),
            processing=processing(vault, held),
            consents=_consents(vault, connection, now),
            requests=_requests(connection, now),
            removal=_removal(vault, connection, now),
            access=_access(connection),
            epochs=epochs,
            backup_horizon=max((each.ended for each in epochs if each.ended is not None), default=None),
            training=_training(vault, connection, now),
            findings=None if findings is None else tuple(findings),
            review_overdue=None if overdue is None else overdue.date(),
            review_waiting=_waiting(connection, overdue),
            contacts_indexed=contact_marks.is_complete(connection, vault.policy),
            chains=tuple(_chain(name, found) for name, found in books.items()),
            obligations=obligations(vault.policy, vault.regulations.named, now.date()),
        )
    ledger, audit = books.values()
    if isinstance(ledger, Standing) and isinstance(audit, Standing):
        note(vault, permit.operator, ledger=ledger, audit=audit)
    return made


def processing(vault: Vault, held: dict[str, int]) -> Processing:
    """Return the record of processing (GDPR Art. 30(1)), with how many people each purpose holds something of."""
    policy, language = vault.policy, vault.policy.languages[0]
    controller = policy.controller
    named = {
        "name": controller.name,
        "contact": controller.contact,
        "officer": controller.officer or controller.contact,
        "address": controller.address or "",
        "policy": controller.policy_url,
    }
    stored = policy.storage
    provider = vault.epochs.provider.name
    return Processing(
        controller={name: value for name, value in named.items() if value},
        subjects="people who chat with the bot",
        categories=tuple(sorted({item.category for item in policy.items.values()})),
        purposes=tuple(_purpose(policy, name, held.get(name, 0)) for name in policy.purposes),
        location=(stored.location.get(language) if stored is not None else None) or "not stated",
        transfers=(stored.transfers.get(language) if stored is not None else None) or "not stated",
        messages=f"{policy.messages.keep}, for {policy.messages.retain}",
        security=(
            "data of each person and purpose is sealed with AES-256-GCM under a key of its own, destroyed to erase",
            f"those keys lie in {vault.key_database.name}, wrapped by a key of the provider '{provider}'",
            "sender ids are sealed and found by a keyed hash; consent ledger and audit log are chained and signed",
        ),
    )


def _purpose(policy: Policy, name: str, people: int) -> PurposeRecord:
    declared, language = policy.purposes[name], policy.languages[0]
    because = declared.because.get(language, "")
    lasts = f"; a consent lasts {declared.consent_lasts}" if declared.consent_lasts is not None else ""
    items = {
        item: f"{policy.items[item].category}, {need}, kept {_kept(policy, item)}"
        for item, need in declared.items.items()
    }
    return PurposeRecord(
        purpose=name,
        says=declared.says.get(language, ""),
        basis=f"{declared.basis}: {because}" if because else declared.basis,
        items=items,
        recipients=declared.recipients,
        kept=in_words(declared.retain) + lasts,
        people=people,
    )


def _kept(policy: Policy, item: str) -> str:
    declared = policy.items[item]
    if declared.keep == "full" or declared.cut != "full":
        named = declared.keep if isinstance(declared.keep, str) else "in part"
        return f"{named} (reveals {revealed(declared.cut)})"
    return str(declared.keep)


def _consents(vault: Vault, connection: Any, now: datetime) -> tuple[Consents, ...]:
    months: dict[str, dict[str, Counter[str]]] = {}
    for each in book_counts.answers_by_day(connection):
        if each.event in _SHOWN:
            month = months.setdefault(each.purpose, {}).setdefault(f"{each.day:{_MONTH}}", Counter())
            month[each.event] += each.number
    return tuple(
        Consents(
            purpose=counted.purpose,
            statuses=counted.statuses,
            months={month: dict(counts) for month, counts in sorted(months.get(counted.purpose, {}).items())},
        )
        for counted in count_consents(vault, connection, now)
    )


def _requests(connection: Any, now: datetime) -> tuple[Requests, ...]:
    found = count_requests(requests.each(connection), now)
    return tuple(
        Requests(
            kind=kind,
            received=each.received,
            open=each.open,
            overdue=each.overdue,
            done=each.done,
            ended=each.ended,
            elsewhere=each.elsewhere,
            refused=each.refused,
            late=each.late,
            median_days=each.median_days,
        )
        for kind, each in found.items()
    )


def _removal(vault: Vault, connection: Any, now: datetime) -> Removal:
    erased = Counter[str]()
    for day, people in book_counts.erased_by_day(connection):
        erased[f"{day:{_MONTH}}"] += people
    try:
        runs = tuple(_runs(vault, connection))
    except AuditError:
        runs = (_UNKNOWN,)
    return Removal(overdue=plan(vault, connection, now).number, erased=dict(sorted(erased.items())), runs=runs)


def _runs(vault: Vault, connection: Any) -> Iterator[str]:
    """Yield the newest sweeps, the last one first."""
    for entry in reversed(vault.audit.newest(connection, Wanted(verb="retention"), _RUNS)):
        if entry.record.counts.keys() & {"left", "looked_at"}:
            counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in entry.record.counts.items())
            yield f"{entry.record.at:%Y-%m-%d %H:%M} {entry.record.outcome}: {counts}"


def _access(connection: Any) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for each in book_counts.accesses(connection, PERSON):
        what = each.verb if each.outcome == "done" else f"{each.verb} ({each.outcome})"
        role = _THEMSELVES if each.by_themselves else each.role or "no role"
        counts.setdefault(role, Counter())[what] += each.number
    return {role: dict(sorted(each.items())) for role, each in sorted(counts.items())}


def _epochs(vault: Vault) -> tuple[Epoch, ...]:
    with vault.key_database.read() as keys:
        counts = vault.epochs.key_counts(keys)
        return tuple(
            Epoch(
                number=each.number,
                state=each.state,
                keys=counts.get(each.number, 0),
                began=each.created_at.date(),
                ended=None if each.ended_at is None else each.ended_at.date(),
            )
            for each in vault.epochs.all(keys)
        )


def _review(vault: Vault, connection: Any, now: datetime) -> datetime | None:
    try:
        return overdue_since(vault, connection, now)
    except (AuditError, LedgerError):  # that the book is broken is said beside it
        return overdue_by_rows(vault.policy, connection, now)


def _waiting(connection: Any, overdue: datetime | None) -> str | None:
    """Return the number of the review that was made since one is due, or None."""
    made = kept(connection)
    return made.number if made is not None and overdue is not None and is_waiting(made, overdue) else None


def _training(vault: Vault, connection: Any, now: datetime) -> dict[str, int]:
    wanted = vault.policy.training
    if wanted is None:
        return {}
    counts = Counter({"current": 0, "over": 0, "never passed": 0})
    for each in everybody(vault, connection, wanted):
        counts["never passed" if each.until is None else "current" if each.until > now else "over"] += 1
    return dict(counts)


def _verified(vault: Vault, connection: Any, book: Book, now: datetime) -> Standing | str:
    """Return how far a book is as it was written, or what is wrong with it."""
    try:
        return verified(vault, connection, book, now)
    except PrivacyError as error:
        return str(error)


def _chain(book: str, found: Standing | str) -> Chain:
    if isinstance(found, str):
        return Chain(book=book, records=0, problem=found)
    return Chain(book=book, records=found.seq, problem="", whole_at=from_micros(found.whole_at), since=found.since)
