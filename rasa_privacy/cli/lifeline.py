"""Runs a command that ends when the process that asked for it ends, even by `kill -9`.

Started by file name, before anything else is imported: `python -I lifeline.py <parent pid> <command> [argument...]`.
It asks the kernel for a SIGKILL at the parent's death (prctl(2), PR_SET_PDEATHSIG; it survives execve) and then becomes
the command. Where there is no prctl (macOS), the command runs without this last guard.

Doing this here, after the fork and in a fresh interpreter, needs no code between fork and exec in a threaded parent.
"""

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def die_with_parent(parent_pid: int) -> None:
    """Ask for a SIGKILL when the parent dies; exit at once if it is dead already."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The parent may have died between the fork and the call: then nobody would ever send the signal.
        if os.getppid() != parent_pid:
            raise SystemExit(1)


def main(arguments: list[str]) -> None:
    """Become the command that stands behind the parent's process id."""
    parent_pid, *command = arguments
    die_with_parent(int(parent_pid))
    os.execvp(command[0], command)  # noqa: S606 - there is no shell on purpose


if __name__ == "__main__":
    main(sys.argv[1:])
