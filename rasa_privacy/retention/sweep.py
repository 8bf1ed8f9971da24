"""The sweep: destroys what is due, in short transactions that any number of processes may run at once.

Rules:

1. Where a purpose is due, its key and segments go. Where all that is stored of a person is due, the whole person goes,
   as in an erasure; people are removed by the page then.
2. A person whom another transaction holds is passed over (SKIP LOCKED) and looked at again at the end. SQLite has one
   writer at a time, so `lease` lets one process sweep.
3. What is due is read from the keys each time. So a sweep that was killed is gone on with by the next, and nothing is
   kept in memory but one page.
4. Of an item that lasts for some time (`keep: 7 days`) the values go that are over, also of who stays (`lasting`), and
   also those that were stored before it lasted for some time (`noting`).
5. Who is under a legal hold is left alone, and looked at again a day later.
6. At its end the sweep looks whether anything is left that was due, and the consent ledger gets a signed checkpoint.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from rasa_privacy.consent.double_opt_in import forget_over
from rasa_privacy.errors import ContentionError, LedgerError, PrivacyError, UnreachableError
from rasa_privacy.policy.durations import Length
from rasa_privacy.retention import lasting
from rasa_privacy.retention.clock_check import check_clock
from rasa_privacy.retention.noting import note_older
from rasa_privacy.retention.pages import share_pages
from rasa_privacy.retention.removal import destroy_dropped, remove_purpose
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.erasure import certificate_number
from rasa_privacy.storage import holds, lasting_values
from rasa_privacy.storage.due_keys import Due
from rasa_privacy.storage.lasting_values import Given
from rasa_privacy.storage.outbox import tell_of
from rasa_privacy.storage.tables import to_micros
from rasa_privacy.storage.unfinished import finish_beside
from rasa_privacy.storage.vault import SERVICE, Vault

logger = logging.getLogger(__name__)

#: Keys of one transaction. Nobody else can change what belongs to these people until it is committed; on SQLite nobody
#: can write at all.
_BATCH: Final = {"sqlite": 100, "postgresql": 1000, "mysql": 500}
#: People of one transaction of whom an item's values are over: each is opened, and sealed anew without them.
_ITEM_BATCH: Final = 20
#: The rest of a sweep beside a live bot, as a multiple of how long a transaction took. It works a twentieth of the
#: time, so that 95 of 100 turns meet none of it.
GENTLY: Final = 19.0
_MOST_REST_SECONDS: Final = 60.0
#: When a person under a legal hold is looked at again.
_HELD: Final = timedelta(days=1)
#: How often the whole is gone through again for what others held.
_PASSES: Final = 3


#: What one transaction did: purposes, people, what is damaged, how many pairs were put off, and which of those who stay
#: were removed.
_Done: TypeAlias = tuple[int, list[bytes], set[tuple[bytes, str]], int, list[tuple[bytes, str]]]


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What one sweep removed.

    Attributes:
        purposes: Number of (person, purpose) pairs whose data was destroyed.
        people: Number of people of whom nothing is left.
        left: Number of pairs that were due and are there at its end: damaged, or held by another process.
        is_done: Whether it came to its end, and was not stopped before.
        items: Number of (person, item) pairs of which values were destroyed that lasted for some time only.
        put_off: Number of pairs that were put off by a day: the structure of a conversation on which values of other
            purposes hang, and what is under a legal hold.
    """

    purposes: int
    people: int
    left: int = 0
    is_done: bool = True
    items: int = 0
    put_off: int = field(default=0, compare=False)


