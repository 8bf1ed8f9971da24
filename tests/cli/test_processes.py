import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from rasa_privacy.cli.processes import Process, stop_all
from rasa_privacy.errors import ServerError

_SLEEP = "import time; time.sleep(60)"
_STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); {_SLEEP}"
_WITH_CHILD = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    f"print(child.pid, flush=True); {_SLEEP}"
)
#: A parent that starts one child as the package does, tells both ids, and is then ended by the test.
_PARENT = """
import sys, time
from pathlib import Path
from rasa_privacy.cli.processes import Process, ending_cleanly
with ending_cleanly():
    child = Process("child", [sys.executable, "-c", "import time; time.sleep(60)"], folder=Path("."), log=Path("log"))
    try:
        print(child.pid, flush=True)
        time.sleep(60)
    finally:
        child.stop()
"""

Start = Callable[[str], Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A function that runs Python code as a `Process`, stopped after the test."""
    with ExitStack() as stack:

        def run(code: str) -> Process:
            process = Process("child", [sys.executable, "-c", code], folder=tmp_path, log=tmp_path / "child.log")
            stack.callback(process.stop, 0)
            return process

        yield run


def test_stopping_ends_the_child_and_its_children(start: Start) -> None:
    """A process that the child itself started ends with it."""
    process = start(_WITH_CHILD)
    grandchild = psutil.Process(int(_eventually(lambda: _printed(process))))
    process.stop()
    assert process.exit_code() == -signal.SIGTERM
    assert _eventually(lambda: _is_gone(grandchild))


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace_time(start: Start) -> None:
    """SIGKILL follows where SIGTERM was not enough."""
    process = start(_STUBBORN)
    _eventually(lambda: _printed(process))
    process.stop(grace_seconds=0.2)
    assert process.exit_code() == -signal.SIGKILL


def test_an_interrupted_stop_still_ends_the_child(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second Ctrl-C during the grace time ends the child at once."""
    process = start(_STUBBORN)
    _eventually(lambda: _printed(process))
    monkeypatch.setattr("rasa_privacy.cli.processes.time.sleep", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        process.stop()
    assert process.exit_code() == -signal.SIGKILL


def test_stopping_twice_is_no_error(start: Start) -> None:
    """A process that is gone stays gone, and its number is not signalled again."""
    process = start("pass")
    process.wait(10)
    process.stop()
    process.stop()
    assert process.exit_code() == 0


def test_stopping_many_waits_for_them_together(start: Start) -> None:
    """Three children that ignore SIGTERM are all killed."""
    children = [start(_STUBBORN) for _ in range(3)]
    _eventually(lambda: _printed(children[0]).count("ready") == len(children))
    stop_all(children, grace_seconds=0.1)
    assert {child.exit_code() for child in children} == {-signal.SIGKILL}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    """However the parent ends, by kill -9 or with its terminal too, the child ends."""
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        _eventually(lambda: "time.sleep" in " ".join(child.cmdline()) and "lifeline" not in " ".join(child.cmdline()))
        parent.send_signal(number)
        parent.wait(10)
    assert _eventually(lambda: _is_gone(child))


def test_a_child_does_not_share_our_session(start: Start) -> None:
    """Ctrl-C on our terminal reaches our process group only, so that we decide how the child ends."""
    process = start(_SLEEP)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)


def test_the_log_is_private_and_its_end_can_be_shown(start: Start) -> None:
    """The log has mode 0600, and only its last lines are returned, without colours."""
    process = start("print(*range(100), sep='\\n'); print('\\x1b[31mred\\x1b[0m')")
    process.wait(10)
    assert stat.S_IMODE(process.log.stat().st_mode) == 0o600
    assert process.last_lines(3) == "98\n99\nred"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A process cannot start in a folder that is not there."""
    with pytest.raises(ServerError, match=r"child could not be started in .*nowhere"):
        Process("child", ["true"], folder=tmp_path / "nowhere", log=tmp_path / "log")


def _printed(process: Process) -> str:
    return process.log.read_text().strip()


def _is_gone(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _interrupt(_seconds: float) -> None:
    raise KeyboardInterrupt


def _eventually(condition: Callable[[], str | bool], seconds: float = 10) -> str:
    """Return the condition's first true answer, as text."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        _pause()
    return str(answer)


def _pause() -> None:
    """Wait a moment without `time.sleep`, which a test replaces."""
    signal.sigtimedwait([], 0.02)
