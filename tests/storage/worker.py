"""Work for the processes of `test_processes.py`: `python worker.py <task> <folder> <url> <name> <count>`."""

import json
import random
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rasa_privacy.errors import ContentionError
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault, open_vault

_NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _append(vault: Vault, sender: str, entry: list[object], *, new_session: bool = False) -> int:
    """Append one event and a value after what was read, reading again after each conflict."""
    while True:
        with vault.database.read() as conn:
            version, count = vault.conversations.head(conn, sender)
        try:
            # Not `transact`, which would try the same old version again.
            with vault.database.write() as conn:
                return _write(vault, conn, sender, (version, count), entry, [0] if new_session else [])
        except ContentionError:
            continue


def _write(  # noqa: PLR0913, PLR0917 - the fields of one event
    vault: Vault, conn: Any, sender: str, read: tuple[int, int], entry: list[object], starts: list[int]
) -> int:
    version, count = read
    vault.subjects.find_or_create(conn, sender, _NOW)
    values = {"draw": [[count, "v"]]}
    return vault.conversations.append(conn, sender, version, [entry], values, starts, _NOW)


def _record(vault: Vault, conn: Any, subject_id: bytes, purpose: str, channel: str) -> None:
    record = LedgerRecord(subject_id, purpose, "asked", bytes(32), "en", "button", channel, _NOW)
    vault.ledger.append(conn, record)


def _erase(vault: Vault, conn: Any, sender: str, certificate: str) -> list[Any]:
    """Erase a person and return the events that went."""
    subject_id = vault.subjects.find_for_update(conn, sender)
    if subject_id is None:
        return []
    stored = vault.conversations.load(conn, sender, all_sessions=True)
    vault.erasures.bury(conn, subject_id, _NOW, certificate, {})
    return [] if stored is None else stored.structure


def _start(vault: Vault, _name: str, _count: int) -> None:
    _say(vault.index.of("check", "one index").hex())


def _events(vault: Vault, name: str, count: int) -> None:
    for number in range(count):
        _append(vault, "shared", [name, number])


def _records(vault: Vault, name: str, count: int) -> None:
    for number in range(count):
        vault.database.transact(lambda conn, number=number: _record(vault, conn, bytes(16), name, str(number)))  # type: ignore[misc]


def _traffic(vault: Vault, name: str, count: int) -> None:
    """Save turns in four conversations, with some consent records and erasures in between; say what was erased."""
    chance = random.Random(name)  # noqa: S311 - the order of a test
    erased, records = [], 0
    for number in range(count):
        sender = f"person {chance.randrange(4)}"
        _append(vault, sender, [name, number], new_session=number % 50 == 49)
        what = chance.random()
        if what < 0.01:
            certificate = f"{name}-{number}"
            erased += vault.database.transact(lambda conn, s=sender, c=certificate: _erase(vault, conn, s, c))  # type: ignore[misc]
        elif what < 0.1:
            vault.database.transact(
                lambda conn, s=sender: _record(  # type: ignore[misc]
                    vault, conn, vault.subjects.find_or_create(conn, s, _NOW), "draw", name
                )
            )
            records += 1
    _say(json.dumps({"erased": erased, "records": records}))


def _forever(vault: Vault, _name: str, _count: int) -> None:
    """Save until killed, and say each version only after its commit."""
    number = 0
    while True:
        _say(str(_append(vault, "shared", ["event", number], new_session=number % 17 == 0)))
        number += 1


_TASKS: dict[str, Callable[[Vault, str, int], None]] = {
    "start": _start,
    "events": _events,
    "records": _records,
    "traffic": _traffic,
    "forever": _forever,
}


def main() -> None:
    """Wait for the word, open the store, do the task."""
    task, folder, url, name, count = sys.argv[1:]
    sys.stdin.readline()
    path = Path(folder)
    vault = open_vault(StoreSettings(url, KeySettings("file", path / "keys"), path / "privacy.yml"))
    _TASKS[task](vault, name, int(count))
    vault.close()


if __name__ == "__main__":
    main()
