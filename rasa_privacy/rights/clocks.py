"""By when a request must be answered: the clocks of the regulation profiles (`policy.regulations`), as dates.

Rules:

1. Which regulation protects a person is not known, so of those that privacy.yml names the earliest date counts. Where
   it names none that sets a clock, GDPR's month does.
2. A month ends on the same day of the next one, or on its last day where there is no such day. What falls on a day
   without work is not put off, although some laws would allow that.
3. Business days are Monday to Friday without the holidays of the regulation's country (`holidays`). The day of receipt
   does not count.
4. Dates are of UTC. The hour of receipt is kept, so that no promise is longer than the law's.
5. An extension counts from the first date, once, and the person must have been told before that date. It goes no
   further than every regulation that privacy.yml names lets it: one that knows none keeps its own date.
6. The clock stops only where every one of them stops it.

Wishes that no law gives a clock (to talk to a person, to reach the officer) get that of access.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, get_args

from rasa_privacy.errors import RequestError
from rasa_privacy.policy import regulations as profiles
from rasa_privacy.policy.bot_regulations import Regulations
from rasa_privacy.policy.profile_model import Profile, Term
from rasa_privacy.policy.regulations import Clock

Kind = Literal[
    "access",
    "portability",
    "erasure",
    "item_erasure",
    "rectification",
    "restriction",
    "objection",
    "do_not_sell",
    "limit_sensitive",
    "complaint",
    "human",
    "officer",
]
#: Every kind of request.
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
#: Whose clock or term counts where privacy.yml names no regulation that sets one.
OTHERWISE: Final = "gdpr@2026-11"
_SATURDAY: Final = 5
#: Kinds that run by the clock of another, since the laws know that one alone: to delete a part is to delete.
_AS: Final[dict[str, str]] = {"item_erasure": "erasure"}


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when a request must be answered.

    Attributes:
        regulation: The regulation whose date is the earliest, for example `gdpr@2026-11`.
        answer_by: That date, aware and in UTC.
        acknowledge_by: By when its receipt must be confirmed, or None.
    """

    regulation: str
    answer_by: datetime
    acknowledge_by: datetime | None


def deadline(kind: Kind, regulations: Regulations, received_at: datetime) -> Deadline:
    """Return by when a request must be answered.

    Args:
        kind: What is asked for.
        regulations: Those of the bot.
        received_at: The moment, aware and in UTC.
    """
    found = {each.id: clock for each in regulations.named if (clock := _clock(each, kind)) is not None}
    clocks = found or {OTHERWISE: clock_of(profiles.load_profile(OTHERWISE), kind)}
    ends = {name: after(received_at, clock.answer, clock.country) for name, clock in clocks.items()}
    first = min(ends, key=lambda name: ends[name])
    confirm = [after(received_at, one.acknowledge, one.country) for one in clocks.values() if one.acknowledge]
    return Deadline(first, ends[first], min(confirm, default=None))


def extended(
    kind: Kind, regulation: str, received_at: datetime, answer_by: datetime, regulations: Regulations
) -> datetime | None:
    """Return by when a request must be answered once it was extended; None where that is not allowed.

    Args:
        kind: What is asked for.
        regulation: Whose date counts until now.
        received_at: When it was received, aware and in UTC.
        answer_by: That date, moved by as long as the clock stood still.
        regulations: Those of the bot.

    Raises:
        PolicyError: The profile whose date counts is not there any more, or cannot be read.
    """
    clock = clock_of(regulations.find(regulation), kind)
    if clock.extension is None:
        return None
    stood_still = answer_by - after(received_at, clock.answer, clock.country)
    others = [each for one in regulations.named if one.id != regulation and (each := _clock(one, kind)) is not None]
    ends = [after(answer_by, clock.extension, clock.country)]
    ends += [_last(each, received_at) + stood_still for each in others]
    return min(ends) if min(ends) > answer_by else None


def _last(clock: Clock, received_at: datetime) -> datetime:
    """Return the latest date that a clock allows, with its extension."""
    end = after(received_at, clock.answer, clock.country)
    return end if clock.extension is None else after(end, clock.extension, clock.country)


def pauses(kind: Kind, regulation: str, regulations: Regulations) -> bool:
    """Return whether the clock stops while the person has to prove or to clarify something.

    Raises:
        PolicyError: The profile whose date counts is not there any more, or cannot be read.
    """
    others = [each for one in regulations.named if (each := _clock(one, kind)) is not None]
    return all(clock.pauses for clock in (clock_of(regulations.find(regulation), kind), *others))


def clock_of(profile: Profile, kind: Kind) -> Clock:
    """Return a regulation's clock; GDPR's for one that sets none."""
    found = _clock(profile, kind) or _clock(profiles.load_profile(OTHERWISE), kind)
    if found is None:
        raise RequestError(f"the profile {OTHERWISE} sets no clock for this kind; install the package again")
    return found


def _clock(profile: Profile, kind: Kind) -> Clock | None:
    return profiles.deadline(profile, _AS.get(kind, kind))


def after(start: datetime, term: Term, country: str) -> datetime:
    """Return the end of a term that begins at `start`."""
    if term.unit == "business days":
        return _after_business_days(start, term.number, country)
    from dateutil.relativedelta import relativedelta  # noqa: PLC0415 - only where a request is opened

    return start + relativedelta(**{term.unit: term.number})  # type: ignore[arg-type]  # the units are its words


def _after_business_days(start: datetime, number: int, country: str) -> datetime:
    day = start
    while number:
        day += timedelta(days=1)
        number -= day.weekday() < _SATURDAY and day.date() not in _holidays(country, day.year)
    return day


@lru_cache(maxsize=256)
def _holidays(country: str, year: int) -> frozenset[date]:
    """Return a year's days without work; finding them takes longer than the rest of opening a request."""
    import holidays  # noqa: PLC0415 - a tenth of a second, and only for laws that count so

    return frozenset(holidays.country_holidays(country, years=year))
