"""What a report says, as values without a person: made by `gathering`, written by `page` and as JSON."""

from datetime import date, datetime

import msgspec


class _Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Common settings."""


class PurposeRecord(_Fact, frozen=True, kw_only=True):
    """One purpose as the record of processing has it (GDPR Art. 30(1)(b) to (f)).

    Attributes:
        purpose: Its name.
        says: What it is for.
        basis: Its legal basis, with the reason where that is not consent.
        items: Items with their category, `required` or `optional`, and how much of each is kept.
        recipients: Who else gets the data.
        kept: How long, as privacy.yml says it.
        people: Number of people of whom something is held for it.
    """

    purpose: str
    says: str
    basis: str
    items: dict[str, str]
    recipients: tuple[str, ...]
    kept: str
    people: int


class Processing(_Fact, frozen=True, kw_only=True):
    """The record of processing activities, GDPR Art. 30(1)(a) to (g)."""

    controller: dict[str, str]
    subjects: str
    categories: tuple[str, ...]
    purposes: tuple[PurposeRecord, ...]
    location: str
    transfers: str
    messages: str
    security: tuple[str, ...]


class Consents(_Fact, frozen=True, kw_only=True):
    """How people answered about one purpose: people by their last answer, and answers by month.

    Attributes:
        purpose: The purpose, or the question about an optional item or an age.
        statuses: People by what became of their last answer.
        months: Answers by month (`2026-11`) and kind.
    """

    purpose: str
    statuses: dict[str, int]
    months: dict[str, dict[str, int]]


class Requests(_Fact, frozen=True, kw_only=True):
    """Requests of one kind against their deadlines."""

    kind: str
    received: int
    open: int
    overdue: int
    done: int
    ended: int
    elsewhere: int
    refused: int
    late: int
    median_days: float | None


class Removal(_Fact, frozen=True, kw_only=True):
    """What was deleted.

    Attributes:
        overdue: Number of (person, purpose) and (person, item) pairs that are due now and still there.
        erased: People of whom nothing is left, by month; by their wish and by the sweep together.
        runs: The newest sweeps: time, outcome and counts.
    """

    overdue: int
    erased: dict[str, int]
    runs: tuple[str, ...]


class Epoch(_Fact, frozen=True, kw_only=True):
    """One epoch of the key-encryption key."""

    number: int
    state: str
    keys: int
    began: date
    ended: date | None


class Chain(_Fact, frozen=True, kw_only=True):
    """Whether a book verifies.

    Attributes:
        book: Its name.
        records: Number of records.
        problem: What is wrong; empty where nothing is.
        whole_at: When it was gone through from its first record on, aware and in UTC; None where something is wrong.
        since: Number of records since then, which were gone through too.
    """

    book: str
    records: int
    problem: str
    whole_at: datetime | None = None
    since: int = 0


class Obligation(_Fact, frozen=True, kw_only=True):
    """One thing that a regulation of privacy.yml demands.

    Attributes:
        regulation: The regulation, for example `gdpr@2026-11`.
        about: What it is about.
        demands: The figure.
        source: Its article, with how sure it is; empty of what is no figure.
        kept: By what it is kept, or by whom.
        is_kept: False where what the bot says falls short of it.
    """

    regulation: str
    about: str
    demands: str
    source: str
    kept: str
    is_kept: bool = True


class Report(_Fact, frozen=True, kw_only=True):
    """The whole of it.

    Attributes:
        made_at: When, aware and in UTC.
        store: The database, without user and password.
        conversations: Number of conversations that are stored.
        processing: The record of processing.
        consents: By purpose.
        requests: By kind.
        removal: What was deleted.
        access: Records of the audit log by role, verb and outcome.
        epochs: The keys.
        backup_horizon: Backups from before this day cannot be read any more; None where no epoch has ended.
        training: Operators by how they stand with the course; empty where privacy.yml wants none.
        findings: What `check` says, waived ones too; None where the bot's files were not at hand.
        review_overdue: Since when a review of what is stored is overdue, or None.
        review_waiting: Number of the review that was made since, and waits for somebody to look at it, or None.
        contacts_indexed: Whether a proof of identity finds all conversations (`rasa-privacy identity index`); so also
            where privacy.yml asks for none.
        chains: Whether ledger and audit log verify.
        obligations: What the regulations of privacy.yml demand.
    """

    made_at: datetime
    store: str
    conversations: int
    processing: Processing
    consents: tuple[Consents, ...]
    requests: tuple[Requests, ...]
    removal: Removal
    access: dict[str, dict[str, int]]
    epochs: tuple[Epoch, ...]
    backup_horizon: date | None
    training: dict[str, int]
    findings: tuple[str, ...] | None
    review_overdue: date | None
    review_waiting: str | None
    contacts_indexed: bool
    chains: tuple[Chain, ...]
    obligations: tuple[Obligation, ...]
