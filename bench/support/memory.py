"""How much memory a piece of work takes at its peak, on Linux (proc(5): `clear_refs` and `VmHWM`).

`getrusage` gives the peak of all the time before too, and a new process begins with that of the one that started it: so
it hides whatever stays below.
"""

from pathlib import Path
from typing import Final

_SELF: Final = Path("/proc/self")
_RESET: Final = "5"


def begin_peak() -> float:
    """Let the peak begin at what is held now, and return that in MiB."""
    (_SELF / "clear_refs").write_text(_RESET, encoding="ascii")
    return peak()


def peak() -> float:
    """Return the peak since `begin_peak`, in MiB."""
    line = next(each for each in (_SELF / "status").read_text("ascii").splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
