"""`make demo`, as somebody sees it who only pipes it into a file."""

import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

pytestmark = [pytest.mark.e2e]

ROOT = Path(__file__).parents[2]


def test_demo_without_a_terminal_plays_conversation_one_and_leaves_nothing(model: Path) -> None:
    """It exits 0, shows ledger and stored bytes, says that nothing was readable, and no server is left."""
    assert model.is_file()  # trained once for all tests, so that the demo does not wait for it
    command = [str(Path(sys.executable).with_name("rasa-privacy")), "demo", "--models", str(model.parent)]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("asked", "granted", "withdrawn", "stored bytes", "ER-", "none was readable"):
        assert part in done.stdout
    children = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline", "ppid"])]
    assert not [line for line in children if "rasa-privacy-demo" in line]
