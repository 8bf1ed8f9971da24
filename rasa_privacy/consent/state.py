"""`ConsentState`: what a person's ledger records mean at one moment.

Rules, in order:

1. The last record of a purpose decides; `asked` alone is no answer and changes nothing.
2. A grant counts only while the notice it answered still says what privacy.yml says now.
3. A grant ends `consent_lasts` after it was given.
4. A record from the future (a clock that went back) never opens anything; it may close.
5. A purpose with another lawful basis than consent is active without a record.

Pure: no clock, no database. `ledger.py` reads the records and passes `now`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from rasa_privacy.policy.model import Policy, Purpose, duration_seconds

#: Clocks of two servers may differ by this much before a record counts as from the future.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)

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
        active: Purposes that may use data now: granted, or with another lawful basis.
    """

    purposes: dict[str, PurposeState]
    active: frozenset[str]

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
    last: dict[str, PurposeState] = dict.fromkeys(policy.purposes, PurposeState("unknown"))
    for record in records:
        if record.purpose in last:
            last[record.purpose] = _after(last[record.purpose], record, now)
    states = {name: _aged(state, name, policy.purposes[name], now, is_current) for name, state in last.items()}
    active = frozenset(
        name for name, state in states.items() if state.status == "granted" or policy.purposes[name].basis != "consent"
    )
    return ConsentState(states, active)


def _after(before: PurposeState, record: Record, now: datetime) -> PurposeState:
    """Return the state after one record, without regard to age."""
    if record.event == "asked":
        status = before.status if before.status != "unknown" else "asked"
        return PurposeState(status, before.since, None, record.notice_hash if status == "asked" else before.notice_hash)
    if record.event == "granted":
        if record.at > now + CLOCK_TOLERANCE:
            return before
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
        expires = state.since + timedelta(seconds=duration_seconds(purpose.consent_lasts))
        if expires <= now:
            return PurposeState("expired", state.since, expires, state.notice_hash)
    if not is_current(name, state.notice_hash):
        return PurposeState("superseded", state.since, expires, state.notice_hash)
    return PurposeState("granted", state.since, expires, state.notice_hash)
