"""Values that were stored before their item lasted for some time (`keep: 7 days`): noted once, by the next sweep.

Rules:

1. For each item that has got a time, whoever has values of any purpose gets a note of it that says: look. The sweep
   looks, removes what is over, and corrects the note by when the oldest value was given that is left, if one is.
2. It goes through people in one order and remembers how far it came, so it can be stopped, and is done once. For an
   item that loses its time and gets one again it is done anew, if a sweep ran between.
3. Nothing is opened here. A person on whom somebody works is waited for, as briefly as a turn takes.
"""

import time
from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import Any, Final

from rasa_privacy.retention.lasting import lengths
from rasa_privacy.storage import lasting_values, noted_items
from rasa_privacy.storage.vault import Vault

#: People of one transaction.
_BATCH: Final = 500


def note_older(vault: Vault, now: datetime, is_over: Callable[[], bool], pause: Callable[[float], None]) -> bool:
    """Note what is not noted yet, for each item that lasts for some time; for most stores there is nothing to do.

    Args:
        vault: The open store.
        now: Aware UTC time.
        is_over: Whether no further page is to be begun.
        pause: Called after each page, with the monotonic time at which it began.

    Returns:
        Whether it came to its end.

    Raises:
        TamperedSegmentError: What stands of it in the database is no such thing.
    """
    wanted = lengths(vault.policy)
    with vault.database.read() as connection:
        before = noted_items.read(connection)
    noted = before.only(frozenset(wanted))
    if noted != before:
        vault.database.transact(partial(_forget_others, items=frozenset(wanted)))
    left = [(item, length) for item, length in wanted.items() if item not in noted.done]
    return all(_note(vault, item, now - length, noted.reached.get(item, b""), is_over, pause) for item, length in left)


def _note(  # noqa: PLR0913, PLR0917 - what, from whom on, and how fast
    vault: Vault, item: str, at: datetime, after: bytes, is_over: Callable[[], bool], pause: Callable[[float], None]
) -> bool:
    while not is_over():
        began = time.monotonic()
        with vault.database.read() as connection:
            people = vault.due_keys.holders(connection, _BATCH, after)
        if people:
            held = vault.database.transact(partial(_note_free, vault, people=people, item=item, at=at))
            for who in held:
                vault.database.transact(partial(_note_held, vault, who=who, item=item, at=at))
            after = people[-1]
        vault.database.transact(partial(_remember, item=item, last=after if people else None))
        if not people:
            return True
        pause(began)
    return False


def _note_free(vault: Vault, connection: Any, people: Collection[bytes], item: str, at: datetime) -> set[bytes]:
    """Note those on whom nobody works, and return the others."""
    free = vault.expiry.lock_free(connection, people)
    lasting_values.note_missing(connection, free, item, at)
    rest = set(people) - set(free)
    return vault.expiry.there(connection, rest) if rest else set()


def _note_held(vault: Vault, connection: Any, who: bytes, item: str, at: datetime) -> None:
    if vault.subjects.lock(connection, who):
        lasting_values.note_missing(connection, [who], item, at)


def _remember(connection: Any, item: str, last: bytes | None) -> None:
    noted_items.write(connection, noted_items.read(connection, lock=True).moved(item, last))


def _forget_others(connection: Any, items: frozenset[str]) -> None:
    noted_items.write(connection, noted_items.read(connection, lock=True).only(items))
