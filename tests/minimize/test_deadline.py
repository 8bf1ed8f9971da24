"""Work that never comes back is given up, and what it leaves behind is bounded."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from rasa_privacy.errors import DetectorError
from rasa_privacy.minimize.deadline import MOST_STUCK, REST_SECONDS, Deadline

SECONDS = 0.2


class Hanging:
    """Work that waits until it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = threading.Event()

    def __call__(self) -> str:
        """Wait for a minute at most."""
        self.begun += 1
        self.go.wait(60)
        return "late"


class Clock:
    """Seconds that also pass when a test says so."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return time.monotonic() + self.ahead


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """Return work that hangs, and let it go in the end."""
    work = Hanging()
    yield work
    work.go.set()


def refused(deadline: Deadline, work: Callable[[], object]) -> str:
    """Return the error with which work is given up."""
    with pytest.raises(DetectorError) as raised:
        deadline.run(work)
    return str(raised.value)


def threads(name: str) -> int:
    """Return how many threads of a deadline there are."""
    return sum(each.name == f"rasa-privacy {name}" for each in threading.enumerate())


def test_work_that_is_done_in_time_is_returned() -> None:
    """One thread does all of it, and what it raises is raised where it is waited for."""
    deadline = Deadline("one", 60)
    assert [deadline.run(lambda: threading.current_thread().name) for _ in range(3)] == ["rasa-privacy one"] * 3
    with pytest.raises(ZeroDivisionError):
        deadline.run(lambda: 1 / 0)
    with pytest.raises(TimeoutError, match="of its own"):
        deadline.run(lambda: (_ for _ in ()).throw(TimeoutError("of its own")))
    assert threads("one") == 1


def test_work_that_hangs_is_given_up_and_rests(hanging: Hanging) -> None:
    """Who waits is told so in time; for a while nothing new is begun, and then a new thread tries again."""
    clock = Clock()
    deadline = Deadline("test", SECONDS, clock)
    assert refused(deadline, hanging) == "test took more than 0.2 seconds; withhold the text"
    assert "did not come back from 1 texts" in refused(deadline, hanging)
    assert hanging.begun == 1
    clock.ahead = REST_SECONDS + 1
    assert deadline.run(lambda: "well") == "well"


def test_threads_do_not_pile_up(hanging: Hanging) -> None:
    """After a few that hang none is started any more, until one of them has come back."""
    clock = Clock()
    deadline = Deadline("pile", SECONDS, clock)
    for _ in range(MOST_STUCK + 3):
        refused(deadline, hanging)
        clock.ahead += REST_SECONDS + 1
    assert hanging.begun == MOST_STUCK
    assert threads("pile") == MOST_STUCK
    hanging.go.set()
    end = time.monotonic() + 30
    while threads("pile") and time.monotonic() < end:
        time.sleep(0.01)
    assert deadline.run(lambda: "well") == "well"


def test_waiting_in_line_counts(hanging: Hanging) -> None:
    """Work that another one keeps waiting is given up as well, and is not begun later."""
    deadline, begun = Deadline("test", 5 * SECONDS), []
    first = threading.Thread(target=refused, args=(deadline, hanging))
    first.start()
    while not hanging.begun:
        time.sleep(0.001)
    short = Deadline("test", SECONDS)
    short._line = deadline._line
    assert refused(short, lambda: begun.append(1)) == "test was busy for 0.2 seconds; withhold the text"
    first.join()
    assert begun == []
