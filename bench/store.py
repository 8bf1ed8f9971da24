"""EncryptedTrackerStore against Rasa's own stores: time to retrieve, save and erase, and bytes on disk.

All in one process and on the same conversations. The stores take turns, so that what else the machine does hits each.
"""

import asyncio
import gc
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, product
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Final

from bench.support.databases import SERVERS
from bench.support.plot import draw
from bench.support.report import Table, milliseconds, publish, verdict
from bench.support.stores import (
    MEMORY,
    OURS,
    STOCK,
    Stores,
    consent,
    converse,
    domains,
    open_stores,
    settings_in,
    timed_retrieve,
    timed_save,
)
from bench.support.talk import Talk
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.vault import Vault, open_vault

NAMES: Final = (STOCK, OURS, MEMORY)
#: Conversations of each length in one database: short ones are many, since a file and each index of a server grow by
#: the page, which few would not fill: with 200 people an eighth of what PostgreSQL takes were pages that are not full.
PEOPLE: Final = {20: 1_000, 100: 40, 1_000: 4, 5_000: 1}
#: Least times faster than stock, by events in the session (DESIGN.md, section 8, as the next ones).
RETRIEVE_GOAL: Final = {20: 4, 100: 8, 1_000: 15, 5_000: 12}
#: From this length on, reading must be faster than from Rasa's store in memory.
FROM_LENGTH: Final = 100
BYTES_GOAL: Final = 1 / 5
ERASE_GOAL_SECONDS: Final = 0.010
FLAT: Final = 1.5  # what is taken for flat: so many times the time at 20 events
#: Rounds, by events: short reads are many, since what else the machine does is as long as they are.
ROUNDS: Final = {20: 24, 100: 24, 1_000: 12, 5_000: 6}
READS_EACH: Final = 5  # one after the other from one store, so that a read does not pay for the caches of another store
SAVES: Final = 24  # a multiple of the 4 saves after which segments are merged
SAVES_EACH: Final = 4  # one after the other of one conversation, where there are others to go on with
ERASURES: Final = 9
ERASED_LENGTHS: Final = (20, 5_000)

METHOD: Final = f"""Medians of one run in one process, the stores by turns, {READS_EACH} reads of each in a row and
{ROUNDS[20]} rounds of that ({ROUNDS[1_000]} at 1,000 events, {ROUNDS[5_000]} at 5,000), on the same generated
conversations of people who consented to the prize draw; each conversation is one session, saved turn by turn. What
making them left behind is collected before; then Python's collector runs as ever, whoever it comes upon. Ours has
all protections on, with `example_bot/privacy.yml`. Both databases are SQLite files that wait for the disk at each
commit; stock has SQLite's rollback journal, ours writes ahead. Rasa's in-memory store is there for comparison.
Saving merges segments now and then, so its mean is shown beside its median. Bytes are what the files grew by from
the empty database, keys and all, divided by events. An erasure is timed with its reading back, in a process that
has read the conversation and erased somebody else before."""
ON_A_SERVER: Final = f"""As on SQLite. Both stores use the server on this machine with its own settings, which waits for
the disk at each commit. Bytes are those of the tables and their indexes after they were written anew (VACUUM FULL,
OPTIMIZE TABLE); people are erased one after the other, {ERASURES} at least."""
METHODS: Final = {"SQLite": METHOD, "PostgreSQL": ON_A_SERVER, "MariaDB": ON_A_SERVER}


@dataclass
class Measured:
    """Results by length and store; times in seconds."""

    retrieve: dict[int, dict[str, list[float]]] = field(default_factory=dict)
    save: dict[int, dict[str, list[float]]] = field(default_factory=dict)
    bytes_per_event: dict[int, dict[str, float]] = field(default_factory=dict)
    erase: dict[int, list[float]] = field(default_factory=dict)


