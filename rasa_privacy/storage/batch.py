"""What one append means for each session: pure, before anything is written.

A value belongs to the session of its event. Most are of the current session or a new one; values that another purpose
adopts later may be of an old one.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa_privacy.errors import StorageError


@dataclass(slots=True)
class Part:
    """What is added to one session.

    Attributes:
        session: Number of the session's first event.
        first_seq: Number of the event of the first structure entry.
        structure: Structure entries, one per event.
        values: Value entries by purpose.
    """

    session: int
    first_seq: int
    structure: Sequence[Any] = ()
    values: dict[str, list[Any]] = field(default_factory=dict)


def parts_of(event_count: int, session: int, structure: Sequence[Any], session_starts: Sequence[int]) -> list[Part]:
    """Cut the structure into sessions: the current one first, then those that begin within it.

    Args:
        event_count: Events stored so far; the first structure entry gets this number.
        session: Number of the current session's first event.
        structure: One entry per new event.
        session_starts: Offsets within `structure` where a session begins, rising.

    Raises:
        StorageError: The offsets are not rising or outside of the structure.
    """
    offsets = list(session_starts)
    if any(not 0 <= offset < len(structure) for offset in offsets) or offsets != sorted(set(offsets)):
        raise StorageError(
            f"session starts must be rising offsets within the {len(structure)} events that are appended"
        )
    if offsets and offsets[0] == 0 and event_count == session:
        del offsets[0]  # the current session is still empty, so this event begins it
    bounds = [0, *offsets, len(structure)]
    sessions = [session, *(event_count + offset for offset in offsets)]
    return [
        Part(first, event_count + start, structure[start:end])
        for first, start, end in zip(sessions, bounds[:-1], bounds[1:], strict=True)
    ]


def assign_values(
    parts: Sequence[Part], old_sessions: Sequence[int], values: Mapping[str, Sequence[Any]], event_count: int
) -> list[Part]:
    """Put each value into the part of its session, adding parts for old sessions in front.

    Args:
        parts: Result of `parts_of`.
        old_sessions: First events of closed sessions, rising; needed where `needs_old_sessions` says so.
        values: Value entries by purpose; the first element of each is its event's number.
        event_count: Events including those that are appended.

    Raises:
        StorageError: An entry names an event that is not there.
    """
    by_session = {part.session: part for part in parts}
    firsts = sorted({*old_sessions, *by_session})
    old: list[Part] = []
    for purpose, entries in values.items():
        for entry in entries:
            first = firsts[bisect_right(firsts, _event_number(purpose, entry, event_count)) - 1]
            if first not in by_session:
                by_session[first] = Part(first, first)
                old.append(by_session[first])
            by_session[first].values.setdefault(purpose, []).append(entry)
    return [*old, *parts]


def needs_old_sessions(session: int, values: Mapping[str, Sequence[Any]], event_count: int) -> bool:
    """Say whether a value belongs to a session before the current one."""
    return any(
        _event_number(purpose, entry, event_count) < session for purpose, entries in values.items() for entry in entries
    )


def _event_number(purpose: str, entry: Any, event_count: int) -> int:
    number = entry[0] if isinstance(entry, list | tuple) and entry else None
    if type(number) is not int or not 0 <= number < event_count:
        raise StorageError(
            f"a value entry of purpose '{purpose}' must begin with the number of one of {event_count} events"
        )
    return number
