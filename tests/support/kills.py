"""kill -9 at each boundary of a piece of work: before and after every commit of a change, and every fsync of a file.

On MariaDB a statement that changes tables commits by itself, so each is a boundary too where that is asked for.

The work is a function of strings, named `module:function`. It runs in processes of its own, each killed one boundary
later than the one before, until one comes to its end::

    for outcome in every_kill("tests.support.kill_work:save", prepare):
        ...  # look at what is left; outcome.completed is True the last time

`prepare` makes a fresh state and returns the arguments. One process imports everything and forks for each run, so a
round costs milliseconds.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).parents[2]
_MOST_BOUNDARIES: Final = 200
#: What a transaction that changes nothing is made of; its commit is no boundary.
_READING: Final = frozenset(("SELECT", "PRAGMA", "SET", "SHOW", "BEGIN", "START", "EXPLAIN"))
#: What MariaDB commits by itself.
_OF_TABLES: Final = frozenset(("CREATE", "ALTER", "DROP", "RENAME"))
BEFORE: Final = "before"
AFTER: Final = "after"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended.

    Attributes:
        number: The boundary at which it was to be killed, from 1.
        when: BEFORE or AFTER the commit or fsync.
        completed: Whether the work has no such boundary and came to its end.
        arguments: What `prepare` returned.
    """

    number: int
    when: str
    completed: bool
    arguments: tuple[str, ...]


def every_kill(
    work: str, prepare: Callable[[], Sequence[str]], times: Sequence[str] = (BEFORE, AFTER), *, of_tables: bool = False
) -> Iterator[Outcome]:
    """Yield after each kill, and a last time after the work came to its end.

    Args:
        work: `module:function`.
        prepare: Makes a fresh state and returns the arguments of the function.
        times: When at a boundary, BEFORE and AFTER it or one of them.
        of_tables: Whether what MariaDB commits by itself is a boundary.

    Raises:
        AssertionError: The work failed by itself; its traceback is the message.
    """
    command = [sys.executable, "-m", "tests.support.kills", work]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as runner:
        try:
            for number in range(1, _MOST_BOUNDARIES):
                for when in times:
                    arguments = tuple(prepare())
                    completed = _ask(
                        runner, {"number": number, "when": when, "of_tables": of_tables, "arguments": arguments}
                    )
                    yield Outcome(number, when, completed, arguments)
                    if completed:
                        return
            raise AssertionError(f"{work} has more than {_MOST_BOUNDARIES} boundaries")
        finally:
            runner.kill()


def _ask(runner: subprocess.Popen[str], order: dict[str, Any]) -> bool:
    assert runner.stdin is not None
    assert runner.stdout is not None
    runner.stdin.write(json.dumps(order) + "\n")
    runner.stdin.flush()
    answer = json.loads(runner.stdout.readline() or '{"failed": "the runner ended"}')
    assert "failed" not in answer, answer["failed"]
    return bool(answer["completed"])


def kill_at(number: int, when: str, *, of_tables: bool = False) -> None:  # noqa: C901 - each function is put in the place of another
    """Have this process killed at its n-th boundary from now on."""
    from sqlalchemy import event  # noqa: PLC0415 - the parent needs none of it
    from sqlalchemy.engine import Engine  # noqa: PLC0415
    from sqlalchemy.engine.default import DefaultDialect  # noqa: PLC0415

    from rasa_privacy.storage.dialects.server import Server  # noqa: PLC0415
    from rasa_privacy.storage.query import Query  # noqa: PLC0415

    numbers = count(1)
    writing = [False]
    is_here = [False]

    def note(connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        word = statement.split(maxsplit=1)[0].upper()
        writing[0] = writing[0] or word not in _READING
        is_boundary = of_tables and connection.dialect.name == "mysql" and word in _OF_TABLES
        is_here[0] = is_boundary and next(numbers) == number
        if is_here[0] and when == BEFORE:
            os.kill(os.getpid(), signal.SIGKILL)

    def done(*_of_statement: Any) -> None:
        if is_here[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def bounded(original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            here = next(numbers) == number
            if here and when == BEFORE:
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(*arguments, **named)
            if here:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return step

    def noting(plain: Callable[..., Any]) -> Callable[..., Any]:
        def run(query: Query, *arguments: Any) -> Any:
            writing[0] = writing[0] or not query.is_reading
            return plain(query, *arguments)

        return run

    def committing(plain: Callable[..., Any]) -> Callable[..., Any]:
        counted = bounded(plain)

        def commit(*arguments: Any) -> None:
            (counted if writing[0] else plain)(*arguments)
            writing[0] = False

        return commit

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "after_cursor_execute", done)
    for name in ("_run", "_statement_for"):  # methods are replaced in this process alone
        setattr(Query, name, noting(vars(Query)[name]))
    DefaultDialect.do_commit = committing(DefaultDialect.do_commit)
    Server.commit = committing(Server.commit)  # type: ignore[method-assign]
    os.fsync = bounded(os.fsync)


def _run(work: Callable[..., None], order: dict[str, Any]) -> dict[str, Any]:
    """Do the work in a forked process, and say how that ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            kill_at(order["number"], order["when"], of_tables=order["of_tables"])
            work(*order["arguments"])
            status = 0
        except BaseException:  # noqa: BLE001 - all of it is told to the test
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        failure = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == -signal.SIGKILL:
        return {"completed": False}
    return {"completed": True} if status == 0 else {"failed": failure or f"exit code {status}"}


def _main() -> None:
    module, _, name = sys.argv[1].partition(":")
    work = getattr(importlib.import_module(module), name)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_run(work, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
