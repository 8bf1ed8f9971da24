"""When a purpose's data of one person is due for deletion.

Counted from the last use: each save that adds a value moves it, unless by so little that writing it down would only
cost time (`moves`). A rule that counts from a form or an action is counted
from when that is done; a new session, which only carries values over, does not move it, and new values wait for it
anew. The structure of a conversation and its masked texts (purpose `service`) follow `messages.retain`, of a person
without any active purpose a day; the structure waits for the last value that hangs on it (`removal`).
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Final

from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.retain import parse_retain
from rasa_privacy.storage.tables import from_micros

#: The purpose under which the structure of conversations is sealed.
SERVICE: Final = "service"

#: A use that moves the time by less does not move it.
LEAST_MOVE: Final = timedelta(hours=1)

#: How long the conversation of a person without any active purpose is kept.
WITHOUT_CONSENT: Final = timedelta(hours=24)


def due_at(
    policy: Policy, purpose: str, active: Collection[str], now: datetime, done: Collection[str] = ()
) -> datetime | None:
    """Return when data used now under this purpose is due, or None for `until withdrawn`.

    Args:
        policy: What privacy.yml says.
        purpose: Its name, or `service`.
        active: The active purposes.
        now: The time of the use, aware and in UTC.
        done: Forms and actions that were done with this use.
    """
    messages = Length(policy.messages.retain)
    if purpose == SERVICE:
        return now + (messages if active else WITHOUT_CONSENT)
    declared = policy.purposes[purpose]
    rule = parse_retain(declared.retain)
    limits = [rule.due_at(now, is_done=rule.event in done, at_most=messages)]
    # A consent that ends by itself ends what only it allowed, at the latest this long after the last use.
    if declared.consent_lasts is not None:
        limits.append(now + Length(declared.consent_lasts))
    return min((limit for limit in limits if limit is not None), default=None)


def moves(stored: int | None, due: datetime | None, now: datetime) -> bool:
    """Say whether a use moves the time by so much that it is written down.

    What is stored may be too early by a hundredth of the time that is left, and by an hour at most; never too late.

    Args:
        stored: Microseconds since 1970 as in the table; None for no end.
        due: When the data is due now, or None for no end.
        now: The time of the use, aware and in UTC.
    """
    if stored is None or due is None:
        return stored is not None or due is not None
    try:
        later = due - from_micros(stored)
    except TamperedSegmentError:  # somebody wrote there what is no time
        return True
    return not timedelta() <= later <= min(LEAST_MOVE, (due - now) / 100)


def touched(policy: Policy, used: Collection[str], done: Collection[str], *, carried: bool) -> Iterator[str]:
    """Yield the purposes whose time a save sets anew, `service` first.

    Args:
        policy: What privacy.yml says.
        used: Purposes that got a value.
        done: Forms and actions that were done.
        carried: Whether a session began, with which Rasa carries all values over.
    """
    yield SERVICE
    for name, purpose in policy.purposes.items():
        event = parse_retain(purpose.retain).event
        if event in done or (name in used and not (carried and event is not None)):
            yield name
