"""Work for the processes of `test_processes.py`: `python worker.py <task> <folder> <name> <count>`."""

import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from rasa_privacy.errors import ConversationConflictError
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.ledger import LedgerRecord
from rasa_privacy.storage.vault import Vault, open_vault

_NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _append(vault: Vault, entry: list[object], *, new_session: bool = False) -> int:
    """Append one event and a value, reading again after each conflict."""
    while True:
        with vault.database.read() as conn:
            version, count = vault.conversations.head(conn, "shared")
        try:
            with vault.database.write() as conn:
                starts = [0] if new_session else []
                values = {"draw": [[count, "v"]]}
                return vault.conversations.append(conn, "shared", version, [entry], values, starts, _NOW)
        except ConversationConflictError:
            continue


def _start(vault: Vault, _name: str, _count: int) -> None:
    _say(vault.index.of("check", "one index").hex())


def _events(vault: Vault, name: str, count: int) -> None:
    for number in range(count):
        _append(vault, [name, number])


def _records(vault: Vault, name: str, count: int) -> None:
    for number in range(count):
        with vault.database.write() as conn:
            record = LedgerRecord(bytes(16), name, "asked", bytes(32), "en", "button", str(number), _NOW)
            vault.ledger.append(conn, record)


def _forever(vault: Vault, _name: str, _count: int) -> None:
    """Save until killed, and say each version only after its commit."""
    number = 0
    while True:
        _say(str(_append(vault, ["event", number], new_session=number % 17 == 0)))
        number += 1


_TASKS: dict[str, Callable[[Vault, str, int], None]] = {
    "start": _start,
    "events": _events,
    "records": _records,
    "forever": _forever,
}


def main() -> None:
    """Wait for the word, open the store, do the task."""
    task, folder, name, count = sys.argv[1:]
    sys.stdin.readline()
    path = Path(folder)
    vault = open_vault(
        StoreSettings(f"sqlite:///{path}/c.db", KeySettings("file", path / "keys"), path / "privacy.yml")
    )
    _TASKS[task](vault, name, int(count))
    vault.close()


if __name__ == "__main__":
    main()
