"""`ConsentState`: what a person's ledger records mean at one moment.

Rules, in order:

1. The last record of a purpose decides; `asked` alone is no answer and changes nothing.
2. A grant counts only while the notice it answered still says what privacy.yml says now.
3. A grant ends `consent_lasts` after it was given.
4. A record from the future (a clock that went back) never opens anything; it may close.
5. A purpose with another lawful basis than consent is active without a record.
6. Of a purpose with `double_opt_in` a grant counts only where it came by a code, or was imported with its evidence.
7. A question takes the place of a yes that is recorded as ended; an answer that was not yes stands beside it.
8. An optional item's answer belongs to the yes to its purpose that it followed; without that yes it counts for nothing.

Pure: no clock, no database. `ledger.py` reads the records and passes `now`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.purpose_model import Purpose
from rasa_privacy.policy.topics import age_of, choice

#: Clocks of two servers may differ by this much before a record counts as from the future.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)

#: `method` of a grant that was confirmed by a one-time code, and of one that was collected elsewhere.
BY_CODE: Final = "code"
IMPORTED: Final = "imported"

#: How a yes ends by itself.
ENDED: Final = ("expired", "superseded")

Status = Literal["unknown", "asked", "granted", "refused", "withdrawn", "expired", "superseded"]


class Record(Protocol):
    """The parts of a ledger record that the fold reads."""

    @property
    def purpose(self) -> str:
        """Name of the purpose."""

    @property
    def event(self) -> str:
        """What happened: a word of the ledger."""

    @property
    def notice_hash(self) -> bytes:
        """Hash of the notice that was shown."""

    @property
    def method(self) -> str:
        """How it was answered."""

    @property
    def at(self) -> datetime:
        """When, aware and in UTC."""


@dataclass(frozen=True, slots=True)
class PurposeState:
    """Where one purpose stands.

    Attributes:
        status: The last answer, or what became of it.
        since: When that answer was given; None for `unknown`.
        expires: When a grant ends by itself; None for no end or no grant.
        notice_hash: The notice last shown, or None.
    """

    status: Status
    since: datetime | None = None
    expires: datetime | None = None
    notice_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class ConsentState:
    """What one person allows now.

    Attributes:
        purposes: State of each purpose of privacy.yml.
        active: Purposes that may use data now: granted, or with another lawful basis. And the optional items that were
            granted, by the name of their question (`policy.topics.choice`).
        answered: The questions about optional items that were answered since the yes to their purpose.
        confirmed_age: The highest age in years that the person confirmed to have; 0 for none.
        waiting: Purposes for which a one-time code waits to come back. They are not active by that; one that is active
            has a contact that was changed.
        limited: Whether sensitive data is used for what it is needed for alone (`limits`).
        restricted: What would be active but for a restriction: it may be kept and not used (`restrictions`).
    """

    purposes: dict[str, PurposeState]
    active: frozenset[str]
    answered: frozenset[str] = frozenset()
    confirmed_age: int = 0
    waiting: frozenset[str] = frozenset()
    restricted: frozenset[str] = frozenset()
    limited: bool = False

    @property
    def granted(self) -> frozenset[str]:
        """Purposes that the person said yes to."""
        return frozenset(name for name, state in self.purposes.items() if state.status == "granted")

    def missing(self, purposes: Iterable[str]) -> tuple[str, ...]:
        """Return those of the given purposes that are not active."""
        return tuple(name for name in purposes if name not in self.active)


def fold(
    records: Iterable[Record], policy: Policy, now: datetime, is_current: Callable[[str, bytes], bool]
) -> ConsentState:
    """Return the state after these records.

    Args:
        records: One person's records, oldest first; records of purposes that privacy.yml no longer has are ignored.
        policy: The privacy.yml in force.
        now: The moment asked about, aware and in UTC.
        is_current: Whether the notice with this hash still says what the purpose says now.
    """
    optional = {
        purpose: [choice(purpose, item) for item in policy.purposes[purpose].choices] for purpose in policy.purposes
    }
    unknown = PurposeState("unknown")
    last = dict.fromkeys([*optional, *(topic for topics in optional.values() for topic in topics)], unknown)
    confirmed_age = 0
    confirming = {name for name, purpose in policy.purposes.items() if purpose.double_opt_in}
    for record in records:
        if record.purpose in last:
            last[record.purpose] = _after(last[record.purpose], record, now, needs_code=record.purpose in confirming)
            if record.event != "asked":
                last.update(dict.fromkeys(optional.get(record.purpose, ()), unknown))
        elif record.event == "granted" and record.at <= now + CLOCK_TOLERANCE:
            confirmed_age = max(confirmed_age, age_of(record.purpose) or 0)
    states = {name: _aged(last[name], name, purpose, now, is_current) for name, purpose in policy.purposes.items()}
    chosen = {
        topic: _aged(last[topic], topic, policy.purposes[purpose], now, is_current)
        for purpose, topics in optional.items()
        for topic in topics
        if states[purpose].status == "granted"
    }
    active = frozenset(
        name for name, state in states.items() if state.status == "granted" or policy.purposes[name].basis != "consent"
    )
    granted = frozenset(name for name, state in chosen.items() if state.status == "granted")
    answered = frozenset(name for name, state in chosen.items() if state.status in ("granted", "refused"))
    return ConsentState(states, active | granted, answered, confirmed_age)


def due(state: ConsentState, policy: Policy, purposes: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Return those of the purposes that the bot may ask about by itself; somebody who said no is left alone.

    Args:
        state: What the person allows.
        policy: The privacy.yml in force.
        purposes: Purposes that rest on consent.
        now: The moment, aware and in UTC.
    """
    return tuple(name for name in purposes if _is_due(state.purposes[name], policy.purposes[name], now))


