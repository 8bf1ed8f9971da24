"""Where database work runs, beside the event loop."""

import asyncio
import subprocess
import sys
import threading
import weakref
from contextlib import closing
from typing import Any

import pytest

pytestmark = pytest.mark.rasa


async def test_work_runs_elsewhere_and_comes_back(untouched: Any) -> None:
    """Its result and its error reach who waits, and the loop's thread does none of it."""
    with closing(untouched.threads.Threads(1)) as threads:
        assert await threads.run(lambda left, right: left + right, 1, 2) == 3
        assert await threads.run(threading.current_thread) is not threading.current_thread()
        with pytest.raises(LookupError, match="lost"):
            await threads.run(_fail)


def _fail() -> None:
    raise LookupError("lost")


async def test_as_many_run_at_once_as_there_are_threads(untouched: Any) -> None:
    """Each piece of work gets a thread of its own up to the limit; the next one waits for the first that is free."""
    met, released = threading.Barrier(4), threading.Event()
    with closing(untouched.threads.Threads(3)) as threads:
        together = [threads.run(met.wait, 20) for _ in range(3)]
        later = threads.run(lambda: "later")
        await asyncio.get_running_loop().run_in_executor(None, met.wait, 20)
        assert sorted(await asyncio.gather(*together)) != []
        assert await later == "later"
        slow = threads.run(released.wait, 20)
        assert await threads.run(lambda: "meanwhile") == "meanwhile"
        released.set()
        assert await slow


async def test_nobody_need_wait(untouched: Any) -> None:
    """Work whose waiter was cancelled is finished, and the thread goes on."""
    released, done = threading.Event(), threading.Event()

    def work() -> None:
        released.wait(20)
        done.set()

    with closing(untouched.threads.Threads(1)) as threads:
        task = asyncio.ensure_future(threads.run(work))
        await asyncio.sleep(0)
        task.cancel()
        released.set()
        assert await threads.run(lambda: "next") == "next"
        assert done.is_set()


async def test_threads_end_with_their_owner_and_keep_nothing(untouched: Any) -> None:
    """A result is let go of once it was delivered, and no thread outlives the object that started it."""

    class Result:
        pass

    threads = untouched.threads.Threads(1, "short-lived")
    result = weakref.ref(await threads.run(Result))
    await threads.run(lambda: None)
    assert result() is None
    [thread] = [each for each in threading.enumerate() if each.name.startswith("short-lived")]
    del threads
    thread.join(20)
    assert not thread.is_alive()


def test_work_is_finished_when_the_interpreter_ends(untouched: Any) -> None:
    """A turn that is being saved when the server is told to stop is saved."""
    code = """if True:
        import asyncio, importlib.util, sys, time
        spec = importlib.util.spec_from_file_location("threads", sys.argv[1])
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        threads = module.Threads(1)

        def work():
            time.sleep(0.3)
            print("saved", flush=True)

        async def main():
            threads.run(work)

        asyncio.run(main())
    """
    run = subprocess.run(
        [sys.executable, "-c", code, untouched.threads.__file__], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout == "saved\n"
    assert run.stderr == ""
