"""Real processes on each kind of database: several at once, and one that is killed."""

import json
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage.vault import open_vault

_WORKER = Path(__file__).with_name("worker.py")


def _spawn(task: str, settings: StoreSettings, name: str = "one", count: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, str(_WORKER), task, str(settings.privacy.parent), settings.url, name, str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def _together(*processes: subprocess.Popen[str]) -> list[str]:
    """Let processes begin at once, and return what each wrote after all ended well."""
    for process in processes:
        _go(process)
    answers = [process.communicate(timeout=400) for process in processes]
    failed = [errors for process, (_, errors) in zip(processes, answers, strict=True) if process.returncode or errors]
    assert not failed, failed[0]
    return [written.strip() for written, _ in answers]


_OPEN_AND_CLOSE = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(*c.execute(sys.argv[2]).fetchone())"


def test_a_store_that_is_opened_twice_keeps_what_it_writes(settings: StoreSettings, now: datetime) -> None:
    """Also when another process opens and closes the file meanwhile, as a command beside a running server does.

    On SQLite locks belong to a process, and closing any handle of the file ends them.
    """
    vault = open_vault(settings)
    again = open_vault(settings)

    def seen_elsewhere() -> str:
        command = [sys.executable, "-c", _OPEN_AND_CLOSE, settings.url.removeprefix("sqlite:///")]
        command.append("SELECT count(*) FROM subjects")
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    for number in range(3):
        with vault.database.write() as connection:
            vault.subjects.find_or_create(connection, f"person {number}", now)
        assert seen_elsewhere() == str(number + 1)
    again.close()
    vault.close()


def test_processes_that_start_at_once_make_one_store(settings: StoreSettings) -> None:
    """The action server and the bot may start together on nothing, and share database and keys."""
    answers = _together(*(_spawn("start", settings) for _ in range(4)))
    assert len(set(answers)) == 1
    opened = open_vault(settings)
    assert opened.index.of("check", "one index").hex() == answers[0]
    opened.close()


def test_two_writers_of_one_conversation_lose_nothing(settings: StoreSettings) -> None:
    """Every event of both is there, each writer's in order."""
    _together(_spawn("events", settings, "one", 60), _spawn("events", settings, "two", 60))
    opened = open_vault(settings)
    with opened.database.read() as conn:
        stored = opened.conversations.load(conn, "shared", all_sessions=True)
    opened.close()
    assert stored is not None
    assert stored.version == 120
    for name in ("one", "two"):
        assert [number for who, number in stored.structure if who == name] == list(range(60))
    assert stored.values["draw"] == [[number, "v"] for number in range(120)]


def test_two_writers_keep_one_ledger(settings: StoreSettings) -> None:
    """Records of two processes stand in one chain."""
    _together(_spawn("records", settings, "one", 50), _spawn("records", settings, "two", 50))
    opened = open_vault(settings)
    with opened.database.read() as conn:
        opened.ledger.verify(conn)
        records = list(opened.ledger.iterate(conn))
    opened.close()
    for name in ("one", "two"):
        assert [record.channel for record in records if record.purpose == name] == [str(n) for n in range(50)]


@pytest.mark.soak
def test_eight_processes_lose_nothing(settings: StoreSettings) -> None:
    """Of thousands of turns in four conversations, with erasures and consent between, each is kept or erased, once."""
    turns, names = 400, [f"process {number}" for number in range(8)]
    said = [json.loads(text) for text in _together(*(_spawn("traffic", settings, name, turns) for name in names))]
    opened = open_vault(settings)
    found = [event for each in said for event in each["erased"]]
    assert found
    with opened.database.read() as conn:
        opened.ledger.verify(conn)
        assert sum(1 for _ in opened.ledger.iterate(conn)) == sum(each["records"] for each in said)
        for number in range(4):
            stored = opened.conversations.load(conn, f"person {number}", all_sessions=True)
            found += [] if stored is None else stored.structure
    opened.close()
    assert sorted(found) == sorted([name, number] for name in names for number in range(turns))


@pytest.mark.parametrize("milliseconds", [5, 33, 80, 150])
def test_a_killed_process_leaves_a_whole_conversation(settings: StoreSettings, milliseconds: int) -> None:
    """After kill -9 in the middle of saves everything that was acknowledged can be read, and writing goes on."""
    acknowledged = 0
    for _ in range(3):
        process = _spawn("forever", settings)
        _go(process)
        assert process.stdout is not None
        acknowledged = max(acknowledged, int(process.stdout.readline()))
        time.sleep(milliseconds / 1000)
        process.kill()
        written, _errors = process.communicate(timeout=60)
        acknowledged = max([acknowledged, *map(int, written.split("\n")[:-1])])
        opened = open_vault(settings)
        with opened.database.read() as conn:
            stored = opened.conversations.load(conn, "shared", all_sessions=True)
        opened.close()
        assert stored is not None
        assert stored.version == stored.event_count == len(stored.structure) == len(stored.values["draw"])
        assert stored.version in (acknowledged, acknowledged + 1)
        acknowledged = stored.version
