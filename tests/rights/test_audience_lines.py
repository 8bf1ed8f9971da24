"""Lines of an audience: the same from one process and from several, and nothing is left when it ends early."""

import functools
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.errors import StorageError
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.rights import audience as audience_module
from rasa_privacy.rights import audience_lines
from rasa_privacy.rights.audience import Tally
from rasa_privacy.rights.audience_lines import lines
from rasa_privacy.rights.audience_processes import Processes
from rasa_privacy.rights.audience_worker import Task, bounds, command, pieces
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.membership import Decision
from rasa_privacy.rights.suppression import OPERATOR, suppress_contacts
from rasa_privacy.rights.withdrawal import withdraw_all
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import evidence, give, grant

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
PEOPLE = 24
PATIENCE_SECONDS = 30


@pytest.fixture
def settings(tmp_path: Path, url: str, vault: Vault) -> StoreSettings:
    """Return what the store was opened with, which has subscribers of whom some are suppressed or without address."""
    for number in range(PEOPLE):
        grant(vault, "newsletter", sender=f"person {number}")
        if number % 5:
            give(vault, {"newsletter": {"email": f"p{number}@example.com"}}, sender=f"person {number}")
    with vault.database.write() as conn:
        suppress_contacts(vault, conn, ["P7@Example.com"], OPERATOR, vault.clock())
    return StoreSettings(url, KeySettings("file", tmp_path / "keys"), tmp_path / "privacy.yml")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a run of each two people, so that a small store has several."""
    monkeypatch.setattr(audience_lines, "RUN_PEOPLE", 2)


def made(vault: Vault, settings: StoreSettings, workers: int | None, tally: Tally, item: str | None = "email") -> Any:
    """Return the iterator of lines."""
    permit = admit_local(vault, "audience")
    return lines(vault, permit, "newsletter", item, vault.clock(), tally, settings, workers)


def task(vault: Vault, settings: StoreSettings, runs: int = 12) -> Task:
    """Return the export of addresses in some runs."""
    return Task(settings, "newsletter", "email", vault.clock(), runs)


def pids(processes: Processes) -> list[int]:
    """Return the numbers of the processes."""
    return [helper.process.pid for helper in processes._helpers]


class Patient:
    """Makes the runs of this process, each when every other process has something to say: so all of them get some.

    Attributes:
        processes: The others, once they are begun.
        made: The runs that were made here.
    """

    def __init__(self) -> None:
        self.processes: list[Processes] = []
        self.made: list[int] = []

    def begin(self, *arguments: Any) -> Processes:
        """Begin processes in the place of `Processes`."""
        self.processes.append(Processes(*arguments))
        return self.processes[-1]

    def make(self, task: Task, decision: Decision, run: int) -> list[bytes]:
        """Make a run in the place of `audience_lines._made`."""
        for helper in self.processes[0]._helpers:
            assert select.select([helper.process.stdout], [], [], PATIENCE_SECONDS)[0]
        self.made.append(run)
        return list(pieces(task, decision, run))

    def pieces(self, vault: Vault, task: Task, count: int) -> Iterator[bytes]:
        """Return the lines of a task that so many processes help with."""
        processes, decision = self.begin(task, count), Decision(vault, task.purpose, task.now)
        return processes.pieces(Tally(), lambda run: self.make(task, decision, run))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Patient:
    """Let this process wait for the others, which would have made all of a small store before they are there."""
    found = Patient()
    monkeypatch.setattr(audience_lines, "Processes", found.begin)
    monkeypatch.setattr(audience_lines, "_made", found.make)
    return found


def is_alive(pid: int) -> bool:
    """Return whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@each_kind
@pytest.mark.parametrize("item", ["email", None])
def test_several_processes_write_what_one_writes(
    vault: Vault, settings: StoreSettings, item: str | None, patient: Patient
) -> None:
    """The same bytes in the same order, and the same counts; this process makes some of them, and others the rest."""
    with vault.database.write() as conn:
        damaged = vault.subjects.find(conn, "person 3")
        vault.data_keys.destroy(conn, damaged or b"", "service")
    expected, tally = Tally(), Tally()
    alone = b"".join(made(vault, settings, 1, expected, item))
    running = made(vault, settings, 3, tally, item)
    first = next(running)
    begun = pids(patient.processes[0])
    assert first + b"".join(running) == alone
    assert len(set(begun)) == 2
    assert 1 < len(patient.made) < PEOPLE // 2 - 1
    assert tally == expected
    assert (tally.suppressed, tally.unreadable, alone.count(b"\n")) == (1, 1, tally.exported)
    assert (tally.without_value > 0) == (item is not None)
    assert not any(map(is_alive, begun))