def _is_due(state: PurposeState, purpose: Purpose, now: datetime) -> bool:
    if state.status in ("unknown", "expired", "superseded"):
        return True
    if state.status not in ("refused", "withdrawn") or state.since is None or purpose.ask_again_after is None:
        return False
    return state.since + Length(purpose.ask_again_after) <= now


def _after(before: PurposeState, record: Record, now: datetime, *, needs_code: bool) -> PurposeState:
    """Return the state after one record, without regard to age."""
    if record.event == "asked":
        status = "asked" if before.status in ("unknown", *ENDED) else before.status
        return PurposeState(status, before.since, None, record.notice_hash if status == "asked" else before.notice_hash)
    if record.event == "granted":
        if record.at > now + CLOCK_TOLERANCE:
            return before
        if needs_code and record.method not in (BY_CODE, IMPORTED):
            return PurposeState("asked", record.at, None, record.notice_hash)
        return PurposeState("granted", record.at, None, record.notice_hash)
    if record.event in ("refused", "withdrawn", "expired", "superseded"):
        return PurposeState(record.event, record.at, None, record.notice_hash)  # type: ignore[arg-type]
    # An event of a later release: whatever it means, it is not a yes.
    return PurposeState("withdrawn", record.at, None, record.notice_hash)


def _aged(
    state: PurposeState, name: str, purpose: Purpose, now: datetime, is_current: Callable[[str, bytes], bool]
) -> PurposeState:
    """Return what has become of a grant by `now`."""
    if state.status != "granted" or state.since is None or state.notice_hash is None:
        return state
    expires = None
    if purpose.consent_lasts is not None:
        expires = state.since + Length(purpose.consent_lasts)
        if expires <= now:
            return PurposeState("expired", state.since, expires, state.notice_hash)
    if not is_current(name, state.notice_hash):
        return PurposeState("superseded", state.since, expires, state.notice_hash)
    return PurposeState("granted", state.since, expires, state.notice_hash)
