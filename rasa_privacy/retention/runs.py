"""`run`: one sweep, with its record in the audit log; and `run_scheduled`, which one server among many does.

Rules:

1. Each run leaves one record: what was removed, and how many that were due are left (`left`, 0 where all is well);
   of one that was stopped or failed, how many were looked at. Of one that was killed the next run leaves it
   (`running`).
2. On SQLite, which has one writer, a run holds the lease `sweep`, and rests after each transaction for as long as it
   took, so that turns are saved between them. On servers any number may run at once.
3. Scheduled runs hold the lease on every database, so that of many servers one sweeps, and none does where another has
   done so within the interval. Who died while sweeping is followed when the lease is over.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record
from rasa_privacy.errors import RetentionError
from rasa_privacy.retention.clock_check import SWEPT
from rasa_privacy.retention.lease import Lease
from rasa_privacy.retention.running import Running
from rasa_privacy.retention.sweep import SweepResult, sweep
from rasa_privacy.storage.clocks import last_done
from rasa_privacy.storage.vault import Vault

LEASE: Final = "sweep"
#: The least rest on SQLite, as a multiple of how long a transaction took.
_GIVE_WAY: Final = 1.0


def run(  # noqa: PLR0913 - how it is run, as `sweep` takes it
    vault: Vault,
    permit: Permit,
    *,
    advance: Callable[[int], None] = lambda _: None,
    rest: float = 0.0,
    seconds: float | None = None,
    trusted: bool = False,
    workers: int = 1,
) -> SweepResult:
    """Remove what is due now, and record it.

    Args:
        vault: The open store.
        permit: Who runs it; `retention` must be among its verbs.
        advance: As `sweep`.
        rest: As `sweep`.
        seconds: As `sweep`.
        trusted: As `sweep`.
        workers: As `sweep`.

    Raises:
        AccessError: The permit is for something else.
        RetentionError: Another process sweeps a SQLite file, or the clock cannot be right; nothing was removed.
        StorageError: The database cannot be written.
    """
    permit.require("retention")
    if vault.database.dialect != "sqlite":
        running = Running(vault, permit, is_leased=False)
        return _recorded(vault, permit, running, advance, rest, seconds, trusted=trusted, workers=workers)
    lease = Lease(vault, LEASE)
    if not lease.take():
        raise RetentionError(
            f"retention: another process sweeps {vault.database.name}; wait until it is done, it removes the same"
        )
    return _under_lease(vault, permit, lease, advance, max(rest, _GIVE_WAY), seconds, trusted=trusted)


def run_scheduled(
    vault: Vault, permit: Permit, every: timedelta, *, rest: float = 0.0, seconds: float | None = None
) -> SweepResult | None:
    """Remove what is due, where no other server does and none has done so within the interval.

    Args:
        vault: The open store.
        permit: Who runs it.
        every: The interval; zero where it must be done now.
        rest: As `sweep`.
        seconds: As `sweep`.

    Returns:
        What was removed, or None where it was not this process's turn.

    Raises:
        RetentionError: The clock cannot be right; nothing was removed.
        StorageError: The database cannot be written.
    """
    permit.require("retention")
    lease = Lease(vault, LEASE)
    # Asked first without the lease, which is a write; and again with it, since another may just have finished.
    if _has_swept(vault, every) or not lease.take():
        return None
    if _has_swept(vault, every):
        lease.give_back()
        return None
    return _under_lease(vault, permit, lease, lambda _: None, rest, seconds, trusted=False)


def _has_swept(vault: Vault, every: timedelta) -> bool:
    """Say whether some process has swept within the interval."""
    with vault.database.read() as connection:
        before = last_done(connection, SWEPT)
    return before is not None and timedelta(0) <= vault.clock() - before < every


def _under_lease(  # noqa: PLR0913, PLR0917 - as `run`
    vault: Vault,
    permit: Permit,
    lease: Lease,
    advance: Callable[[int], None],
    rest: float,
    seconds: float | None,
    *,
    trusted: bool,
) -> SweepResult:
    def go_on(number: int) -> None:
        advance(number)
        lease.go_on("goes on with this sweep")

    try:
        running = Running(vault, permit, is_leased=True)
        return _recorded(vault, permit, running, go_on, rest, seconds, trusted=trusted)
    finally:
        lease.give_back()


def _recorded(  # noqa: PLR0913, PLR0917 - as `run`
    vault: Vault,
    permit: Permit,
    running: Running,
    advance: Callable[[int], None],
    rest: float,
    seconds: float | None,
    *,
    trusted: bool,
    workers: int = 1,
) -> SweepResult:
    def counted(number: int) -> None:
        running.count(number)
        advance(number)

    def end(counts: Mapping[str, int], outcome: str) -> None:
        def write(connection: Any) -> None:
            running.end(connection)
            record(vault, connection, permit, counts=counts, outcome=outcome)

        vault.database.transact(write)

    now: datetime = vault.clock()
    try:
        result = sweep(vault, now, advance=counted, rest=rest, seconds=seconds, trusted=trusted, workers=workers)
    except BaseException:  # also where somebody stops it by Ctrl-C
        end({"looked_at": running.looked_at}, "failed")
        raise
    counts = {"people": result.people, "purposes": result.purposes, "left": result.left}
    counts |= {"items": result.items} if result.items else {}
    end(counts, "done" if result.is_done else "begun")
    return result
