"""A process that makes some of an audience's lines; `audience_processes` begins and ends it.

Rules:

1. The task comes on the standard input, one line of JSON; behind it the numbers of runs to make, 4 bytes each, as they
   are given. What opens the database is in the task, so that it stands in no argument, variable or file; keys are not:
   the process opens the key provider itself.
2. The answer goes out in frames: a letter, the length of the body in 4 bytes, the body. `R`: the store is open. `P`:
   the counts of a page, then its lines. `E`: a run is over. `X`: an error, its class and its message; nothing follows.
3. When the standard input is closed, whoever began it is gone or has enough, and it ends at once.
"""

import gc
import os
import struct
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, Final

import msgspec

from rasa_privacy.errors import PrivacyError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.rights.audience import Tally, pages
from rasa_privacy.rights.audience_form import lines_of
from rasa_privacy.rights.membership import Decision
from rasa_privacy.storage.vault import Vault, open_vault

READY, PIECE, END, ERROR = b"R", b"P", b"E", b"X"
FRAME: Final = struct.Struct(">cI")
#: The number of a run.
RUN: Final = struct.Struct(">I")
#: The fields of a `Tally`.
COUNTS: Final = struct.Struct(">6I")
#: People of a run, by and large.
RUN_PEOPLE: Final = 1000
_ALL: Final = 2**128


@dataclass(frozen=True, slots=True)
class Task:
    """What a process is to do.

    Attributes:
        settings: What the store is opened with.
        purpose: A purpose that rests on consent.
        item: An item of it, or None.
        now: The moment of the export, aware and in UTC.
        runs: Into how many runs all subject ids are cut.
    """

    settings: StoreSettings
    purpose: str
    item: str | None
    now: datetime
    runs: int

    def to_line(self) -> bytes:
        """Return the task as a line of JSON."""
        return msgspec.json.encode(self, enc_hook=str) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Task":
        """Return the task in a line."""
        return msgspec.json.decode(line, type=cls, dec_hook=_path)


def _path(_type: type, value: Any) -> Any:
    return Path(value)


def bounds(run: int, runs: int) -> tuple[bytes, bytes]:
    """Return the subject id behind which a run begins, no bytes for the first run, and the last one that is in it."""
    begin, end = _ALL * run // runs - 1, _ALL * (run + 1) // runs - 1
    return begin.to_bytes(16, "big") if run else b"", end.to_bytes(16, "big")


def pieces(task: Task, decision: Decision, run: int) -> Iterator[bytes]:
    """Yield for each page of a run its counts, and its lines behind them."""
    tally = Tally()
    for page in pages(decision, task.item, tally, bounds(run, task.runs)):
        yield COUNTS.pack(*astuple(tally)) + lines_of(page, task.item)
        tally.clear()


def work(task: Task, vault: Vault, runs: Iterable[int], out: BinaryIO) -> None:
    """Write the frames of these runs."""
    decision = Decision(vault, task.purpose, task.now)
    for run in runs:
        for piece in pieces(task, decision, run):
            _write(out, PIECE, piece)
        _write(out, END, b"")
        gc.collect()


def main() -> None:
    """Do the task on the standard input."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no frame
    source = os.fdopen(0, "rb", 0, closefd=False)  # without a buffer, whose lock would be held when Python ends
    task, given = Task.from_line(source.readline()), SimpleQueue[int]()
    threading.Thread(target=_take_runs, args=(source, given), daemon=True).start()
    try:
        vault = open_vault(task.settings)
        gc.freeze()
        gc.disable()  # what a page makes is gone with the page, but for little that `work` collects
        _write(out, READY, b"")
        work(task, vault, iter(given.get, None), out)
    except BrokenPipeError:
        os._exit(1)
    except PrivacyError as error:
        _write(out, ERROR, msgspec.json.encode([type(error).__name__, str(error)]))
    except Exception as error:  # noqa: BLE001 - its text may hold a value, so its class is told and nothing else
        _write(out, ERROR, msgspec.json.encode(["", type(error).__name__]))


def _take_runs(source: BinaryIO, given: SimpleQueue[int]) -> None:
    """Note what the process is given, and end it when nothing more can come."""
    while len(packed := source.read(RUN.size)) == RUN.size:
        given.put(*RUN.unpack(packed))
    os._exit(1)


def _write(out: BinaryIO, kind: bytes, body: bytes) -> None:
    out.write(FRAME.pack(kind, len(body)) + body)
    out.flush()


def command(path: Sequence[str]) -> list[str]:
    """Return the command that runs `main`, with modules from these folders alone."""
    code = f"import sys; sys.path[:] = sys.argv[1:]; from {__name__} import main; main()"
    return [sys.executable, "-c", code, *path]