@dataclass(slots=True)
class _Sweep:
    """One run: what was removed so far, and what is damaged."""

    vault: Vault
    now: datetime
    purposes: int = 0
    people: int = 0
    items: int = 0
    put_off: int = 0
    damaged: set[tuple[bytes, str]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, done: _Done) -> None:
        """Count what was committed."""
        purposes, people, damaged, put_off, _ = done
        self.purposes += purposes
        self.people += len(people)
        self.damaged |= damaged
        self.put_off += put_off


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast it goes, as `sweep` takes it."""

    advance: Callable[[int], None]
    rest: float
    end: float | None
    workers: int

    def is_over(self) -> bool:
        """Say whether no further page is to be begun."""
        return self.end is not None and time.monotonic() >= self.end

    def pause(self, began: float) -> None:
        """Rest after what was begun at that time; not for so long that a lease would be over."""
        time.sleep(min(self.rest * (time.monotonic() - began), _MOST_REST_SECONDS))

    def pause_on_the_way(self, began: float) -> None:
        """Rest after something of which nothing is counted; who holds a lease hears that it goes on."""
        self.advance(0)
        self.pause(began)


def sweep(  # noqa: PLR0913 - how it is run; each has a default that removes everything at once
    vault: Vault,
    now: datetime,
    *,
    advance: Callable[[int], None] = lambda _: None,
    rest: float = 0.0,
    seconds: float | None = None,
    trusted: bool = False,
    workers: int = 1,
) -> SweepResult:
    """Destroy everything that is due at `now`.

    Args:
        vault: The open store.
        now: Aware UTC time.
        advance: Called with the number of keys that were dealt with, for a progress bar.
        rest: How long to rest after each transaction, as a multiple of how long it took.
        seconds: When to stop, although more is due; None for at the end.
        trusted: Whether somebody has looked at the clock.
        workers: How many threads remove at once; on SQLite, which has one writer, it is always one.

    Raises:
        RetentionError: The clock cannot be right; nothing was removed.
        StorageError: The database cannot be written.
    """
    vault.database.transact(lambda connection: check_clock(connection, now, clock=vault.clock(), trusted=trusted))
    finish_beside(vault)
    run = _Sweep(vault, now)
    end = None if seconds is None else time.monotonic() + seconds
    pace = _Pace(advance, rest, end, 1 if vault.database.dialect == "sqlite" else workers)
    is_noted = note_older(vault, now, pace.is_over, pace.pause_on_the_way)
    passes = (_left(run) > len(run.damaged) for _ in range(_PASSES))
    is_done = all(_go_through(run, pace) and _go_through_items(run, pace) for is_needed in passes if is_needed)
    is_done = is_done and is_noted
    vault.database.transact(lambda connection: forget_over(connection, now))
    if run.damaged:
        logger.error(
            "%d purposes of people are due and could not be removed, since rows are damaged; `rasa-privacy check "
            "--database` names them.",
            len(run.damaged),
        )
    if run.purposes or run.items:
        empty_log(vault)
    _sign_ledger(vault)
    return SweepResult(run.purposes, run.people, _left(run), is_done, run.items, run.put_off)


def _left(run: _Sweep) -> int:
    with run.vault.database.read() as connection:
        items = lasting.over(run.vault, connection, run.now)
        return run.vault.due_keys.count(connection, run.now) + sum(items.values())


def _go_through(run: _Sweep, pace: _Pace) -> bool:
    """Deal with all that is due, page by page; return whether that came to its end."""
    most = _BATCH[run.vault.database.dialect]

    def read(after: Due | None) -> list[Due]:
        with run.vault.database.read() as connection:
            return run.vault.due_keys.page(connection, run.now, most, after)

    def work(page: list[Due]) -> None:
        began = time.monotonic()
        # It may be run again, so it counts nothing in `run`.
        done = run.vault.database.transact(lambda connection: _remove_page(run, connection, page))
        _destroy_apart(run, done[1], done[4])
        with run.lock:
            run.add(done)
            pace.advance(len(page))
        pace.pause(began)

    return share_pages(read, most, work, pace.is_over, pace.workers)


def _go_through_items(run: _Sweep, pace: _Pace) -> bool:
    """Deal with the values that lasted for some time, item by item; return whether that came to its end."""
    items = lasting.lengths(run.vault.policy).items()
    return all(_go_through_item(run, pace, item, length) for item, length in items)


def _go_through_item(run: _Sweep, pace: _Pace, item: str, length: Length) -> bool:
    def read(after: Given | None) -> list[Given]:
        with run.vault.database.read() as connection:
            return lasting_values.page(connection, item, run.now - length, _ITEM_BATCH, after)

    def work(page: list[Given]) -> None:
        began, people = time.monotonic(), [each.subject_id for each in page]
        removed, damaged = run.vault.database.transact(
            lambda connection: lasting.remove_page(run.vault, connection, item, people, run.now)
        )
        with run.lock:
            run.items += removed
            run.damaged |= {(who, f":{item}") for who in damaged}
            pace.advance(len(page))
        pace.pause(began)

    return share_pages(read, _ITEM_BATCH, work, pace.is_over, pace.workers)


def _remove_page(run: _Sweep, connection: Any, page: list[Due]) -> _Done:
    """Remove what a page names of people whom nobody holds; return what was done."""
    vault, limit = run.vault, to_micros(run.now)
    concerned = {each.subject_id for each in page}
    free = vault.expiry.lock_free(connection, concerned)
    # A key that an interrupted erasure left, where keys lie in a database of their own.
    orphans = concerned - set(free) - vault.expiry.there(connection, concerned - set(free))
    purposes = vault.due_keys.destroy_all(connection, orphans)
    kept = holds.held_among(connection, free)
    on_hold = [each for each in page if each.subject_id in kept]
    for each in on_hold:
        vault.data_keys.touch(connection, each.subject_id, each.purpose, run.now + _HELD)
    put_off = len(on_hold)
    free = [who for who in free if who not in kept]
    # Read again under the lock: somebody may have used or destroyed a key meanwhile.
    held = vault.due_keys.of(connection, free)
    gone = [who for who in free if held[who] and all(_is_due(at, limit) for at in held[who].values())]
    purposes += sum(len(held[who]) for who in gone)
    for who in gone:
        tell_of(vault, connection, who, "retention", run.now, purposes=sorted(set(held[who]) - {SERVICE}), is_gone=True)
    vault.expiry.bury(connection, gone, run.now, certificate_number)
    damaged: set[tuple[bytes, str]] = set()
    whole, dropped = set(gone), list[tuple[bytes, str]]()
    for who in (each for each in free if each not in whole):
        for purpose in [name for name, at in held[who].items() if _is_due(at, limit)]:
            removed = _remove_one(run, connection, who, purpose)
            purposes += removed or 0
            put_off += removed == 0
            damaged |= {(who, purpose)} if removed is None else set()
            dropped += [(who, purpose)] if removed and purpose != SERVICE else []
    return purposes, gone, damaged, put_off, dropped


def _destroy_apart(run: _Sweep, people: list[bytes], dropped: list[tuple[bytes, str]]) -> None:
    """Destroy the keys of what was removed, where those lie apart; elsewhere they went with it."""
    vault = run.vault
    if not vault.due_keys.apart:
        return
    if people:
        with vault.database.read() as connection:
            vault.due_keys.destroy_all(connection, people)
    if dropped:
        vault.database.transact(lambda connection: destroy_dropped(vault, connection, dropped, run.now))


def _is_due(at: object, limit: int) -> bool:
    """Say whether a key is due; a time that a tamperer made something else is not, and `check --database` names it."""
    return type(at) is int and at <= limit


def _remove_one(run: _Sweep, connection: Any, subject_id: bytes, purpose: str) -> int | None:
    """Remove one purpose of a person who stays; return how many were removed, or None where it is damaged."""
    try:
        with connection.begin_nested():
            return remove_purpose(run.vault, connection, subject_id, purpose, run.now)
    except (ContentionError, UnreachableError):
        raise
    except PrivacyError:
        return None


def _sign_ledger(vault: Vault) -> None:
    """Sign the ledger where it grew. One that does not verify is logged; what is due goes all the same."""
    try:
        vault.database.transact(vault.ledger.checkpoint)
    except LedgerError:
        logger.exception("The consent ledger got no checkpoint; 'rasa-privacy consent verify' says what is wrong.")
