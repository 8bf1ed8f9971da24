"""What one slow conversation costs the others: turns of other people while the database keeps one of them waiting.

On PostgreSQL, which can wait for one statement and go on with the others. The wait is the server's (`pg_sleep`), in the
read of one person's conversation, for our store and for the stock one alike.
"""

import asyncio
import time
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final

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
_WAIT: Final = text(f"SELECT pg_sleep({STALL_SECONDS})")

METHOD: Final = f"""{OTHERS} people talk at once in one event loop, {TURNS} turns each: retrieve, add a turn, save, with
a message every {PERIOD_SECONDS * 1000:.0f} ms. Beside them one person talks, whose every read waits
{STALL_SECONDS * 1000:.0f} ms in the database. Times are those of the others, from when a message was sent."""


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


async def measure(stores: Stores, name: str, *, stalled: bool) -> list[float]:
    """Return the seconds of the others' turns."""
    store, times = stores.by_name[name], list[float]()
    slow = asyncio.create_task(talk(store, SLOW, 10 * TURNS, [])) if stalled else None
    await asyncio.gather(*(talk(store, f"person {number}", TURNS, times) for number in range(OTHERS)))
    if slow is not None:
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
    return times


def stall(stores: Stores) -> None:
    """Make every read of the slow person's conversation wait in the database."""
    load: Any = Conversations.load_last
    stock = stores.by_name[STOCK]
    query: Any = stock._event_query  # noqa: SLF001 - the stock store has no public place for it

    def slow_load(self: Any, database: Any, sender_id: str) -> Any:
        if sender_id == SLOW:
            with database.read() as connection:
                connection.execute(_WAIT)
        return load(self, database, sender_id)

    def slow_query(session: Any, sender_id: str, **named: Any) -> Any:
        if sender_id == SLOW:
            session.execute(_WAIT)
        return query(session, sender_id, **named)

    setattr(Conversations, "load_last", slow_load)  # noqa: B010 - to the type checker it is no method
    stock._event_query = slow_query  # noqa: SLF001


async def run(folder: Path) -> list[tuple[str, ...]]:
    """Measure both stores, first without and then beside the slow person."""
    with open_stores("PostgreSQL", folder, domains()) as stores:
        for sender in (SLOW, *(f"person {number}" for number in range(OTHERS))):
            consent(stores.vault, sender)
        alone = {name: await measure(stores, name, stalled=False) for name in (STOCK, OURS)}
        stall(stores)
        beside = {name: await measure(stores, name, stalled=True) for name in (STOCK, OURS)}
    return [_row(work, times) for work, times in (("alone", alone), ("beside the slow one", beside))]


def _row(work: str, times: dict[str, list[float]]) -> tuple[str, ...]:
    cells = [f"{milliseconds(median(times[n]))} / {milliseconds(_p95(times[n]))}" for n in (STOCK, OURS)]
    if work == "alone":
        return (work, *cells, "-", "")
    return (work, *cells, f"p95 <= {milliseconds(GOAL)}", verdict(met=_p95(times[OURS]) <= GOAL))


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


def main() -> None:
    """Measure, print, and write the document."""
    with TemporaryDirectory() as folder:
        rows = asyncio.run(run(Path(folder)))
    head = ("turns of the others, median / p95", "stock", "ours", "goal", "")
    publish(
        "event loop", Table("One slow conversation beside others, on PostgreSQL", " ".join(METHOD.split()), head, rows)
    )


if __name__ == "__main__":
    main()
