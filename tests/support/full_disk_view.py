"""`python -m tests.support.full_disk_view <folder>`: looks at a person's consent while the database cannot grow.

Prints the command's output and error; exit code 1 where it showed anything.
"""

import resource
import signal
import sys
from pathlib import Path

from click.testing import CliRunner

from rasa_privacy.cli import main
from tests.support.vaults import SENDER


def run(folder: str) -> None:
    """Let the first byte that the database's log needs be one too many."""
    size = (Path(folder) / "c.db-wal").stat().st_size
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that the write fails, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    shown = CliRunner().invoke(main, ["consent", "show", "--bot", folder, "--sender-stdin"], input=f"{SENDER}\n")
    sys.stdout.write(shown.output)
    sys.exit(1 if "granted" in shown.output else 0)


if __name__ == "__main__":
    run(sys.argv[1])
