"""What people ask for: how long a copy of a long history takes and the memory that it needs, and erasing many at once.

BENCH_EVENTS sets the length of the history, BENCH_PEOPLE how many are erased; arguments name the databases.
"""

import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.support.databases import fresh_url
from bench.support.report import Table, publish, verdict
from rasa_privacy.access.admission import admit_local
from rasa_privacy.consent.ledger import Evidence, keep_notice, record_answer, record_asked
from rasa_privacy.consent.notice import Notice, terms_version
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.rights.access import holdings
from rasa_privacy.rights.bulk_erasure import erase_listed
from rasa_privacy.rights.bulk_run import Bulk
from rasa_privacy.rights.portability import copy_chunks, copy_of
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault, open_vault

EVENTS: Final = int(os.environ.get("BENCH_EVENTS", "5000"))
SESSION: Final = 100
RUNS: Final = 5
PEOPLE: Final = int(os.environ.get("BENCH_PEOPLE", "100000"))
#: On the others, where the goal does not hold.
FEWER_PEOPLE: Final = 10
GOAL_ERASURES: Final = 1_000
GOAL_SECONDS: Final = 0.5
KINDS: Final = ("SQLite", "PostgreSQL", "MariaDB")
PERSON: Final = "somebody"
PASSPHRASE: Final = "correct horse battery staple"  # noqa: S105 - of a benchmark
PRIVACY: Final = """\
version: 1
controller: {name: Northwind Outdoor, contact: privacy@northwind.example, policy_url: https://northwind.example/privacy}
items: {full_name: {slot: full_name}}
purposes:
  draw:
    says: {en: to enter you in the draw}
    basis: consent
    items: {full_name: required}
    guards: [lead_form]
    retain: 90 days
"""
METHOD: Final = f"""A history of {EVENTS:,} events in sessions of {SESSION}, half of them messages of which each tenth
holds a value. A copy is everything that is held as JSON and as a page, written as a zip; the wall time and that of the
process are the best of {RUNS} runs, since other work shared the two cores. Memory is the peak while the copy is written
beyond what was there before. For the bulk erasure each person has consented to one purpose and has a conversation of
two events with a value; a list of all of them is erased with withdrawals in the ledger, journal, certificates,
tombstones and reading back, on SQLite and MariaDB a tenth of them."""


def talk(vault: Vault, events: int) -> None:
    """Store a history of somebody who consented."""
    now = vault.clock()
    with vault.database.write() as conn:
        subject_id = vault.subjects.find_or_create(conn, PERSON, now)
        given = Evidence("button", "rest", "en", now)
        notice = Notice("draw", terms_version(vault.policy, "draw"), "en", "May we?")
        record_asked(vault, conn, subject_id, notice, given)
        record_answer(vault, conn, subject_id, "draw", granted=True, evidence=given)
        for _ in range(0, events, SESSION):
            version, seq = vault.conversations.head(conn, PERSON)
            said = [_event(number, now.timestamp()) for number in range(SESSION)]
            named = [[seq + number, ["text"], "full_name", "Ana Li"] for number in range(0, SESSION, 20)]
            vault.conversations.append(conn, PERSON, version, said, {"draw": named}, [0], now)


def _event(number: int, at: float) -> dict[str, object]:
    if number % 2:
        return {"event": "bot", "timestamp": at, "text": f"Thank you. Here is answer {number} of many.", "data": {}}
    parsed = {"intent": {"name": "inform", "confidence": 0.98}, "entities": []}
    return {"event": "user", "timestamp": at, "text": f"I would like number {number}", "parse_data": parsed}


def copied(vault: Vault, passphrase: str | None = None) -> int:
    """Write a copy to nowhere and return its size in bytes."""
    made = copy_of(vault, PERSON, vault.clock())
    if made is None or made.event_count != EVENTS:
        raise SystemExit("the history is not what was stored")
    return sum(map(len, copy_chunks([made], passphrase)))


def best(work: Callable[[], object]) -> tuple[float, float]:
    """Return the best wall time and process time of a call in seconds."""
    times = []
    for _ in range(RUNS):
        wall, used = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - wall, time.process_time() - used))
    return min(wall for wall, _ in times), min(used for _, used in times)