async def measure(kind: str, folder: Path) -> Measured:
    """Measure everything on one kind of database, one length after the other."""
    measured, domain = Measured(), domains()
    for length, people in PEOPLE.items():
        print(f"{kind}: {people} conversations of {length} events ...", flush=True)
        with open_stores(kind, folder / str(length), domain) as stores:
            await measure_length(measured, stores, length, people)
    return measured


async def measure_length(measured: Measured, stores: Stores, length: int, people: int) -> None:
    """Measure everything at one length."""
    empty = stores.bytes_on_disk()
    talks = {f"49301234{length}{number:03d}": Talk(length + number) for number in range(people)}
    for sender, talk in talks.items():
        await converse(stores, sender, talk, length)
    filled = stores.bytes_on_disk()
    measured.bytes_per_event[length] = {
        name: (filled[name] - empty[name]) / (length * people) for name in (STOCK, OURS)
    }
    if length in ERASED_LENGTHS and not stores.urls:
        measured.erase[length] = erase_times(stores, next(iter(talks)))
    measured.retrieve[length] = await retrieve_times(stores, list(talks), ROUNDS[length])
    measured.save[length] = await save_times(stores, talks)
    if length in ERASED_LENGTHS and stores.urls:
        more = {f"4930999{length}{number:03d}": Talk(length + number) for number in range(len(talks), ERASURES)}
        for sender, talk in more.items():
            await converse(stores, sender, talk, length, (OURS,))
        measured.erase[length] = erase_each(stores.vault, [*talks, *more])


def erase_each(vault: Vault, senders: list[str]) -> list[float]:
    """Return the seconds of erasing these people, one after the other, after somebody else."""
    evidence = Evidence(method="words", channel="rest", language="en", at=vault.clock())
    times = []
    consent(vault, "somebody else")
    for number, sender in enumerate(["somebody else", *senders]):
        start = time.perf_counter()
        if erase(vault, sender, evidence) is None:
            raise SystemExit("nothing was erased, so the times mean nothing")
        if number:  # the first compiles the statements, which a server does once
            times.append(time.perf_counter() - start)
    return times


