"""The audit log: how fast it is written, one by one and many at once, and what verifying a million records costs.

BENCH_RECORDS sets the number of records, arguments name the databases.
"""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.support.databases import fresh_url
from bench.support.memory import begin_peak, peak
from bench.support.report import Table, publish, verdict
from rasa_privacy.access.admission import admit_local
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.report.breach import scope
from rasa_privacy.report.gathering import gather
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault, open_vault

RECORDS: Final = int(os.environ.get("BENCH_RECORDS", "1000000"))
ALONE: Final = 500
AT_ONCE: Final = 500
GOAL: Final = 5_000
GOAL_MEBIBYTES: Final = 64
KINDS: Final = ("SQLite", "PostgreSQL", "MariaDB")
_PRIVACY: Final = """\
version: 1
controller: {name: Northwind Outdoor, contact: privacy@northwind.example, policy_url: https://northwind.example/privacy}
purposes:
  draw: {says: {en: to enter you in the draw}, basis: consent, guards: [lead_form], retain: 90 days}
"""
METHOD: Final = f"""Each record has an operator, a reason, a person, a purpose, an item and a count. "Many at once"
appends {AT_ONCE} of them in a transaction, as bulk work does; "each alone" commits one after the other, as single looks
at people do, so it is as fast as the disk. "Verified" reads all of them and checks links, keyed hashes, checkpoints and
the end. Memory is how much the process grew at its peak while verifying. The first report verifies the log too and
counts by kind; the scope of a breach over all records verifies what is new since, and goes through each."""


def record(vault: Vault, number: int) -> AuditRecord:
    """Return a record like those of `consent show`."""
    subject_id = number.to_bytes(16, "big")
    named = (("draw",), ("email",), {"values": 1})
    return AuditRecord(vault.clock(), "ana", "view", "done", "support", subject_id, "ticket 48213377", *named)


def append(vault: Vault, batch: list[AuditRecord]) -> None:
    """Append records in one transaction."""
    vault.database.transact(lambda conn: vault.audit.append(conn, *batch))


def fill(vault: Vault) -> float:
    """Append all records, many at once, and return the records per second."""
    begin = time.perf_counter()
    for first in range(0, RECORDS, AT_ONCE):
        batch = [record(vault, number) for number in range(first, min(first + AT_ONCE, RECORDS))]
        append(vault, batch)
    return RECORDS / (time.perf_counter() - begin)


def one_by_one(vault: Vault) -> float:
    """Append records in a transaction each, and return the records per second."""
    begin = time.perf_counter()
    for number in range(ALONE):
        append(vault, [record(vault, number)])
    return ALONE / (time.perf_counter() - begin)


def report_over(vault: Vault) -> tuple[float, float]:
    """Make a report and the scope of a breach over all records; return the seconds, and what memory grew by in MiB."""
    before = begin_peak()
    begin = time.perf_counter()
    now = vault.clock()
    gather(vault, admit_local(vault, "report"), now)
    scope(vault, admit_local(vault, "audit"), now - timedelta(days=2), now)
    return time.perf_counter() - begin, peak() - before


def measure(kind: str, url: str, folder: Path) -> list[tuple[str, ...]]:
    """Return the rows of one kind of database."""
    (folder / "privacy.yml").write_text(_PRIVACY, encoding="utf-8")
    vault = open_vault(StoreSettings(url, KeySettings("file", folder / "keys"), folder / "privacy.yml"))
    alone, many = one_by_one(vault), fill(vault)
    before = begin_peak()
    begin = time.perf_counter()
    with vault.database.read() as conn:
        found = vault.audit.verify(conn).records
    seconds = time.perf_counter() - begin
    grown = peak() - before
    reporting, reported = report_over(vault)
    vault.close()
    if found != RECORDS + ALONE:
        raise SystemExit(f"{kind}: {found:,} records were verified instead of {RECORDS + ALONE:,}")
    return [
        (f"{kind}, many at once", f"{many:,.0f} records/s", f">= {GOAL:,}", verdict(met=many >= GOAL)),
        (f"{kind}, each alone", f"{alone:,.0f} records/s", "none", ""),
        (f"{kind}, {found:,} verified", f"{found / seconds:,.0f} records/s", "none", ""),
        (f"{kind}, memory for that", f"{grown:.0f} MiB", f"<= {GOAL_MEBIBYTES}", verdict(met=grown <= GOAL_MEBIBYTES)),
        (f"{kind}, report and breach scope", f"{reporting:,.1f} s", "none", ""),
        (
            f"{kind}, memory for that too",
            f"{reported:.0f} MiB",
            f"<= {GOAL_MEBIBYTES}",
            verdict(met=reported <= GOAL_MEBIBYTES),
        ),
    ]


def main() -> None:
    """Measure, print, and write the document."""
    rows = []
    for kind in sys.argv[1:] or KINDS:
        print(f"{kind}: {RECORDS:,} records ...", flush=True)
        with TemporaryDirectory() as folder, fresh_url(kind, Path(folder)) as url:
            rows += measure(kind, url, Path(folder))
    publish("audit", Table("Audit log", " ".join(METHOD.split()), ("work", "measured", "goal", ""), rows))


if __name__ == "__main__":
    main()