@each_kind
@pytest.mark.parametrize("how", ["withdrawn", "erased", "suppressed"])
def test_who_goes_while_it_runs_is_left_out_of_the_next_page(
    vault: Vault, settings: StoreSettings, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page reads consent, addresses and suppressions as they are then."""
    monkeypatch.setattr(audience_module, "PAGE_ANSWERS", 4)
    running = made(vault, settings, 1, Tally())
    first = next(running)
    gone = [number for number in range(PEOPLE) if b"p%d@" % number not in first]
    for number in gone:
        name = f"person {number}"
        if how == "erased":
            erase(vault, name, evidence(vault))
        elif how == "suppressed":
            with vault.database.write() as conn:
                suppress_contacts(vault, conn, [f"p{number}@example.com"], OPERATOR, vault.clock())
        else:
            end = functools.partial(withdraw_all, vault, sender_id=name, evidence=evidence(vault))
            vault.database.transact(end)
    assert len(gone) > PEOPLE // 2
    assert b"".join(running) == b""


@each_kind
def test_a_process_reads_no_further_ahead_than_it_is_given(
    vault: Vault, settings: StoreSettings, monkeypatch: pytest.MonkeyPatch, patient: Patient
) -> None:
    """So memory is bounded, and who is erased in the middle is in no later run."""
    for number in range(PEOPLE):
        give(vault, {"newsletter": {"email": f"p{number}{'x' * 2000}@example.com"}}, sender=f"person {number}")
    begin = functools.partial(subprocess.Popen, pipesize=4096)
    monkeypatch.setattr(subprocess, "Popen", begin)
    running = patient.pieces(vault, task(vault, settings), 1)
    next(running)
    (processes,) = patient.processes
    assert processes._next <= 3 * 2
    with vault.database.read() as conn:
        people = {vault.subjects.find(conn, f"person {number}"): number for number in range(PEOPLE)}
    last = people[max(filter(None, people))]
    erase(vault, f"person {last}", evidence(vault))
    rest = b"".join(running)
    processes.close()
    assert 0 < len(patient.made) < PEOPLE // 2
    assert rest.count(b"@") >= PEOPLE // 2
    assert b"p%dx" % last not in rest


def test_small_stores_are_exported_by_one_process(
    vault: Vault, settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is begun for a handful of people unless somebody says so."""
    monkeypatch.setattr(audience_lines, "Processes", lambda *_: pytest.fail("a process was begun"))
    assert b"".join(made(vault, settings, None, Tally()))


def test_a_large_store_is_exported_by_all_cores(
    vault: Vault, settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With this one as many processes as cores, where nobody says how many; alone where none can be begun."""
    found: list[int] = []

    def begin(_task: Task, count: int) -> Processes:
        found.append(count)
        raise StorageError("none here")

    monkeypatch.setattr(audience_lines, "PEOPLE_FOR_PROCESSES", PEOPLE)
    monkeypatch.setattr(audience_lines, "cores", lambda: 3)
    monkeypatch.setattr(audience_lines, "Processes", begin)
    assert b"".join(made(vault, settings, None, Tally()))
    assert found == [2]


def test_a_store_that_others_cannot_open_is_exported_by_this_process(
    vault: Vault, settings: StoreSettings, caplog: pytest.LogCaptureFixture, patient: Patient
) -> None:
    """A key provider may let in one process only; the log says what the other was told."""
    expected = b"".join(made(vault, settings, 1, Tally()))
    closed = replace(settings, keys=KeySettings("env", None), journal=settings.privacy.with_name("journal"))
    assert b"".join(made(vault, closed, 2, Tally())) == expected
    assert len(patient.made) == PEOPLE // 2
    assert "a process less" in caplog.text
    assert "RASA_PRIVACY_KEY" in caplog.text


def test_a_process_that_dies_stops_the_export(vault: Vault, settings: StoreSettings, patient: Patient) -> None:
    """Half an audience must not look like a whole one; the others end too."""
    running = patient.pieces(vault, task(vault, settings), 2)
    next(running)
    (processes,) = patient.processes
    for helper in processes._helpers:
        assert helper.is_ready
        helper.process.kill()
        helper.process.wait()
        helper.process.stdout.readall()  # what had been on its way
    with pytest.raises(StorageError, match="ended before it was done"):
        list(running)
    processes.close()


def test_who_stops_reading_leaves_no_process(vault: Vault, settings: StoreSettings, patient: Patient) -> None:
    """As a closed pipe or Ctrl-C does."""
    running = made(vault, settings, 3, Tally())
    next(running)
    alive = pids(patient.processes[0])
    assert len(alive) == 2
    running.close()
    assert not any(map(is_alive, alive))


def test_a_process_ends_by_itself_when_this_one_is_gone(vault: Vault, settings: StoreSettings) -> None:
    """Its input is closed then, as the system does for who was killed."""
    processes = Processes(task(vault, settings), 1)
    (child,) = (helper.process for helper in processes._helpers)
    child.stdin.close()
    assert child.wait(PATIENCE_SECONDS) != 0
    processes.close()


def test_no_secret_stands_where_others_see_it(vault: Vault, settings: StoreSettings) -> None:
    """What opens the database goes by the pipe: no argument and no variable holds it, nor any key."""
    processes = Processes(task(vault, settings), 1)
    (pid,) = pids(processes)
    argued, end = Path(f"/proc/{pid}/cmdline"), time.monotonic() + PATIENCE_SECONDS
    while not argued.read_bytes() and time.monotonic() < end:
        time.sleep(0.01)  # its program has just been exchanged, and has no arguments yet
    shown = argued.read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    processes.close()
    assert b"audience_worker" in shown
    assert settings.url.encode() not in shown
    assert b"c.db" not in b" ".join(part.encode() for part in command([]))


@pytest.mark.parametrize("runs", [1, 2, 3, 1000])
def test_runs_hold_every_subject_id_once(runs: int) -> None:
    """One begins where the one before it ended."""
    every = [bounds(run, runs) for run in range(runs)]
    assert every[0][0] == b""
    assert every[-1][1] == b"\xff" * 16
    assert all(one[1] == following[0] for one, following in pairwise(every))
    assert sorted(each[1] for each in every) == [each[1] for each in every]


def test_a_task_comes_out_as_it_went_in(vault: Vault, settings: StoreSettings) -> None:
    """Paths and times too."""
    sent = task(vault, replace(settings, journal=Path("journal")))
    assert Task.from_line(sent.to_line()) == sent


def test_a_process_that_helps_loads_no_detectors() -> None:
    """They take a third of the time in which it begins, and it looks for nothing in a text."""
    code = f"import sys, {Task.__module__}; print('rasa_privacy.minimize.detectors' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=PATIENCE_SECONDS)
    assert found.stdout.split() == [b"False"]
