"""What one slow conversation costs the others: turns of other people while the database keeps one of them waiting.

On PostgreSQL and MariaDB, which can wait for one statement and go on with the others. The wait is the server's
(`pg_sleep`, `SLEEP`), in the read or in the save of one person's conversation, for our store and the stock one alike.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import text

from bench.support.report import Table, milliseconds, publish, verdict
from bench.support.stores import OURS, STOCK, Stores, apply, consent, domains, open_stores
from bench.support.talk import Talk
from rasa_privacy.storage.conversations import Conversations

STALL_SECONDS: Final = 0.2
SLOW: Final = "the slow one"
OTHERS: Final = 4
TURNS: Final = 40
#: Between two messages of a person; four people leave the stock store time to spare.
PERIOD_SECONDS: Final = 0.25
#: Taken for not delayed: p95 beside a slow person stays so far below one stall.
GOAL: Final = STALL_SECONDS / 2
_WAIT: Final = {
    kind: text(f"SELECT {name}({STALL_SECONDS})") for kind, name in (("PostgreSQL", "pg_sleep"), ("MariaDB", "SLEEP"))
}

METHOD: Final = f"""{OTHERS} people talk at once in one event loop, {TURNS} turns each: retrieve, add a turn, save, with
a message every {PERIOD_SECONDS * 1000:.0f} ms. Beside them one person talks, whose every read, or save with the row
locked, waits {STALL_SECONDS * 1000:.0f} ms in the database; before that the person talks without a wait. Times are of
the others, from when a message was sent."""


async def talk(store: Any, sender: str, turns: int, times: list[float]) -> None:
    """Let a person write at fixed times, and note how long after each of them the turn is stored."""
    words, start = Talk(len(sender)), time.perf_counter()
    for number in range(turns):
        due = start + number * PERIOD_SECONDS
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tracker = await store.retrieve(sender) or store.init_tracker(sender)
        apply(tracker, words.turn())
        await store.save(tracker)
        times.append(time.perf_counter() - due)


async def measure(stores: Stores, name: str) -> list[float]:
    """Return the seconds of the others' turns, beside a person that may be slow."""
    store, times = stores.by_name[name], list[float]()
    slow = asyncio.create_task(talk(store, SLOW, 10 * TURNS, []))
    await asyncio.gather(*(talk(store, f"person {number}", TURNS, times) for number in range(OTHERS)))
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)
    return times


@contextmanager
def slow_reads(stores: Stores, kind: str) -> Iterator[None]:
    """Make every read of the slow person's conversation wait in the database."""
    load: Any = Conversations.load_last
    stock = stores.by_name[STOCK]
    query: Any = stock._event_query  # noqa: SLF001 - the stock store has no public place for it

    def slow_load(self: Any, database: Any, sender_id: str) -> Any:
        if sender_id == SLOW:
            with database.read() as connection:
                connection.execute(_WAIT[kind])
        return load(self, database, sender_id)

    def slow_query(session: Any, sender_id: str, **named: Any) -> Any:
        if sender_id == SLOW:
            session.execute(_WAIT[kind])
        return query(session, sender_id, **named)

    with patch.object(Conversations, "load_last", slow_load), patch.object(stock, "_event_query", slow_query):
        yield


@contextmanager
def slow_saves(stores: Stores, kind: str) -> Iterator[None]:
    """Make every save of the slow person's conversation wait in the database, behind what it wrote and locked."""
    append: Any = Conversations.append
    stock = stores.by_name[STOCK]
    additional: Any = stock._additional_events  # noqa: SLF001 - the stock store has no public place for it

    def slow_append(self: Any, conn: Any, sender_id: str, *rest: Any, **named: Any) -> Any:
        version = append(self, conn, sender_id, *rest, **named)
        if sender_id == SLOW:
            conn.execute(_WAIT[kind])
        return version

    def slow_additional(session: Any, tracker: Any) -> Any:
        if tracker.sender_id == SLOW:
            session.execute(_WAIT[kind])
        return additional(session, tracker)

    with patch.object(Conversations, "append", slow_append), patch.object(stock, "_additional_events", slow_additional):
        yield


async def run(kind: str, folder: Path) -> list[tuple[str, ...]]:
    """Measure both stores, first beside a person who is not slow and then beside the slow one."""
    rows = []
    with open_stores(kind, folder, domains()) as stores:
        for sender in (SLOW, *(f"person {number}" for number in range(OTHERS))):
            consent(stores.vault, sender)
        for work, slow in (("nobody is slow", None), ("slow reads", slow_reads), ("slow saves", slow_saves)):
            with slow(stores, kind) if slow is not None else nullcontext():
                times = {name: await measure(stores, name) for name in (STOCK, OURS)}
            rows.append(_row(f"{kind}, {work}", times, is_slow=slow is not None))
    return rows


def _row(work: str, times: dict[str, list[float]], *, is_slow: bool) -> tuple[str, ...]:
    cells = [f"{milliseconds(median(times[n]))} / {milliseconds(_p95(times[n]))}" for n in (STOCK, OURS)]
    if not is_slow:
        return (work, *cells, "-", "")
    return (work, *cells, f"p95 <= {milliseconds(GOAL)}", verdict(met=_p95(times[OURS]) <= GOAL))


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


def main() -> None:
    """Measure, print, and write the document."""
    rows = []
    for kind in sys.argv[1:] or _WAIT:
        with TemporaryDirectory() as folder:
            rows += asyncio.run(run(kind, Path(folder)))
    head = ("turns of the others, median / p95", "stock", "ours", "goal", "")
    publish("event loop", Table("One slow conversation beside others", " ".join(METHOD.split()), head, rows))


if __name__ == "__main__":
    main()
