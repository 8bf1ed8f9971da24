"""Rotation of the key-encryption key: data keys wrapped anew per second, and the memory that it takes."""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.support.databases import SERVERS, fresh_url
from bench.support.memory import begin_peak, peak
from bench.support.report import Table, publish, verdict
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.tables import data_keys
from rasa_privacy.storage.vault import Vault, open_vault

KEYS: Final = int(os.environ.get("BENCH_KEYS", "1000000"))
GOAL: Final = 20_000  # keys per second; the goal names SQLite and PostgreSQL
MEMORY_GOAL_MIB: Final = 64  # what is taken for flat: so much more than before the rotation
_CHUNK: Final = 10_000
_PRIVACY: Final = Path(__file__).parents[1] / "example_bot" / "privacy.yml"

METHOD: Final = """One process makes the data keys and wraps them, then a new epoch begins and all are wrapped anew, in
transactions of 5,000 that wait for the disk. The memory is what the peak of the process grew by during the rotation."""


def fill(vault: Vault) -> None:
    """Put KEYS wrapped data keys into the database, as saving would."""
    kek = vault.epochs.kek(1)
    for start in range(0, KEYS, _CHUNK):
        rows = []
        for number in range(start, min(start + _CHUNK, KEYS)):
            subject = (number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128).to_bytes(16, "big")
            wrapped = kek.wrap(os.urandom(32), subject, "service", os.urandom(NONCE_BYTES))
            row = {"subject_id": subject, "purpose": "service", "epoch": 1, "wrapped": wrapped}
            rows.append({**row, "due_at": None})
        with vault.key_database.write() as connection:
            connection.execute(data_keys.insert(), rows)
    vault.checkpoint()


def row(kind: str, folder: Path) -> tuple[str, ...]:
    """Measure one database."""
    print(f"{kind}: {KEYS:,} keys ...", flush=True)
    with fresh_url(kind, folder) as url:
        keys = KeySettings("file", folder / f"keys {kind}")
        vault = open_vault(StoreSettings(url, keys, _PRIVACY))
        fill(vault)
        before = begin_peak()
        start = time.perf_counter()
        vault.rotation.begin_epoch(vault.clock())
        done = sum(vault.rotation.rewrap())
        seconds = time.perf_counter() - start
        grown = peak() - before
        vault.close()
    if done != KEYS:
        raise SystemExit(f"{done} keys of {KEYS} were wrapped anew, so the time means nothing")
    met = done / seconds >= GOAL and grown <= MEMORY_GOAL_MIB
    goal = f">= {GOAL:,}/s, flat" if kind != "MariaDB" else "-"
    return (kind, f"{done:,}", f"{seconds:.1f} s", f"{done / seconds:,.0f}/s", f"{grown:.0f} MiB", goal) + (
        (verdict(met=met),) if kind != "MariaDB" else ("",)
    )


def main() -> None:
    """Measure, print, and write the document."""
    with TemporaryDirectory() as folder:
        rows = [row(kind, Path(folder)) for kind in sys.argv[1:] or SERVERS]
    head = ("database", "keys", "time", "speed", "memory", "goal", "")
    publish("rotation", Table("Rotation of the key-encryption key", " ".join(METHOD.split()), head, rows))


if __name__ == "__main__":
    main()
