"""Coverage-guided fuzzing with atheris: `make fuzz TARGET=segment SECONDS=600`.

    python -m tests.fuzz.run <target> [seconds]

Starts from the corpus of the repository, and writes what is left after minimising back to it. An input that breaks the
target is printed by libFuzzer and kept in `.build/fuzz/<target>/`; add it to the corpus with its fix.
"""

import importlib
import subprocess
import sys
from typing import Any, Final

from tests.fuzz.corpus import FILES, pack, unpack

_BUILD: Final = FILES.parents[2] / ".build" / "fuzz"
_MODULE: Final = "tests.fuzz.run"
_INNER: Final = "--inside"
_MAX_INPUT_BYTES: Final = 2048


def _inside(target: str, arguments: list[str]) -> None:
    """Run libFuzzer in this process; it never returns."""
    atheris: Any = importlib.import_module("atheris")  # must come before what it instruments; no tests need it

    with atheris.instrument_imports(include=["rasa_privacy"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415
    # To merge, libFuzzer starts its first argument through the shell, once for each part of the corpus.
    atheris.Setup([f"{sys.executable} -m {_MODULE} {_INNER} {target}", *arguments], TARGETS[target])
    atheris.Fuzz()


def _fuzz(target: str, seconds: int) -> int:
    """Fuzz for a time, minimise, and write the corpus."""
    found, small = _BUILD / target / "found", _BUILD / target / "small"
    for folder in (found, small):
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            file.unlink()
    unpack(target, found)
    command = [sys.executable, "-m", _MODULE, _INNER, target, f"-max_len={_MAX_INPUT_BYTES}", "-use_value_profile=1"]
    artifacts = f"-artifact_prefix={_BUILD / target}/"
    ended = subprocess.run([*command, f"-max_total_time={seconds}", artifacts, str(found)], check=False)
    merged = subprocess.run([*command, "-merge=1", artifacts, str(small), str(found)], check=False)
    if merged.returncode == 0 and any(small.iterdir()):
        pack(target, small)
    return ended.returncode or merged.returncode


if __name__ == "__main__":
    if sys.argv[1] == _INNER:
        _inside(sys.argv[2], sys.argv[3:])
    sys.exit(_fuzz(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 600))
