"""Time until command and package are there: `rasa-privacy --help` and `import rasa_privacy`, in new processes."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Final

from bench.support.report import Table, milliseconds, publish, verdict

RUNS: Final = 25
HELP_GOAL_SECONDS: Final = 0.150  # DESIGN.md, section 8
COMMAND: Final = str(Path(sys.executable).with_name("rasa-privacy"))

METHOD: Final = """Medians of 25 new processes each, taken by turns after one that is not counted, so that the files are
in the system's cache. The bare interpreter is part of both and is shown for comparison."""


def seconds(command: list[str]) -> float:
    """Return how long a process takes from start to end.

    Raises:
        subprocess.CalledProcessError: The command failed.
    """
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own commands
    return time.perf_counter() - start


def main() -> None:
    """Measure, print, and write the document."""
    commands = {
        "`rasa-privacy --help`": [COMMAND, "--help"],
        "`import rasa_privacy`": [sys.executable, "-c", "import rasa_privacy"],
        "bare interpreter": [sys.executable, "-c", "pass"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(RUNS + 1):
        for name, command in commands.items():
            taken = seconds(command)
            if run:
                times[name].append(taken)
    middle = {name: median(values) for name, values in times.items()}
    rows = [(name, milliseconds(value), "-", "") for name, value in middle.items()]
    shown = middle["`rasa-privacy --help`"]
    rows[0] = (*rows[0][:2], "<= 150 ms", verdict(met=shown <= HELP_GOAL_SECONDS))
    publish("dialogue", Table("Command and import", " ".join(METHOD.split()), ("work", "time", "goal", ""), rows))


if __name__ == "__main__":
    main()
