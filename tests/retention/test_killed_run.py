"""A sweep that was killed is in the audit log all the same: the next run says so, and how far it came."""

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local, admit_server
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.report.gathering import gather
from rasa_privacy.retention import running
from rasa_privacy.retention.runs import run, run_scheduled
from rasa_privacy.storage import meta_rows
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND, EACH_SERVER
from tests.support.vaults import Clock, give

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
servers = pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)

#: Sweeps as a server or as a command would, and dies without a word after its first page was committed.
CHILD = """\
import os, signal, sys
from datetime import datetime
from pathlib import Path
from rasa_privacy.access.admission import admit_local
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.retention import sweep as sweeping
from rasa_privacy.retention.runs import run
from rasa_privacy.storage.vault import open_vault

url, folder, now = sys.argv[1:]
settings = StoreSettings(url, KeySettings("file", Path(folder) / "keys"), Path(folder) / "privacy.yml")
vault = open_vault(settings, lambda: datetime.fromisoformat(now))
sweeping._BATCH.update(dict.fromkeys(sweeping._BATCH, 2))
run(vault, admit_local(vault, "retention"), advance=lambda _: os.kill(os.getpid(), signal.SIGKILL), trusted=True)
"""


@dataclass
class Scene:
    """A store with five people who are due, and what kills a sweep of it."""

    vault: Vault
    clock: Clock
    kill_a_sweep: Callable[[], None]

    def records(self) -> list[tuple[str, str, dict[str, int]]]:
        """Return outcome, reason and counts of each run's record."""
        with self.vault.database.read() as connection:
            found = [entry.record for entry in self.vault.audit.entries(connection)]
        return [(each.outcome, each.reason, dict(each.counts)) for each in found if each.verb == "retention"]


@pytest.fixture
def scene(store: Vault, settings: StoreSettings, clock: Clock, url: str) -> Scene:
    """Return a store whose people are due."""
    for number in range(5):
        give(store, {}, f"person {number}")
    clock.advance(days=2)

    def kill_a_sweep() -> None:
        command = [sys.executable, "-c", CHILD, url, str(settings.privacy.parent), clock().isoformat()]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()

    return Scene(store, clock, kill_a_sweep)


@servers
def test_the_next_run_records_that_one_was_killed(scene: Scene) -> None:
    """At once, since its process is gone; what it had removed is counted, and the rest is removed and counted too."""
    began = scene.clock()
    scene.kill_a_sweep()
    assert scene.records() == []
    permit = admit_local(scene.vault, "retention")
    assert run(scene.vault, permit, trusted=True).people == 3
    assert scene.records() == [
        (
            "failed",
            f"the run of {began:%Y-%m-%d %H:%M:%S} by {permit.operator} broke off",
            {"looked_at": 2, "broken_off": 1},
        ),
        ("done", "", {"people": 3, "purposes": 3, "left": 0}),
    ]
    run(scene.vault, permit, trusted=True)
    assert [outcome for outcome, _, _ in scene.records()] == ["failed", "done", "done"]
    shown = gather(scene.vault, admit_local(scene.vault, "report"), scene.clock()).removal.runs
    assert "failed: 1 broken off, 2 looked at" in shown[-1]


@each_kind
def test_a_server_records_it_once_the_lease_is_over(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another computer too, where nobody knows whether the process is alive: who has its lease follows it."""
    scene.kill_a_sweep()
    monkeypatch.setattr("rasa_privacy.retention.running.socket.gethostname", lambda: "another")
    scene.clock.advance(minutes=11)
    monkeypatch.setattr("rasa_privacy.retention.sweep.check_clock", lambda *_, **__: None)
    assert run_scheduled(scene.vault, admit_server("scheduled sweep"), timedelta(0)) is not None
    assert [(outcome, counts.get("broken_off", 0)) for outcome, _, counts in scene.records()] == [
        ("failed", 1),
        ("done", 0),
    ]


@servers
def test_a_run_that_goes_on_is_not_taken_for_broken(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one that begins meanwhile, here or on another computer, leaves it alone; silent for ten minutes it is."""
    permit = admit_local(scene.vault, "retention")
    seen: list[list[Any]] = []

    def meanwhile(_: int) -> None:
        monkeypatch.setattr("rasa_privacy.retention.running.socket.gethostname", lambda: f"computer {len(seen)}")
        running.Running(scene.vault, permit, is_leased=False)
        seen.append(scene.records())

    run(scene.vault, permit, advance=meanwhile, trusted=True)
    assert seen == [[]]
    assert [outcome for outcome, _, _ in scene.records()] == ["done"]
    scene.clock.advance(minutes=11)  # `meanwhile` began one that said nothing since
    run(scene.vault, permit, trusted=True)
    assert [outcome for outcome, _, _ in scene.records()] == ["done", "failed", "done"]


_RUN = {"began": 0, "beat": 0, "operator": "eva", "host": "one", "process": 1, "is_leased": False, "looked_at": 1}


@pytest.mark.parametrize(
    "written",
    [
        b"\xffnonsense",
        b"\x81\xa1\xff\x80",
        *(
            msgspec.msgpack.encode({"run": _RUN | changed})
            for changed in (
                {"operator": "x" * 300},
                {"operator": "eva\n"},
                {"operator": "Ana Li, ana@post.example"},
                {"began": 2**63},
                {"looked_at": -1},
            )
        ),
        msgspec.msgpack.encode({str(number): _RUN for number in range(1000)}),
    ],
    ids=["nonsense", "no text", "long", "two lines", "no label", "no time", "negative", "a thousand"],
)
def test_a_row_that_was_changed_by_hand_stops_no_sweep(scene: Scene, written: bytes) -> None:
    """And nothing of it comes into the audit log; it is written anew."""
    scene.vault.database.transact(lambda connection: meta_rows.write(connection, running._ROW, written))
    assert run(scene.vault, admit_local(scene.vault, "retention"), trusted=True).people == 5
    assert [outcome for outcome, _, _ in scene.records()] == ["done"]


def test_how_far_it_came_is_told_once_a_second(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the first page at once, and not with each of many that follow."""
    writes: list[int] = []
    moment = [0.0]
    monkeypatch.setattr("rasa_privacy.retention.running.time.monotonic", lambda: moment[0])
    now = running.Running(scene.vault, admit_local(scene.vault, "retention"), is_leased=False)
    monkeypatch.setattr(now, "_tell", lambda _: writes.append(now.looked_at))
    for moment[0] in (0.0, 0.4, 0.9, 1.1):
        now.count(10)
    assert writes == [10, 40]