def peak(vault: Vault) -> float:
    """Return how much memory a copy takes at its peak, in MiB."""
    tracemalloc.start()
    copied(vault)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def fill(vault: Vault, people: int) -> None:
    """Store people, each as one erasure would find them."""
    now = vault.clock()
    notice = Notice("draw", terms_version(vault.policy, "draw"), "en", "May we?")
    said = [_event(number, now.timestamp()) for number in range(2)]
    for first in range(0, people, 500):
        with vault.database.write() as conn:
            records = []
            for number in range(first, min(first + 500, people)):
                name = f"person {number}"
                subject_id = vault.subjects.find_or_create(conn, name, now)
                vault.conversations.append(conn, name, 0, said, {"draw": [[0, ["text"], "full_name", "Ana"]]}, [0], now)
                keep_notice(vault, conn, notice)
                shared = ("draw", notice.hash, "en", "button", "rest", now)
                records += [_record(subject_id, event, *shared) for event in ("asked", "granted")]
            vault.ledger.append_all(conn, records)


def _record(  # noqa: PLR0913, PLR0917 - the fields of a record
    subject_id: bytes, event: str, purpose: str, notice: bytes, language: str, method: str, channel: str, at: datetime
) -> LedgerRecord:
    return LedgerRecord(subject_id, purpose, event, notice, language, method, channel, at)


def erased(vault: Vault, people: int) -> tuple[float, float]:
    """Erase people by a list and return how many a second of the wall and of the process."""
    fill(vault, people)
    bulk = Bulk(vault, admit_local(vault, "erase"))
    wall, used = time.perf_counter(), time.process_time()
    erase_listed(bulk, (f"person {number}" for number in range(people)))
    wall, used = time.perf_counter() - wall, time.process_time() - used
    if bulk.counts != {"erased": people}:
        raise SystemExit(f"not everybody was erased: {bulk.counts}")
    return people / wall, people / used


def measure(kind: str, url: str, folder: Path) -> list[tuple[str, ...]]:
    """Return the rows of one kind of database."""
    (folder / "privacy.yml").write_text(PRIVACY, encoding="utf-8")
    vault = open_vault(StoreSettings(url, KeySettings("file", folder / "keys"), folder / "privacy.yml"))
    talk(vault, EVENTS)
    work = {
        "access, each value": lambda: _held(vault),
        "copy": lambda: copied(vault),
        "copy under a passphrase": lambda: copied(vault, PASSPHRASE),
    }
    rows: list[tuple[str, ...]] = []
    for name, call in work.items():
        wall, used = best(call)
        shown = f"{wall * 1000:,.0f} ms ({used * 1000:,.0f} of the process)"
        rows.append((f"{kind}, {name}", shown, f"<= {GOAL_SECONDS * 1000:.0f} ms", verdict(met=wall <= GOAL_SECONDS)))
    rows.append(
        (f"{kind}, memory of a copy", f"{peak(vault):.1f} MiB, zip of {copied(vault) / 1024:,.0f} KiB", "none", "")
    )
    people = PEOPLE if kind == "PostgreSQL" else PEOPLE // FEWER_PEOPLE
    wall, used = erased(vault, people)
    goal = (f">= {GOAL_ERASURES:,}/s", verdict(met=wall >= GOAL_ERASURES)) if kind == "PostgreSQL" else ("none", "")
    rows.append((f"{kind}, {people:,} erased", f"{wall:,.0f}/s ({used:,.0f} of the process)", *goal))
    vault.close()
    return rows


def _held(vault: Vault) -> None:
    with vault.database.read() as conn:
        holdings(vault, conn, PERSON)


def main() -> None:
    """Measure, print, and write the document."""
    rows = []
    for kind in sys.argv[1:] or KINDS:
        print(f"{kind}: a history of {EVENTS:,} events ...", flush=True)
        with TemporaryDirectory() as folder, fresh_url(kind, Path(folder)) as url:
            rows += measure(kind, url, Path(folder))
    publish("rights", Table("Rights", " ".join(METHOD.split()), ("work", "measured", "goal", ""), rows))


if __name__ == "__main__":
    main()
