"""Does the number of conversations in the database matter? Retrieve and save beside 1,000 and 1,000,000 others."""

import asyncio
import os
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.support.crowd import add_crowd
from bench.support.databases import SERVERS, fresh_url, settle
from bench.support.report import Table, milliseconds, publish, verdict
from bench.support.stores import OURS, apply, close, consent, domains, settings_in, timed_retrieve, timed_save
from bench.support.talk import Talk
from rasa_privacy import EncryptedTrackerStore
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage.vault import Vault, open_vault

FEW: Final = 1_000
MANY: Final = int(os.environ.get("BENCH_CONVERSATIONS", "1000000"))
GOAL: Final = 1.3
PEOPLE: Final = 20
EVENTS: Final = 100
ROUNDS: Final = 10
PURPOSES: Final = ("service", "draw")
METHOD: Final = f"""The conversations of {PEOPLE} people with {EVENTS} events are read and saved in turn, {ROUNDS}
rounds, beside few others; then, beside many, those of as many more people who said the same and whom nobody read
before. Saving makes a conversation longer, so both begin at the same length. The others have rows of the usual sizes
under random ids; nobody opens them, so their bytes are random. Before each of the two a server brings its statistics
up to date and writes to the disk what waits. Medians."""


async def people(store: Any, vault: Vault, area: str) -> dict[str, Talk]:
    """Let people talk who begin with the same turns whatever their sender ids begin with, and return their talks."""
    talks = {f"{area}{number:05d}": Talk(number) for number in range(PEOPLE)}
    for sender, talk in talks.items():
        consent(vault, sender)
        tracker = store.init_tracker(sender)
        for turn in talk.events(EVENTS):
            apply(tracker, turn)
            await store.save(tracker)
    return talks


async def times(store: Any, talks: dict[str, Talk]) -> dict[str, float]:
    """Return the median seconds of reading a conversation and of saving one more turn."""
    reads, saves = [], []
    for turn in range(ROUNDS + 1):
        for sender, talk in talks.items():
            seconds, _ = await timed_retrieve(store, sender)
            saved = await timed_save(store, sender, talk.turn())
            if turn:
                reads.append(seconds)
                saves.append(saved)
    return {"retrieve": median(reads), "save a turn": median(saves)}


async def measure(folder: Path, url: str) -> list[tuple[str, ...]]:
    """Return the rows of one kind of database."""
    (folder / OURS).mkdir(parents=True)
    files = settings_in(folder)
    settings = StoreSettings(url, files.keys, files.privacy)
    keys = {"provider": "file", "path": str(settings.keys.path)}
    store = EncryptedTrackerStore(domains()[OURS], url, keys=keys, privacy=str(settings.privacy))
    vault = open_vault(settings)
    first, second = [await people(store, vault, area) for area in ("4930123", "4930124")]
    add_crowd(vault, 0, FEW, PURPOSES)
    settle(url)
    few = await times(store, first)
    add_crowd(vault, FEW, MANY, PURPOSES)
    settle(url)
    many = await times(store, second)
    close(store)
    vault.close()
    return [
        (
            work,
            milliseconds(few[work]),
            milliseconds(many[work]),
            f"{many[work] / few[work]:.2f}x the time",
            f"<= {GOAL}x",
            verdict(met=many[work] / few[work] <= GOAL),
        )
        for work in few
    ]


def main() -> None:
    """Measure, print, and write the document."""
    head = ("work", f"beside {FEW:,}", f"beside {MANY:,}", "growth", "goal", "")
    for kind in sys.argv[1:] or SERVERS:
        print(f"{kind}: {MANY:,} conversations ...", flush=True)
        with TemporaryDirectory() as folder, fresh_url(kind, Path(folder)) as url:
            rows = asyncio.run(measure(Path(folder) / kind, url))
        publish(f"scale {kind}", Table(f"Many conversations on {kind}", " ".join(METHOD.split()), head, rows))


if __name__ == "__main__":
    main()
