"""Values that last for some time (`keep: 7 days`): noted when they are given, removed when that is over.

The bot itself lets go of them when the person writes. This is for those who are silent. Each value counts from when it
was given; the note of the oldest says when to look, and by the length that privacy.yml says now.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.errors import ContentionError, PrivacyError, UnreachableError
from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.model import Policy
from rasa_privacy.retention.due import SERVICE
from rasa_privacy.storage import holds, lasting_values
from rasa_privacy.storage.tables import from_micros
from rasa_privacy.storage.vault import Vault

_HELD: Final = timedelta(days=1)


def lengths(policy: Policy) -> dict[str, Length]:
    """Return the items whose values last for some time, and how long."""
    lasting = {name: item.lasting for name, item in policy.items.items()}
    return {
        name: Length(each.duration) for name, each in lasting.items() if each is not None and each.duration is not None
    }


def note_given(
    vault: Vault, connection: Any, subject_id: bytes, values: Mapping[str, Sequence[Any]], now: datetime
) -> None:
    """Note which of the values that are stored now last for some time; for most policies there is nothing to do.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the subject is locked.
        subject_id: The person.
        values: Entries by purpose, as `Conversations.append` takes them.
        now: Aware UTC time.
    """
    items = lengths(vault.policy)
    if items:
        given = {entry[2] for entries in values.values() for entry in entries if entry[3] is not None}
        lasting_values.note(connection, subject_id, sorted(given & items.keys()), now)


def over(vault: Vault, connection: Any, now: datetime) -> dict[str, int]:
    """Return how many people may have a value of each item that is over; items of which nobody has are left out."""
    found = {
        item: lasting_values.count(connection, item, now - length) for item, length in lengths(vault.policy).items()
    }
    return {item: number for item, number in found.items() if number}


def next_over(vault: Vault, connection: Any, now: datetime) -> datetime | None:
    """Return when the next value is over, or None where none is stored that will be."""
    return min(_nexts(vault, connection, now), default=None)


def _nexts(vault: Vault, connection: Any, now: datetime) -> Iterator[datetime]:
    for item, length in lengths(vault.policy).items():
        given = lasting_values.next_given(connection, item, now - length)
        if given is not None:
            yield from_micros(given) + length


def remove_page(
    vault: Vault, connection: Any, item: str, people: Sequence[bytes], now: datetime
) -> tuple[int, set[bytes]]:
    """Destroy the values of an item that are over, of those of these people whom nobody holds.

    Returns:
        Of how many people there were such values, and whose rows are damaged.
    """
    free = vault.expiry.lock_free(connection, people)
    for who in set(people) - set(free) - vault.expiry.there(connection, people):
        lasting_values.remove_all(connection, who)
    kept = holds.held_among(connection, free)
    for who in kept:  # as the keys of who is under a legal hold: looked at again a day later
        lasting_values.move(connection, who, item, now - lengths(vault.policy)[item] + _HELD)
    removed, damaged = 0, set[bytes]()
    for who in (each for each in free if each not in kept):
        found = _remove_item(vault, connection, who, item, now)
        removed += bool(found)
        damaged |= {who} if found is None else set()
    return removed, damaged


def _remove_item(vault: Vault, connection: Any, subject_id: bytes, item: str, now: datetime) -> bool | None:
    """Destroy a person's values of an item that are over; return whether there were any, None where it is damaged."""
    limit = now - lengths(vault.policy)[item]
    try:
        with connection.begin_nested():
            purposes = [name for name in vault.data_keys.due_of(connection, subject_id) if name != SERVICE]
            dropped, left = vault.parts.drop_late(connection, subject_id, purposes, item, limit, now)
            lasting_values.move(connection, subject_id, item, left)
            return dropped
    except (ContentionError, UnreachableError):
        raise
    except PrivacyError:
        return None
