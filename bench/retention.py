"""The sweep beside a million conversations: how many expired ones a second, the memory, and what turns notice of it."""

import asyncio
import multiprocessing
import os
import time
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.support.crowd import add_crowd
from bench.support.databases import SERVERS, fresh_url
from bench.support.memory import begin_peak, peak
from bench.support.report import Table, milliseconds, publish, verdict
from bench.support.stores import OURS, apply, close, consent, domains, settings_in, timed_save
from bench.support.talk import Talk
from rasa_privacy import EncryptedTrackerStore
from rasa_privacy.access.admission import admit_local
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.retention.runs import run
from rasa_privacy.retention.sweep import GENTLY
from rasa_privacy.storage.vault import open_vault

ALL: Final = int(os.environ.get("BENCH_CONVERSATIONS", "1000000"))
EXPIRED: Final = int(os.environ.get("BENCH_EXPIRED", str(ALL // 5)))
GOAL: Final = 10_000  # conversations per second on PostgreSQL
MEMORY_GOAL_MIB: Final = 64  # what is taken for flat: so much more than before the sweep
TURN_GOAL: Final = 1.5  # what is taken for not noticeable: so many times as long as without a sweep
PEOPLE: Final = 10
BESIDE: Final = EXPIRED // 5
_QUIET_SECONDS: Final = float(os.environ.get("BENCH_SECONDS", "10"))

METHOD: Final = f"""The table holds {ALL:,} conversations of usual sizes, under random ids and as random bytes, of which
{EXPIRED:,} are due, each at its own time; a sweep removes them with their keys, and leaves a certificate and a
tombstone of each. The first sweep runs alone, as fast as it can, with
two threads as `retention run` has. Then {BESIDE:,} more expire, and another process sweeps with `--gently`, as a server
does, while {PEOPLE} people go on talking: the times are of saving a turn, before and during that sweep, and their ratio
is what the goal is about. The memory is what the peak of the sweeping process grew by."""


def sweep_alone(settings: StoreSettings, gently: bool, results: Any) -> None:  # noqa: FBT001 - the start of a process
    """Sweep in a process of its own, and put seconds, people, what is left and the memory into the queue."""
    vault = open_vault(settings)
    permit = admit_local(vault, "retention")
    before = begin_peak()
    start = time.perf_counter()
    done = run(vault, permit, rest=GENTLY if gently else 0.0, workers=1 if gently else 2)
    seconds = time.perf_counter() - start
    grown = peak() - before
    vault.close()
    results.put((seconds, done.people, done.left, grown))


async def turns(store: Any, talks: dict[str, Talk], until: Any) -> list[float]:
    """Save turns of the people in turn until told to stop, and return the seconds of each."""
    seconds = []
    while not until():
        for sender, talk in talks.items():
            seconds.append(await timed_save(store, sender, talk.turn()))
    return seconds


def p95(seconds: list[float]) -> float:
    """Return the time that 95 of 100 do not exceed."""
    return quantiles(seconds, n=20)[-1]


async def measure(kind: str, folder: Path, url: str) -> tuple[str, ...]:
    """Return the row of one kind of database."""
    (folder / OURS).mkdir(parents=True)
    files = settings_in(folder)
    settings = StoreSettings(url, files.keys, files.privacy)
    store = EncryptedTrackerStore(
        domains()[OURS], url, keys={"provider": "file", "path": str(settings.keys.path)}, privacy=str(settings.privacy)
    )
    vault = open_vault(settings)
    print(f"{kind}: {ALL:,} conversations ...", flush=True)
    add_crowd(vault, 0, ALL - EXPIRED, ("service", "draw"))
    add_crowd(vault, ALL, ALL + EXPIRED, ("service",), 10**15)
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    alone = spawn.Process(target=sweep_alone, args=(settings, False, results))
    alone.start()
    seconds, people, left, grown = await asyncio.to_thread(results.get)
    alone.join()
    if people != EXPIRED or left:
        raise SystemExit(f"{people} conversations of {EXPIRED} were removed and {left} left, so the time means nothing")
    add_crowd(vault, 2 * ALL, 2 * ALL + BESIDE, ("service",), 10**15)
    talks = {f"4930123{number:05d}": Talk(number) for number in range(PEOPLE)}
    for sender, talk in talks.items():
        consent(vault, sender)
        tracker = store.init_tracker(sender)
        for turn in talk.events(40):
            apply(tracker, turn)
            await store.save(tracker)
    end = time.monotonic() + _QUIET_SECONDS
    quiet = await turns(store, talks, lambda: time.monotonic() > end)
    beside = spawn.Process(target=sweep_alone, args=(settings, True, results))
    beside.start()
    busy = await turns(store, talks, lambda: not beside.is_alive() or not results.empty())
    gently, _, _, _ = await asyncio.to_thread(results.get)
    beside.join()
    close(store)
    vault.close()
    slower = p95(busy) / p95(quiet)
    goals = {f"<= {TURN_GOAL}x": slower <= TURN_GOAL}
    if kind == "PostgreSQL":
        goals = {f">= {GOAL:,}/s": people / seconds >= GOAL, "flat": grown <= MEMORY_GOAL_MIB, **goals}
    return (
        kind,
        f"{people:,}",
        f"{people / seconds:,.0f}/s",
        f"{grown:.0f} MiB",
        f"{BESIDE / gently:,.0f}/s",
        milliseconds(p95(quiet)),
        f"{milliseconds(p95(busy))} ({slower:.2f}x)",
        ", ".join(goals),
        ", ".join(verdict(met=met) for met in goals.values()),
    )


def main() -> None:
    """Measure, print, and write the document."""
    rows = []
    kinds = os.environ.get("BENCH_KINDS", ",".join(SERVERS)).split(",")
    with TemporaryDirectory() as folder:
        for kind in kinds:
            with fresh_url(kind, Path(folder)) as url:
                rows.append(asyncio.run(measure(kind, Path(folder) / kind, url)))
    head = ("database", "expired", "speed", "memory", "gently", "p95 of a turn", "during the sweep", "goal", "")
    publish("retention", Table("The retention sweep", " ".join(METHOD.split()), head, rows))


if __name__ == "__main__":
    main()