async def retrieve_times(stores: Stores, senders: list[str], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of reading, by store; the first round warms up and does not count."""
    times: dict[str, list[float]] = {name: [] for name in NAMES}
    gc.collect()
    for turn in range(rounds + 1):
        for name, read in product(_rotated(turn), range(READS_EACH)):
            sender = senders[(turn * READS_EACH + read) % len(senders)]
            seconds = (await timed_retrieve(stores.by_name[name], sender))[0]  # as in Rasa, the tracker before is gone
            if turn:
                times[name].append(seconds)
    return times


async def save_times(stores: Stores, talks: dict[str, Talk]) -> dict[str, list[float]]:
    """Return the seconds of saving one more turn, by store."""
    times: dict[str, list[float]] = {name: [] for name in NAMES}
    for turn, sender in enumerate(_visits(list(talks))):
        events = talks[sender].turn()
        for name in _rotated(turn):
            times[name].append(await timed_save(stores.by_name[name], sender, events))
    return times


def _visits(senders: list[str]) -> Iterator[str]:
    """Yield whose turn is saved: a few of each person, so that short conversations stay short."""
    for number in count():
        for _ in range(SAVES_EACH):
            yield senders[number % len(senders)]
        if (number + 1) * SAVES_EACH >= SAVES:
            return


def _rotated(turn: int) -> tuple[str, ...]:
    first = turn % len(NAMES)
    return NAMES[first:] + NAMES[:first]


def erase_times(stores: Stores, sender: str) -> list[float]:
    """Return the seconds of erasing the same person again and again, each time in a fresh copy of the database."""
    times = []
    for turn in range(ERASURES + 1):
        copy = stores.folder / f"copy {turn}"
        shutil.copytree(stores.folder / OURS, copy / OURS)
        vault = open_vault(settings_in(copy))
        with vault.database.read() as connection:
            vault.conversations.load(connection, sender)
        evidence = Evidence(method="words", channel="rest", language="en", at=vault.clock())
        consent(vault, "somebody else")
        erase(vault, "somebody else", evidence)  # compiles the statements, which a server does once
        start = time.perf_counter()
        certificate = erase(vault, sender, evidence)
        if turn:
            times.append(time.perf_counter() - start)
        vault.close()
        shutil.rmtree(copy)
        if certificate is None:
            raise SystemExit("nothing was erased, so the times mean nothing")
    return times


def table_of(kind: str, measured: Measured) -> Table:
    """Return all rows with their goals."""
    rows = [
        *(_retrieve_row(length, times) for length, times in measured.retrieve.items()),
        *(_memory_row(length, times) for length, times in measured.retrieve.items() if length >= FROM_LENGTH),
        *(row for length, times in measured.save.items() for row in _save_rows(length, times)),
        *(_bytes_row(length, sizes) for length, sizes in measured.bytes_per_event.items()),
        *_erase_rows(measured.erase),
    ]
    head = ("work", "stock", "ours", "in memory", "ours against stock", "goal", "")
    method = f"{' '.join(METHODS[kind].split())}\n\n![Time by length and store](benchmarks-{kind.lower()}.svg)"
    return Table(f"Tracker store against stock Rasa on {kind}", method, head, rows)


def _retrieve_row(length: int, times: dict[str, list[float]]) -> tuple[str, ...]:
    middle = {name: median(values) for name, values in times.items()}
    faster, goal = middle[STOCK] / middle[OURS], RETRIEVE_GOAL[length]
    shown = [milliseconds(middle[name]) for name in NAMES]
    return (
        f"retrieve {length:,} events",
        *shown,
        f"{faster:.1f}x faster",
        f">= {goal}x faster",
        verdict(met=faster >= goal),
    )


def _memory_row(length: int, times: dict[str, list[float]]) -> tuple[str, ...]:
    faster = median(times[MEMORY]) / median(times[OURS])
    work, shown = f"the same against the store in memory, {length:,}", f"{faster:.1f}x faster than it"
    return (work, "-", "-", "-", shown, "> 1x faster than it", verdict(met=faster > 1))


def _save_rows(length: int, times: dict[str, list[float]]) -> Iterator[tuple[str, ...]]:
    for word, average in (("", median), (", mean", mean)):
        middle = {name: average(values) for name, values in times.items()}
        share = middle[OURS] / middle[STOCK]
        shown = [milliseconds(middle[name]) for name in NAMES]
        yield (
            f"save a turn at {length:,}{word}",
            *shown,
            f"{share:.2f}x the time",
            "<= 1x the time",
            verdict(met=share <= 1),
        )


def _bytes_row(length: int, sizes: dict[str, float]) -> tuple[str, ...]:
    share = sizes[OURS] / sizes[STOCK]
    shown = [f"{sizes[name]:.0f} B" for name in (STOCK, OURS)]
    work, goal = f"bytes per event at {length:,}", "<= 0.20x the bytes"
    return (work, *shown, "-", f"{share:.2f}x the bytes", goal, verdict(met=share <= BYTES_GOAL))


def _erase_rows(times: dict[int, list[float]]) -> Iterator[tuple[str, ...]]:
    for length, values in times.items():
        work, met = f"erase a person with {length:,} events", median(values) <= ERASE_GOAL_SECONDS
        yield (work, "-", milliseconds(median(values)), "-", "-", "<= 10 ms", verdict(met=met))
    few, many = (median(times[length]) for length in ERASED_LENGTHS)
    work, goal = "erase, 5,000 against 20 events", f"flat (<= {FLAT}x)"
    yield (work, "-", f"{many / few:.2f}x the time", "-", "-", goal, verdict(met=many / few <= FLAT))


def main() -> None:
    """Measure, print, and write the document."""
    start = time.perf_counter()
    with TemporaryDirectory() as folder:
        for kind in sys.argv[1:] or SERVERS:
            name = "store" if kind == "SQLite" else f"store {kind}"
            measured = asyncio.run(measure(kind, Path(folder) / kind))
            draw(kind, measured)
            publish(name, table_of(kind, measured))
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
