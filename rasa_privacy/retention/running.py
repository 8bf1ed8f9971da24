"""Runs of the sweep that have begun and not ended, so that one that was killed is in the audit log all the same.

Rules:

1. A run stands in one row of the database from its beginning to its end, with how many it has looked at; that is
   brought up to date between its transactions, at most once a second.
2. The next run records those that broke off, with what stands there: at least so many were looked at.
3. A run has broken off when its process is gone from this computer, when it was silent for ten minutes, or when it held
   the lease that another one holds now.

What stands there are times, counts and an operator's label.
"""

import os
import socket
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from rasa_privacy.access.permit import Permit
from rasa_privacy.storage import meta_rows
from rasa_privacy.storage.audit_record import LABEL, AuditRecord
from rasa_privacy.storage.tables import from_micros, to_micros
from rasa_privacy.storage.vault import Vault

#: The row of the table `meta`.
_ROW: Final = "retention_runs"
#: Who said nothing for so long has broken off. A rest lasts a minute at most, and a transaction no longer.
_SILENT: Final = timedelta(minutes=10)
_BEAT_SECONDS: Final = 1.0
_ID_BYTES: Final = 8
_MOST: Final = 256  # runs that are read
_Number: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run: times in microseconds since 1970."""

    began: _Number
    beat: _Number
    operator: Annotated[str, Meta(pattern=rf"\A{LABEL}\Z")]
    host: Annotated[str, Meta(max_length=255)]
    process: _Number
    is_leased: bool
    looked_at: _Number = 0


_decode: Final = msgspec.msgpack.Decoder(Annotated[dict[str, _Run], Meta(max_length=_MOST)]).decode


class Running:
    """A run that has begun.

    Args:
        vault: The open store.
        permit: Who runs it.
        is_leased: Whether it holds the lease of sweeps.

    Raises:
        AuditError: The audit log does not verify.
        StorageError: The database cannot be written.
    """

    def __init__(self, vault: Vault, permit: Permit, *, is_leased: bool) -> None:
        self._vault = vault
        self._id = os.urandom(_ID_BYTES).hex()
        self._beat = float("-inf")
        self.looked_at = 0
        vault.database.transact(partial(self._begin, permit=permit, is_leased=is_leased))

    def count(self, number: int) -> None:
        """Count what was looked at, and bring the row up to date now and then; not within a transaction."""
        self.looked_at += number
        if time.monotonic() - self._beat >= _BEAT_SECONDS:
            self._beat = time.monotonic()
            self._vault.database.transact(self._tell)

    def end(self, connection: Any) -> None:
        """Take the run out, in the transaction that records its end."""
        runs = _read(connection)
        runs.pop(self._id, None)
        _write(connection, runs)

    def _begin(self, connection: Any, permit: Permit, *, is_leased: bool) -> None:
        now, runs = self._vault.clock(), _read(connection)
        broken = [each for each in runs.items() if _has_broken_off(each[1], now, is_leased=is_leased)]
        for name, _ in broken:
            del runs[name]
        at = to_micros(now)
        runs[self._id] = _Run(
            began=at,
            beat=at,
            operator=permit.operator,
            host=socket.gethostname(),
            process=os.getpid(),
            is_leased=is_leased,
        )
        _write(connection, runs)
        for _, run in broken:
            self._vault.audit.append(connection, _record(run, permit, now))

    def _tell(self, connection: Any) -> None:
        runs = _read(connection)
        mine = runs.get(self._id)
        if mine is not None:  # another one took it for broken off; the end is recorded all the same
            beat = to_micros(self._vault.clock())
            runs[self._id] = msgspec.structs.replace(mine, beat=beat, looked_at=self.looked_at)
            _write(connection, runs)


def _record(run: _Run, permit: Permit, now: datetime) -> AuditRecord:
    return AuditRecord(
        at=now,
        operator=permit.operator,
        verb="retention",
        outcome="failed",
        role=permit.role,
        reason=f"the run of {from_micros(run.began):%Y-%m-%d %H:%M:%S} by {run.operator} broke off",
        counts={"looked_at": run.looked_at, "broken_off": 1},
    )


def _has_broken_off(run: _Run, now: datetime, *, is_leased: bool) -> bool:
    if abs(to_micros(now) - run.beat) > _SILENT / timedelta(microseconds=1) or (is_leased and run.is_leased):
        return True
    return run.host == socket.gethostname() and not _is_alive(run.process)


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":
        return True  # `os.kill` would end it there; after ten minutes of silence it counts as broken off
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _read(connection: Any) -> dict[str, _Run]:
    """Return the runs that have begun, locked; none where the row was changed into something else."""
    written = meta_rows.read(connection, _ROW, lock=True)
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found: dict[str, _Run] = _decode(written or b"\x80")
        return found
    return {}


def _write(connection: Any, runs: dict[str, _Run]) -> None:
    meta_rows.write(connection, _ROW, msgspec.msgpack.encode(runs))
